//! What devices are told to do, compared with what the log says was given.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::io::Errno;

use super::command::{Command, Verb};
use super::error::Error;
use super::pending::read;
use crate::edges::fs::spool::{self, Dir};

/// A command that the log does not have.
#[derive(Debug)]
pub(crate) struct Foreign {
    pub(crate) path: PathBuf,
    pub(crate) command: Command,
}

/// A command that a log with these wipes, by intent, and this last entry does not have. A command
/// is given only after its intent is durable in the log.
///
/// # Errors
/// If the outbox cannot be listed.
pub(crate) fn foreign(
    data: &Path,
    wipes: &BTreeSet<u64>,
    last: u64,
) -> Result<Option<Foreign>, Error> {
    let is_foreign = |command: &Command| {
        let known = match command.command {
            Verb::Wipe | Verb::SelectiveWipe => wipes.contains(&command.id.0),
            Verb::Profile | Verb::License | Verb::Sync | Verb::BlockMail | Verb::UnblockMail => {
                true
            }
        };
        !known || command.id.0 > last
    };
    let found = find(data, is_foreign)?;
    Ok(found.map(|(path, command)| Foreign { path, command }))
}

/// A command for which `is_wanted` says yes, of any device, and where it is; the first by name. A
/// file that cannot be read is left to whoever has to write it, and said.
///
/// # Errors
/// If the outbox cannot be listed.
fn find(
    data: &Path,
    is_wanted: impl Fn(&Command) -> bool + Sync,
) -> Result<Option<(PathBuf, Command)>, Error> {
    let dir = match Dir::open(&data.join("outbox"), "outbox") {
        Ok(Some(dir)) => dir,
        // What is no directory holds no commands, and no device can read any.
        Ok(None) | Err(spool::Error::Io { errno: Errno::NOTDIR, .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut names = dir.names()?;
    names.retain(|name| !name.as_bytes().starts_with(b"."));
    // Files of one push are one file with many names: it is read once.
    let mut stamps = names
        .into_par_iter()
        .with_min_len(64)
        .map(|name| Ok((dir.stamp(&name)?, name)))
        .collect::<Result<Vec<_>, Error>>()?;
    stamps.sort_unstable();
    stamps.dedup_by(|a, b| a.0 == b.0);
    let found = stamps.par_iter().with_min_len(64).filter_map(|(_, name)| {
        let commands = read(&dir, name).unwrap_or_else(|error| {
            tracing::warn!(%error, "commands cannot be compared with the log");
            None
        });
        Some((dir.path(name), commands?.into_iter().find(&is_wanted)?))
    });
    Ok(found.min_by(|a, b| a.0.cmp(&b.0)))
}
