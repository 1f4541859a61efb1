//! Commands as a device reads them: the file `SERIAL.json` and what is in it.

use std::ffi::OsString;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::model::{Email, Invalid, Profile, SerialNumber, WipeScope, as_string, words};
use crate::domain::wipe::verify::VerifiedWipe;

const VERSION: u32 = 1;

/// Names a command towards the device: `c17` for the intent 17.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CommandId(pub(crate) u64);

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
    pub(crate) enum Verb {
        /// Take on a profile; arguments `profile`, `digest`, `apps`, `settings`, `licenses`, `compliance`.
        Profile = "profile",
        /// Give a license to the user; arguments `sku`, `user`.
        License = "license",
        /// Report at once.
        Sync = "sync",
        /// Keep the device away from corporate mail, until told otherwise.
        BlockMail = "blockMail",
        /// Let it have corporate mail again.
        UnblockMail = "unblockMail",
        /// Erase everything.
        Wipe = "wipe",
        /// Erase corporate data.
        SelectiveWipe = "selectiveWipe",
    }
}

/// One thing that a device has to do, as its outbox file spells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Command {
    /// Unique to the intent.
    pub(crate) id: CommandId,
    pub(crate) command: Verb,
    /// With what; by the verb.
    #[serde(flatten)]
    pub(crate) arguments: Map<String, Value>,
}

impl Command {
    /// The push of a profile.
    #[must_use]
    pub(crate) fn profile(intent: u64, profile: &Profile) -> Self {
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

    /// To give a license to the user of a device.
    #[must_use]
    pub(crate) fn license(intent: u64, sku: &str, user: &Email) -> Self {
        let arguments = [("sku", sku.into()), ("user", user.as_str().into())];
        Self {
            id: CommandId(intent),
            command: Verb::License,
            arguments: arguments.map(|(key, value)| (key.to_owned(), value)).into_iter().collect(),
        }
    }

    /// To report at once.
    #[must_use]
    pub(crate) fn sync(intent: u64) -> Self {
        Self { id: CommandId(intent), command: Verb::Sync, arguments: Map::new() }
    }

    /// To keep the device away from corporate mail, or to let it have it again.
    #[must_use]
    pub(crate) fn access(intent: u64, blocked: bool) -> Self {
        let command = if blocked { Verb::BlockMail } else { Verb::UnblockMail };
        Self { id: CommandId(intent), command, arguments: Map::new() }
    }

    /// The command to erase a device, whole or only corporate data.
    #[must_use]
    pub(crate) fn wipe(intent: u64, wipe: &VerifiedWipe) -> Self {
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

pub(super) fn encode(commands: Vec<Command>) -> Vec<u8> {
    let document = Document { version: VERSION, commands };
    let mut bytes = serde_json::to_vec_pretty(&document).expect("commands are plain data");
    bytes.push(b'\n');
    bytes
}

pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Command>, String> {
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
pub(super) fn file_name(serial: &SerialNumber) -> OsString {
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

/// The commands with a new one among them, or `None` where it is there already.
/// A profile takes the place of whatever profile was to come before, and so does a sync; of two orders
/// about mail, or about one license, the last one counts.
pub(super) fn merge(mut commands: Vec<Command>, new: &Command) -> Option<Vec<Command>> {
    let replaced: &[Verb] = match new.command {
        Verb::Profile => &[Verb::Profile],
        Verb::License => &[Verb::License],
        Verb::Sync => &[Verb::Sync],
        Verb::BlockMail | Verb::UnblockMail => &[Verb::BlockMail, Verb::UnblockMail],
        Verb::Wipe | Verb::SelectiveWipe => &[],
    };
    // Of nothing but licenses there is more than one of a kind.
    let same = |c: &Command| c.arguments.get("sku") == new.arguments.get("sku");
    let stale = |c: &Command| {
        c.id == new.id || (replaced.contains(&c.command) && (c.command != Verb::License || same(c)))
    };
    let mut others = commands.iter().filter(|c| stale(c));
    if others.next() == Some(new) && others.next().is_none() {
        return None;
    }
    commands.retain(|c| !stale(c));
    commands.push(new.clone());
    commands.sort_by_key(|c| c.id);
    Some(commands)
}
