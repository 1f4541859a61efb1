//! Which entries of the log are about which device: a chain for each, from its last entry back.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::blocks::{self, BLOCK, Nonce, Table, in_block, open_first, seal};
use super::format::{ENTRY, Entry, HISTORY, NONCE_AT, history_header, is_history};
use crate::edges::fs::guarded::Guarded;
use crate::edges::fs::{cache, durable};

#[derive(Debug)]
pub(super) struct History {
    file: File,
    table: Table,
}

impl History {
    /// The history with this nonce, as far as `count` entries; `None` if there is none.
    pub(super) fn open(dir: &Path, nonce: &Nonce, count: u64) -> Option<Self> {
        let opened = Guarded::stream().without_links().open(&cache::path(dir, HISTORY)).ok()?;
        let file = opened.into_file();
        let (found, first) = open_first(&file, NONCE_AT)?;
        let same = is_history(&first) && found == *nonce;
        same.then(|| Self { file, table: Table::new(found, 1, count, ENTRY) })
    }

    /// Where the entries about a device begin in the log, in their order; `last` is the number of the
    /// last one.
    pub(super) fn of(&self, device: u32, mut last: u64) -> Option<Vec<u64>> {
        let mut all = Vec::new();
        while let Some(number) = last.checked_sub(1) {
            let entry = self.table.get(&self.file, number, Entry::read)?;
            // A chain only ever leads back.
            if entry.device != device || entry.previous >= last {
                return None;
            }
            all.push(entry.at);
            last = entry.previous;
        }
        all.reverse();
        Some(all)
    }

    /// The entries of the block that is not full yet: others are appended to it.
    fn unfinished(&self) -> Option<Vec<Entry>> {
        let full = self.table.count() / in_block(ENTRY) * in_block(ENTRY);
        let numbers = full..self.table.count();
        numbers.map(|number| self.table.get(&self.file, number, Entry::read)).collect()
    }
}

/// Entries for a history: for one that is begun, or to go on with one.
#[derive(Debug)]
pub(super) struct Addition {
    nonce: Nonce,
    /// How many entries there are already, and those of the block that they end in.
    before: u64,
    unfinished: Vec<Entry>,
    is_new: bool,
}

impl Addition {
    /// A history that is begun.
    pub(super) fn begun(nonce: Nonce) -> Self {
        Self { nonce, before: 0, unfinished: Vec::new(), is_new: true }
    }

    /// What goes on with this one; `None` if it is not there as far as that.
    pub(super) fn to(dir: &Path, nonce: Nonce, count: u64) -> Option<Self> {
        let unfinished = History::open(dir, &nonce, count)?.unfinished()?;
        Some(Self { nonce, before: count, unfinished, is_new: false })
    }

    pub(super) const fn nonce(&self) -> Nonce {
        self.nonce
    }

    pub(super) const fn before(&self) -> u64 {
        self.before
    }

    /// Writes the entries. A power cut may leave older blocks, of which each is a beginning of what is there
    /// now, or blocks that are not whole.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn write(self, dir: &Path, entries: Vec<Entry>) -> Result<(), durable::Error> {
        if entries.is_empty() && !self.is_new {
            return Ok(());
        }
        let first = 1 + self.before / in_block(ENTRY);
        let entries = match self.unfinished.as_slice() {
            [] => entries,
            unfinished => [unfinished, &entries].concat(),
        };
        let path = cache::path(dir, HISTORY);
        let nonce = &self.nonce;
        if self.is_new {
            let header = seal(nonce, 0, history_header(nonce));
            return cache::replace(&path, |out| {
                out.write_all(&header)?;
                blocks::write(out, (nonce, first), &entries, ENTRY, Entry::put).map(|_| ())
            });
        }
        let mut all = Vec::new();
        durable::write_at_without_sync("cache.history", &path, |file| {
            blocks::write(&mut all, (nonce, first), &entries, ENTRY, Entry::put)?;
            file.write_all_at(&all, first * BLOCK as u64)
        })
    }
}
