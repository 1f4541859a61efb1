//! Restoring a backup.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::wiring;
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::state::event::{Event, LedgerRestored};
use crate::domain::state::{State, WipeState};
use crate::domain::wipe::target::{LedgerId, LogHead};
use crate::edges::backup_file::{self, About, OUTBOX};
use crate::edges::clock;
use crate::edges::config::Config;
use crate::edges::fs::guarded::{self, Guarded};
use crate::edges::ledger;
use crate::edges::provider::local::backup::{Unfit, put_back};

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    File(#[from] backup_file::Error),
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    #[error(transparent)]
    Staged(#[from] guarded::Error),
    #[error("{}: {why}; nothing was restored: use another backup", path.display())]
    Commands { path: PathBuf, why: Unfit },
    #[error(
        "{} is not what it says it is: its log ends with entry {found}, and not with {said}; nothing was \
         restored: use another backup", path.display()
    )]
    OtherLog { path: PathBuf, said: LogHead, found: LogHead },
    #[error(
        "{} ends with entry {found}, and not with {wanted}: it is another backup, or was changed; nothing \
         was restored", path.display()
    )]
    OtherHead { path: PathBuf, wanted: LogHead, found: LogHead },
}

/// What was restored.
#[derive(Debug)]
pub(crate) struct Restored {
    /// When the backup was made.
    pub(crate) made_at: Timestamp,
    pub(crate) devices: usize,
    /// What requests have to name from now on.
    pub(crate) lineage: LedgerId,
    /// What they had to name until now.
    pub(crate) previous: LedgerId,
    /// The last entry of the backup.
    pub(crate) head: LogHead,
    /// Devices whose wipe was accepted or issued, and not confirmed, when the backup was made.
    pub(crate) wipes_under_way: Vec<DeviceId>,
}

/// Restores the backup `from` into the data directory, in which there must be nothing; where
/// `wanted` is given, only one that ends with that entry. All or nothing is there afterwards.
///
/// # Errors
/// If the file is no whole backup, the directory is not empty, or it cannot be written.
pub(crate) fn restore(
    config: &Config,
    from: &Path,
    wanted: Option<LogHead>,
    actor: Arc<str>,
) -> Result<Restored, Error> {
    let path = || from.to_owned();
    let backup = backup_file::open(from)?;
    let About { made_at, lineage, seq, head } = backup.contents().about.clone();
    let head = LogHead { seq, hash: head };
    if let Some(wanted) = wanted.filter(|wanted| *wanted != head) {
        return Err(Error::OtherHead { path: path(), wanted, found: head });
    }
    let place = wiring::restoring(config)?;
    backup.unpack(place.stage())?;
    let mut ledger = place.open(actor, clock::now)?;
    let recorded = ledger.state();
    let found = LogHead { seq: recorded.seq, hash: recorded.head.0 };
    if found != head || recorded.lineage != Some(lineage.0) {
        return Err(Error::OtherLog { path: path(), said: head, found });
    }
    let staged = place.stage().join(OUTBOX);
    let lines = Guarded::stream().without_links().open(&staged);
    let lines = lines.map_err(|why| guarded::Error { path: staged.clone(), why })?;
    let is_known =
        |serial: &_| recorded.by_serial(serial).is_some_and(|(_, device)| !device.is_wiped());
    let issued = recorded.wipes.values().filter(|wipe| wipe.state == WipeState::Issued);
    let issued: Vec<u64> = issued.filter_map(|wipe| wipe.intent).collect();
    put_back(place.stage(), BufReader::new(lines.into_file()), is_known, seq, &issued)
        .map_err(|why| Error::Commands { path: path(), why })?;
    let restored = Restored {
        made_at,
        devices: recorded.devices.len(),
        lineage: LedgerId(uuid::Uuid::new_v4()),
        previous: lineage,
        head,
        wipes_under_way: under_way(recorded),
    };
    let entry =
        LedgerRestored { backup_at: made_at, lineage: restored.lineage.0, previous: lineage.0 };
    ledger.append(vec![Event::LedgerRestored(entry).into()])?;
    ledger.snapshot()?;
    drop(ledger);
    place.finish()?;
    Ok(restored)
}

fn under_way(recorded: &State) -> Vec<DeviceId> {
    let wipes = recorded.wipes.values().filter(|wipe| wipe.state.is_under_way());
    let mut devices: Vec<_> = wipes.map(|wipe| wipe.subject.device_id).collect();
    devices.sort_unstable();
    devices.dedup();
    devices
}
