//! Where the index is kept, and when there is none.

use std::path::{Path, PathBuf};

use super::collect::{Collector, Finished};
use super::file::Index;
use crate::domain::model::{Digest, Timestamp};
use crate::edges::fs::cache;
use crate::edges::fs::durable;
use crate::edges::fs::kept::{self, Kept};
use crate::edges::fs::remote;

const FILE: &str = "fleet";
/// A decision over the fleet that the index says.
const DECISION: &str = "decision";
/// So far the clock of a file system may be behind that of the machine.
const BETWEEN_CLOCKS: i64 = 2_000_000_000;

/// Where the index of a fleet directory is kept.
#[derive(Debug, Clone)]
pub struct Cache {
    /// `None` where none is to be used.
    data: Option<PathBuf>,
}

impl Cache {
    /// That of a data directory.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self { data: Some(data.to_owned()) }
    }

    /// No index is read or written: every file is read.
    #[must_use]
    pub const fn none() -> Self {
        Self { data: None }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(cache::path(self.data.as_ref()?, name))
    }

    /// The index, if there is one that can be relied on for a fleet directory.
    pub(crate) fn read(&self, root: &Path) -> Option<Index> {
        let path = self.path(FILE).filter(|_| remote::of(root).is_none())?;
        Index::read(Kept::open(&path)?)
    }

    /// Collects a new index of a fleet directory, a look at which begins now, by the clock of this
    /// machine; for whoever is about to hold the ledger.
    pub(crate) fn collector(
        &self,
        path: &Path,
        root: [u64; 2],
        now: Timestamp,
    ) -> Option<Collector> {
        let data = self.data.as_ref().filter(|_| remote::of(path).is_none())?;
        let directory = data.join(cache::DIRECTORY);
        // A data directory is begun by whoever opens the ledger.
        let there = durable::make_inside(&directory).is_ok();
        let time = there.then(|| durable::file_time(&directory));
        let stamp = match time {
            Some(Ok((device, time))) if device == root[0] => time,
            _ => now.millis().saturating_mul(1_000_000).saturating_sub(BETWEEN_CLOCKS),
        };
        Some(Collector::new(root, stamp))
    }

    /// Writes what was collected, where it says more than `before`, and gives the digest of the index
    /// that is there by then.
    ///
    /// # Errors
    /// If it cannot be written; that costs time alone.
    pub(crate) fn write(
        &self,
        collector: Collector,
        before: Option<&Index>,
    ) -> Result<Option<Digest>, durable::Error> {
        let root = collector.root();
        let same = before.filter(|before| before.root() == root);
        let Some(path) = self.path(FILE) else { return Ok(None) };
        match collector.finish(same) {
            Finished::Same => Ok(same.map(Index::digest)),
            Finished::New(head, body) => kept::keep(&path, &head, &body),
            Finished::TooLarge => Ok(None),
        }
    }

    /// Keeps a decision, as it was packed: its head, and what it holds back.
    ///
    /// # Errors
    /// If it cannot be written; that costs time alone.
    pub(crate) fn keep_decision(&self, head: &[u8], body: &[u8]) -> Result<(), durable::Error> {
        self.path(DECISION).map_or(Ok(()), |path| kept::keep(&path, head, body).map(drop))
    }

    /// The decision that was kept.
    pub(crate) fn kept_decision(&self) -> Option<Kept> {
        Kept::open(&self.path(DECISION)?)
    }
}
