//! The fleet directory, as it is on disk, made into [`Desired`].
//!
//! Only ever reads, and only regular files below the root: each component of a path is opened
//! from its parent's descriptor with `O_NOFOLLOW`, so no symlink, `..` or exchanged directory
//! leads out, and nothing blocks on a FIFO. The root itself may be a symlink; it is opened
//! once, so that a swap gives the old tree or the new one. Time and memory are bounded by
//! [`MAX_BYTES`], [`MAX_DEPTH`] and [`MAX_ENTRIES`]. Never fails: what cannot be read is a
//! finding, and damage that holds whatever is recorded of it.

pub mod git;
mod tree;

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

use crate::finding::Code;
use crate::fleet::{Damage, Desired, ROOT, WipeFile, assemble};
use crate::manifest::{Documents, parse_file};
use crate::model::is_deceptive;
use crate::wipe::sshsig;
use crate::wording::{harmless, quote};

/// Largest manifest, in bytes: thousands of devices.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Deepest directory below the root.
pub const MAX_DEPTH: usize = 32;
/// Most manifests: ten times the largest fleet that this is built for.
pub const MAX_ENTRIES: usize = 1_000_000;
/// How signatures of wipe requests are named.
const SIGNATURE: &[u8] = b".sig";
/// How vetoes are named.
const VETO: &str = ".veto.sig";
/// Files read by a thread before it looks for others' work.
const CHUNK: usize = 128;

/// What is the matter with an entry of a directory.
type Trouble = (Code, String, &'static str);

/// Reads and validates all manifests below `root`.
#[must_use]
pub fn load(root: &Path) -> Desired {
    load_with(root, None)
}

/// As [`load`], but as if the file at this path, from the root, held these bytes.
#[must_use]
pub fn load_with(root: &Path, written: Option<(&str, &[u8])>) -> Desired {
    let walked = open(CWD, root, OFlags::DIRECTORY).and_then(|fd| {
        let mut walk = Walk { limit: MAX_ENTRIES, ..Walk::default() };
        walk.directory(&fd, String::new(), 0)?;
        Ok((fd, walk))
    });
    match walked {
        Ok((root, walk)) => {
            let other = |path: &str| written.is_none_or(|(written, _)| written != path);
            let read = walk.chunks.par_iter().map(|chunk| read(root.as_fd(), chunk, other));
            let read: Vec<Documents> = read.collect();
            drop(walk.chunks);
            let written = written.map(|(path, bytes)| parse_file(&path.into(), bytes));
            let all = std::iter::once(walk.lost).chain(read).chain(written);
            let mut desired = assemble(all);
            read_signatures(root.as_fd(), &mut desired.wipes);
            desired
        }
        Err(error) => {
            let missing = format!("{} cannot be read: {error}", quote(&root.to_string_lossy()));
            Desired { missing: Some(missing), ..Desired::default() }
        }
    }
}

/// Some of a directory's manifests.
struct Chunk {
    /// Of the directory: relative to the root, empty or with a slash at the end.
    path: String,
    /// Each with its NUL: a million names in few allocations.
    names: Vec<u8>,
}

impl Chunk {
    fn new<'n>(path: &str, names: impl IntoIterator<Item = &'n CString>) -> Self {
        let names = names.into_iter().flat_map(|name| name.as_bytes_with_nul()).copied();
        Self { path: path.to_owned(), names: names.collect() }
    }

    fn names(&self) -> impl Iterator<Item = &CStr> {
        self.names.split_inclusive(|b| *b == 0).filter_map(|n| CStr::from_bytes_with_nul(n).ok())
    }
}

/// What listing directories brings to light.
#[derive(Default)]
struct Walk {
    chunks: Vec<Chunk>,
    lost: Documents,
    seen: usize,
    limit: usize,
}

impl Walk {
    /// Lists `path`, which is empty or ends in a slash, and all below it, in order of names.
    fn directory(&mut self, fd: &OwnedFd, path: String, depth: usize) -> Result<(), Errno> {
        let mut entries = list(fd)?;
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut names = Vec::new();
        let mut below = Vec::new();
        for (name, kind) in entries {
            if self.seen >= self.limit {
                self.stop();
                break;
            }
            self.seen += 1;
            match judge(&name, kind, depth) {
                Ok(FileType::Directory) => below.push(name),
                Ok(_) => names.push(name),
                Err((what, trouble)) => self.lose(what, &path, &name, trouble),
            }
        }
        self.chunks.extend(names.chunks(CHUNK).map(|names| Chunk::new(&path, names)));
        for name in below {
            let inner = open(fd, name.as_c_str(), OFlags::DIRECTORY | OFlags::NOFOLLOW);
            let inner = inner.and_then(|inner| {
                let path = format!("{path}{}/", name.to_string_lossy());
                self.directory(&inner, path, depth + 1)
            });
            if let Err(error) = inner {
                self.lose(Damage::Directory, &path, &name, unreadable("directory", error));
            }
        }
        Ok(())
    }

    fn lose(&mut self, what: Damage, parent: &str, name: &CStr, (code, message, help): Trouble) {
        let path = harmless(&format!("{parent}{}", name.to_string_lossy()));
        self.lost.lose(what, &path.into(), code, message, help);
    }

    /// Said once: after it no further directory has room for an entry.
    fn stop(&mut self) {
        if self.seen == self.limit {
            self.seen += 1;
            let message =
                format!("there are more than {} manifests; the rest is not read", self.limit);
            let help = "split the fleet directory";
            self.lost.lose(Damage::Directory, &ROOT.into(), Code::Unreadable, message, help);
        }
    }
}

/// Manifests, directories and symlinks; everything else is none of our business.
fn list(fd: &OwnedFd) -> Result<Vec<(CString, FileType)>, Errno> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(fd)? {
        let entry = entry?;
        let name = entry.file_name();
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
        if is_manifest(name) || matches!(kind, FileType::Directory | FileType::Symlink) {
            entries.push((name.to_owned(), kind));
        }
    }
    Ok(entries)
}

fn is_manifest(name: &CStr) -> bool {
    name.to_bytes().ends_with(b".yaml") || name.to_bytes().ends_with(b".yml")
}

/// Whether an entry is a file to read or a directory to enter.
fn judge(name: &CStr, kind: FileType, depth: usize) -> Result<FileType, (Damage, Trouble)> {
    let what = if kind == FileType::Directory { Damage::Directory } else { Damage::File };
    if kind == FileType::Symlink {
        return Err((Damage::Directory, symlink()));
    }
    if !name.to_str().is_ok_and(|name| !name.contains(is_deceptive)) {
        let message = "the name is not UTF-8, or has control or bidirectional characters".into();
        return Err((what, (Code::InvalidPath, message, "rename it")));
    }
    match kind {
        FileType::Directory if depth >= MAX_DEPTH => {
            let message = format!("more than {MAX_DEPTH} directories deep");
            Err((what, (Code::InvalidPath, message, "move it up")))
        }
        FileType::Directory | FileType::RegularFile => Ok(kind),
        _ => Err((what, not_a_file())),
    }
}

/// Reads files of one directory: those whose path is `wanted`.
fn read(root: BorrowedFd<'_>, chunk: &Chunk, wanted: impl Fn(&str) -> bool) -> Documents {
    let directory = enter(root, &chunk.path);
    let mut all = Documents::default();
    let mut bytes = Vec::new();
    for name in chunk.names() {
        let path: Arc<str> = format!("{}{}", chunk.path, name.to_string_lossy()).into();
        if !wanted(&path) {
            continue;
        }
        let directory = directory.as_ref().map_err(|error| unreadable("directory", *error));
        match directory.and_then(|directory| read_file(directory, name, &mut bytes)) {
            Ok(()) => all.absorb(parse_file(&path, &bytes)),
            Err((code, message, help)) => all.lose(Damage::File, &path, code, message, help),
        }
    }
    all
}

/// Fills in the signature and veto files beside each wipe request. What cannot be read is
/// empty, and so counts for nothing; that a file is there is still seen.
fn read_signatures(root: BorrowedFd<'_>, wipes: &mut [Arc<WipeFile>]) {
    let mut listed: BTreeMap<String, Vec<(CString, Vec<u8>)>> = BTreeMap::new();
    for wipe in wipes {
        let parent = wipe.place.path.rsplit_once('/').map(|(parent, _)| format!("{parent}/"));
        let files = listed
            .entry(parent.unwrap_or_default())
            .or_insert_with_key(|parent| signature_files(root, parent).unwrap_or_default());
        let mut beside = WipeFile::clone(wipe);
        for (file, bytes) in files.iter() {
            let file = file.to_string_lossy();
            put_beside(&mut beside, &file, bytes);
        }
        *wipe = Arc::new(beside);
    }
}

/// Notes a `.sig` file of the same directory, if it is named like the request.
fn put_beside(wipe: &mut WipeFile, file: &str, bytes: &[u8]) {
    let path = &wipe.place.path;
    let name = path.rsplit_once('/').map_or(&**path, |(_, name)| name);
    let Some(rest) = file.strip_prefix(name) else { return };
    let kind = if rest.ends_with(VETO) { &mut wipe.vetoes } else { &mut wipe.signatures };
    kind.insert(harmless(file), bytes.to_vec());
}

/// All `.sig` files of a directory.
fn signature_files(root: BorrowedFd<'_>, path: &str) -> Result<Vec<(CString, Vec<u8>)>, Errno> {
    let directory = enter(root, path)?;
    let mut files = Vec::new();
    for entry in Dir::read_from(&directory)? {
        let name = entry?.file_name().to_owned();
        if name.to_bytes().starts_with(b".") || !name.to_bytes().ends_with(SIGNATURE) {
            continue;
        }
        let mut bytes = Vec::new();
        if read_file(&directory, &name, &mut bytes).is_err() {
            bytes.clear();
        }
        // More than the limit is refused by its length; the rest of it need not be kept.
        bytes.truncate(sshsig::MAX_BYTES + 1);
        files.push((name, bytes));
    }
    Ok(files)
}

/// Opens a directory below the root, following no symlink on the way.
fn enter(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let here = open(root, c".", flags)?;
    let mut parts = path.split_terminator('/');
    parts.try_fold(here, |directory, name| open(directory, name, flags))
}

fn open(at: impl AsFd, path: impl rustix::path::Arg, flags: OFlags) -> Result<OwnedFd, Errno> {
    openat(at, path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | flags, Mode::empty())
}

/// Fills `bytes` with a regular file of at most [`MAX_BYTES`].
fn read_file(directory: &OwnedFd, name: &CStr, bytes: &mut Vec<u8>) -> Result<(), Trouble> {
    let io = |error| match error {
        Errno::LOOP => symlink(),
        Errno::NXIO => not_a_file(),
        error => unreadable("file", error),
    };
    let file = open(directory, name, OFlags::NOFOLLOW).map_err(io)?;
    let stat = fstat(&file).map_err(io)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(not_a_file());
    }
    let size = usize::try_from(stat.st_size).ok().filter(|size| *size <= MAX_BYTES);
    let size = size.ok_or_else(too_large)?;
    // One more than expected, so that a file that has grown is seen to be longer.
    bytes.resize(size + 1, 0);
    let mut filled = 0;
    loop {
        let n = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut bytes[filled..]))
            .map_err(io)?;
        filled += n;
        // A read that stops short at the size of the file has met its end.
        if n == 0 || (filled == size && filled > 0) {
            bytes.truncate(filled);
            return Ok(());
        }
        if filled > MAX_BYTES {
            return Err(too_large());
        }
        if filled == bytes.len() {
            bytes.resize((filled * 2).min(MAX_BYTES + 1), 0);
        }
    }
}

fn too_large() -> Trouble {
    let message = format!("the file is larger than {MAX_BYTES} bytes");
    (Code::FileTooLarge, message, "split it into several files")
}

fn unreadable_because(why: &str) -> Trouble {
    (Code::Unreadable, why.to_owned(), "put the manifests themselves here")
}

fn symlink() -> Trouble {
    let help = "replace it by what it points to; only the fleet directory itself may be a symlink";
    (Code::Symlink, "symlinks are not followed".into(), help)
}

fn not_a_file() -> Trouble {
    let message = "a FIFO, socket or device where a manifest should be".into();
    (Code::NotAFile, message, "remove it, or rename it so that it does not end in .yaml or .yml")
}

fn unreadable(what: &str, error: Errno) -> Trouble {
    let message = format!("the {what} cannot be read: {error}");
    (Code::Unreadable, message, "look at its permissions and at the disk")
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
