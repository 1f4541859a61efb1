//! What a look reads, collected for the next one.

use std::sync::{Mutex, PoisonError};

use super::format::{Directory, Header, Record};
use crate::domain::model::Digest;
use crate::domain::packing::Packer;
use crate::edges::fs::cache::sum;
use crate::edges::fs::guarded::Version;

/// Collects what threads read, for a new index.
#[derive(Debug)]
pub(crate) struct Collector {
    build: Digest,
    root: [u64; 2],
    /// What changed from then on may change again unseen: the file system's clock has ticks.
    stamp: i64,
    parts: Mutex<Vec<Collected>>,
}

/// Some files of one directory, in the order of their names.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    path: String,
    records: Vec<Record>,
    heap: Vec<u8>,
    /// Whether the index before has all of it.
    is_new: bool,
}

impl Collected {
    pub(crate) fn of(path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }

    /// Notes a file; `is_new` unless the index before has it, and just so.
    pub(crate) fn note(
        &mut self,
        name: &[u8],
        (version, digest): (Version, Digest),
        packed: &[u8],
        is_new: bool,
    ) {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).ok();
        let (Some(name_length), Some(packed_length)) = (length(name), length(packed)) else {
            return;
        };
        let (at, name_length, packed_length) = (self.heap.len() as u64, name_length, packed_length);
        self.records.push(Record { version, digest, at, name: name_length, packed: packed_length });
        self.heap.extend(name);
        self.heap.extend(packed);
        self.is_new |= is_new;
    }
}

/// What became of what was collected.
pub(super) enum Finished {
    /// It says what the index before says.
    Same,
    /// The bytes of a new index, and their digest.
    New(Vec<u8>, Digest),
    /// Numbers do not hold it.
    TooLarge,
}

impl Collector {
    pub(super) fn new(build: Digest, root: [u64; 2], stamp: i64) -> Self {
        Self { build, root, stamp, parts: Mutex::default() }
    }

    /// Device and inode of the fleet directory.
    pub(super) fn root(&self) -> [u64; 2] {
        self.root
    }

    pub(crate) fn take(&self, part: Collected) {
        if !part.records.is_empty() {
            self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
        }
    }

    /// The new index, unless it would say what the one before says, which knows so many files.
    pub(super) fn finish(self, before: Option<usize>) -> Finished {
        let is_same = |parts: &[Collected]| {
            let records: usize = parts.iter().map(|part| part.records.len()).sum();
            before == Some(records) && !parts.iter().any(|part| part.is_new)
        };
        if is_same(&self.parts.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Finished::Same;
        }
        match self.bytes() {
            Some((bytes, digest)) => Finished::New(bytes, digest),
            None => Finished::TooLarge,
        }
    }

    fn bytes(mut self) -> Option<(Vec<u8>, Digest)> {
        let parts = std::mem::take(&mut self.parts);
        let mut parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let records: usize = parts.iter().map(|part| part.records.len()).sum();
        let name = |part: &Collected| {
            let first = part.records.first().map_or(0, |record| record.name as usize);
            part.heap[..first].to_vec()
        };
        parts.sort_by_cached_key(|part| (part.path.clone(), name(part)));
        let (mut directories, mut heap) = (Vec::<Directory>::new(), 0);
        let (mut all, mut first) = (Vec::with_capacity(records), 0_u32);
        for same in parts.chunk_by(|a, b| a.path == b.path) {
            let path = (heap, u32::try_from(same[0].path.len()).ok()?);
            heap += u64::from(path.1);
            let before = all.len();
            for part in same {
                all.extend(part.records.iter().map(|record| self.record(record, heap)));
                heap += part.heap.len() as u64;
            }
            let count = u32::try_from(all.len() - before).ok()?;
            directories.push(Directory { path, first, count });
            first = first.checked_add(count)?;
        }
        let header = Header {
            build: self.build,
            root: self.root,
            directories: u32::try_from(directories.len()).ok()?,
            records: first,
            heap,
        };
        let mut bytes = Packer::with_capacity(usize::try_from(heap).ok()? + 128 * (records + 1));
        header.put(&mut bytes);
        directories.iter().for_each(|directory| directory.put(&mut bytes));
        all.iter().for_each(|record| record.put(&mut bytes));
        for same in parts.chunk_by(|a, b| a.path == b.path) {
            bytes.bytes(same[0].path.as_bytes());
            same.iter().for_each(|part| bytes.bytes(&part.heap));
        }
        let digest = sum(bytes.packed());
        bytes.digest(&digest);
        Some((bytes.finish(), digest))
    }

    /// What is too young to be relied on never matches, and so is read again.
    fn record(&self, record: &Record, heap: u64) -> Record {
        let mut record = Record { at: record.at + heap, ..*record };
        if record.version.modified.max(record.version.changed) >= self.stamp {
            record.version.changed = 0;
        }
        record
    }
}
