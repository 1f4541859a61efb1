//! What devices have to do: `outbox/SERIAL.json`, until a report shows it done.
//!
//! A file is never changed in place: the first push to many devices writes its content
//! once and hard-links it to each of them, so that a write into one would be a write into
//! all. Whatever changes is a new file renamed over the name. One fsync of the content
//! and one of the directory serve a whole push, before any of its outcomes is `Ok`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::files::{Dir, Error, Found, temporary};
use crate::domain::model::{Invalid, Profile, SerialNumber, WipeScope, as_string, words};
use crate::domain::state::event::ErrorClass;
use crate::domain::wipe::verify::VerifiedWipe;
use crate::edges::provider::{self, Presence, Withdrawn};

/// A profile fits a line of the log (64 KiB); with hundreds of commands beside it a file
/// stays far below this.
const FILE_LIMIT: u64 = 16 << 20;
const VERSION: u32 = 1;

/// Names a command towards the device: `c17` for the intent 17.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);

impl std::fmt::Display for CommandId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "c{}", self.0)
    }
}
impl FromStr for CommandId {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.strip_prefix('c')
            .and_then(|digits| digits.parse().ok().map(Self))
            // One spelling an id: neither c017 nor c+17.
            .filter(|id| id.to_string() == text)
            .ok_or_else(|| Invalid("is not the id of a command like c17".into()))
    }
}
as_string!(CommandId);

words! {
    /// What a device has to do.
    Verb {
        /// Take on a profile; arguments `profile`, `digest`, `apps`, `settings`, `licenses`, `compliance`.
        Profile = "profile",
        /// Report at once.
        Sync = "sync",
        /// Erase everything.
        Wipe = "wipe",
        /// Erase corporate data.
        SelectiveWipe = "selectiveWipe",
    }
}

/// One thing that a device has to do, as its outbox file spells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Unique to the intent.
    pub id: CommandId,
    /// What to do.
    pub command: Verb,
    /// With what; by the verb.
    #[serde(flatten)]
    pub arguments: Map<String, Value>,
}

impl Command {
    /// The push of a profile.
    #[must_use]
    pub fn profile(intent: u64, profile: &Profile) -> Self {
        let Profile { name, digest, apps, settings, licenses, compliance, .. } = profile;
        let compliance = serde_json::to_value(compliance).expect("requirements are plain data");
        let arguments = [
            ("profile", name.as_str().into()),
            ("digest", digest.to_string().into()),
            ("apps", apps.as_slice().into()),
            ("settings", settings.clone()),
            ("licenses", licenses.as_slice().into()),
            ("compliance", compliance),
        ];
        Self {
            id: CommandId(intent),
            command: Verb::Profile,
            arguments: arguments.map(|(key, value)| (key.to_owned(), value)).into_iter().collect(),
        }
    }
}

impl Command {
    /// The one that cannot be undone.
    #[must_use]
    pub fn wipe(intent: u64, wipe: &VerifiedWipe) -> Self {
        let request = wipe.request();
        let arguments = [
            ("device", request.device_id.to_string().into()),
            ("reason", request.reason.as_str().into()),
            ("request", request.digest.to_string().into()),
        ];
        Self {
            id: CommandId(intent),
            command: match request.scope {
                WipeScope::Full => Verb::Wipe,
                WipeScope::Selective => Verb::SelectiveWipe,
            },
            arguments: arguments.map(|(key, value)| (key.to_owned(), value)).into_iter().collect(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    commands: Vec<Command>,
}

fn encode(commands: Vec<Command>) -> Vec<u8> {
    let document = Document { version: VERSION, commands };
    let mut bytes = serde_json::to_vec_pretty(&document).expect("commands are plain data");
    bytes.push(b'\n');
    bytes
}

fn decode(bytes: &[u8]) -> Result<Vec<Command>, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    match document.version {
        VERSION => Ok(document.commands),
        other => Err(format!("its version is {other}, not {VERSION}: a newer fleetform wrote it")),
    }
}

/// Serials differ without regard to case, file names with it: so the name is in capitals. A dot
/// at the beginning, which would hide the file, and whatever is no letter, digit or `.`, `_`, `-`
/// is percent-encoded, byte by byte: `VMware-56 4d` is in `VMWARE-56%204D.json`. No serial
/// number has a `%`, so each has a name of its own.
fn file_name(serial: &SerialNumber) -> OsString {
    let mut name = String::with_capacity(64);
    for b in serial.as_str().bytes() {
        match b {
            b'.' if name.is_empty() => name.push_str("%2E"),
            b'.' | b'_' | b'-' => name.push(char::from(b)),
            b if b.is_ascii_alphanumeric() => name.push(char::from(b.to_ascii_uppercase())),
            b => name.push_str(&format!("%{b:02X}")),
        }
    }
    format!("{name}.json").into()
}

fn read(dir: &Dir, name: &OsStr) -> Result<Option<Vec<Command>>, Error> {
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
pub fn pending(data: &Path, serial: &SerialNumber) -> Result<Vec<Command>, Error> {
    let Some(dir) = Dir::open(&data.join("outbox"), "outbox")? else { return Ok(Vec::new()) };
    Ok(read(&dir, &file_name(serial))?.unwrap_or_default())
}

/// A command for which `is_wanted` says yes, of any device, and where it is; the first by name. A
/// file that cannot be read is left to whoever has to write it, and said.
///
/// # Errors
/// If the outbox cannot be listed.
pub fn find(
    data: &Path,
    is_wanted: impl Fn(&Command) -> bool + Sync,
) -> Result<Option<(PathBuf, Command)>, Error> {
    let dir = match Dir::open(&data.join("outbox"), "outbox") {
        Ok(Some(dir)) => dir,
        // What is no directory holds no commands, and no device can read any.
        Ok(None) | Err(Error::Io { errno: Errno::NOTDIR, .. }) => return Ok(None),
        Err(error) => return Err(error),
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

/// The commands with a new one among them, or `None` where it is there already.
/// A profile takes the place of whatever profile was to come before.
fn merge(mut commands: Vec<Command>, new: &Command) -> Option<Vec<Command>> {
    let stale = |c: &Command| c.id == new.id || (c.command, new.command) == PROFILES;
    const PROFILES: (Verb, Verb) = (Verb::Profile, Verb::Profile);
    let mut others = commands.iter().filter(|c| stale(c));
    if others.next() == Some(new) && others.next().is_none() {
        return None;
    }
    commands.retain(|c| !stale(c));
    commands.push(new.clone());
    commands.sort_by_key(|c| c.id);
    Some(commands)
}

/// Commands of one device that are over.
#[derive(Debug, Default)]
pub(super) struct Struck {
    /// Named as completed by a report.
    pub done: BTreeSet<CommandId>,
    /// Wipes that the ledger has as confirmed.
    pub erased: BTreeSet<CommandId>,
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
    /// Whether what a crash left behind is gone.
    swept: bool,
    /// Whether the file system has hard links, as far as it is known.
    links: AtomicBool,
}

/// Beside the commands: that the one to erase was given. Whoever removes a device's file by hand
/// does not remove this, so that the command is not given again.
fn given(id: CommandId) -> OsString {
    format!(".{id}.given").into()
}

/// How far a target has come before anything is durable.
enum Step {
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
        Self { swept: false, links: AtomicBool::new(true) }
    }

    /// For file systems without hard links, and for tests of the way round.
    #[cfg(test)]
    pub(super) fn without_links() -> Self {
        Self { swept: false, links: AtomicBool::new(false) }
    }

    fn open(&mut self, data: &Path) -> Result<Dir, Error> {
        // The data directory itself is never made here: one that is gone would be forgotten.
        if Dir::open(data, "outbox")?.is_none() {
            let errno = Errno::NOENT;
            return Err(Error::Io { doing: "open", path: data.into(), errno });
        }
        let dir = Dir::create(&data.join("outbox"), "outbox")?;
        // Listing 100,000 names costs as much as linking a thousand: once a process.
        if !self.swept {
            dir.sweep()?;
            self.swept = true;
        }
        Ok(dir)
    }

    /// Gives the command to each device; one outcome each, in their order. Repeating it is
    /// harmless. An `Ok` is durable.
    pub(super) fn push(
        &mut self,
        data: &Path,
        command: &Command,
        serials: &[SerialNumber],
    ) -> Vec<Result<(), Error>> {
        self.try_push(data, command, serials).unwrap_or_else(|e| vec![Err(e); serials.len()])
    }

    fn try_push(
        &mut self,
        data: &Path,
        command: &Command,
        serials: &[SerialNumber],
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let dir = self.open(data)?;
        let bytes = encode(vec![command.clone()]);
        let common = Common { command, bytes, staged: temporary() };
        dir.write_new(&common.staged, &common.bytes)?;
        if let Err(error) = dir.sync_contents(&[&common.staged]) {
            dir.discard(&common.staged);
            return Err(error);
        }
        let steps = serials
            .par_iter()
            .with_min_len(64)
            .map(|serial| self.prepare(&dir, &common, &file_name(serial)))
            .collect();
        let outcomes = finish(&dir, serials, steps);
        dir.discard(&common.staged);
        dir.sync()?;
        Ok(outcomes)
    }

    /// Gives a device the command to erase it; repeating it is harmless. An `Ok` is durable.
    ///
    /// # Errors
    /// Transient or permanent only where the device surely does not get it: before the file has
    /// its name, or where a look finds that it has not.
    pub(super) fn order(
        &mut self,
        data: &Path,
        command: &Command,
        serial: &SerialNumber,
    ) -> Result<(), provider::Error> {
        let surely_not =
            |error: Error| provider::Error::new(ErrorClass::Transient, error.to_string());
        let in_doubt = |error: Error| provider::Error::new(ErrorClass::Unknown, error.to_string());
        let dir = self.open(data).map_err(surely_not)?;
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
        &mut self,
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

    /// Everything but what has to wait until the content is durable.
    fn prepare(&self, dir: &Dir, common: &Common<'_>, name: &OsStr) -> Result<Step, Error> {
        if self.link(dir, &common.staged, name)? {
            return Ok(Step::Named);
        }
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
            Err(errno) => Err(Error::Io { doing: "link", path: dir.path(name), errno }),
        }
    }

    /// Strikes out what reports show done. Gives the devices for which that went wrong;
    /// all others are durable.
    ///
    /// # Errors
    /// If it went wrong for all, or nobody knows.
    pub(super) fn complete(
        &mut self,
        data: &Path,
        done: &BTreeMap<SerialNumber, Struck>,
    ) -> Result<BTreeMap<SerialNumber, Error>, Error> {
        if done.is_empty() || Dir::open(&data.join("outbox"), "outbox")?.is_none() {
            return Ok(BTreeMap::new());
        }
        let dir = self.open(data)?;
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
fn finish(
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
    let name = |(serial, step)| {
        let (temp, durable) = match step? {
            Step::Named => return Ok(()),
            Step::Linked(temp) => (temp, Ok(())),
            Step::Written(temp) => (temp, durable.clone()),
        };
        let done = durable.and_then(|()| dir.replace(&temp, &file_name(serial)));
        if done.is_err() {
            dir.discard(&temp);
        }
        done
    };
    serials.iter().zip(steps).map(name).collect()
}
