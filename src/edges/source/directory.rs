//! The fleet directory, as it is on disk, made into [`Desired`].
//!
//! Only ever reads, and only regular files below the root: each component of a path is opened
//! from its parent's descriptor with `O_NOFOLLOW`, so no symlink, `..` or exchanged directory
//! leads out, and nothing blocks on a FIFO. The root itself may be a symlink; it is opened
//! once, so that a swap gives the old tree or the new one. Time and memory are bounded by
//! [`MAX_BYTES`], [`MAX_DEPTH`] and [`MAX_ENTRIES`]. Never fails: what cannot be read is a
//! finding, and damage that holds whatever is recorded of it; a fleet with more than
//! [`MAX_ENTRIES`] counts as one that cannot be read at all.

pub mod git_process;
pub mod revision;

pub mod again;
mod beside;
pub mod git;
mod tree;

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

use self::beside::{Beside, MAX_BESIDE, read_signatures};
use self::tree::{Judged, Marks};
use crate::domain::fleet::{Damage, Desired, Live, assemble};
use crate::domain::manifest::finding::Code;
use crate::domain::manifest::{Documents, parse_file};
use crate::domain::model::{SerialNumber, is_deceptive};
use crate::domain::wording::{harmless, quote};
use crate::edges::fs::durable::parent;

/// Largest manifest, in bytes: thousands of devices.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Deepest directory below the root.
pub const MAX_DEPTH: usize = 32;
/// Most manifests and directories: ten times the largest fleet that this is built for.
pub const MAX_ENTRIES: usize = 1_000_000;
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
    let instead = written.map(|(path, _)| path);
    let documents = open(CWD, root, OFlags::DIRECTORY)
        .map_err(Unread::Io)
        .and_then(|fd| Ok((read_below(&fd, instead, MAX_ENTRIES)?, fd)));
    match documents {
        Ok((documents, root)) => {
            let written = written.map(|(path, bytes)| parse_file(&path.into(), bytes));
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
pub fn glance(
    root: &Path,
    files: impl IntoIterator<Item = impl AsRef<str>>,
    live: &mut Live,
) -> Option<Vec<SerialNumber>> {
    let mut serials = Vec::new();
    for path in files {
        match reread(root, path.as_ref()) {
            Alone::Manifest(documents) => serials.extend(live.revise(*documents)?),
            Alone::Ignored if !live.is_entangled(path.as_ref()) => {}
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
    /// None of our business.
    Ignored,
    /// Gone, or trouble: only a look at everything tells.
    Unclear,
}

/// Reads the file at this path, from the root, anew.
fn reread(root: &Path, path: &str) -> Alone {
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
enum Unread {
    #[error("cannot be read: {0}")]
    Io(Errno),
    /// What was read by then would be acted on without the rest: a device without the manifest
    /// that clashes with it, a request without its veto.
    #[error("has more than {0} manifests and directories, so not all of it was read: split it")]
    TooMany(usize),
}

/// All manifests but the one at `but`, in no order. One thread lists directories while the
/// others already read.
fn read_below(root: &OwnedFd, but: Option<&str>, limit: usize) -> Result<Vec<Documents>, Unread> {
    let documents = Mutex::new(Vec::new());
    let keep = |read| documents.lock().unwrap_or_else(PoisonError::into_inner).push(read);
    let lost = rayon::scope(|scope| {
        let found = |chunk: Chunk| {
            let keep = &keep;
            scope.spawn(move |_| keep(read(root.as_fd(), &chunk, |path| but != Some(path))));
        };
        let mut walk = Walk { found: &found, lost: Documents::default(), seen: 0, limit };
        walk.directory(root, String::new(), 0).map_err(Unread::Io)?;
        if walk.is_full() { Err(Unread::TooMany(limit)) } else { Ok(walk.lost) }
    })?;
    keep(lost);
    Ok(documents.into_inner().unwrap_or_else(PoisonError::into_inner))
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
struct Walk<'w> {
    /// Takes manifests to be read.
    found: &'w dyn Fn(Chunk),
    lost: Documents,
    seen: usize,
    limit: usize,
}

impl Walk<'_> {
    /// Lists `path`, which is empty or ends in a slash, and all below it, in order of names.
    fn directory(&mut self, fd: &OwnedFd, path: String, depth: usize) -> Result<(), Errno> {
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
                self.lose(Damage::Directory, &path, &name, unreadable("directory", error));
            }
        }
        Ok(())
    }

    fn lose(&mut self, what: Damage, parent: &str, name: &CStr, (code, message, help): Trouble) {
        let path = harmless(&format!("{parent}{}", name.to_string_lossy()));
        self.lost.lose(what, &path.into(), code, message, help);
    }

    /// Whether there is more than may be read; what was found by then is worth nothing.
    const fn is_full(&self) -> bool {
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

fn is_manifest(name: &CStr) -> bool {
    name.to_bytes().ends_with(b".yaml") || name.to_bytes().ends_with(b".yml")
}

/// Whether an entry is a file to read or a directory to enter.
fn judge(name: &CStr, kind: FileType, depth: usize) -> Result<FileType, (Damage, Trouble)> {
    let what = if kind == FileType::Directory { Damage::Directory } else { Damage::File };
    if kind == FileType::Symlink {
        return Err((Damage::Directory, symlink()));
    }
    if kind == FileType::Unknown {
        let trouble = unreadable_because("the file system does not say what this is");
        return Err((Damage::Directory, trouble));
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
        match directory.and_then(|directory| read_file(directory, name, &mut bytes, MAX_BYTES)) {
            Ok(()) => all.absorb(parse_file(&path, &bytes)),
            Err((code, message, help)) => all.lose(Damage::File, &path, code, message, help),
        }
    }
    all
}

/// A request by itself, wherever it lies, with what is beside it.
///
/// # Errors
/// If it is no regular file that can be read.
pub fn read_request(path: &Path) -> std::io::Result<(Vec<u8>, Documents)> {
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
        let mut beside = Beside::list(directory)?;
        beside.fill(&name.to_string_lossy(), "", &mut draft.file, &mut room);
    }
    Ok((bytes, documents))
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

/// Fills `bytes` with a regular file of at most `most` bytes.
fn read_file(
    directory: &OwnedFd,
    name: &CStr,
    bytes: &mut Vec<u8>,
    most: usize,
) -> Result<(), Trouble> {
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
    let size = usize::try_from(stat.st_size).ok().filter(|size| *size <= most);
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
        if filled > most {
            return Err(too_large());
        }
        if filled == bytes.len() {
            bytes.resize((filled * 2).min(most + 1), 0);
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
mod tests;
