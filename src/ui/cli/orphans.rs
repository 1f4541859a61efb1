//! `fleetform orphans`

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::local_plan;
use super::server::ServerArgs;
use super::setup::Setup;
use crate::ui::render::orphans::{NotYetOrphaned, Orphans};
use crate::ui::render::out::Out;

/// Lists the devices that no manifest declares any more: whose they are, and since when.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform orphans
  fleetform orphans -o json | jq -r '.devices[].serialNumber'
  fleetform orphans --archived

Nothing is done to an orphaned device: it keeps its settings, and it is adopted
again when a manifest with its serial number is back. With orphans.archiveAfter
in the configuration (90d, say) wiped and orphaned devices are archived after
that time: list and orphans then leave them out. Formats: text, json.")]
pub(crate) struct Args {
    /// Archived orphaned devices, which are otherwise hidden
    #[arg(long)]
    pub(crate) archived: bool,
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Lists them, those that have been orphaned longest first.
///
/// # Errors
/// If there is no ledger or it cannot be read, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    setup.needs_ledger("and so no device is known")?;
    let state = setup.recorded()?;
    let orphans = Orphans::of(&state, args.archived, &setup.config.settings, setup.now());
    match format {
        Format::Json => orphans.json(out)?,
        _ => orphans.text(out)?,
    }
    if args.archived {
        if orphans.is_empty() {
            out.note("No orphaned device is archived.");
        }
        return Ok(Exit::Done);
    }
    // The daemon may know other manifests than those that are here.
    let local = setup.remote.is_none();
    let unlisted = local.then(|| local_plan::of_orphans(setup, &state)).flatten();
    if let Some(note) = NotYetOrphaned::note(unlisted.as_ref(), orphans.is_empty()) {
        out.note(&note);
    }
    Ok(Exit::Done)
}
