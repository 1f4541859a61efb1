//! `fleetform doctor`

use std::path::PathBuf;

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::global::Global;
use super::process::runtime;
use super::setup::load;
use crate::app::doctor::examine;
use crate::domain::diagnosis::CheckState;
use crate::edges::config::FILE_NAME;
use crate::ui::render::doctor;
use crate::ui::render::out::Out;

/// Checks everything that Fleetform needs, and says how to fix what is missing; changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform doctor
  fleetform --config /etc/fleetform/fleetform.yaml doctor
  fleetform doctor -o json | jq '.checks[] | select(.state == \"fails\")'

It reads the configuration, the fleet directory, the trust files and the ledger,
and the MDM: for Intune DNS, TLS, tokens, each permission, groups, policies,
apps, licenses. Run it as the user who runs the daemon. It takes half a minute
at most. Exits with 1 if a check fails; warnings do not count as failures.
Formats: text, json.")]
pub(crate) struct Args {}

/// Shows each check.
///
/// # Errors
/// If the system gives no threads, or writing fails; what the checks find is no error.
pub(super) fn run(
    Args {}: &Args,
    global: &Global,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let file = global.config.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME));
    let checks = runtime()?.block_on(examine(&file, load(global)));
    match format {
        Format::Json => doctor::json(&checks, out)?,
        _ => doctor::text(&checks, out)?,
    }
    let fails = checks.iter().any(|check| check.state == CheckState::Fails);
    Ok(if fails { Exit::Failed } else { Exit::Done })
}
