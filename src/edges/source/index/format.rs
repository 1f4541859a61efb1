//! The bytes of the index. Its head: numbers, directories, a record for each file, and their names. Its
//! body: for each file the digest of its bytes, and what it holds.
//!
//! Numbers are little-endian. Directories are in the order of their paths, and the records of one
//! in the order of their names. Whether files were touched is told by the head alone.

use std::ops::Range;

use crate::domain::packing::{Packed, Packer};
use crate::edges::fs::guarded::Version;

/// Length of a header, of a directory and of a record.
pub(super) const HEADER: usize = 8 + 8 + 4 + 4 + 4;
pub(super) const DIRECTORY: usize = 4 + 4 + 4 + 4;
pub(super) const RECORD: usize = 8 + 8 + 8 + 8 + 4 + 4 + 8 + 4;

/// What an index is of, and how long its parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Device and inode of the fleet directory.
    pub(super) root: [u64; 2],
    pub(super) directories: u32,
    pub(super) records: u32,
    /// Bytes of the names.
    pub(super) names: u32,
}

/// Some files of one directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directory {
    /// Where its path stands among the names.
    pub(super) path: (u32, u32),
    /// Number of its first record.
    pub(super) first: u32,
    pub(super) count: u32,
}

/// A file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    /// As it was read; `changed` is 0 where that is not certain enough to be relied on.
    pub(super) version: Version,
    /// Where its name stands among the names.
    pub(super) name: (u32, u32),
    /// Where in the body its digest stands, and what it holds behind that.
    pub(super) content: (u64, u32),
}

impl Header {
    pub(super) fn put(&self, out: &mut Packer) {
        let Self { root: [device, inode], directories, records, names } = self;
        out.long(*device);
        out.long(*inode);
        out.number(*directories);
        out.number(*records);
        out.number(*names);
    }

    pub(super) fn read(mut from: Packed<'_>) -> Option<Self> {
        Some(Self {
            root: [from.long()?, from.long()?],
            directories: from.number()?,
            records: from.number()?,
            names: from.number()?,
        })
    }

    /// Where directories, records and names stand; `None` if that is not as long as the whole.
    pub(super) fn parts(&self, length: usize) -> Option<[Range<usize>; 3]> {
        let directories = HEADER + (self.directories as usize).checked_mul(DIRECTORY)?;
        let records = directories.checked_add((self.records as usize).checked_mul(RECORD)?)?;
        let names = records.checked_add(self.names as usize)?;
        (names == length).then_some([HEADER..directories, directories..records, records..names])
    }
}

impl Directory {
    pub(super) fn put(&self, out: &mut Packer) {
        let Self { path: (at, length), first, count } = self;
        out.number(*at);
        out.number(*length);
        out.number(*first);
        out.number(*count);
    }

    pub(super) fn read(mut from: Packed<'_>) -> Option<Self> {
        Some(Self {
            path: (from.number()?, from.number()?),
            first: from.number()?,
            count: from.number()?,
        })
    }
}

impl Record {
    pub(super) fn put(&self, out: &mut Packer) {
        let Self { version, name, content } = self;
        let Version { inode, size, modified, changed } = version;
        out.long(*inode);
        out.long(*size);
        out.long(modified.cast_unsigned());
        out.long(changed.cast_unsigned());
        out.number(name.0);
        out.number(name.1);
        out.long(content.0);
        out.number(content.1);
    }

    pub(super) fn read(mut from: Packed<'_>) -> Option<Self> {
        let version = Version {
            inode: from.long()?,
            size: from.long()?,
            modified: from.long()?.cast_signed(),
            changed: from.long()?.cast_signed(),
        };
        let name = (from.number()?, from.number()?);
        Some(Self { version, name, content: (from.long()?, from.number()?) })
    }
}
