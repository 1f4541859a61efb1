//! Manifests as bytes, for whoever rewrites them: whether a file has signatures beside it comes with
//! it, since those are over its very bytes.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{CWD, OFlags};
use rustix::io::Errno;

use super::below::{enter, open, read_file, trouble};
use super::rules::{MAX_BYTES, Problem, not_a_file, unreadable};
use super::signatures::SignatureFiles;
use super::walk::{Budget, Listed, Unread, Walk};
use crate::domain::manifest::Documents;
use crate::domain::manifest::finding::Finding;
use crate::domain::wording::harmless;
use crate::edges::fs::durable::parent;
use crate::edges::fs::guarded::Refused;

/// A manifest as it is.
#[derive(Debug, Clone)]
pub(crate) struct RawFile {
    /// From the root.
    pub(crate) path: Arc<str>,
    /// Or why it cannot be read.
    pub(crate) bytes: Result<Vec<u8>, String>,
    /// Whether there are, or may be, signatures over it.
    pub(crate) is_signed: bool,
}

/// All manifests below `root`, by path, and what could not be looked at.
///
/// # Errors
/// If the root cannot be read, or holds too much.
pub(crate) fn raw_files(root: &Path) -> Result<(Vec<RawFile>, Vec<Finding>), String> {
    let fd = open(CWD, root, OFlags::DIRECTORY).map_err(|error| Unread::Io(error).to_string())?;
    let chunks = Mutex::new(Vec::new());
    let keep = |chunk| chunks.lock().unwrap_or_else(PoisonError::into_inner).push(chunk);
    let (lost, listed) = (Documents::default(), Listed::default());
    let mut walk = Walk { found: &keep, budget: &Budget::of_system(), lost, listed };
    let walked = walk.directory(&fd, String::new(), 0);
    walked.map_err(|unlisted| Unread::from(unlisted).to_string())?;
    let lost = walk.lost.findings;
    let mut beside = BTreeMap::new();
    let mut files = Vec::new();
    for chunk in &chunks.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let signatures = beside
            .entry(chunk.path.clone())
            .or_insert_with(|| enter(fd.as_fd(), &chunk.path).and_then(SignatureFiles::list));
        let directory = enter(fd.as_fd(), &chunk.path);
        for name in chunk.names() {
            let directory = directory.as_ref().map_err(|e| unreadable("directory", *e));
            files.push(file(&chunk.path, name, directory, signatures.as_ref().ok()));
        }
    }
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok((files, lost))
}

/// The file at this path, wherever it lies; its own name is its path.
#[must_use]
pub(crate) fn raw_file(path: &Path) -> RawFile {
    let name = path.file_name().unwrap_or_default();
    let shown = harmless(&name.to_string_lossy());
    let directory = open(CWD, parent(path), OFlags::DIRECTORY);
    let signatures = open(CWD, parent(path), OFlags::DIRECTORY).and_then(SignatureFiles::list).ok();
    match CString::new(name.as_encoded_bytes()) {
        Ok(name) => {
            let directory = directory.as_ref().map_err(|error| unreadable("directory", *error));
            file("", &name, directory, signatures.as_ref())
        }
        Err(_) => {
            let (_, message, _) = not_a_file();
            RawFile { path: shown.into(), bytes: Err(message), is_signed: true }
        }
    }
}

/// The text of the file at this path, from the root; nothing where there is none.
///
/// # Errors
/// If it cannot be read, is no UTF-8, or a symlink is on the way: why, without a full stop.
pub(crate) fn text_below(root: &Path, path: &str) -> Result<Option<String>, String> {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let failed = |(_, message, _): Problem| message;
    let root = open(CWD, root, OFlags::DIRECTORY)
        .map_err(|error| failed(unreadable("directory", error)))?;
    let directory = match enter(root.as_fd(), parent) {
        Ok(directory) => directory,
        Err(Errno::NOENT) => return Ok(None),
        // What a symlink on the way is called, since none is followed.
        Err(Errno::NOTDIR | Errno::LOOP) => {
            return Err(format!("{parent} is not a directory, or leads through a symlink"));
        }
        Err(error) => return Err(failed(unreadable("directory", error))),
    };
    let name = CString::new(name).map_err(|_| failed(not_a_file()))?;
    let mut bytes = Vec::new();
    match read_file(&directory, &name, &mut bytes, MAX_BYTES) {
        Ok(_) => {}
        Err(Refused::System(Errno::NOENT)) => return Ok(None),
        Err(refused) => return Err(failed(trouble(refused))),
    }
    String::from_utf8(bytes).map(Some).map_err(|_| "it is not UTF-8".to_owned())
}

fn file(
    parent: &str,
    name: &CStr,
    directory: Result<&OwnedFd, Problem>,
    signatures: Option<&SignatureFiles>,
) -> RawFile {
    let mut bytes = Vec::new();
    let read = directory.and_then(|at| read_file(at, name, &mut bytes, MAX_BYTES).map_err(trouble));
    RawFile {
        path: format!("{parent}{}", name.to_string_lossy()).into(),
        bytes: read.map(|_| bytes).map_err(|(_, message, _)| message),
        // Where nobody can tell, there may be some.
        is_signed: signatures.is_none_or(|signatures| signatures.any(name)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_text_is_read_below_the_root_and_no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("fleet/a")).unwrap();
        fs::write(dir.path().join("fleet/a/x.yaml"), "x").unwrap();
        fs::write(dir.path().join("x.yaml"), "outside").unwrap();
        symlink("..", dir.path().join("fleet/up")).unwrap();
        symlink("../x.yaml", dir.path().join("fleet/l.yaml")).unwrap();
        let text = |path: &str| text_below(&dir.path().join("fleet"), path);
        assert_eq!(text("a/x.yaml"), Ok(Some("x".to_owned())));
        for absent in ["a/y.yaml", "b/x.yaml", "y.yaml"] {
            assert_eq!(text(absent), Ok(None), "{absent}");
        }
        for refused in ["up/x.yaml", "l.yaml", "a/x.yaml/y.yaml", "a"] {
            assert!(text(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn each_file_comes_with_whether_it_is_signed() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            fs::create_dir_all(parent(&dir.path().join(path))).unwrap();
            fs::write(dir.path().join(path), path).unwrap();
        };
        for path in ["b/w.yaml", "b/w.yaml.bob.sig", "b/x.yaml", "a.yml", ".y.yaml", "c.txt"] {
            write(path);
        }
        symlink("a.yml", dir.path().join("l.yaml")).unwrap();
        let (files, lost) = raw_files(dir.path()).unwrap();
        let shown: Vec<_> = files.iter().map(|file| (&*file.path, file.is_signed)).collect();
        assert_eq!(shown, [("a.yml", false), ("b/w.yaml", true), ("b/x.yaml", false)]);
        assert_eq!(files[0].bytes.as_deref(), Ok(&b"a.yml"[..]));
        assert_eq!(lost.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), ["symlink"]);
        assert!(raw_file(&dir.path().join("b/w.yaml")).is_signed);
        assert!(!raw_file(&dir.path().join("a.yml")).is_signed);
        assert!(raw_file(&dir.path().join("gone/x.yaml")).is_signed, "nobody can tell");
        assert!(raw_file(&dir.path().join("l.yaml")).bytes.is_err(), "a link is not followed");
        assert!(raw_files(&dir.path().join("gone")).is_err());
    }
}
