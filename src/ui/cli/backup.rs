//! `fleetform backup`

use std::io::Write as _;
use std::path::PathBuf;

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::setup::Setup;
use crate::app::backup;
use crate::ui::render::backup as show;
use crate::ui::render::out::Out;

/// Writes a backup of the ledger to a file, also beside a running daemon.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform backup /backups/fleetform-$(date +%F).tar
  tar -tvf /backups/fleetform-2026-11-26.tar

In it: the audit log, the snapshot with what devices reported last, and what
devices of the local provider still have to do, except wipe commands. The whole
log is checked first. FILE is replaced if it is there, all at once, and only you
can read it. Nothing is locked, and a running daemon is not disturbed.

Not in it: the configuration, trust files, tokens and keys, the fleet directory
(it is in Git), and reports and requests that were not processed yet.

Keep the line with the head apart from the file: with it, `restore --head`
refuses a file that somebody rewrote. Formats: text, json.")]
pub(crate) struct Args {
    /// Where to write it
    pub(crate) file: PathBuf,
}

/// Makes the backup; takes no lock.
///
/// # Errors
/// If the ledger cannot be read, something is wrong with it, or the file cannot be written.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    if args.file.as_os_str() == "-" {
        return Err(Failure::new("a backup is a file, and is not written to standard output")
            .help("name a file, and copy it when it is there"));
    }
    let data = &setup.config.data;
    setup.needs_ledger("and so nothing to back up")?;
    let now = setup.now();
    let made = backup::make(&setup.config, &args.file, now)?;
    let made = show::Backup { file: &args.file, data, now, made: &made };
    match format {
        Format::Json => made.json(out)?,
        _ => made.text(out)?,
    }
    out.flush()?;
    Ok(Exit::Done)
}
