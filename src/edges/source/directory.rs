//! The fleet directory as it is on disk: all of it, or a few files again.

use std::collections::HashSet;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, Dir, FileType, OFlags, statat};
use rustix::io::Errno;

use super::below::{enter, open, read_file};
use super::rules::{MAX_BYTES, MAX_ENTRIES, Trouble, is_manifest, judge, not_a_file, unreadable};
use super::signatures::{MAX_BESIDE, SignatureFiles, read_signatures};
use super::tree::{self, Judged, Marks};
use crate::domain::fleet::{Desired, IncrementalFleet, assemble};
use crate::domain::manifest::UnusableKind;
use crate::domain::manifest::{Documents, parse_file};
use crate::domain::model::SerialNumber;
use crate::domain::wording::{harmless, quote};
use crate::edges::fs::durable::parent;

/// Files read by a thread before it looks for others' work.
const CHUNK: usize = 128;

/// Reads and validates all manifests below `root`.
#[must_use]
pub fn load(root: &Path) -> Desired {
    load_with(root, &[])
}

/// As [`load`], but as if the files at these paths, from the root, held these bytes.
#[must_use]
pub(crate) fn load_with(root: &Path, written: &[(&str, &[u8])]) -> Desired {
    let instead: HashSet<&str> = written.iter().map(|(path, _)| *path).collect();
    let documents = open(CWD, root, OFlags::DIRECTORY)
        .map_err(Unread::Io)
        .and_then(|fd| Ok((read_below(&fd, &instead, MAX_ENTRIES)?, fd)));
    match documents {
        Ok((documents, root)) => {
            let written = written.iter().map(|(path, bytes)| parse_file(&(*path).into(), bytes));
            let mut desired = assemble(documents.into_iter().chain(written));
            read_signatures(root.as_fd(), &mut desired.wipes);
            desired
        }
        Err(error) => {
            let missing = format!("{} {error}", quote(&root.to_string_lossy()));
            Desired { missing: Some(missing), ..Desired::default() }
        }
    }
}

/// Reads these files anew, by their paths from the root, and takes in what they hold by now: gives
/// the serial numbers of their devices; `None` if only a look at everything tells.
#[must_use]
pub fn reread(
    root: &Path,
    files: impl IntoIterator<Item = impl AsRef<str>>,
    live: &mut IncrementalFleet,
) -> Option<Vec<SerialNumber>> {
    let mut serials = Vec::new();
    for path in files {
        match read_alone(root, path.as_ref()) {
            Alone::Manifest(documents) => serials.extend(live.replace_file(*documents)?),
            Alone::Ignored if !live.depends_on_others(path.as_ref()) => {}
            Alone::Ignored | Alone::Unclear => return None,
        }
    }
    Some(serials)
}

/// A file of the fleet directory, looked at alone.
#[derive(Debug)]
enum Alone {
    /// What a manifest holds by now.
    Manifest(Box<Documents>),
    /// Neither a manifest nor a signature: not read.
    Ignored,
    /// Gone, or trouble: only a look at everything tells.
    Unclear,
}

/// Reads the file at this path, from the root, anew.
fn read_alone(root: &Path, path: &str) -> Alone {
    const REGULAR: u32 = 0o100_644;
    let path = match tree::judge(path.as_bytes(), REGULAR) {
        Judged::Manifest(path) => path,
        Judged::Ignored => return Alone::Ignored,
        Judged::Signature(_) | Judged::Lost(..) => return Alone::Unclear,
    };
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let mut bytes = Vec::new();
    let read = CString::new(name).map_err(|_| not_a_file()).and_then(|name| {
        let failed = |error| unreadable("directory", error);
        let root = open(CWD, root, OFlags::DIRECTORY).map_err(failed)?;
        let directory = enter(root.as_fd(), parent).map_err(failed)?;
        read_file(&directory, &name, &mut bytes, MAX_BYTES)
    });
    match read {
        Ok(()) => Alone::Manifest(Box::new(parse_file(&path.into(), &bytes))),
        Err(_) => Alone::Unclear,
    }
}

/// Why nothing is known of the whole fleet.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("cannot be read: {0}")]
    Io(Errno),
    /// What was read by then would be acted on without the rest: a device without the manifest
    /// that clashes with it, a request without its veto.
    #[error("has more than {0} manifests and directories, so not all of it was read: split it")]
    TooMany(usize),
}

/// All manifests but the one at `but`, in no order. One thread lists directories while the
/// others already read.
pub(super) fn read_below(
    root: &OwnedFd,
    but: &HashSet<&str>,
    limit: usize,
) -> Result<Vec<Documents>, Unread> {
    let documents = Mutex::new(Vec::new());
    let keep = |read| documents.lock().unwrap_or_else(PoisonError::into_inner).push(read);
    let lost = rayon::scope(|scope| {
        let found = |chunk: Chunk| {
            let keep = &keep;
            scope.spawn(move |_| keep(read(root.as_fd(), &chunk, |path| !but.contains(path))));
        };
        let mut walk = Walk { found: &found, lost: Documents::default(), seen: 0, limit };
        walk.directory(root, String::new(), 0).map_err(Unread::Io)?;
        if walk.is_full() { Err(Unread::TooMany(limit)) } else { Ok(walk.lost) }
    })?;
    keep(lost);
    Ok(documents.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Some of a directory's manifests.
pub(super) struct Chunk {
    /// Of the directory: relative to the root, empty or with a slash at the end.
    pub(super) path: String,
    /// Each with its NUL: a million names in few allocations.
    pub(super) names: Vec<u8>,
}

impl Chunk {
    pub(super) fn new<'n>(path: &str, names: impl IntoIterator<Item = &'n CString>) -> Self {
        let names = names.into_iter().flat_map(|name| name.as_bytes_with_nul()).copied();
        Self { path: path.to_owned(), names: names.collect() }
    }

    fn names(&self) -> impl Iterator<Item = &CStr> {
        self.names.split_inclusive(|b| *b == 0).filter_map(|n| CStr::from_bytes_with_nul(n).ok())
    }
}

/// What listing directories brings to light.
pub(super) struct Walk<'w> {
    /// Takes manifests to be read.
    pub(super) found: &'w dyn Fn(Chunk),
    pub(super) lost: Documents,
    pub(super) seen: usize,
    pub(super) limit: usize,
}

impl Walk<'_> {
    /// Lists `path`, which is empty or ends in a slash, and all below it, in order of names.
    pub(super) fn directory(
        &mut self,
        fd: &OwnedFd,
        path: String,
        depth: usize,
    ) -> Result<(), Errno> {
        let (mut entries, marks) = list(fd)?;
        self.seen += entries.len();
        if self.is_full() {
            return Ok(());
        }
        self.lost.findings.extend(marks.finding(&path));
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut names = Vec::new();
        let mut below = Vec::new();
        for (name, kind) in entries {
            match judge(&name, kind, depth) {
                Ok(FileType::Directory) => below.push(name),
                Ok(_) => names.push(name),
                Err((what, trouble)) => self.lose(what, &path, &name, trouble),
            }
        }
        names.chunks(CHUNK).for_each(|names| (self.found)(Chunk::new(&path, names)));
        for name in below {
            if self.is_full() {
                break;
            }
            let inner = open(fd, name.as_c_str(), OFlags::DIRECTORY | OFlags::NOFOLLOW);
            let inner = inner.and_then(|inner| {
                let path = format!("{path}{}/", name.to_string_lossy());
                self.directory(&inner, path, depth + 1)
            });
            if let Err(error) = inner {
                self.lose(UnusableKind::Directory, &path, &name, unreadable("directory", error));
            }
        }
        Ok(())
    }

    fn lose(
        &mut self,
        what: UnusableKind,
        parent: &str,
        name: &CStr,
        (code, message, help): Trouble,
    ) {
        let path = harmless(&format!("{parent}{}", name.to_string_lossy()));
        self.lost.lose(what, &path.into(), code, message, help);
    }

    /// Whether there is more than may be read; what was found by then is worth nothing.
    pub(super) const fn is_full(&self) -> bool {
        self.seen > self.limit
    }
}

/// Manifests, directories and symlinks, and what looks like a part of a Git directory; everything
/// else is none of our business.
fn list(fd: &OwnedFd) -> Result<(Vec<(CString, FileType)>, Marks), Errno> {
    let (mut entries, mut marks) = (Vec::new(), Marks::default());
    for entry in Dir::read_from(fd)? {
        let entry = entry?;
        let name = entry.file_name();
        marks.note(name.to_bytes());
        if name.to_bytes().starts_with(b".") {
            continue;
        }
        let kind = match entry.file_type() {
            // Some file systems do not say; an entry that is gone by now was never there.
            FileType::Unknown => match statat(fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(Errno::NOENT) => continue,
                Err(_) => FileType::Unknown,
            },
            kind => kind,
        };
        // One whose kind cannot be told may be a directory full of manifests.
        let may_hide = [FileType::Directory, FileType::Symlink, FileType::Unknown].contains(&kind);
        if is_manifest(name) || may_hide {
            entries.push((name.to_owned(), kind));
        }
    }
    Ok((entries, marks))
}

/// Reads files of one directory: those whose path is `wanted`.
pub(super) fn read(
    root: BorrowedFd<'_>,
    chunk: &Chunk,
    wanted: impl Fn(&str) -> bool,
) -> Documents {
    let directory = enter(root, &chunk.path);
    let mut all = Documents::default();
    let mut bytes = Vec::new();
    for name in chunk.names() {
        let path: Arc<str> = format!("{}{}", chunk.path, name.to_string_lossy()).into();
        if !wanted(&path) {
            continue;
        }
        let directory = directory.as_ref().map_err(|error| unreadable("directory", *error));
        match directory.and_then(|directory| read_file(directory, name, &mut bytes, MAX_BYTES)) {
            Ok(()) => all.absorb(parse_file(&path, &bytes)),
            Err((code, message, help)) => all.lose(UnusableKind::File, &path, code, message, help),
        }
    }
    all
}

/// A request by itself, wherever it lies, with what is beside it.
///
/// # Errors
/// If it is no regular file that can be read.
pub(crate) fn read_request(path: &Path) -> std::io::Result<(Vec<u8>, Documents)> {
    let failed = |(_, message, _): Trouble| std::io::Error::other(message);
    let name = path.file_name().ok_or(std::io::ErrorKind::IsADirectory)?;
    let shown: Arc<str> = harmless(&name.to_string_lossy()).into();
    let name = CString::new(name.as_encoded_bytes())?;
    let directory = open(CWD, parent(path), OFlags::DIRECTORY)?;
    let mut bytes = Vec::new();
    read_file(&directory, &name, &mut bytes, MAX_BYTES).map_err(failed)?;
    let mut documents = parse_file(&shown, &bytes);
    if let Some(draft) = documents.wipes.first_mut() {
        let mut room = MAX_BESIDE;
        let mut beside = SignatureFiles::list(directory)?;
        beside.fill(&name.to_string_lossy(), "", &mut draft.file, &mut room);
    }
    Ok((bytes, documents))
}
