//! `fleetform set`

use std::fs;

use super::run::Setup;
use super::{Exit, Failure, Format, author};
use crate::edit::{Edit, To, edit};
use crate::fleet::{Damage, Desired};
use crate::model::{DeviceId, Name, Place, SerialNumber};
use crate::render::out::Out;
use crate::wording::closest;

/// Edit a device's manifest in place: comments, order and quotes stay. The result is checked
/// against the fleet before it is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform set ana-ruiz-laptop profile=Executive
  fleetform set PF3XK9Q2 status=Failed
  fleetform set D007 enrollment=+1              Enrol again
  fleetform set D007 labels.site=madrid labels.room=12

Fields: name, labels.KEY, serialNumber, userEmail, profile, platform, osVersion,
ownership, status, enrollment, hardware.manufacturer, hardware.model,
hardware.autopilotHash. Only the fleet directory is edited: commit the change.
Exits with 1, and writes nothing, where it would give a finding. Formats: text,
json (as diff).")]
pub struct Args {
    /// Device id, serial number or name
    #[arg(value_name = "ID|SERIAL|NAME")]
    pub device: String,
    /// What to change
    #[arg(value_name = "FIELD=VALUE", required = true)]
    pub fields: Vec<String>,
}

/// The fields of `spec` that can be set.
pub(super) const SPEC: &[&str] = &[
    "serialNumber",
    "userEmail",
    "profile",
    "platform",
    "osVersion",
    "ownership",
    "status",
    "enrollment",
    "hardware.manufacturer",
    "hardware.model",
    "hardware.autopilotHash",
];

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
    let old = fs::read_to_string(&path)
        .map_err(|why| Failure::new(format!("cannot read {}: {why}", path.display())))?;
    let new = edit(&old, place.line, &edits).map_err(|why| {
        Failure::new(format!("cannot edit {}: {why}", path.display())).help("edit it by hand")
    })?;
    author::write(setup, &place.path, Some(&old), &new, (format, out))
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
        (None, bare) if SPEC.contains(&bare) => {
            std::iter::once("spec").chain(bare.split('.')).map(str::to_owned).collect()
        }
        (None, bare) => {
            let failure = Failure::new(format!("a device has no field {bare:?}"));
            let known = SPEC.iter().copied().chain(["name", "labels.KEY"]);
            return Err(match closest(bare, known) {
                Some(meant) => failure.help(format!("did you mean {meant}?")),
                None => failure.help("`fleetform set --help` lists the fields"),
            });
        }
    };
    Ok(Edit { path, to })
}

/// Where the device is written: by its id in the ledger, by serial number, by name.
fn place(setup: &Setup, desired: &Desired, text: &str) -> Result<Place, Failure> {
    let by_id = match text.parse::<DeviceId>() {
        Ok(id) => {
            let state = setup.recorded()?;
            state.devices.get(&id).map(|device| device.spec.serial_number.clone())
        }
        Err(_) => None,
    };
    let serial: Option<SerialNumber> = by_id.or_else(|| text.parse().ok());
    let all = manifests(desired);
    let of_serial = all.iter().filter(|(_, own, _)| own.is_some() && *own == serial.as_ref());
    let mut found: Vec<&Place> = of_serial.map(|(place, ..)| *place).collect();
    if found.is_empty() {
        let named = all.iter().filter(|(.., name)| name.is_some_and(|name| name.as_str() == text));
        found = named.map(|(place, ..)| *place).collect();
    }
    match found[..] {
        [place] => Ok(place.clone()),
        [] => {
            let names = all.iter().filter_map(|(.., name)| Some(name.as_ref()?.as_str()));
            let failure = Failure::new(format!(
                "no manifest has the device id, serial number or name {text:?}"
            ));
            // What is no slip of the keyboard may be the beginning of a name.
            let begins = |name: &&str| text.len() > 2 && name.starts_with(text);
            Err(match closest(text, names.clone()).or_else(|| names.clone().find(begins)) {
                Some(meant) => failure.help(format!("did you mean {meant}?")),
                None => failure.help("`fleetform list` shows all devices that are recorded"),
            })
        }
        _ => Err(Failure::new(format!("{} manifests are of a device {text:?}", found.len()))
            .help("`fleetform check` shows where they are")),
    }
}

type Manifest<'d> = (&'d Place, Option<&'d SerialNumber>, Option<&'d Name>);

/// All device manifests. One with findings can be edited, too: perhaps that mends it.
fn manifests(desired: &Desired) -> Vec<Manifest<'_>> {
    let valid = desired.devices.iter().map(|device| {
        let spec = &device.spec;
        (&device.place, Some(&spec.serial_number), Some(&spec.name))
    });
    let damaged = desired.damaged.iter().filter_map(|damaged| match &damaged.what {
        Damage::Device { serial, name } => Some((&damaged.place, serial.as_ref(), name.as_ref())),
        Damage::ProfileOf { serial, name, .. } => Some((&damaged.place, Some(serial), Some(name))),
        Damage::Directory | Damage::File => None,
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
