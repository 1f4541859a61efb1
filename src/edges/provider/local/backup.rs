//! What devices have yet to do, for a backup: without orders to erase.
//!
//! An order to erase is given once. One that comes back with a backup could reach a device that
//! has carried it out since, and is in use again. So none goes into a backup, and none comes out
//! of one, whoever wrote it.

use std::io::{self, BufRead, Read as _, Write};
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::command::{Command, CommandId, Verb, encode, file_name};
use super::error::Error;
use super::outbox::{Step, finish, given};
use super::pending::{FILE_LIMIT, read};
use crate::domain::model::SerialNumber;
use crate::edges::fs::spool::{Dir, temporary};

/// What one device has yet to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ToDo {
    serial_number: SerialNumber,
    commands: Vec<Command>,
}

/// Why lines of a backup are not put into an outbox.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error(transparent)]
    Outbox(#[from] Error),
    #[error("what devices have to do cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("line {line} of what devices have to do: {what}")]
    Line { line: usize, what: String },
}

/// Whether a log that ends with the entry `last` may have led to it, and no device is erased by it.
fn fits(command: &Command, last: u64) -> bool {
    match command.command {
        Verb::Profile | Verb::License | Verb::Sync | Verb::BlockMail | Verb::UnblockMail => {
            command.id.0 <= last
        }
        Verb::Wipe | Verb::SelectiveWipe => false,
    }
}

/// What these devices have yet to do, by a log that ends with the entry `last`.
///
/// # Errors
/// If the outbox or a file in it cannot be read.
pub(crate) fn to_do(data: &Path, serials: &[&SerialNumber], last: u64) -> Result<Vec<ToDo>, Error> {
    let Some(dir) = Dir::open(&data.join("outbox"), "outbox")? else { return Ok(Vec::new()) };
    let of = |serial: &&SerialNumber| {
        let mut commands = read(&dir, &file_name(serial))?.unwrap_or_default();
        commands.retain(|command| fits(command, last));
        Ok((!commands.is_empty()).then(|| ToDo { serial_number: (**serial).clone(), commands }))
    };
    let found: Vec<Option<ToDo>> =
        serials.par_iter().with_min_len(64).map(of).collect::<Result<_, Error>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// One line for each.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_lines(to_do: &[ToDo], out: &mut dyn Write) -> io::Result<()> {
    for one in to_do {
        serde_json::to_writer(&mut *out, one)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Makes an outbox in `data`, which has none, of such lines. Only devices of the log get
/// anything, and only what it may have told them. Of the orders to erase that the log has as `issued`
/// it is noted that they were given: nobody here knows what became of them.
///
/// # Errors
/// If a line is not what [`write_lines`] writes, or the outbox cannot be written.
pub(crate) fn put_back(
    data: &Path,
    mut lines: impl BufRead,
    is_known: impl Fn(&SerialNumber) -> bool,
    last: u64,
    issued: &[u64],
) -> Result<(), Unfit> {
    let mut all = Vec::new();
    for line in 1.. {
        let mut bytes = Vec::new();
        let unfit = |what: String| Unfit::Line { line, what };
        (&mut lines).take(FILE_LIMIT as u64 + 1).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            break;
        }
        if bytes.len() > FILE_LIMIT {
            return Err(unfit(format!("it is longer than {FILE_LIMIT} bytes")));
        }
        let ToDo { serial_number, commands } =
            serde_json::from_slice(&bytes).map_err(|error| unfit(error.to_string()))?;
        if !is_known(&serial_number) {
            return Err(unfit(format!("the log has no device {serial_number}")));
        }
        if let Some(command) = commands.iter().find(|command| !fits(command, last)) {
            return Err(unfit(format!(
                "{} ({}) is not what this log tells a device, or erases it",
                command.id, command.command
            )));
        }
        all.push((serial_number, encode(commands)));
    }
    if all.is_empty() && issued.is_empty() {
        return Ok(());
    }
    let dir = Dir::create(&data.join("outbox"), "outbox").map_err(Error::from)?;
    let write = |(_, bytes): &(_, Vec<u8>)| {
        let name = temporary();
        dir.write_new(&name, bytes)?;
        Ok(Step::Written(name))
    };
    let steps = all.par_iter().with_min_len(64).map(write).collect();
    let serials: Vec<_> = all.into_iter().map(|(serial, _)| serial).collect();
    for intent in issued {
        dir.write_new(&given(CommandId(*intent)), b"").map_err(Error::from)?;
    }
    finish(&dir, &serials, steps).into_iter().collect::<Result<(), _>>()?;
    Ok(dir.sync().map_err(Error::from)?)
}
