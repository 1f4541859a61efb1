//! The data directory that a writer holds: open, locked, and known by device and inode.
//!
//! A name can be given to another directory or file at any time: a file system is unmounted,
//! `logrotate` renames the log, somebody restores a backup. So a writer never trusts a name
//! alone. It remembers which directory, log and lock it opened, and looks again before each
//! entry and each effect.

#![expect(
    clippy::disallowed_methods,
    reason = "the directory itself, files below it that are written, and one of the kernel"
)]

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::identity::Identity;
use super::layout::LOCK;
use super::mark;
use crate::edges::fs::durable;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::store::StorePlace;

/// What to do where the data directory has gone.
const MOVED: &str = "was it unmounted, moved, removed or replaced? Mount it or move it back; no new ledger \
                     is begun in its place";

/// The data directory, held until dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    fd: File,
    path: PathBuf,
    identity: Identity,
}

impl Drop for Directory {
    fn drop(&mut self) {
        // As for the lock file: a child between its fork and its exec still has it open.
        let _ = fs::flock(&self.fd, FlockOperation::Unlock);
    }
}

impl Directory {
    /// Opens an existing directory and locks it. The lock is on the directory itself, because
    /// a lock file can be removed, and then a second writer would lock another one.
    ///
    /// # Errors
    /// Those of the system; [`Error::Locked`] if another process holds it.
    pub(crate) fn hold(path: &Path) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = fs::open(path, flags, Mode::empty())
            .and_then(|fd| Ok((Identity::from(&fs::fstat(&fd)?), File::from(fd))));
        let (identity, fd) =
            opened.map_err(|errno| durable::Error::at("open", path)(errno.into()))?;
        let directory = Self { fd, path: path.to_owned(), identity };
        match fs::flock(&directory.fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(directory),
            Err(Errno::WOULDBLOCK) => {
                Err(Error::Locked { holder: directory.holder(), path: path.join(LOCK) })
            }
            // NFS locks no directory; the lock file is then the only lock there is.
            Err(Errno::BADF | Errno::INVAL | Errno::NOTSUP | Errno::NOSYS | Errno::NOLCK) => {
                Ok(directory)
            }
            Err(errno) => Err(durable::Error::at("lock", path)(errno.into()).into()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Opens a file in it, whatever the directory's name leads to by now. Links are not followed.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn open(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(fs::openat(&self.fd, name, flags, Mode::from_raw_mode(0o644))?.into())
    }

    /// Which file has this name in it now; `None` where there is none.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn identity_of(&self, name: &str) -> Result<Option<Identity>, Error> {
        match fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Identity::from(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(durable::Error::at("access", &self.path.join(name))(e.into()).into()),
        }
    }

    /// That its path still leads to it.
    ///
    /// # Errors
    /// [`Error::Replaced`] if not, and those of the system.
    pub(crate) fn prove(&self) -> Result<(), Error> {
        let found = match fs::stat(&self.path) {
            Ok(stat) => Some(Identity::from(&stat)),
            Err(Errno::NOENT | Errno::NOTDIR) => None,
            Err(e) => return Err(durable::Error::at("access", &self.path)(e.into()).into()),
        };
        prove(self.identity.into(), found, &self.path)
    }

    /// That it is the one that this process has held before.
    ///
    /// # Errors
    /// [`Error::Replaced`] if not.
    pub(crate) fn prove_same(&self, before: StorePlace) -> Result<(), Error> {
        prove(before, Some(self.identity), &self.path)
    }

    /// The process that holds it, as far as the lock file or the system can tell.
    fn holder(&self) -> String {
        let file = self.open(LOCK, OFlags::RDONLY).ok();
        let pid = file.as_ref().and_then(mark::pid).or_else(|| self.pid_by_system());
        pid.map_or_else(|| "another process".into(), |pid| format!("process {pid}"))
    }

    /// Where the lock file was removed: `/proc/locks` has lines like
    /// `1: FLOCK  ADVISORY  WRITE 4711 08:01:131 0 EOF`.
    fn pid_by_system(&self) -> Option<u32> {
        let inode = format!(":{}", self.identity.inode);
        let find = || {
            let locks = std::fs::read_to_string("/proc/locks").ok()?;
            locks.lines().find_map(|line| {
                let mut words = line.split_whitespace().skip(1);
                let (kind, pid, file) = (words.next()?, words.nth(2)?, words.next()?);
                (kind == "FLOCK" && file.ends_with(&inode)).then(|| pid.parse().ok())?
            })
        };
        // While others take and release locks the list may lack a line: it is read again.
        (0..5).find_map(|_| find())
    }
}

/// That the data directory at `path` is the one that was there before.
///
/// # Errors
/// [`Error::Replaced`] if not.
fn prove(before: StorePlace, found: Option<Identity>, path: &Path) -> Result<(), Error> {
    let what = match found {
        Some(found) if StorePlace::from(found) == before => return Ok(()),
        Some(_) => "another directory is in place of the data directory",
        None => "the data directory no longer exists",
    };
    Err(Error::Replaced { path: path.to_owned(), what: what.into(), help: MOVED })
}

/// That a data directory, which a process has held, is there and `holds` a ledger.
///
/// # Errors
/// [`Error::Replaced`] if not.
pub(crate) fn still_there(path: &Path, holds: bool) -> Result<(), Error> {
    let what = match fs::stat(path) {
        Ok(_) if holds => return Ok(()),
        Ok(_) => "there is no ledger in the data directory any more",
        Err(Errno::NOENT | Errno::NOTDIR) => "the data directory no longer exists",
        Err(e) => return Err(durable::Error::at("access", path)(e.into()).into()),
    };
    Err(Error::Replaced { path: path.to_owned(), what: what.into(), help: MOVED })
}
