//! `fleetform provision`

use std::collections::BTreeMap;

use super::author;
use super::author::Edited;
use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::setup::Setup;
use super::value::{Label, word};
use crate::domain::fleet::Desired;
use crate::domain::manifest::new_device::NewDevice;
use crate::domain::model::{Ownership, Platform};
use crate::ui::render::out::Out;

/// Write the manifest of a new device, after checking it together with the fleet.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform provision --serial PF3XK9Q2 --user ana.ruiz@example.com \\
    --profile Standard --os 10.0.26100
  fleetform provision --serial C39ZZ1 --user bo.li@example.com \\
    --profile Mobile --os 18.1 \\
    --platform ios --name bo-li-phone --label site=madrid

Only the fleet directory is edited: commit the file, and `apply` or the daemon
provisions the device. It is written beside the devices that share most of its
labels, or else to devices/NAME.yaml. Exits with 1 and writes nothing if the
result would have findings. Formats: text, json (as diff).")]
pub(crate) struct Args {
    /// Serial number, as the device itself reports it
    #[arg(long, value_name = "SERIAL")]
    pub(crate) serial: String,
    /// E-mail address of the user
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: String,
    /// Name of the profile
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: String,
    /// Version of the operating system, dotted numbers
    #[arg(long, value_name = "VERSION")]
    pub(crate) os: String,
    /// Platform; may be left out where the profile has just one
    #[arg(long, value_name = "PLATFORM", value_parser = word!(Platform), ignore_case = true)]
    pub(crate) platform: Option<Platform>,
    /// Name of the device [default: from the user and the serial number]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Who owns the hardware [default: corporate]
    #[arg(long, value_name = "WHO", value_parser = word!(Ownership), ignore_case = true)]
    pub(crate) ownership: Option<Ownership>,
    /// A label; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<Label>,
    /// Where to write it, relative to the fleet directory
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<String>,
}

/// Writes the manifest.
///
/// # Errors
/// If the file is there already, the fleet cannot be read, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let name = args.name.clone().unwrap_or_else(|| name_of(args));
    let path = match &args.file {
        Some(path) => path.clone(),
        None => format!("{}{}.yaml", directory(&setup.desired(), args), file_name(&name)),
    };
    let is_inside = path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    if !is_inside || !(path.ends_with(".yaml") || path.ends_with(".yml")) {
        return Err(Failure::new(format!("{path:?} cannot be the path of a manifest")).help(
            "give a .yaml path inside the fleet directory, with no part that begins with a dot",
        ));
    }
    let target = setup.config.fleet.join(&path);
    if target.symlink_metadata().is_ok() {
        return Err(Failure::new(format!("{} already exists", target.display()))
            .help("name another --file or --name; fleetform set edits a manifest"));
    }
    let new = manifest(args, &name, &path);
    author::write(setup, &Edited { path: &path, lines: &[], old: None, new: &new }, (format, out))
}

/// The file, with a line by which editors find the schema.
fn manifest(args: &Args, name: &str, path: &str) -> String {
    let device = NewDevice {
        name,
        labels: args.labels.iter().map(|Label { key, value }| (&**key, &**value)).collect(),
        serial_number: &args.serial,
        user_email: &args.user,
        profile: &args.profile,
        platform: args.platform.map(Platform::as_str),
        os_version: &args.os,
        ownership: args.ownership.map(Ownership::as_str),
        manufacturer: None,
        model: None,
        autopilot_hash: None,
    };
    device.file(path.matches('/').count())
}

/// `ana-ruiz-pf3xk9q2`
fn name_of(args: &Args) -> String {
    let user = args.user.split('@').next().unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = format!("{user}-{}", args.serial).chars().map(plain).take(63).collect();
    name.trim_matches('-').to_owned()
}

/// A name that breaks the rules gives a finding, but no strange file before that.
fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = name.chars().map(|c| if plain(c) { c } else { '-' }).take(63).collect();
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if name.is_empty() { "device".to_owned() } else { name.to_owned() }
}

/// Where most of the devices are that share most of the labels; `devices/` where none does.
fn directory(desired: &Desired, args: &Args) -> String {
    let mut places: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for device in &desired.devices {
        let own = &device.spec.labels;
        let shared = |l: &&Label| own.get(l.key.as_str()).is_some_and(|v| *v == l.value);
        let shared = args.labels.iter().filter(shared).count();
        let at = device.place.path.rfind('/').map_or(0, |n| n + 1);
        let best = places.entry(&device.place.path[..at]).or_default();
        match shared.cmp(&best.0) {
            std::cmp::Ordering::Greater => *best = (shared, 1),
            std::cmp::Ordering::Equal => best.1 += 1,
            std::cmp::Ordering::Less => {}
        }
    }
    let best = places.iter().filter(|(_, (shared, _))| *shared > 0);
    // Of equals the first one: the order of the map is turned, since `max_by_key` takes the last.
    best.rev().max_by_key(|(_, rank)| **rank).map_or("devices/", |(path, _)| path).to_owned()
}
