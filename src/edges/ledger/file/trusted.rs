//! What a writer verified, kept when it stops: the next one need not read again what nobody touched
//! since.
//!
//! It is kept with the versions of the log and of the snapshot: inode, length and both of their
//! times, of which nobody can set the second. In any doubt there is nothing kept, and all is
//! verified. Nothing irreversible rests on it: see [`super::store`].

use std::fs::File;
use std::path::Path;

use rustix::fs::{FileType, fstat, lstat};

use super::layout::{LOG, STATE};
use crate::domain::packing::{Packed, Packer};
use crate::edges::fs::guarded::Version;
use crate::edges::fs::kept::{Kept, keep};
use crate::edges::fs::{cache, durable, remote};
use crate::edges::ledger::chain::Chain;

const NAME: &str = "verified";
/// What it begins with, and the version of this format.
const MAGIC: [u8; 8] = *b"FLEETVF\x01";

/// A file, and on which device it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    device: u64,
    version: Version,
}

impl Seen {
    /// The file of this name, now; `None` if there is none. A link says nothing of what it leads to, and
    /// that may lie anywhere: then nothing is known either.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let stat = lstat(path).ok()?;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        is_file.then(|| Self { device: stat.st_dev, version: Version::of(&stat) })
    }

    /// An open file.
    pub(super) fn of_open(file: &File) -> Option<Self> {
        fstat(file).ok().map(|stat| Self { device: stat.st_dev, version: Version::of(&stat) })
    }

    pub(super) fn log(dir: &Path) -> Option<Self> {
        Self::of(&dir.join(LOG))
    }

    pub(super) fn snapshot(dir: &Path) -> Option<Self> {
        Self::of(&dir.join(STATE))
    }

    /// Whether a change from now on could be seen by its times: what was written in this very moment
    /// may be written again without a later one.
    pub(super) fn is_settled(&self, dir: &Path) -> bool {
        let Self { device, version } = self;
        let now = durable::file_time(&dir.join(cache::DIRECTORY)).ok();
        now.is_some_and(|(on, now)| on == *device && version.modified.max(version.changed) < now)
    }

    /// Bytes of the file.
    pub(super) const fn size(&self) -> u64 {
        self.version.size
    }

    pub(super) fn pack(&self, into: &mut Packer) {
        let Self { device, version: Version { inode, size, modified, changed } } = self;
        into.long(*device);
        into.long(*inode);
        into.long(*size);
        into.long(modified.cast_unsigned());
        into.long(changed.cast_unsigned());
    }

    pub(super) fn unpack(from: &mut Packed<'_>) -> Option<Self> {
        let device = from.long()?;
        let (inode, size) = (from.long()?, from.long()?);
        let (modified, changed) = (from.long()?.cast_signed(), from.long()?.cast_signed());
        Some(Self { device, version: Version { inode, size, modified, changed } })
    }
}

/// A whole log and its snapshot, as they were verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trusted {
    pub(super) log: Seen,
    pub(super) snapshot: Seen,
    /// The end of the log.
    pub(super) chain: Chain,
}

impl Trusted {
    /// Keeps it, where times tell whether anybody touches the files. That it cannot be kept costs time
    /// alone.
    pub(super) fn keep(&self, dir: &Path) -> Result<(), durable::Error> {
        let Self { log, snapshot, chain: Chain { seq, head, end } } = self;
        durable::make_inside(&dir.join(cache::DIRECTORY))?;
        let settled = remote::of(dir).is_none() && log.is_settled(dir) && snapshot.is_settled(dir);
        if !settled || Self::kept(dir).is_some_and(|kept| kept == *self) {
            return Ok(());
        }
        let mut into = Packer::default();
        into.bytes(&MAGIC);
        log.pack(&mut into);
        snapshot.pack(&mut into);
        into.long(*seq);
        into.digest(head);
        into.long(*end);
        keep(&cache::path(dir, NAME), into.packed(), &[]).map(drop)
    }

    fn kept(dir: &Path) -> Option<Self> {
        let kept = Kept::open(&cache::path(dir, NAME))?;
        let mut from = Packed::of(kept.head());
        from.skip(&MAGIC).then_some(())?;
        let (log, snapshot) = (Seen::unpack(&mut from)?, Seen::unpack(&mut from)?);
        let chain = Chain { seq: from.long()?, head: from.digest()?, end: from.long()? };
        Some(Self { log, snapshot, chain }).filter(|_| from.is_empty())
    }

    /// What was kept, if nobody touched the files since.
    pub(super) fn untouched(dir: &Path) -> Option<Self> {
        let kept = Self::kept(dir).filter(|_| remote::of(dir).is_none())?;
        let now = (Seen::log(dir)?, Seen::snapshot(dir)?);
        (now == (kept.log, kept.snapshot)).then_some(kept)
    }
}
