//! Listing the fleet directory: what is to be read, and whether it held still meanwhile.

use std::ffi::{CStr, CString};
use std::ops::Range;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, OFlags, RawDir, SeekFrom, Stat, fstat, seek, statat};
use rustix::io::Errno;

use super::below::open;
use super::rules::{Problem, is_manifest, judge, unreadable};
use super::tree::Marks;
use crate::domain::manifest::Documents;
use crate::domain::manifest::UnusableKind;
use crate::domain::shares;
use crate::domain::wording::harmless;
use crate::edges::fs::guarded::Version;
use crate::edges::fs::memory;

/// Bytes of a directory that are read at once.
const READ: usize = 1 << 16;
/// Files read by a thread before it looks for others' work.
const CHUNK: usize = 128;
/// Up to so many files or directories are looked at by one thread: to start others takes longer. Fleets of
/// tests are on both sides of it.
pub(super) const HERE: usize = if cfg!(test) { 8 } else { 2_000 };
/// What a manifest or directory takes at least, from its name to its part of a plan; measured, and
/// rounded up.
const ENTRY_BYTES: u64 = 2048;
/// So many times its length a manifest takes: short ones are the larger part of most fleets.
const TIMES: u64 = 3;

/// So many bytes every system has: to ask how many there are would take longer than to read a small fleet.
const LITTLE: u64 = 8 << 20;

/// Why nothing is known of the whole fleet.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("cannot be read: {0}")]
    Io(Errno),
    /// What was read by then would be acted on without the rest: a device without the manifest
    /// that clashes with it, a request without its veto.
    #[error(
        "needs more memory than there is ({} MiB), so not all of it was read: give it more, or \
         split the fleet", .0 >> 20
    )]
    TooLarge(u64),
    /// What was moved may have been seen in neither place.
    #[error("kept changing while it was read; it is read again in the next reconciliation")]
    Changing,
}

impl Unread {
    /// What an error means at something that was there a moment ago: `None` if it is about this
    /// file or directory alone.
    pub(super) fn of(errno: Errno) -> Option<Self> {
        match errno {
            // Nobody knows what else will fail.
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => Some(Self::Io(errno)),
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::STALE => Some(Self::Changing),
            _ => None,
        }
    }
}

/// How many manifests there is memory for.
#[must_use]
pub(super) fn most_entries() -> usize {
    let most = memory::available().unwrap_or(u64::MAX) / ENTRY_BYTES;
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// The memory that reading may take.
#[derive(Default)]
pub(super) struct Budget {
    /// Bytes that there were when it was first asked for: a small fleet never asks.
    all: OnceLock<u64>,
    taken: AtomicU64,
}

impl Budget {
    /// What the system leaves to this process.
    pub(super) fn of_system() -> Self {
        Self::default()
    }

    #[cfg(test)]
    pub(super) fn new(bytes: u64) -> Self {
        Self { all: bytes.into(), taken: AtomicU64::new(0) }
    }

    /// For so many manifests and directories.
    pub(super) fn entries(&self, number: usize) -> Result<(), Unread> {
        self.take(ENTRY_BYTES.saturating_mul(number as u64))
    }

    /// For the content of a manifest.
    pub(super) fn content(&self, length: usize) -> Result<(), Unread> {
        self.take(TIMES.saturating_mul(length as u64))
    }

    fn take(&self, bytes: u64) -> Result<(), Unread> {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        let taken = before.saturating_add(bytes);
        if taken <= LITTLE && self.all.get().is_none() {
            return Ok(());
        }
        memory::expect(taken);
        let all = *self.all.get_or_init(|| memory::available().unwrap_or(u64::MAX));
        if taken > all { Err(Unread::TooLarge(all)) } else { Ok(()) }
    }
}

/// Some of a directory's manifests.
pub(super) struct Chunk {
    /// Of the directory: relative to the root, empty or with a slash at the end.
    pub(super) path: String,
    /// Each with its NUL, sorted: a million names in few allocations.
    pub(super) names: Vec<u8>,
}

impl Chunk {
    pub(super) fn new(path: &str, names: &[&CStr]) -> Self {
        let names: Vec<&[u8]> = names.iter().map(|name| name.to_bytes_with_nul()).collect();
        Self { path: path.to_owned(), names: names.concat() }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &CStr> {
        self.names.split_inclusive(|b| *b == 0).filter_map(|n| CStr::from_bytes_with_nul(n).ok())
    }
}

/// What listing directories brings to light.
pub(super) struct Walk<'w> {
    /// Takes manifests to be read.
    pub(super) found: &'w dyn Fn(Chunk),
    pub(super) budget: &'w Budget,
    pub(super) lost: Documents,
    pub(super) listed: Listed,
}

/// Directories as they were when they were listed.
#[derive(Default)]
pub(super) struct Listed(Vec<(String, [u64; 2], Version)>);

impl Listed {
    fn note(&mut self, path: &str, stat: &Stat) {
        self.0.push((path.to_owned(), [stat.st_dev, stat.st_ino], Version::of(stat)));
    }

    /// Whether they all are as they were: then all that was in them was seen.
    pub(super) fn held_still(&self, root: BorrowedFd<'_>) -> bool {
        let now = |path: &str| match path {
            "" => fstat(root),
            path => statat(root, path.trim_end_matches('/'), AtFlags::SYMLINK_NOFOLLOW),
        };
        let held_still = |(path, place, version): &(String, [u64; 2], Version)| {
            now(path).is_ok_and(|stat| {
                [stat.st_dev, stat.st_ino] == *place && Version::of(&stat) == *version
            })
        };
        if self.0.len() <= HERE || shares::start().is_err() {
            return self.0.iter().all(held_still);
        }
        self.0.par_iter().all(held_still)
    }
}

impl Walk<'_> {
    /// Lists `path`, which is empty or ends in a slash, and all below it, in order of names.
    pub(super) fn directory(
        &mut self,
        fd: &OwnedFd,
        path: String,
        depth: usize,
    ) -> Result<(), Unlisted> {
        self.listed.note(&path, &fstat(fd)?);
        let (entries, marks) = list(fd)?;
        self.budget.entries(entries.each.len()).map_err(Unlisted::All)?;
        self.lost.findings.extend(marks.finding(&path));
        let mut names = Vec::with_capacity(entries.each.len());
        let mut below: Vec<CString> = Vec::new();
        for (name, kind) in entries.in_order() {
            match judge(name, kind, depth) {
                Ok(FileType::Directory) => below.push(name.to_owned()),
                Ok(_) => names.push(name),
                Err((what, trouble)) => self.lose(what, &path, name, trouble),
            }
        }
        names.chunks(CHUNK).for_each(|names| (self.found)(Chunk::new(&path, names)));
        drop(names);
        drop(entries);
        for name in below {
            let inner = open(fd, name.as_c_str(), OFlags::DIRECTORY | OFlags::NOFOLLOW);
            let inner = inner.map_err(Unlisted::from).and_then(|inner| {
                let path = format!("{path}{}/", name.to_string_lossy());
                self.directory(&inner, path, depth + 1)
            });
            match inner {
                Ok(()) => {}
                Err(Unlisted::This(error)) => {
                    let trouble = unreadable("directory", error);
                    self.lose(UnusableKind::Unread, &path, &name, trouble);
                }
                all @ Err(Unlisted::All(_)) => return all,
            }
        }
        Ok(())
    }

    fn lose(
        &mut self,
        what: UnusableKind,
        parent: &str,
        name: &CStr,
        (code, message, help): Problem,
    ) {
        let path = harmless(&format!("{parent}{}", name.to_string_lossy()));
        self.lost.lose(what, &path.into(), code, message, help);
    }
}

/// Why a directory is not listed.
pub(super) enum Unlisted {
    /// It may be about this one alone.
    This(Errno),
    /// Nothing is known of any.
    All(Unread),
}

impl From<Errno> for Unlisted {
    fn from(errno: Errno) -> Self {
        Unread::of(errno).map_or(Self::This(errno), Self::All)
    }
}

impl From<Unlisted> for Unread {
    fn from(unlisted: Unlisted) -> Self {
        match unlisted {
            Unlisted::This(errno) => Self::Io(errno),
            Unlisted::All(unread) => unread,
        }
    }
}

/// Manifests, directories and symlinks, and what looks like a part of a Git directory; everything
/// else is none of our business.
fn list(fd: &OwnedFd) -> Result<(Entries, Marks), Errno> {
    let (mut entries, mut marks) = (Entries::default(), Marks::default());
    let mut buffer = Vec::with_capacity(READ);
    // Whoever listed it before left it at its end, from where it would look empty.
    seek(fd, SeekFrom::Start(0))?;
    let mut read = RawDir::new(fd, buffer.spare_capacity_mut());
    while let Some(entry) = read.next() {
        let entry = entry?;
        let name = entry.file_name();
        marks.note(name.to_bytes());
        if name.to_bytes().starts_with(b".") {
            continue;
        }
        let kind = match entry.file_type() {
            // Some file systems do not say; an entry that is gone by now was never there.
            FileType::Unknown => match statat(fd.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(Errno::NOENT) => continue,
                Err(_) => FileType::Unknown,
            },
            kind => kind,
        };
        // One whose kind cannot be told may be a directory full of manifests.
        let may_hide = [FileType::Directory, FileType::Symlink, FileType::Unknown].contains(&kind);
        if is_manifest(name) || may_hide {
            entries.push(name, kind);
        }
    }
    Ok((entries, marks))
}

/// Entries of a directory: a million names in few allocations.
#[derive(Default)]
struct Entries {
    /// Each with its NUL.
    names: Vec<u8>,
    /// Where the name is, and what has it.
    each: Vec<(Range<usize>, FileType)>,
}

impl Entries {
    fn push(&mut self, name: &CStr, kind: FileType) {
        let begin = self.names.len();
        self.names.extend(name.to_bytes_with_nul());
        self.each.push((begin..self.names.len(), kind));
    }

    /// By their names.
    fn in_order(&self) -> Vec<(&CStr, FileType)> {
        let name = |at: &Range<usize>| {
            CStr::from_bytes_with_nul(&self.names[at.clone()]).expect("it is kept with its NUL")
        };
        let mut all: Vec<_> = self.each.iter().map(|(at, kind)| (name(at), *kind)).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all
    }
}
