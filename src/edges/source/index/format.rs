//! The bytes of the index: a header, directories, a record for each file, a heap, and a digest of all.
//!
//! Numbers are little-endian. Directories are in the order of their paths, and the records of one
//! in the order of their names.

use std::ops::Range;

use crate::domain::model::Digest;
use crate::domain::packing::{Packed, Packer};
use crate::edges::fs::guarded::Version;

/// What it begins with, and the version of this format.
pub(super) const MAGIC: [u8; 8] = *b"FLEETIX\x01";
/// Length of a header, of a directory and of a record.
pub(super) const HEADER: usize = 8 + 32 + 8 + 8 + 4 + 4 + 8;
pub(super) const DIRECTORY: usize = 8 + 4 + 4 + 4;
pub(super) const RECORD: usize = 8 + 8 + 8 + 8 + 32 + 8 + 4 + 4;

/// What an index is of, and how long its parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// The program that wrote it: another one may read manifests otherwise.
    pub(super) build: Digest,
    /// Device and inode of the fleet directory.
    pub(super) root: [u64; 2],
    pub(super) directories: u32,
    pub(super) records: u32,
    /// Bytes of the heap.
    pub(super) heap: u64,
}

/// Some files of one directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directory {
    /// Where its path stands in the heap.
    pub(super) path: (u64, u32),
    /// Number of its first record.
    pub(super) first: u32,
    pub(super) count: u32,
}

/// A file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    /// As it was read; `changed` is 0 where that is not certain enough to be relied on.
    pub(super) version: Version,
    /// Of its bytes.
    pub(super) digest: Digest,
    /// Where its name stands in the heap; what it holds stands right behind it.
    pub(super) at: u64,
    pub(super) name: u32,
    pub(super) packed: u32,
}

impl Header {
    pub(super) fn put(&self, out: &mut Packer) {
        let Self { build, root: [device, inode], directories, records, heap } = self;
        out.bytes(&MAGIC);
        out.digest(build);
        out.long(*device);
        out.long(*inode);
        out.number(*directories);
        out.number(*records);
        out.long(*heap);
    }

    pub(super) fn read(mut from: Packed<'_>) -> Option<Self> {
        from.skip(&MAGIC).then_some(())?;
        Some(Self {
            build: from.digest()?,
            root: [from.long()?, from.long()?],
            directories: from.number()?,
            records: from.number()?,
            heap: from.long()?,
        })
    }

    /// Where directories, records, heap and the digest of all stand; `None` if that is not as long as
    /// the whole.
    pub(super) fn parts(&self, length: usize) -> Option<[Range<usize>; 4]> {
        let directories = HEADER + (self.directories as usize).checked_mul(DIRECTORY)?;
        let records = directories.checked_add((self.records as usize).checked_mul(RECORD)?)?;
        let heap = records.checked_add(usize::try_from(self.heap).ok()?)?;
        let end = heap.checked_add(32)?;
        (end == length).then_some([
            HEADER..directories,
            directories..records,
            records..heap,
            heap..end,
        ])
    }
}

impl Directory {
    pub(super) fn put(&self, out: &mut Packer) {
        let Self { path: (at, length), first, count } = self;
        out.long(*at);
        out.number(*length);
        out.number(*first);
        out.number(*count);
    }

    pub(super) fn read(mut from: Packed<'_>) -> Option<Self> {
        Some(Self {
            path: (from.long()?, from.number()?),
            first: from.number()?,
            count: from.number()?,
        })
    }
}

impl Record {
    pub(super) fn put(&self, out: &mut Packer) {
        let Self { version, digest, at, name, packed } = self;
        let Version { inode, size, modified, changed } = version;
        out.long(*inode);
        out.long(*size);
        out.long(modified.cast_unsigned());
        out.long(changed.cast_unsigned());
        out.digest(digest);
        out.long(*at);
        out.number(*name);
        out.number(*packed);
    }

    pub(super) fn read(mut from: Packed<'_>) -> Option<Self> {
        let version = Version {
            inode: from.long()?,
            size: from.long()?,
            modified: from.long()?.cast_signed(),
            changed: from.long()?.cast_signed(),
        };
        Some(Self {
            version,
            digest: from.digest()?,
            at: from.long()?,
            name: from.number()?,
            packed: from.number()?,
        })
    }
}
