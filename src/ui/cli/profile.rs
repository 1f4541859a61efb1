//! `fleetform profile list|show`

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::later::Later;
use super::server::ServerArgs;
use super::setup::Setup;
use crate::domain::wording::closest;
use crate::ui::render::out::Out;
use crate::ui::render::profile::{Profiles, ShownProfile};

/// Looks at profiles, as the ledger has them.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  fleetform profile list
  fleetform profile show Standard")]
pub(crate) enum Command {
    /// List profiles, with how many devices have each.
    List(Later<ListArgs>),
    /// Show one profile: its apps, licenses and requirements, and which devices have it.
    Show(Later<ShowArgs>),
}

impl Command {
    /// Where it reads what is recorded.
    pub(super) fn server(&self) -> &ServerArgs {
        match self {
            Self::List(args) => &args.server,
            Self::Show(args) => &args.server,
        }
    }
}

/// Lists the profiles that devices have or had, with how many devices have each.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform profile list
  fleetform profile list -o json | jq -r '.profiles[].name'

A profile is recorded when a device uses it. Formats: text, json.")]
pub(crate) struct ListArgs {
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Shows one profile: apps, licenses, settings, what it requires of devices, and who has it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform profile show Standard
  fleetform profile show Executive -o json | jq .profile.settings

Formats: text, json.")]
pub(crate) struct ShowArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Runs one of them.
///
/// # Errors
/// Those of each.
pub(super) fn run(
    command: &Command,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    match command {
        Command::List(_) => list(setup, format, out),
        Command::Show(args) => show(&args.name, setup, format, out),
    }
}

/// Lists them.
///
/// # Errors
/// If the ledger cannot be read, or writing fails.
pub(super) fn list(setup: &Setup, format: Format, out: &mut Out) -> Result<Exit, Failure> {
    let state = setup.recorded()?;
    let profiles = Profiles::of(&state);
    match format {
        Format::Json => profiles.json(out)?,
        Format::Yaml => profiles.yaml(out)?,
        Format::Name => profiles.names(out)?,
        Format::Text | Format::Wide => profiles.text(out)?,
        _ => return Err(unsupported(format)),
    }
    if state.profiles.is_empty() {
        let none = "No profile is recorded yet: a profile is recorded when a device uses it.";
        out.note(&setup.no_ledger_yet()?.unwrap_or_else(|| none.to_owned()));
    }
    Ok(Exit::Done)
}

/// Shows one.
///
/// # Errors
/// If there is none of that name, the ledger cannot be read, or writing fails.
pub(super) fn show(
    name: &str,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    setup.needs_ledger("and so no profile is recorded")?;
    let state = setup.recorded()?;
    let names = || state.profiles.keys().map(|name| name.as_str());
    let found = state.profiles.values().find(|p| p.name.as_str().eq_ignore_ascii_case(name));
    let profile = found.ok_or_else(|| {
        let failure = Failure::new(format!("no profile {name:?} is recorded"));
        match closest(name, names()) {
            Some(meant) => failure.help(format!("did you mean {meant}?")),
            None => failure.help("`fleetform profile list` shows all of them"),
        }
    })?;
    let shown = ShownProfile::of(&state, profile);
    match format {
        Format::Json => shown.json(out)?,
        Format::Yaml => shown.yaml(out)?,
        Format::Text => shown.text(out)?,
        Format::Name => Profiles::of(&state).only(&profile.name).names(out)?,
        Format::Wide => Profiles::of(&state).only(&profile.name).text(out)?,
        _ => return Err(unsupported(format)),
    }
    Ok(Exit::Done)
}

fn unsupported(format: Format) -> Failure {
    Failure::new(format!("profiles do not support --output {format}"))
        .help("use text, wide, name, json or yaml")
}
