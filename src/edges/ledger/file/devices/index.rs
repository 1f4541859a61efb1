//! An index that was opened: looked up block by block.

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use super::blocks::{Table, open_first};
use super::format::{Begin, DEVICES, Header, KEY, NAME, NONCE_AT, ROW, Row, hash};
use crate::domain::packing::Packed;
use crate::edges::fs::guarded::Guarded;
use crate::edges::fs::{cache, remote};
use crate::edges::ledger::store::Key;

#[derive(Debug)]
pub(super) struct Index {
    file: File,
    pub(super) header: Header,
    rows: Table,
    keys: Table,
    names: Table,
}

impl Index {
    /// The index in `dir`, of whatever snapshot; `None` if this program wrote none that is whole.
    pub(super) fn open(dir: &Path) -> Option<Self> {
        if remote::of(dir).is_some() {
            return None;
        }
        let opened = Guarded::stream().without_links().open(&cache::path(dir, DEVICES)).ok()?;
        let file = opened.into_file();
        let (nonce, first) = open_first(&file, NONCE_AT)?;
        let header = Header::unpack(&first)?;
        if header.build != cache::build()? {
            return None;
        }
        let rows = Table::new(nonce, 1, header.devices, ROW);
        let keys = Table::new(nonce, rows.end(), header.keys, KEY);
        // A name and a serial number each.
        let names = Table::new(nonce, keys.end(), header.devices.checked_mul(2)?, NAME);
        Some(Self { file, header, rows, keys, names })
    }

    /// The device of this number, from 1.
    pub(super) fn row(&self, number: u32) -> Option<Row> {
        self.rows.get(&self.file, u64::from(number).checked_sub(1)?, Row::read)
    }

    /// Which names begin like this one: up to the zeros at its end.
    pub(super) fn named(&self, begin: Begin) -> Option<Range<u64>> {
        let mut last = begin;
        last.iter_mut().rev().take_while(|b| **b == 0).for_each(|b| *b = u8::MAX);
        let is_before = |name: &[u8], than: &Begin| Some(*name.first_chunk()? < *than);
        let is_up_to = |name: &[u8], than: &Begin| Some(*name.first_chunk()? <= *than);
        let from = self.names.partition_point(&self.file, |name| is_before(name, &begin))?;
        let to = self.names.partition_point(&self.file, |name| is_up_to(name, &last))?;
        (from <= to).then_some(from..to)
    }

    /// How many names there are.
    pub(super) const fn names(&self) -> u64 {
        self.names.count()
    }

    /// How the name of this place begins, and the number of the device that has it.
    pub(super) fn name(&self, at: u64) -> Option<(Begin, u32)> {
        self.names.get(&self.file, at, |name| {
            let (begin, number) = name.split_first_chunk()?;
            Some((*begin, Packed::of(number).number()?))
        })
    }

    /// The numbers of devices that may have this; `None` if there are more than `most`.
    pub(super) fn having(&self, key: &Key<'_>, most: u64) -> Option<Vec<u32>> {
        let wanted = hash(key);
        let hash_of = |bytes: &[u8]| Packed::of(bytes).long();
        let from = self.keys.partition_point(&self.file, |key| Some(hash_of(key)? < wanted))?;
        let to = self.keys.partition_point(&self.file, |key| Some(hash_of(key)? <= wanted))?;
        if to.checked_sub(from)? > most {
            return None;
        }
        let number = |key: &[u8]| {
            let mut from = Packed::of(key);
            (from.long()? == wanted).then(|| from.number())?
        };
        (from..to).map(|at| self.keys.get(&self.file, at, number)).collect()
    }
}
