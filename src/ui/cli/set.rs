//! `fleetform set`

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::author;
use super::author::{Edited, Mode};
use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::setup::Setup;
use crate::domain::fleet::Desired;
use crate::domain::lookup::{Ambiguous, Word};
use crate::domain::manifest::UnusableKind;
use crate::domain::manifest::edit::{Edit, To, edit};
use crate::domain::manifest::fields;
use crate::domain::model::{DeviceId, Name, Place, SerialNumber};
use crate::domain::selector::Selector;
use crate::domain::state::Device;
use crate::domain::wording::closest;
use crate::ui::render::out::Out;

/// Edit manifests of devices in place: comments, order and quotes stay. The result is checked
/// against the fleet before it is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform set ana-ruiz-laptop profile=Executive
  fleetform set PF3XK9Q2 status=Failed
  fleetform set D007 enrollment=+1              Enroll again
  fleetform set D007 labels.site=madrid labels.room-    Set one, remove one
  fleetform set -l 'site in (madrid,lisbon)' profile=Executive --dry-run

FIELD- removes an optional field or label. With -l every device whose manifest
has such labels is edited: all of them, or none if one would have findings.
--dry-run shows the change of the files, and what it means, and writes nothing.

Fields: name, labels.KEY, serialNumber, userEmail, profile, platform, osVersion,
ownership, status, enrollment, hardware.manufacturer, hardware.model,
hardware.autopilotHash, access.exemptUntil, access.reason. Only the fleet
directory is edited: commit the change. Exits with 1 and writes nothing if the
result would have findings. Formats: text, json (as diff).")]
pub(crate) struct Args {
    /// Device id, serial number or name; where one word fits several devices, id=ID, serial=SERIAL
    /// or name=NAME
    #[arg(value_name = "ID|SERIAL|NAME", required_unless_present = "selector")]
    pub(crate) device: Option<String>,
    /// Fields to set or remove
    #[arg(value_name = "FIELD=VALUE|FIELD-")]
    pub(crate) fields: Vec<String>,
    /// Every device whose labels match this selector, as in kubectl: `site in (madrid,lisbon)`
    #[arg(long, short = 'l', value_name = "SELECTOR")]
    pub(crate) selector: Option<Selector>,
    /// Show what would be written, but write nothing
    #[arg(long = "dry-run")]
    pub(crate) preview: bool,
}

/// All fields that can be set, as they are typed; what begins with `labels.` ends with a key.
pub(super) fn fields() -> impl Iterator<Item = String> {
    let metadata = ["name", "labels."].map(str::to_owned);
    fields::DEVICE.leaves().into_iter().chain(metadata)
}

/// Edits the manifest.
///
/// # Errors
/// If there is no such device or field, the manifest cannot be edited, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    // With a selector there is no device in the first place.
    let first = args.device.iter().filter(|_| args.selector.is_some());
    let fields: Vec<&String> = first.chain(&args.fields).collect();
    if fields.is_empty() {
        return Err(Failure::new("no field is given").help(
            "say what to change, for example \
                                                    profile=Executive",
        ));
    }
    let edits = fields.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?;
    let desired = setup.desired();
    author::there(&desired)?;
    let places = match (&args.selector, &args.device) {
        (Some(selector), _) => selected(&desired, selector)?,
        (None, device) => {
            vec![place(setup, &desired, device.as_deref().unwrap_or_default())?]
        }
    };
    let files = files(&setup.config.fleet, &places, &edits)?;
    let edited: Vec<_> = files
        .iter()
        .map(|File { path, lines, old, new }| Edited { path, lines, old: Some(old), new })
        .collect();
    let mode = if args.preview { Mode::Show } else { Mode::Write };
    author::write_all(setup, &edited, mode, (format, out))
}

/// A file, before and after.
struct File {
    path: Arc<str>,
    /// Where the edited documents begin afterwards.
    lines: Vec<u32>,
    old: String,
    new: String,
}

/// Where the devices that the selector admits are written.
fn selected(desired: &Desired, selector: &Selector) -> Result<Vec<Place>, Failure> {
    let admitted = desired.devices.iter().filter(|device| selector.admits(&device.spec.labels));
    let places: Vec<_> = admitted.map(|device| device.place.clone()).collect();
    if places.is_empty() {
        return Err(Failure::new("no manifest has labels that the selector admits")
            .help("`fleetform list -l SELECTOR` shows recorded devices; quote it for the shell"));
    }
    Ok(places)
}

/// Edits each document, from the last of a file to the first: what an edit moves lies below it.
fn files(fleet: &Path, places: &[Place], edits: &[Edit]) -> Result<Vec<File>, Failure> {
    let mut by_file: BTreeMap<&Arc<str>, BTreeSet<u32>> = BTreeMap::new();
    for place in places {
        by_file.entry(&place.path).or_default().insert(place.line);
    }
    let one = |(path, begins): (&Arc<str>, BTreeSet<u32>)| {
        let target = fleet.join(&**path);
        let old = author::read(&target)?
            .ok_or_else(|| Failure::new(format!("{} no longer exists", target.display())))?;
        let (mut new, mut lines) = (old.clone(), Vec::new());
        for line in begins.into_iter().rev() {
            let edited = edit(&new, line, edits).map_err(|why| {
                Failure::new(format!("cannot edit {}: {why}", target.display()))
                    .help("edit it by hand")
            })?;
            let count = |text: &str| i64::try_from(text.lines().count()).unwrap_or(i64::MAX);
            let moved = count(&edited) - count(&new);
            for below in &mut lines {
                *below = u32::try_from(i64::from(*below) + moved).unwrap_or(0);
            }
            lines.push(line);
            new = edited;
        }
        Ok(File { path: path.clone(), lines, old, new })
    };
    by_file.into_iter().map(one).collect()
}

/// `status=Failed`, `enrollment=+1`, `labels.site=madrid`
fn parse(text: &str) -> Result<Edit, Failure> {
    if let Some(field) = text.strip_suffix('-').filter(|field| !field.contains('=')) {
        return Ok(Edit { path: path(field)?, to: To::Absent });
    }
    let Some((field, value)) = text.split_once('=') else {
        return Err(Failure::new(format!("{text:?} is not FIELD=VALUE"))
            .help("FIELD- removes a field, for example labels.site-"));
    };
    let to = match value.strip_prefix('+').map(str::parse) {
        Some(Ok(by)) if field.ends_with("enrollment") => To::Raised { by, from: 1 },
        _ => match value.parse() {
            Ok(n) if field.ends_with("enrollment") => To::Number(n),
            _ => To::Text(value.to_owned()),
        },
    };
    Ok(Edit { path: path(field)?, to })
}

/// The keys that lead to a field.
fn path(field: &str) -> Result<Vec<String>, Failure> {
    let bare = field.strip_prefix("spec.").or(field.strip_prefix("metadata.")).unwrap_or(field);
    let label = bare.strip_prefix("labels.").filter(|key| !key.is_empty());
    Ok(match (label, bare) {
        (Some(key), _) => vec!["metadata".to_owned(), "labels".to_owned(), key.to_owned()],
        (None, "name") => vec!["metadata".to_owned(), "name".to_owned()],
        (None, bare) if fields::DEVICE.leaves().iter().any(|field| field == bare) => {
            std::iter::once("spec").chain(bare.split('.')).map(str::to_owned).collect()
        }
        (None, bare) => {
            let failure = Failure::new(format!("a device has no field {bare:?}"));
            let known: Vec<_> =
                fields().map(|field| field.replace("labels.", "labels.KEY")).collect();
            return Err(match closest(bare, known.iter().map(String::as_str)) {
                Some(meant) => failure.help(format!("did you mean {meant}?")),
                None => failure.help("`fleetform set --help` lists the fields"),
            });
        }
    })
}

/// Where the device is written: by its id in the ledger, its serial number or its name. What
/// fits several devices is refused, also where one of them has no manifest.
fn place(setup: &Setup, desired: &Desired, text: &str) -> Result<Place, Failure> {
    let word = Word::new(text);
    let by_id = recorded(setup, word)?;
    let of_id = by_id.as_ref().map(|(_, device)| &device.spec.serial_number);
    let serial = word.serial();
    let fits = |own: Option<&SerialNumber>, name: Option<&Name>| {
        own.is_some_and(|own| Some(own) == serial.as_ref() || Some(own) == of_id)
            || name.is_some_and(|name| word.is_name(name))
    };
    let all = manifests(desired);
    let found: Vec<_> = all.iter().filter(|(_, own, name)| fits(*own, *name)).collect();
    let is_written = found.iter().any(|(_, own, _)| own.is_some() && *own == of_id);
    let gone = by_id.as_ref().filter(|_| !is_written);
    match (&found[..], gone) {
        ([(place, ..)], None) => Ok((*place).clone()),
        ([], Some((id, device))) => Err(Failure::new(format!(
            "no manifest has the serial number {} of {id}",
            device.spec.serial_number
        ))
        .help("restore the manifest; an orphaned device keeps what was recorded of it")),
        ([], None) => Err(nobody(&all, text)),
        ([first, others @ ..], None) if others.iter().all(|other| other.1 == first.1) => {
            Err(Failure::new(format!("{} manifests are of a device {text:?}", found.len()))
                .help("`fleetform check` shows where they are"))
        }
        _ => {
            let gone = gone.map(|(id, device)| {
                let serial = &device.spec.serial_number;
                (format!("{id} (serial {serial}, no manifest)"), format!("id={id}"))
            });
            let written = found.iter().map(|(place, serial, name)| told(place, *serial, *name));
            let several = Ambiguous::new(text, gone.into_iter().chain(written));
            Err(Failure::new(several.to_string()).help(several.help()))
        }
    }
}

/// A manifest in a few words, and how to name it.
fn told(place: &Place, serial: Option<&SerialNumber>, name: Option<&Name>) -> (String, String) {
    let of = |name: &str, value: Option<String>| value.map(|value| format!("{name} {value}, "));
    let (serial, name) = (serial.map(ToString::to_string), name.map(ToString::to_string));
    let selector = match (&serial, &name) {
        (Some(serial), _) if serial.contains(' ') => format!("'serial={serial}'"),
        (Some(serial), _) => format!("serial={serial}"),
        (None, Some(name)) => format!("name={name}"),
        (None, None) => place.path.to_string(),
    };
    let what: String = [of("serial", serial), of("name", name)].into_iter().flatten().collect();
    (format!("{} ({what}line {})", place.path, place.line), selector)
}

/// The recorded device whose id the word can be. Without a ledger there are no ids; one that
/// cannot be read may have it.
fn recorded(setup: &Setup, word: Word<'_>) -> Result<Option<(DeviceId, Device)>, Failure> {
    let Some(id) = word.id() else { return Ok(None) };
    let state = setup.recorded()?;
    Ok(state.devices.get(&id).map(|device| (id, device.clone())))
}

fn nobody(all: &[Manifest<'_>], text: &str) -> Failure {
    let names = all.iter().filter_map(|(.., name)| Some(name.as_ref()?.as_str()));
    let failure =
        Failure::new(format!("no manifest has the device id, serial number or name {text:?}"));
    // What is no slip of the keyboard may be the beginning of a name.
    let begins = |name: &&str| text.len() > 2 && name.starts_with(text);
    match closest(text, names.clone()).or_else(|| names.clone().find(begins)) {
        Some(meant) => failure.help(format!("did you mean {meant}?")),
        None => failure.help("`fleetform list` shows all devices that are recorded"),
    }
}

type Manifest<'d> = (&'d Place, Option<&'d SerialNumber>, Option<&'d Name>);

/// All device manifests. One with findings can be edited, too: perhaps that fixes it.
fn manifests(desired: &Desired) -> Vec<Manifest<'_>> {
    let valid = desired.devices.iter().map(|device| {
        let spec = &device.spec;
        (&device.place, Some(&spec.serial_number), Some(&spec.name))
    });
    let damaged = desired.unusable.iter().filter_map(|damaged| match &damaged.what {
        UnusableKind::Device { serial, name } => {
            Some((&damaged.place, serial.as_ref(), name.as_ref()))
        }
        UnusableKind::ProfileOf { serial, name, .. } => {
            Some((&damaged.place, Some(serial), Some(name)))
        }
        UnusableKind::Directory | UnusableKind::File | UnusableKind::Unread => None,
    });
    valid.chain(damaged).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let text = |text: &str| To::Text(text.into());
        for (given, path, to) in [
            ("status=Failed", "spec/status", text("Failed")),
            ("spec.status=Failed", "spec/status", text("Failed")),
            ("enrollment=+1", "spec/enrollment", To::Raised { by: 1, from: 1 }),
            ("enrollment=3", "spec/enrollment", To::Number(3)),
            ("enrollment=x", "spec/enrollment", text("x")),
            ("osVersion=+1", "spec/osVersion", text("+1")),
            ("labels.a.b=c=d", "metadata/labels/a.b", text("c=d")),
            ("metadata.labels.x=", "metadata/labels/x", text("")),
            ("name=x", "metadata/name", text("x")),
            ("access.reason=travels", "spec/access/reason", text("travels")),
            ("hardware.model=T 14", "spec/hardware/model", text("T 14")),
            ("labels.site-", "metadata/labels/site", To::Absent),
            ("platform-", "spec/platform", To::Absent),
            ("labels.site=a-", "metadata/labels/site", text("a-")),
        ] {
            let path = path.split('/').map(str::to_owned).collect();
            assert_eq!(parse(given).unwrap(), Edit { path, to }, "{given}");
        }
        for (bad, help) in [
            ("status", "is not FIELD=VALUE"),
            ("stauts=Failed", "did you mean status?"),
            ("labels.=x", "set --help"),
        ] {
            let text = parse(bad).unwrap_err().render(false);
            assert!(text.contains(help), "{text}");
        }
    }
}
