//! `fleetform set`

use super::author;
use super::author::Edited;
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
use crate::domain::state::Device;
use crate::domain::wording::closest;
use crate::ui::render::out::Out;

/// Edit a device's manifest in place: comments, order and quotes stay. The result is checked
/// against the fleet before it is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform set ana-ruiz-laptop profile=Executive
  fleetform set PF3XK9Q2 status=Failed
  fleetform set D007 enrollment=+1              Enroll again
  fleetform set D007 labels.site=madrid labels.room=12

Fields: name, labels.KEY, serialNumber, userEmail, profile, platform, osVersion,
ownership, status, enrollment, hardware.manufacturer, hardware.model,
hardware.autopilotHash, access.exemptUntil, access.reason. Only the fleet
directory is edited: commit the change. Exits with 1, and writes nothing, where
it would give a finding. Formats: text, json (as diff).")]
pub(crate) struct Args {
    /// Device id, serial number or name; where one word fits several devices, id=ID, serial=SERIAL
    /// or name=NAME
    #[arg(value_name = "ID|SERIAL|NAME")]
    pub(crate) device: String,
    /// What to change
    #[arg(value_name = "FIELD=VALUE", required = true)]
    pub(crate) fields: Vec<String>,
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
    let edits = args.fields.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?;
    let desired = setup.desired();
    author::there(&desired)?;
    let place = place(setup, &desired, &args.device)?;
    let path = setup.config.fleet.join(&*place.path);
    let old = author::read(&path)?
        .ok_or_else(|| Failure::new(format!("{} is not there any more", path.display())))?;
    let new = edit(&old, place.line, &edits).map_err(|why| {
        Failure::new(format!("cannot edit {}: {why}", path.display())).help("edit it by hand")
    })?;
    let edited = Edited { path: &place.path, line: Some(place.line), old: Some(&old), new: &new };
    author::write(setup, &edited, (format, out))
}

/// `status=Failed`, `enrollment=+1`, `labels.site=madrid`
fn parse(text: &str) -> Result<Edit, Failure> {
    let Some((field, value)) = text.split_once('=') else {
        return Err(Failure::new(format!("{text:?} is not FIELD=VALUE")));
    };
    let to = match value.strip_prefix('+').map(str::parse) {
        Some(Ok(by)) if field.ends_with("enrollment") => To::Raised { by, from: 1 },
        _ => match value.parse() {
            Ok(n) if field.ends_with("enrollment") => To::Number(n),
            _ => To::Text(value.to_owned()),
        },
    };
    let bare = field.strip_prefix("spec.").or(field.strip_prefix("metadata.")).unwrap_or(field);
    let label = bare.strip_prefix("labels.").filter(|key| !key.is_empty());
    let path = match (label, bare) {
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
    };
    Ok(Edit { path, to })
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
fn recorded(setup: &Setup, word: Word<'_>) -> Result<Option<(DeviceId, Box<Device>)>, Failure> {
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
