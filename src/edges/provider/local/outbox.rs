//! What devices have to do: `outbox/SERIAL.json`, until a report shows it done.
//!
//! A file is never changed in place: the first push to many devices writes its content
//! once and hard-links it to each of them, so that a write into one would be a write into
//! all. Whatever changes is a new file renamed over the name. One fsync of the content
//! and one of the directory serve a whole push, before any of its outcomes is `Ok`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use rustix::io::Errno;

use super::command::{Command, CommandId, Verb, encode, file_name, merge};
use super::error::Error;
use super::pending::read;
use crate::domain::model::SerialNumber;
use crate::domain::state::event::ErrorClass;
use crate::edges::fs::spool::{self, Dir, temporary};
use crate::edges::provider::effect::{Presence, Withdrawn};
use crate::edges::provider::error as provider;

/// Commands of one device that are over.
#[derive(Debug, Default)]
pub(super) struct Struck {
    /// Named as completed by a report, or a sync of a device that was heard from since.
    pub(crate) done: BTreeSet<CommandId>,
    /// Wipes that the ledger has as confirmed.
    pub(crate) erased: BTreeSet<CommandId>,
}

impl Struck {
    /// An order to erase stays until the device says that it is erased: merely to name it as
    /// completed would be a way to get rid of it.
    pub(super) fn covers(&self, command: &Command) -> bool {
        let erases = matches!(command.command, Verb::Wipe | Verb::SelectiveWipe);
        self.erased.contains(&command.id) || (!erases && self.done.contains(&command.id))
    }
}

/// The writer of the outbox; there is one, since the ledger's lock admits one.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Held by whoever gives or takes names.
    known: Mutex<Known>,
    /// Whether the file system has hard links, as far as it is known.
    links: AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    /// The directory that it lies in, by device and inode, as this process first found it.
    home: Option<(u64, u64)>,
    /// Whether what a crash left behind is gone.
    swept: bool,
}

/// Beside the commands: that the one to erase was given. Whoever removes a device's file by hand
/// does not remove this, so that the command is not given again.
pub(super) fn given(id: CommandId) -> OsString {
    format!(".{id}.given").into()
}

/// How far a target has come before anything is durable.
pub(super) enum Step {
    /// The file has its name and its content.
    Named,
    /// A second name of the common content, to be renamed.
    Linked(OsString),
    /// Content of its own, to be made durable and renamed.
    Written(OsString),
}

/// The content that all targets of one push have in common.
struct Common<'a> {
    command: &'a Command,
    bytes: Vec<u8>,
    /// Where it lies, durably.
    staged: OsString,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self { known: Mutex::default(), links: AtomicBool::new(true) }
    }

    /// For file systems without hard links, and for tests of the way round.
    #[cfg(test)]
    pub(super) fn without_links() -> Self {
        Self { known: Mutex::default(), links: AtomicBool::new(false) }
    }

    /// Nobody else gives or takes names. What a panic left behind is as good as what a crash leaves on the
    /// disk.
    fn alone(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory, and the right to give and take names in it.
    fn open(&self, data: &Path) -> Result<(Dir, MutexGuard<'_, Known>), Error> {
        let mut known = self.alone();
        let failed = |errno| spool::Error::Io { doing: "write in", path: data.into(), errno };
        let found = Dir::open(data, "outbox")?.ok_or_else(|| failed(Errno::NOENT))?.identity()?;
        let home = *known.home.get_or_insert(found);
        // The ledger was in its place a moment ago. A command in a directory that has taken its
        // name since, as when a disk is unmounted, would be given once more when the first one is
        // back: nothing is made in that one.
        if found != home {
            return Err(failed(Errno::STALE).into());
        }
        let dir = Dir::create(&data.join("outbox"), "outbox")?;
        if dir.above()? != home {
            return Err(failed(Errno::STALE).into());
        }
        // Listing 100,000 names costs as much as linking a thousand: once a process.
        if !known.swept {
            dir.sweep()?;
            known.swept = true;
        }
        Ok((dir, known))
    }

    /// Gives the command to each device; one outcome each, in their order. Repeating it is
    /// harmless. An `Ok` is durable.
    pub(super) fn push(
        &self,
        data: &Path,
        command: &Command,
        serials: &[SerialNumber],
    ) -> Vec<Result<(), Error>> {
        self.try_push(data, command, serials).unwrap_or_else(|e| vec![Err(e); serials.len()])
    }

    fn try_push(
        &self,
        data: &Path,
        command: &Command,
        serials: &[SerialNumber],
    ) -> Result<Vec<Result<(), Error>>, Error> {
        // Others go on with names while this one waits for the disk, before and after its own.
        let (dir, alone) = self.open(data)?;
        drop(alone);
        let bytes = encode(vec![command.clone()]);
        let common = Common { command, bytes, staged: temporary() };
        dir.write_new(&common.staged, &common.bytes)?;
        if let Err(error) = dir.sync_contents(&[&common.staged]) {
            dir.discard(&common.staged);
            return Err(error.into());
        }
        let alone = self.alone();
        // One after the other: a directory takes one name at a time, and to wait for that costs more
        // than to give it one.
        let linked: Vec<_> = serials
            .iter()
            .map(|serial| self.link(&dir, &common.staged, &file_name(serial)))
            .collect();
        let steps = serials
            .par_iter()
            .zip(linked)
            .with_min_len(64)
            .map(|(serial, linked)| match linked? {
                true => Ok(Step::Named),
                false => self.prepare(&dir, &common, &file_name(serial)),
            })
            .collect();
        let outcomes = finish(&dir, serials, steps);
        dir.discard(&common.staged);
        drop(alone);
        dir.sync()?;
        Ok(outcomes)
    }

    /// Gives each device a command of its own; otherwise as [`Outbox::push`].
    pub(super) fn push_each(
        &self,
        data: &Path,
        commands: &[(SerialNumber, Command)],
    ) -> Vec<Result<(), Error>> {
        self.try_push_each(data, commands).unwrap_or_else(|e| vec![Err(e); commands.len()])
    }

    fn try_push_each(
        &self,
        data: &Path,
        commands: &[(SerialNumber, Command)],
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let (dir, _alone) = self.open(data)?;
        let write = |(serial, command): &(SerialNumber, Command)| {
            let before = read(&dir, &file_name(serial))?.unwrap_or_default();
            let Some(commands) = merge(before, command) else { return Ok(Step::Named) };
            let temp = temporary();
            dir.write_new(&temp, &encode(commands))?;
            Ok(Step::Written(temp))
        };
        let steps = commands.par_iter().with_min_len(64).map(write).collect();
        let serials: Vec<_> = commands.iter().map(|(serial, _)| serial.clone()).collect();
        let outcomes = finish(&dir, &serials, steps);
        dir.sync()?;
        Ok(outcomes)
    }

    /// Gives a device the command to erase it; repeating it is harmless. An `Ok` is durable.
    ///
    /// # Errors
    /// Transient or permanent only where the device surely does not get it: before the file has
    /// its name, or where a look finds that it has not.
    pub(super) fn order(
        &self,
        data: &Path,
        command: &Command,
        serial: &SerialNumber,
    ) -> Result<(), provider::Error> {
        fn surely_not(error: impl Into<Error>) -> provider::Error {
            provider::Error::new(ErrorClass::Transient, error.into().to_string())
        }
        fn in_doubt(error: impl Into<Error>) -> provider::Error {
            provider::Error::new(ErrorClass::Unknown, error.into().to_string())
        }
        let (dir, _alone) = self.open(data).map_err(surely_not)?;
        let name = file_name(serial);
        let before = read(&dir, &name).map_err(surely_not)?.unwrap_or_default();
        if let Some(commands) = merge(before, command) {
            let temp = temporary();
            dir.write_new(&temp, &encode(commands)).map_err(surely_not)?;
            let written = dir.sync_contents(&[&temp]).map_err(surely_not).and_then(|()| {
                dir.replace(&temp, &name).map_err(|error| match read(&dir, &name) {
                    Ok(now) if !has(&now, command.id) => surely_not(error),
                    Ok(_) | Err(_) => in_doubt(error),
                })
            });
            if written.is_err() {
                dir.discard(&temp);
            }
            written?;
        }
        if let Err(error) = dir.write_new(&given(command.id), b"") {
            // It only matters to whoever removes the file by hand.
            tracing::debug!(%error, "it is not noted that the command was given");
        }
        dir.sync().map_err(in_doubt)
    }

    /// Whether a device has, or had, the command to erase it.
    ///
    /// # Errors
    /// If that cannot be read now.
    pub(super) fn presence(
        &self,
        data: &Path,
        serial: &SerialNumber,
        id: CommandId,
        witness: Option<CommandId>,
    ) -> Result<Presence, Error> {
        let _alone = self.alone();
        // A wipe is never the first command of a ledger: without its directory all is forgotten.
        let Some(dir) = Dir::open(&data.join("outbox"), "outbox")? else {
            return Ok(Presence::Unknown);
        };
        let commands = read(&dir, &file_name(serial))?;
        if has(&commands, id) {
            dir.sync()?;
            return Ok(Presence::There);
        }
        let removed = dir.stamp(&given(id))?.is_some();
        let forgotten = witness.is_some_and(|witness| !has(&commands, witness));
        Ok(if removed || forgotten { Presence::Unknown } else { Presence::NotThere })
    }

    /// Takes the command to erase a device back.
    ///
    /// # Errors
    /// If it may still be there.
    pub(super) fn withdraw(
        &self,
        data: &Path,
        serial: &SerialNumber,
        id: CommandId,
    ) -> Result<Withdrawn, Error> {
        let path = data.join("outbox");
        if Dir::open(&path, "outbox")?.is_none() {
            return Ok(Withdrawn::NotPossible(format!("{} does not exist", path.display())));
        }
        let over = Struck { erased: [id].into(), ..Struck::default() };
        let failed = self.complete(data, &[(serial.clone(), over)].into())?;
        failed.into_values().next().map_or(Ok(Withdrawn::Gone), Err)
    }

    /// Everything but what has to wait until the content is durable, for a device whose name the
    /// common content could not get.
    fn prepare(&self, dir: &Dir, common: &Common<'_>, name: &OsStr) -> Result<Step, Error> {
        let before = read(dir, name)?.unwrap_or_default();
        let Some(commands) = merge(before, common.command) else { return Ok(Step::Named) };
        let temp = temporary();
        if commands.len() > 1 {
            dir.write_new(&temp, &encode(commands))?;
        } else if self.link(dir, &common.staged, &temp)? {
            return Ok(Step::Linked(temp));
        } else {
            dir.write_new(&temp, &common.bytes)?;
        }
        Ok(Step::Written(temp))
    }

    /// Whether the name is now one of the staged file; not, where it was taken or where
    /// links are not to be had.
    fn link(&self, dir: &Dir, staged: &OsStr, name: &OsStr) -> Result<bool, Error> {
        if !self.links.load(Ordering::Relaxed) {
            return Ok(false);
        }
        match dir.link(staged, name) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST | Errno::MLINK) => Ok(false),
            Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::XDEV) => {
                self.links.store(false, Ordering::Relaxed);
                Ok(false)
            }
            Err(errno) => {
                Err(spool::Error::Io { doing: "link", path: dir.path(name), errno }.into())
            }
        }
    }

    /// Strikes out what reports show done. Gives the devices for which that went wrong;
    /// all others are durable.
    ///
    /// # Errors
    /// If it went wrong for all, or nobody knows.
    pub(super) fn complete(
        &self,
        data: &Path,
        done: &BTreeMap<SerialNumber, Struck>,
    ) -> Result<BTreeMap<SerialNumber, Error>, Error> {
        if done.is_empty() || Dir::open(&data.join("outbox"), "outbox")?.is_none() {
            return Ok(BTreeMap::new());
        }
        let (dir, _alone) = self.open(data)?;
        let done: Vec<_> = done.iter().collect();
        let steps = done
            .par_iter()
            .with_min_len(64)
            .map(|(serial, struck)| strike(&dir, &file_name(serial), struck))
            .collect();
        let serials: Vec<_> = done.iter().map(|(serial, _)| (*serial).clone()).collect();
        let outcomes = finish(&dir, &serials, steps);
        dir.sync()?;
        let failed = serials.into_iter().zip(outcomes);
        Ok(failed.filter_map(|(serial, outcome)| Some((serial, outcome.err()?))).collect())
    }
}

fn has(commands: &Option<Vec<Command>>, id: CommandId) -> bool {
    commands.iter().flatten().any(|command| command.id == id)
}

fn strike(dir: &Dir, name: &OsStr, struck: &Struck) -> Result<Step, Error> {
    for id in &struck.erased {
        dir.remove(&given(*id))?;
    }
    let before = read(dir, name)?.unwrap_or_default();
    let after: Vec<_> = before.iter().filter(|command| !struck.covers(command)).cloned().collect();
    if after.is_empty() {
        dir.remove(name)?;
        return Ok(Step::Named);
    }
    if after.len() == before.len() {
        return Ok(Step::Named);
    }
    let temp = temporary();
    dir.write_new(&temp, &encode(after))?;
    Ok(Step::Written(temp))
}

/// Makes what was written durable, then gives it its names. On failure no temporary is left.
pub(super) fn finish(
    dir: &Dir,
    serials: &[SerialNumber],
    steps: Vec<Result<Step, Error>>,
) -> Vec<Result<(), Error>> {
    let written: Vec<&OsStr> = steps
        .iter()
        .filter_map(|step| match step {
            Ok(Step::Written(temp)) => Some(temp.as_os_str()),
            _ => None,
        })
        .collect();
    let durable = dir.sync_contents(&written);
    let name = |(serial, step): (_, Result<Step, Error>)| -> Result<(), Error> {
        let (temp, durable) = match step? {
            Step::Named => return Ok(()),
            Step::Linked(temp) => (temp, Ok(())),
            Step::Written(temp) => (temp, durable.clone()),
        };
        let done = durable.and_then(|()| dir.replace(&temp, &file_name(serial)));
        if done.is_err() {
            dir.discard(&temp);
        }
        Ok(done?)
    };
    serials.iter().zip(steps).map(name).collect()
}
