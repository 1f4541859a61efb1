//! `fleetform restore`

use std::io::Write as _;
use std::path::PathBuf;

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::setup::Setup;
use crate::app::backup;
use crate::domain::wipe::target::LogHead;
use crate::ui::render::backup as show;
use crate::ui::render::out::Out;

/// Restores a backup into a new data directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform restore /backups/fleetform-2026-11-26.tar --data /var/lib/fleetform
  fleetform plan                      What would change now?

The data directory must be new or empty; it may hold an inbox. Only a whole and
unchanged backup is restored, and all of it or nothing. Run it as the user that
the daemon runs as, or as root.

What happened after the backup was made is forgotten:
- Devices that were provisioned since are provisioned again, under new ids.
- Reports that were taken since are gone; devices report again.
- Wipes that were accepted or issued since are not known. So that none is issued
  a second time, the ledger gets a new lineage: every request that was written
  before the restore is refused for good. Write new ones with `wipe new`. For as
  long as a window of wipes.quorum reaches back to before the restore, a wipe
  needs the signatures of the last tier.

If the newest audit.jsonl can still be read, put that back instead: nothing is
forgotten then. Formats: text, json.")]
pub(crate) struct Args {
    /// A file that `fleetform backup` wrote
    pub(crate) file: PathBuf,
    /// Refuse any backup that does not end with this entry, as `backup` printed it
    #[arg(long, value_name = "SEQ:HASH")]
    pub(crate) head: Option<LogHead>,
}

/// Restores it where there is no ledger.
///
/// # Errors
/// If the file is no whole backup, the data directory is not empty, or it cannot be written.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let data = &setup.config.data;
    let restored = backup::restore(&setup.config, &args.file, args.head, setup.actor.clone())?;
    let restored = show::Restore { file: &args.file, data, restored: &restored };
    match format {
        Format::Json => restored.json(out)?,
        _ => restored.text(out)?,
    }
    out.flush()?;
    Ok(Exit::Done)
}
