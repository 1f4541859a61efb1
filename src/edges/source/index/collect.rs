//! What a look reads, collected for the next one.

use std::sync::{Mutex, PoisonError};

use super::format::{Directory, Header, Record};
use crate::domain::model::Digest;
use crate::domain::packing::Packer;
use crate::edges::fs::guarded::Version;

/// Collects what threads read, for a new index.
#[derive(Debug)]
pub(crate) struct Collector {
    root: [u64; 2],
    /// What changed from then on may change again unseen: the file system's clock has ticks.
    stamp: i64,
    parts: Mutex<Vec<Collected>>,
}

/// Some files of one directory, in the order of their names.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    path: String,
    /// Places are those in `names` and `contents`.
    records: Vec<Record>,
    names: Vec<u8>,
    contents: Vec<u8>,
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
        let length = |bytes: usize| u32::try_from(bytes).ok();
        let (Some(at), Some(name_length), Some(content_length)) =
            (length(self.names.len()), length(name.len()), length(32 + packed.len()))
        else {
            return;
        };
        let content = (self.contents.len() as u64, content_length);
        self.records.push(Record { version, name: (at, name_length), content });
        self.names.extend(name);
        self.contents.extend(digest.as_bytes());
        self.contents.extend(packed);
        self.is_new |= is_new;
    }
}

/// What became of what was collected.
pub(super) enum Finished {
    /// It says what the index before says.
    Same,
    /// Head and body of a new index.
    New(Vec<u8>, Vec<u8>),
    /// Numbers do not hold it.
    TooLarge,
}

impl Collector {
    pub(super) fn new(root: [u64; 2], stamp: i64) -> Self {
        Self { root, stamp, parts: Mutex::default() }
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
        match self.parts() {
            Some((head, body)) => Finished::New(head, body),
            None => Finished::TooLarge,
        }
    }

    fn parts(mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let parts = std::mem::take(&mut self.parts);
        let mut parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let count: usize = parts.iter().map(|part| part.records.len()).sum();
        let name = |part: &Collected| {
            let first = part.records.first().map_or(0, |record| record.name.1 as usize);
            part.names[..first].to_vec()
        };
        parts.sort_by_cached_key(|part| (part.path.clone(), name(part)));
        let contents = parts.iter().map(|part| part.contents.len()).sum();
        let (mut directories, mut records) = (Vec::new(), Vec::with_capacity(count));
        let (mut names, mut contents) = (Vec::<u8>::new(), Vec::with_capacity(contents));
        let number = |number: usize| u32::try_from(number).ok();
        for same in parts.chunk_by_mut(|a, b| a.path == b.path) {
            let (path, first) = (same[0].path.as_bytes(), records.len());
            let path_at = (number(names.len())?, number(path.len())?);
            names.extend(path);
            for part in same {
                let (names_at, contents_at) = (number(names.len())?, contents.len() as u64);
                for record in &part.records {
                    records.push(self.record(record, names_at, contents_at)?);
                }
                names.append(&mut part.names);
                contents.append(&mut part.contents);
            }
            let count = number(records.len() - first)?;
            directories.push(Directory { path: path_at, first: number(first)?, count });
        }
        let header = Header {
            root: self.root,
            directories: number(directories.len())?,
            records: number(records.len())?,
            names: number(names.len())?,
        };
        let mut head = Packer::with_capacity(names.len() + 64 * (count + directories.len() + 1));
        header.put(&mut head);
        directories.iter().for_each(|directory| directory.put(&mut head));
        records.iter().for_each(|record| record.put(&mut head));
        head.bytes(&names);
        Some((head.finish(), contents))
    }

    /// What is too young to be relied on never matches, and so is read again.
    fn record(&self, record: &Record, names: u32, contents: u64) -> Option<Record> {
        let Record { mut version, name, content } = *record;
        if version.modified.max(version.changed) >= self.stamp {
            version.changed = 0;
        }
        let name = (name.0.checked_add(names)?, name.1);
        Some(Record { version, name, content: (content.0 + contents, content.1) })
    }
}
