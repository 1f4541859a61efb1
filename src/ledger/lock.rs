//! The one writer of a data directory.
//!
//! The lock is the kernel's (`flock`), so it ends with its holder, however that dies; the pid
//! in the file is for people. Below it stands up to which byte the log is of whole passes, and
//! a record lock beside the other one lets readers see, without any lock of theirs, whether
//! the one who wrote that still lives. The file is never removed: a second one could then be
//! locked.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock, flock};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::Error;
use crate::durable;

const NAME: &str = "lock";

/// Held until dropped.
#[derive(Debug)]
pub struct Lock {
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
    /// Says up to which byte the log is of whole passes. Durability does not matter: after a
    /// crash nobody holds the lock, and then nobody reads this.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn mark(&mut self, whole: u64) -> Result<(), Error> {
        write(&self.file, Some(whole))
            .map_err(|e| durable::Error::at("write", &self.path)(e).into())
    }
}

/// Becomes the one writer of `dir`, without waiting.
///
/// # Errors
/// [`Error::Locked`], with the pid of who holds it.
pub fn take(dir: &Path) -> Result<Lock, Error> {
    let path = dir.join(NAME);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(durable::Error::at("open", &path))?;
    durable::hand_over(&file, dir).map_err(durable::Error::at("give away", &path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            return Err(Error::Locked { holder: holder(&file), path });
        }
        Err(e) => return Err(durable::Error::at("lock", &path)(e.into()).into()),
    }
    // The mark of the writer before stands until this one has looked at the log. Where there
    // are no record locks readers see every entry as soon as it is written.
    write(&file, parse(&file).and_then(|(_, whole)| whole))
        .map_err(durable::Error::at("write", &path))?;
    let _ = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive);
    Ok(Lock { file, path })
}

/// What a reader sees of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Whether a writer in another process holds it.
    pub live: bool,
    /// Up to which byte the log is of whole passes.
    pub whole: u64,
}

/// Looks at the lock without touching it; `None` where nothing is marked.
pub fn look(dir: &Path) -> Option<Mark> {
    let file = File::open(dir.join(NAME)).ok()?;
    let asked = Flock::from(FlockType::ReadLock);
    let live = fcntl_getlk(&file, &asked).ok()?.is_some();
    loop {
        // Two copies that differ are being written.
        match parse(&file)? {
            (_, whole) if whole.is_some() => return whole.map(|whole| Mark { live, whole }),
            (true, _) => {}
            _ => return None,
        }
    }
}

/// In one write of always the same length, so that there is never a part of it.
fn write(file: &File, whole: Option<u64>) -> io::Result<()> {
    let pid = std::process::id();
    let mark = whole.map_or_else(|| "-".repeat(20), |whole| format!("{whole:020}"));
    file.write_all_at(format!("{pid:<10}\n{mark} {mark}\n").as_bytes(), 0)
}

/// Whether the two copies of the mark differ, and the mark.
fn parse(file: &File) -> Option<(bool, Option<u64>)> {
    let mut bytes = [0; 53];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let (one, two) = text.lines().nth(1)?.split_once(' ')?;
    Some((one != two, one.parse().ok().filter(|_| one == two)))
}

/// Its holder may be about to write it, so that there may be none.
fn holder(file: &File) -> String {
    let mut text = String::new();
    let read = file.take(10).read_to_string(&mut text);
    match text.lines().next().unwrap_or_default().trim().parse::<u32>() {
        Ok(pid) if read.is_ok() => format!("process {pid}"),
        _ => "another process".into(),
    }
}
