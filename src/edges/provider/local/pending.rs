//! Reading what devices have yet to do.

use std::ffi::OsStr;

use super::command::{Command, decode};
use super::error::Error;
use crate::edges::fs::spool::{Dir, Found};

/// A profile fits a line of the log (64 KiB); with hundreds of commands beside it a file
/// stays far below this.
pub(super) const FILE_LIMIT: usize = 16 << 20;

pub(super) fn read(dir: &Dir, name: &OsStr) -> Result<Option<Vec<Command>>, Error> {
    let corrupt = |why| Error::Corrupt { path: dir.path(name), why };
    match dir.read(name, FILE_LIMIT)? {
        Found::Nothing => Ok(None),
        Found::Unusable(_, why) => Err(corrupt(format!("it {why}"))),
        Found::File(_, bytes) => decode(&bytes).map(Some).map_err(corrupt),
    }
}

/// What a device has yet to do, in the order of the intents.
///
/// # Errors
/// If its file is there and cannot be read, or is not what this program writes.
#[cfg(test)]
pub(super) fn pending(
    data: &std::path::Path,
    serial: &crate::domain::model::SerialNumber,
) -> Result<Vec<Command>, Error> {
    let Some(dir) = Dir::open(&data.join("outbox"), "outbox")? else { return Ok(Vec::new()) };
    Ok(read(&dir, &super::command::file_name(serial))?.unwrap_or_default())
}
