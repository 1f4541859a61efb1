//! An index that was read: looked up directory by directory, name by name.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::format::{DIRECTORY, Directory, HEADER, Header, RECORD, Record};
use crate::domain::model::Digest;
use crate::domain::packing::Packed;
use crate::edges::fs::cache::sum;
use crate::edges::fs::guarded::Version;

/// What an earlier look read.
#[derive(Debug)]
pub(crate) struct Index {
    header: Header,
    /// Of all that it says.
    digest: Digest,
    bytes: Vec<u8>,
    directories: Vec<Directory>,
    records: Range<usize>,
    heap: Range<usize>,
    /// Record by the digest of its file; made once somebody asks.
    by_digest: OnceLock<HashMap<Digest, u32>>,
}

/// A file as an earlier look read it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'i> {
    pub(crate) version: Version,
    pub(crate) digest: Digest,
    /// From [`crate::domain::manifest::pack`].
    pub(crate) packed: &'i [u8],
}

impl Known<'_> {
    /// Whether a file that is like this now holds what it held then.
    pub(crate) fn is(&self, now: &Version) -> bool {
        self.version.changed != 0 && self.version == *now
    }
}

impl Index {
    /// An index of this program; `None` if these bytes are not a whole one.
    pub(super) fn read(bytes: Vec<u8>, build: Digest) -> Option<Self> {
        let header = Header::read(Packed::of(bytes.get(..HEADER)?))?;
        if header.build != build {
            return None;
        }
        let [directories, records, heap, digest] = header.parts(bytes.len())?;
        let all = sum(&bytes[..digest.start]);
        if all.as_bytes()[..] != bytes[digest] {
            return None;
        }
        let directories = bytes[directories].chunks_exact(DIRECTORY);
        let directories = directories.map(|bytes| Directory::read(Packed::of(bytes)));
        let directories = directories.collect::<Option<Vec<_>>>()?;
        let by_digest = OnceLock::new();
        let index = Self { header, digest: all, bytes, directories, records, heap, by_digest };
        index.is_sound().then_some(index)
    }

    /// Whether all that is looked up later is there: a digest that fits says so of what this
    /// program wrote, but not of what others did.
    fn is_sound(&self) -> bool {
        let mut next = 0;
        self.directories.iter().all(|directory| {
            let follows = directory.first == next;
            next = directory.first.saturating_add(directory.count);
            follows && self.path(directory).is_some()
        }) && next == self.header.records
    }

    /// Device and inode of the fleet directory.
    pub(crate) fn root(&self) -> [u64; 2] {
        self.header.root
    }

    /// Of all that it says.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// How many files it knows.
    pub(crate) fn len(&self) -> usize {
        self.header.records as usize
    }

    fn in_heap(&self, at: u64, length: u32) -> Option<&[u8]> {
        let at = usize::try_from(at).ok()?;
        self.bytes[self.heap.clone()].get(at..at.checked_add(length as usize)?)
    }

    fn path(&self, directory: &Directory) -> Option<&[u8]> {
        self.in_heap(directory.path.0, directory.path.1)
    }

    fn record(&self, number: u32) -> Option<Record> {
        let at = self.records.start + number as usize * RECORD;
        Record::read(Packed::of(self.bytes[..self.records.end].get(at..at + RECORD)?))
    }

    fn name(&self, number: u32) -> Option<&[u8]> {
        let Record { at, name, .. } = self.record(number)?;
        self.in_heap(at, name)
    }

    fn known(&self, number: u32) -> Option<Known<'_>> {
        let Record { version, digest, at, name, packed } = self.record(number)?;
        let packed = self.in_heap(at.checked_add(u64::from(name))?, packed)?;
        Some(Known { version, digest, packed })
    }

    /// The files of a directory, to be asked for in the order of their names.
    pub(crate) fn directory(&self, path: &str) -> Names<'_> {
        let found = self.directories.binary_search_by(|directory| {
            self.path(directory).unwrap_or_default().cmp(path.as_bytes())
        });
        let range = found.ok().map_or(0..0, |found| {
            let Directory { first, count, .. } = self.directories[found];
            first..first + count
        });
        Names { index: self, range, begun: false }
    }

    /// A file of these bytes, wherever it was.
    pub(crate) fn by_digest(&self, digest: &Digest) -> Option<Known<'_>> {
        let by_digest = self.by_digest.get_or_init(|| {
            let all = 0..self.header.records;
            all.filter_map(|number| Some((self.record(number)?.digest, number))).collect()
        });
        self.known(*by_digest.get(digest)?)
    }
}

/// Files of one directory that are yet to come.
pub(crate) struct Names<'i> {
    index: &'i Index,
    range: Range<u32>,
    begun: bool,
}

impl<'i> Names<'i> {
    /// The file of this name, which comes after those that were asked for before.
    pub(crate) fn find(&mut self, name: &[u8]) -> Option<Known<'i>> {
        if !std::mem::replace(&mut self.begun, true) {
            // Many chunks are of one directory: each begins where its first name is.
            let (mut low, mut high) = (self.range.start, self.range.end);
            while low < high {
                let middle = low + (high - low) / 2;
                if self.index.name(middle)? < name { low = middle + 1 } else { high = middle }
            }
            self.range.start = low;
        }
        while self.range.start < self.range.end {
            let at = self.range.start;
            match self.index.name(at)?.cmp(name) {
                std::cmp::Ordering::Less => self.range.start += 1,
                std::cmp::Ordering::Equal => {
                    self.range.start += 1;
                    return self.index.known(at);
                }
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    }
}
