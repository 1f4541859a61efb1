//! A ledger in a data directory, looked at.

use std::io::ErrorKind::{NotADirectory, NotFound};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::entries::entries_from;
use super::layout::{LOG, STATE};
use super::trusted::Seen;
use super::verify::verify;
use super::{clock, devices, follow, mark, names};
use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::packing::Packer;
use crate::domain::state::State;
use crate::edges::fs::durable;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::snapshot::Snapshot;
use crate::edges::ledger::store::{Beginning, Entries, KnownName, Reader, Wanted};
use crate::edges::ledger::verify::Verified;

/// The ledger in the data directory `dir`; there need not be one.
#[must_use]
pub fn reader(dir: &Path) -> Arc<dyn Reader> {
    Arc::new(DataDirectory { dir: dir.to_owned(), cache: true })
}

/// All entries of the ledger in the data directory `dir`, from the first one on.
#[must_use]
pub fn entries(dir: &Path) -> Entries {
    reader(dir).entries_from(1)
}

/// As [`reader`], without what is kept to be fast.
#[must_use]
pub(crate) fn reader_of_all(dir: &Path) -> Arc<dyn Reader> {
    Arc::new(DataDirectory { dir: dir.to_owned(), cache: false })
}

struct DataDirectory {
    dir: PathBuf,
    /// Whether the index of the devices is used.
    cache: bool,
}

impl Reader for DataDirectory {
    fn exists(&self) -> Result<bool, Error> {
        exists(&self.dir)
    }

    fn state(&self) -> Result<State, Error> {
        follow::read(&self.dir)
    }

    fn state_of(&self, wanted: &Wanted<'_>) -> Result<State, Error> {
        let found = self.cache.then(|| devices::state_of(&self.dir, wanted)).flatten();
        found.map_or_else(|| self.state(), Ok)
    }

    fn proven(&self) -> Result<State, Error> {
        follow::read_proven(&self.dir)
    }

    fn replay(&self) -> Result<Snapshot, Error> {
        follow::replay(&self.dir)
    }

    fn verify(&self) -> Result<Verified, Error> {
        verify(&self.dir)
    }

    fn entries_from(&self, seq: u64) -> Entries {
        Box::new(entries_from(&self.dir, seq))
    }

    fn entries_of(&self, device: DeviceId) -> Entries {
        let found = self.cache.then(|| devices::entries_of(&self.dir, device)).flatten();
        match found {
            Some(found) => Box::new(found),
            None => self.scan_for(device),
        }
    }

    fn highest_time(&self) -> Option<Timestamp> {
        clock::highest_time(&self.dir)
    }

    fn version(&self) -> Option<Digest> {
        // An append makes the log longer, and each snapshot is a new file.
        let (log, snapshot) = (Seen::log(&self.dir)?, Seen::snapshot(&self.dir)?);
        // Whoever reads a log that lost its end is told.
        mark::read(&self.dir).is_none_or(|mark| mark.whole <= log.size()).then_some(())?;
        let mut both = Packer::default();
        [log, snapshot].iter().for_each(|seen| seen.pack(&mut both));
        Some(Digest::of(both.packed()))
    }

    fn writer(&self) -> Option<String> {
        mark::holder(&self.dir)
    }

    fn snapshot_at(&self) -> Option<SystemTime> {
        std::fs::metadata(self.dir.join(STATE)).and_then(|file| file.modified()).ok()
    }

    fn names(
        &self,
        wanted: Beginning<'_>,
        deadline: Instant,
        visit: &mut dyn FnMut(KnownName<'_>),
    ) -> Option<()> {
        let found =
            self.cache.then(|| devices::names(&self.dir, wanted, deadline, visit)).flatten();
        found.or_else(|| names::names(&self.dir, deadline, visit))
    }
}

/// Whether there is a ledger in `dir`, or what is left of one.
///
/// # Errors
/// If that cannot be seen.
pub(super) fn exists(dir: &Path) -> Result<bool, Error> {
    let there = |name: &str| {
        let path = dir.join(name);
        match std::fs::symlink_metadata(&path) {
            Ok(about) => Ok(about.len() > 0),
            Err(e) if matches!(e.kind(), NotFound | NotADirectory) => Ok(false),
            Err(e) => Err(Error::from(durable::Error::at("access", &path)(e))),
        }
    };
    Ok(there(LOG)? || there(STATE)? || mark::read(dir).is_some_and(|mark| mark.whole > 0))
}
