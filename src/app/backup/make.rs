//! Making a backup.

use std::path::{Path, PathBuf};

use crate::app::wiring;
use crate::domain::model::Timestamp;
use crate::domain::wipe::target::{LedgerId, LogHead};
use crate::edges::backup_file::{self, About, LOG, Member, OUTBOX, STATE};
use crate::edges::config::Config;
use crate::edges::ledger;
use crate::edges::provider::local;
use crate::edges::provider::local::backup::{ToDo, to_do, write_lines};

/// Passes that may end while devices' commands are read, before the last reading is taken as it is.
const TRIES: usize = 10;

/// Why no backup was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotMade {
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    #[error(transparent)]
    Commands(#[from] local::Error),
    #[error(transparent)]
    File(#[from] backup_file::Error),
    #[error(
        "{} is in the data directory: a loss of the directory would destroy the backup too; name \
         a file elsewhere",
        path.display()
    )]
    Inside { path: PathBuf },
}

/// What went into a backup.
#[derive(Debug)]
pub(crate) struct Made {
    /// Of the file.
    pub(crate) bytes: u64,
    pub(crate) devices: usize,
    pub(crate) lineage: LedgerId,
    /// The last entry in it.
    pub(crate) head: LogHead,
}

/// Writes the ledger to the file `to`, as of the end of a whole pass; takes no lock.
///
/// # Errors
/// If the ledger cannot be read, something is wrong with it, or the file cannot be written.
pub(crate) fn make(config: &Config, to: &Path, now: Timestamp) -> Result<Made, NotMade> {
    let data = &config.data;
    if is_inside(to, data) {
        return Err(NotMade::Inside { path: to.to_owned() });
    }
    let (copy, to_do) = consistent(config)?;
    let state = copy.state();
    let absent = || ledger::Error::Absent { dir: data.to_owned() };
    let lineage = LedgerId(state.lineage.ok_or_else(absent)?);
    let head = LogHead { seq: state.seq, hash: state.head.0 };
    let about = About { made_at: now, lineage, seq: head.seq, head: head.hash };
    let members = [
        Member { name: LOG, content: &|out| copy.log(out) },
        Member { name: STATE, content: &|out| copy.snapshot(out) },
        Member { name: OUTBOX, content: &|out| write_lines(&to_do, out) },
    ];
    let bytes = backup_file::write(to, about, members)?;
    Ok(Made { bytes, devices: state.devices.len(), lineage, head })
}

/// The ledger, and what devices have yet to do by it. What is told to devices during a pass is in the
/// outbox before that pass is over, and may take the place of what they were told before: so both are
/// read between two passes. A daemon that never rests long enough gives what its next pass repeats.
fn consistent(config: &Config) -> Result<(ledger::Copy, Vec<ToDo>), NotMade> {
    for _ in 1..TRIES {
        let (copy, to_do) = both(config)?;
        let after = wiring::ledger(config).state()?;
        if after.seq == copy.state().seq {
            return Ok((copy, to_do));
        }
    }
    both(config)
}

fn both(config: &Config) -> Result<(ledger::Copy, Vec<ToDo>), NotMade> {
    let copy = wiring::copy(config)?;
    let state = copy.state();
    let devices = state.devices.values().filter(|device| !device.is_wiped());
    let serials: Vec<_> = devices.map(|device| &device.spec.serial_number).collect();
    let to_do = to_do(&config.data, &serials, state.seq)?;
    Ok((copy, to_do))
}

fn is_inside(file: &Path, directory: &Path) -> bool {
    let resolved = crate::edges::fs::durable::parent(file).canonicalize();
    let directory = directory.canonicalize();
    matches!((resolved, directory), (Ok(file), Ok(directory)) if file.starts_with(&directory))
}
