//! Which entries of the log are about which device: a chain for each, from its last entry back.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::blocks::{BLOCK, Nonce, Table, in_block, open_first, seal};
use super::format::{ENTRY, Entry, HISTORY, NONCE_AT, history_header, is_history};
use crate::domain::packing::Packer;
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

    /// The block that is not full yet, as it was written: entries are appended to it.
    fn unfinished(&self) -> Option<Vec<u8>> {
        let full = self.table.count() / in_block(ENTRY) * in_block(ENTRY);
        let mut bytes = Vec::new();
        for number in full..self.table.count() {
            self.table.get(&self.file, number, |entry| {
                bytes.extend(entry);
                Some(())
            })?;
        }
        Some(bytes)
    }
}

/// Entries for a history: for one that is begun, or to go on with one.
pub(super) struct Addition {
    nonce: Nonce,
    /// How many entries there are already, and those of the block that they end in.
    before: u64,
    unfinished: Vec<u8>,
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

    /// Writes the entries; durable when this returns.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn write(self, dir: &Path, entries: &[Entry]) -> Result<(), durable::Error> {
        if entries.is_empty() && !self.is_new {
            return Ok(());
        }
        let mut packed = Packer::with_capacity(self.unfinished.len() + entries.len() * ENTRY);
        packed.bytes(&self.unfinished);
        entries.iter().for_each(|entry| entry.put(&mut packed));
        let first = 1 + self.before / in_block(ENTRY);
        let blocks = seal(&self.nonce, first, packed.packed(), ENTRY);
        let path = cache::path(dir, HISTORY);
        if self.is_new {
            let header = history_header(&self.nonce);
            let mut all = seal(&self.nonce, 0, &header, header.len());
            all.extend(blocks);
            return cache::replace(&path, |out| std::io::Write::write_all(out, &all));
        }
        durable::write_at("cache.history", &path, |file| {
            file.write_all_at(&blocks, first * BLOCK as u64)
        })
    }
}
