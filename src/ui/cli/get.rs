//! `fleetform get` and `fleetform describe`: `list` and `show`, for hands that know kubectl.

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::list::{self, Shape};
use super::server::ServerArgs;
use super::setup::Setup;
use super::{profile, show};
use crate::domain::model::words;
use crate::ui::render::out::Out;

words! {
    /// What can be got.
    pub(crate) enum Kind {
        Devices = "devices",
        Profiles = "profiles",
    }
}

/// What `--output` may ask for.
pub(super) const FORMATS: &[Format] = list::FORMATS;

/// Lists devices or profiles, as `list` and `profile list` do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform get devices -l site=madrid -o wide
  fleetform get device D007
  fleetform get device D007 -o jsonpath='{.device.status}'
  fleetform get profiles

The same as `fleetform list`, `fleetform show` and `fleetform profile list`.
Formats: those of list. Of one device, json, yaml and jsonpath are those of
show: {.device.status}. Profiles have text, wide, name, json and yaml.")]
pub(crate) struct Get {
    /// devices (default) or profiles
    #[arg(value_name = "KIND", default_value = "devices")]
    pub(crate) kind: String,
    /// One of them
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Which devices, and how.
    #[command(flatten)]
    pub(crate) list: list::Args,
}

/// Shows one device or profile, as `show` and `profile show` do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform describe device D007
  fleetform describe D007
  fleetform describe profile Standard

The same as `fleetform show` and `fleetform profile show`. Formats: text, json.")]
pub(crate) struct Describe {
    /// device or profile; or a device itself
    #[arg(value_name = "KIND|DEVICE")]
    pub(crate) kind: String,
    /// Which one
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Devices and profiles as kubectl would let them be called.
fn kind(text: &str) -> Option<Kind> {
    match text.to_ascii_lowercase().as_str() {
        "device" | "devices" | "dev" => Some(Kind::Devices),
        "profile" | "profiles" => Some(Kind::Profiles),
        _ => None,
    }
}

/// Lists them.
///
/// # Errors
/// As the command that it stands for.
pub(super) fn run(
    args: &Get,
    setup: &Setup,
    format: Format,
    output: Option<&str>,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let Get { kind: text, name, list: filters } = args;
    // `device/D007`, as kubectl takes it.
    let (text, name) = match text.split_once('/') {
        Some((text, name)) => (text, Some(name)),
        None => (text.as_str(), name.as_deref()),
    };
    let known = kind(text).ok_or_else(|| {
        Failure::new(format!("unknown kind {text:?}"))
            .help("get devices or profiles; one device: fleetform get device D007")
    })?;
    if filters.chooses() && (known, name) != (Kind::Devices, None) {
        return Err(Failure::new("filters, --sort-by and --watch are for a list of devices")
            .help("leave them out, or list: fleetform get devices"));
    }
    let shape = Shape::new(format, output)?;
    match (known, name) {
        (Kind::Devices, None) if filters.unmanaged => list::unmanaged(setup, format, out),
        (Kind::Devices, None) => list::show(filters, setup, &shape, out),
        (Kind::Devices, Some(device)) => match shape {
            // A line of the list.
            Shape::Columns(_) | Shape::Plain(Format::Wide | Format::Name | Format::Csv) => {
                list::one(device, setup, &shape, out)
            }
            // All that there is to say.
            Shape::Template(_) | Shape::Plain(_) => show::one(device, setup, &shape, out),
        },
        (Kind::Profiles, None) => profile::list(setup, format, out),
        (Kind::Profiles, Some(name)) => profile::show(name, setup, format, out),
    }
}

/// Shows one.
///
/// # Errors
/// As the command that it stands for.
pub(super) fn describe(
    args: &Describe,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let Describe { kind: text, name, server: _ } = args;
    let (text, name) = match text.split_once('/') {
        Some((text, name)) => (text, Some(name)),
        None => (text.as_str(), name.as_deref()),
    };
    let shape = Shape::Plain(format);
    match (kind(text), name) {
        (Some(Kind::Devices), Some(name)) => show::one(name, setup, &shape, out),
        (Some(Kind::Profiles), Some(name)) => profile::show(name, setup, format, out),
        (None, None) => show::one(text, setup, &shape, out),
        (Some(_), None) => Err(Failure::new(format!("the name of the {text} is missing"))
            .help("add it, for example: fleetform describe device D007")),
        (None, Some(_)) => {
            Err(Failure::new(format!("unknown kind {text:?}"))
                .help("describe a device or a profile"))
        }
    }
}
