//! Opening what lies below the fleet directory: no symlink, `..` or exchanged directory leads out.

#![expect(clippy::disallowed_methods, reason = "directories; files are opened by Guarded")]

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, Stat, openat};
use rustix::io::Errno;

use super::rules::{Problem, changing, not_a_file, symlink, too_large, unreadable};
use crate::edges::fs::guarded::{Guarded, Refused};

/// Opens a directory below the root, following no symlink on the way.
pub(super) fn enter(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let here = open(root, c".", flags)?;
    let mut parts = path.split_terminator('/');
    parts.try_fold(here, |directory, name| open(directory, name, flags))
}

pub(super) fn open(
    at: impl AsFd,
    path: impl rustix::path::Arg,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    openat(at, path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | flags, Mode::empty())
}

/// Fills `bytes` with a regular file of at most `most` bytes.
pub(super) fn read_file(
    directory: &OwnedFd,
    name: &CStr,
    bytes: &mut Vec<u8>,
    most: usize,
) -> Result<Stat, Refused> {
    Guarded::up_to(most).without_links().open_at(directory, name)?.read_with_stat(bytes)
}

/// What is the matter with a file that was not read.
pub(super) fn trouble(refused: Refused) -> Problem {
    match refused {
        Refused::Link => symlink(),
        Refused::NotAFile => not_a_file(),
        Refused::TooLarge(_) => too_large(),
        Refused::Changing => changing(),
        Refused::System(errno) => unreadable("file", errno),
        Refused::Public(_) | Refused::Shared(_) => unreadable("file", Errno::ACCESS),
    }
}
