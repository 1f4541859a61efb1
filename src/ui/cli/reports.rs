//! `fleetform reports rejected`

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::later::Later;
use super::server::{self, ServerArgs};
use super::setup::Setup;
use crate::edges::provider::local;
use crate::ui::render::out::Out;
use crate::ui::render::rejected::RejectedFiles;
use crate::ui::wire::documents;

/// Looks after reports that could not be used.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  fleetform reports rejected
  fleetform reports rejected --retry")]
pub(crate) enum Command {
    /// List rejected reports with their reasons, or put them back into the inbox.
    Rejected(Later<Args>),
}

/// Lists refused reports with the reason of each, or hands them in again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform reports rejected
  fleetform reports rejected --retry     After the cause is fixed
  fleetform reports rejected -o json | jq -r '.files[].reasons[]'

Rejected reports are in inbox/rejected of the data directory, byte for byte. A
report of a serial number that no manifest declares is rejected too: declare the
device, then use --retry. Reports that are still invalid are rejected again.
Formats: text, json.")]
pub(crate) struct Args {
    /// Put all of them back into the inbox
    #[arg(long)]
    pub(crate) retry: bool,
    /// Where the reports are.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Lists them, or hands them in again.
///
/// # Errors
/// If they cannot be read or moved, there is no ledger, or writing fails.
pub(super) fn rejected(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let mut files = read(setup)?;
    if args.retry {
        setup.needs_data("--retry")?;
        files = files.retried(local::retry(&setup.config.data, setup.now())?);
    }
    match format {
        Format::Json => files.json(out)?,
        _ => files.text(out)?,
    }
    if files.is_empty() {
        out.note("No report is refused.");
    }
    Ok(Exit::Done)
}

/// Those of the server, or of the data directory.
fn read(setup: &Setup) -> Result<RejectedFiles, Failure> {
    if let Some(remote) = &setup.remote {
        return remote.json(documents::REJECTED).map_err(server::explain);
    }
    setup.needs_ledger("so no reports were accepted or rejected")?;
    Ok(RejectedFiles::of(&local::rejected(&setup.config.data)?))
}
