//! The one writer of a data directory.
//!
//! The lock is the kernel's (`flock`), so it ends with its holder, however that dies; the pid
//! in the file is for people. The file is never removed: a second one could then be locked.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::Error;
use crate::durable;

const NAME: &str = "lock";

/// Held until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child between its fork and its exec still has the file open.
        // Nothing can be done about an error, and the end of the process unlocks anyway.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// Becomes the one writer of `dir`, without waiting.
///
/// # Errors
/// [`Error::Locked`], with the pid of who holds it.
pub fn take(dir: &Path) -> Result<Lock, Error> {
    let path = dir.join(NAME);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(durable::Error::at("open", &path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            return Err(Error::Locked { holder: holder(&file), path });
        }
        Err(e) => return Err(durable::Error::at("lock", &path)(e.into()).into()),
    }
    write_pid(&mut file).map_err(durable::Error::at("write", &path))?;
    Ok(Lock { file })
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

/// Its holder may be about to write it, so that there may be none.
fn holder(file: &File) -> String {
    let mut text = String::new();
    let read = file.take(32).read_to_string(&mut text);
    match text.trim().parse::<u32>() {
        Ok(pid) if read.is_ok() => format!("process {pid}"),
        _ => "another process".into(),
    }
}
