//! The one writer of a data directory.
//!
//! The lock is the kernel's (`flock`), so it ends with its holder, however that dies; the pid
//! in the file is for people. Below it stands up to which byte the log is of whole passes, and
//! a record lock beside the other one lets readers see, without any lock of theirs, whether
//! the one who wrote that still lives. The file is never removed by this program; should
//! somebody else remove it, the lock on the directory (see [`super::directory`]) keeps others out.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, OFlags, fcntl_lock, flock, fstat};

use super::directory::Directory;
use super::identity::Identity;
use super::layout::LOCK;
use super::mark::{parse, pid, write};
use crate::edges::fs::durable;
use crate::edges::ledger::error::Error;

/// Held until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child between its fork and its exec still has the file open.
        // Nothing can be done about an error, and the end of the process unlocks anyway.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

impl Lock {
    /// Says up to which byte the log is of whole passes. Called after that much of the log is
    /// durable, so that a log that is shorter was cut. The mark itself need not be durable: it may
    /// be older than the log, or lost.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn mark(&mut self, whole: u64) -> Result<(), Error> {
        // POSIX drops record locks when any descriptor of the file in this process is closed, and
        // a reader may have done so: take the lock again.
        let _ = fcntl_lock(&self.file, FlockOperation::NonBlockingLockExclusive);
        write(&self.file, Some(whole))
            .map_err(|e| durable::Error::at("write", &self.path)(e).into())
    }

    /// The mark of the last writer, or of this one.
    #[must_use]
    pub(crate) fn marked(&self) -> Option<u64> {
        parse(&self.file)?.1
    }

    /// That the file locked is the one that has the name. If not, a new one is made and locked,
    /// while the lock on the directory keeps others out; the pass fails nevertheless.
    ///
    /// # Errors
    /// [`Error::LockRemoved`] if not; [`Error::Locked`] if somebody else has locked the new file,
    /// where directories cannot be locked.
    pub(crate) fn prove(&mut self, dir: &Directory) -> Result<(), Error> {
        let ours =
            fstat(&self.file).map_err(|e| durable::Error::at("access", &self.path)(e.into()))?;
        if dir.identity_of(LOCK)? == Some(Identity::from(&ours)) {
            return Ok(());
        }
        let whole = self.marked();
        *self = take(dir)?;
        if let Some(whole) = whole {
            self.mark(whole)?;
        }
        Err(Error::LockRemoved { path: self.path.clone() })
    }
}

/// Becomes the one writer of `dir`, without waiting.
///
/// # Errors
/// [`Error::Locked`], with the pid of who holds it.
pub(crate) fn take(dir: &Directory) -> Result<Lock, Error> {
    let path = dir.path().join(LOCK);
    let file =
        dir.open(LOCK, OFlags::RDWR | OFlags::CREATE).map_err(durable::Error::at("open", &path))?;
    durable::hand_over(&file, dir.path()).map_err(durable::Error::at(
        "change the owner \
                                                                      of",
        &path,
    ))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let holder =
                pid(&file).map_or_else(|| "another process".into(), |pid| format!("process {pid}"));
            return Err(Error::Locked { holder, path });
        }
        Err(e) => {
            let cause = io::Error::other(format!(
                "{}; put the data directory on a file system that can lock files",
                io::Error::from(e)
            ));
            return Err(durable::Error::at("lock", &path)(cause).into());
        }
    }
    // The mark of the writer before stands until this one has looked at the log. Where there
    // are no record locks readers see every entry as soon as it is written.
    write(&file, parse(&file).and_then(|(_, whole)| whole))
        .map_err(durable::Error::at("write", &path))?;
    let _ = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive);
    Ok(Lock { file, path })
}
