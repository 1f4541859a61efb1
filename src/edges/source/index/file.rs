//! An index that was read: looked up directory by directory, name by name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::format::{DIRECTORY, Directory, HEADER, Header, RECORD, Record};
use crate::domain::model::Digest;
use crate::domain::packing::Packed;
use crate::edges::fs::guarded::Version;
use crate::edges::fs::kept::Kept;

/// Length of a digest.
const DIGEST: u32 = 32;

/// What an earlier look read.
#[derive(Debug)]
pub(crate) struct Index {
    header: Header,
    kept: Kept,
    directories: Vec<Directory>,
    records: Range<usize>,
    names: Range<usize>,
    /// What all files hold, once that was read; `None` if it is not what was written.
    contents: OnceLock<Option<Vec<u8>>>,
    /// Record by the digest of its file; made once somebody asks.
    by_digest: OnceLock<HashMap<Digest, u32>>,
}

/// A file as an earlier look read it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// Of its record.
    pub(super) number: u32,
    pub(crate) version: Version,
    content: (u64, u32),
}

/// A file as it stands in an index: its name, its version, and the digest of its bytes with what is kept
/// of them.
pub(super) type Entire<'i> = (&'i [u8], Version, Cow<'i, [u8]>);

/// What a file held.
#[derive(Debug)]
pub(crate) struct Content<'i> {
    /// Of its bytes.
    pub(crate) digest: Digest,
    /// From [`crate::domain::manifest::pack`].
    pub(crate) packed: Cow<'i, [u8]>,
}

impl Known {
    /// Whether a file that is like this now holds what it held then.
    pub(crate) fn is(&self, now: &Version) -> bool {
        self.version.changed != 0 && self.version == *now
    }
}

impl Index {
    /// An index; `None` if this is not a whole one.
    pub(super) fn read(kept: Kept) -> Option<Self> {
        let head = kept.head();
        let header = Header::read(Packed::of(head.get(..HEADER)?))?;
        let [directories, records, names] = header.parts(head.len())?;
        let directories = head[directories].chunks_exact(DIRECTORY);
        let directories = directories.map(|bytes| Directory::read(Packed::of(bytes)));
        let directories = directories.collect::<Option<Vec<_>>>()?;
        let (contents, by_digest) = (OnceLock::new(), OnceLock::new());
        let index = Self { header, kept, directories, records, names, contents, by_digest };
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

    /// For whoever needs what most files hold: reads all of it at once.
    pub(crate) fn with_contents(self) -> Self {
        self.contents.get_or_init(|| self.kept.body());
        self
    }

    /// Device and inode of the fleet directory.
    pub(crate) fn root(&self) -> [u64; 2] {
        self.header.root
    }

    /// Of all that it says.
    pub(crate) fn digest(&self) -> Digest {
        self.kept.digest()
    }

    /// How many files it knows.
    pub(crate) fn len(&self) -> usize {
        self.header.records as usize
    }

    fn named(&self, (at, length): (u32, u32)) -> Option<&[u8]> {
        let at = at as usize;
        self.kept.head()[self.names.clone()].get(at..at.checked_add(length as usize)?)
    }

    fn path(&self, directory: &Directory) -> Option<&[u8]> {
        self.named(directory.path)
    }

    fn record(&self, number: u32) -> Option<Record> {
        let at = self.records.start + number as usize * RECORD;
        Record::read(Packed::of(self.kept.head()[..self.records.end].get(at..at + RECORD)?))
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

    /// Each file of which it holds nothing but that it was there, by its path from the root; `None` for one
    /// whose path cannot be told.
    pub(crate) fn unheld(&self) -> impl Iterator<Item = Option<(String, Known)>> {
        let path = |directory: &Directory, number: u32, record: Record| {
            let parts = [self.path(directory)?, self.named(record.name)?];
            let [parent, name] = parts.map(std::str::from_utf8);
            let parent = parent.ok()?;
            let slash = if parent.is_empty() { "" } else { "/" };
            Some((format!("{parent}{slash}{}", name.ok()?), Known::new(number, record)))
        };
        self.directories.iter().flat_map(move |directory| {
            let records = directory.first..directory.first.saturating_add(directory.count);
            records
                .map(|number| (number, self.record(number)))
                .filter(|(_, record)| record.is_none_or(|record| record.content.1 <= DIGEST))
                .map(move |(number, record)| path(directory, number, record?))
        })
    }

    /// What a file held; `None` if that is not what was written.
    pub(crate) fn content(&self, known: &Known) -> Option<Content<'_>> {
        let bytes = self.bytes(known.content)?;
        let digest = Packed::of(&bytes).digest()?;
        let packed = match bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[32..]),
            Cow::Owned(mut bytes) => Cow::Owned(bytes.split_off(32)),
        };
        Some(Content { digest, packed })
    }

    /// A file as it stands here.
    pub(super) fn whole(&self, number: u32) -> Option<Entire<'_>> {
        let record = self.record(number)?;
        Some((self.named(record.name)?, record.version, self.bytes(record.content)?))
    }

    fn bytes(&self, (at, length): (u64, u32)) -> Option<Cow<'_, [u8]>> {
        let end = at.checked_add(u64::from(length))?;
        Some(match self.contents.get() {
            Some(all) => {
                let (at, end) = (usize::try_from(at).ok()?, usize::try_from(end).ok()?);
                Cow::Borrowed(all.as_ref()?.get(at..end)?)
            }
            None => Cow::Owned(self.kept.part(at..end)?),
        })
    }

    /// What a file of these bytes held, wherever it was.
    pub(crate) fn by_digest(&self, digest: &Digest) -> Option<Content<'_>> {
        let known = |number| Some(Known::new(number, self.record(number)?));
        let by_digest = self.by_digest.get_or_init(|| {
            let all = 0..self.header.records;
            let of = |number| Some((self.content(&known(number)?)?.digest, number));
            all.filter_map(of).collect()
        });
        self.content(&known(*by_digest.get(digest)?)?)
    }
}

impl Known {
    fn new(number: u32, Record { version, name: _, content }: Record) -> Self {
        Self { number, version, content }
    }
}

/// Files of one directory that are yet to come.
pub(crate) struct Names<'i> {
    index: &'i Index,
    range: Range<u32>,
    begun: bool,
}

impl Names<'_> {
    /// The file of this name, which comes after those that were asked for before.
    pub(crate) fn find(&mut self, name: &[u8]) -> Option<Known> {
        let name_of = |number| {
            let record = self.index.record(number)?;
            Some((self.index.named(record.name)?, record))
        };
        if !std::mem::replace(&mut self.begun, true) {
            // Many chunks are of one directory: each begins where its first name is.
            let (mut low, mut high) = (self.range.start, self.range.end);
            while low < high {
                let middle = low + (high - low) / 2;
                if name_of(middle)?.0 < name { low = middle + 1 } else { high = middle }
            }
            self.range.start = low;
        }
        while self.range.start < self.range.end {
            let number = self.range.start;
            let (known, record) = name_of(number)?;
            match known.cmp(name) {
                std::cmp::Ordering::Less => self.range.start += 1,
                std::cmp::Ordering::Equal => {
                    self.range.start += 1;
                    return Some(Known::new(number, record));
                }
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    }
}
