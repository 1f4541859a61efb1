//! `fleetform licenses`

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::server::ServerArgs;
use super::setup::Setup;
use crate::app::wiring;
use crate::domain::licensing::licenses;
use crate::ui::render;
use crate::ui::render::out::Out;

/// Shows which licenses Fleetform assigned to users, which of them are no longer needed, and which
/// are missing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform licenses
  fleetform licenses -o json | jq '.licenses[].user'

Fleetform never removes a license: an administrator removes those that are no
longer needed. A missing license is retried automatically. Licenses that a user
already had are not listed. Formats: text, json.")]
pub(crate) struct Args {
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Compares what was assigned with what the manifests want; takes no lock and asks nobody.
///
/// # Errors
/// If there is no ledger or it cannot be read, or writing fails.
pub(super) fn run(_: &Args, setup: &Setup, format: Format, out: &mut Out) -> Result<Exit, Failure> {
    setup.needs_ledger("and so no license was assigned")?;
    let state = setup.recorded()?;
    let desired = wiring::fleet(&setup.config, false, None).desired;
    // Without manifests every license would be one that nobody needs.
    if let Some(why) = desired.missing {
        return Err(Failure::new(why).help("name the fleet directory with --fleet"));
    }
    let settings = &setup.config.settings;
    let licenses = licenses(&state, &desired, settings);
    match format {
        Format::Json => render::licenses::json(&licenses, out)?,
        _ => render::licenses::text(&licenses, out)?,
    }
    if settings.provider.licenses.is_none() {
        out.note("Somebody else assigns licenses (provider.licenses: groups): what is missing is not known here.");
    }
    Ok(Exit::Done)
}
