//! What a look reads, collected for the next one.

use std::sync::{Mutex, PoisonError};

use super::file::{Index, Known};
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
    files: Vec<Noted>,
    /// Whether the index before lacks any of it.
    is_new: bool,
}

/// A file.
#[derive(Debug)]
enum Noted {
    /// As the index before has it, under this number.
    Before(u32),
    New(Box<New>),
}

/// A file that was read.
#[derive(Debug)]
struct New {
    name: Vec<u8>,
    version: Version,
    /// The digest of its bytes, and what is kept of them.
    content: Vec<u8>,
}

impl Collected {
    pub(crate) fn of(path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }

    /// Notes a file that is as the index before has it.
    pub(crate) fn same(&mut self, known: &Known) {
        self.files.push(Noted::Before(known.number));
    }

    /// Notes a file that was read; `is_new` unless the index before has it, and just so.
    pub(crate) fn note(
        &mut self,
        name: &[u8],
        (version, digest): (Version, Digest),
        packed: &[u8],
        is_new: bool,
    ) {
        let content = [digest.as_bytes(), packed].concat();
        self.files.push(Noted::New(Box::new(New { name: name.to_vec(), version, content })));
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
        if !part.files.is_empty() {
            self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
        }
    }

    /// The new index, unless it would say what the one before says.
    pub(super) fn finish(self, before: Option<&Index>) -> Finished {
        let is_same = |parts: &[Collected]| {
            let files: usize = parts.iter().map(|part| part.files.len()).sum();
            before.map(Index::len) == Some(files) && !parts.iter().any(|part| part.is_new)
        };
        if is_same(&self.parts.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Finished::Same;
        }
        match self.parts(before) {
            Some((head, body)) => Finished::New(head, body),
            None => Finished::TooLarge,
        }
    }

    fn parts(mut self, before: Option<&Index>) -> Option<(Vec<u8>, Vec<u8>)> {
        let parts = std::mem::take(&mut self.parts);
        let mut parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let count: usize = parts.iter().map(|part| part.files.len()).sum();
        let first_name = |part: &Collected| match part.files.first() {
            Some(Noted::New(new)) => new.name.clone(),
            Some(Noted::Before(number)) => {
                let whole = before.and_then(|before| before.whole(*number));
                whole.map(|(name, ..)| name.to_vec()).unwrap_or_default()
            }
            None => Vec::new(),
        };
        parts.sort_by_cached_key(|part| (part.path.clone(), first_name(part)));
        let mut out = Whole::with_room(count, parts.iter().flat_map(|part| &part.files));
        let mut directories = Vec::new();
        for same in parts.chunk_by(|a, b| a.path == b.path) {
            let (path, first) = (out.name(same[0].path.as_bytes())?, out.records.len());
            for file in same.iter().flat_map(|part| &part.files) {
                match file {
                    Noted::Before(number) => {
                        let (name, version, content) = before?.whole(*number)?;
                        out.file(name, self.settled(version), &content)?;
                    }
                    Noted::New(new) => {
                        out.file(&new.name, self.settled(new.version), &new.content)?;
                    }
                }
            }
            let count = number(out.records.len() - first)?;
            directories.push(Directory { path, first: number(first)?, count });
        }
        let Whole { records, names, contents } = out;
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
    fn settled(&self, mut version: Version) -> Version {
        if version.modified.max(version.changed) >= self.stamp {
            version.changed = 0;
        }
        version
    }
}

/// What stands in an index, apart from its directories.
#[derive(Debug)]
struct Whole {
    records: Vec<Record>,
    names: Vec<u8>,
    contents: Vec<u8>,
}

impl Whole {
    /// With room for these, `count` in number, as far as they are new: to grow step by step would take
    /// twice the memory of a large index.
    fn with_room<'n>(count: usize, files: impl Iterator<Item = &'n Noted>) -> Self {
        let (mut names, mut contents) = (0, 0);
        for file in files {
            if let Noted::New(new) = file {
                names += new.name.len();
                contents += new.content.len();
            }
        }
        Self {
            records: Vec::with_capacity(count),
            names: Vec::with_capacity(names),
            contents: Vec::with_capacity(contents),
        }
    }

    /// Where the name stands from now on.
    fn name(&mut self, name: &[u8]) -> Option<(u32, u32)> {
        let at = (number(self.names.len())?, number(name.len())?);
        self.names.extend(name);
        Some(at)
    }

    fn file(&mut self, name: &[u8], version: Version, content: &[u8]) -> Option<()> {
        let name = self.name(name)?;
        let place = (self.contents.len() as u64, number(content.len())?);
        self.contents.extend(content);
        self.records.push(Record { version, name, content: place });
        Some(())
    }
}

fn number(number: usize) -> Option<u32> {
    u32::try_from(number).ok()
}
