//! Where the index is kept, and when there is none.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::stat;

use super::collect::{Collector, Finished};
use super::file::Index;
use super::format::sum;
use crate::domain::model::{Digest, Timestamp};
use crate::edges::fs::durable;
use crate::edges::fs::guarded::{Guarded, Version};
use crate::edges::fs::remote;

/// Below the data directory: all of it may be deleted at any time.
pub(crate) const DIRECTORY: &str = "cache";
const FILE: &str = "fleet";
/// A decision over the fleet that the index says.
const DECISION: &str = "decision";
/// What says to programs that make backups that none is needed of it.
const TAG: &str = "CACHEDIR.TAG";
/// As <https://bford.info/cachedir/> has it.
const TAG_TEXT: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
    # Made by fleetform: it may be deleted at any time, and needs no backup.\n";
/// So far the clock of a file system may be behind that of the machine.
const BETWEEN_CLOCKS: i64 = 2_000_000_000;

/// Where the index of a fleet directory is kept.
#[derive(Debug, Clone)]
pub struct Cache {
    /// `None` where none is to be used.
    data: Option<PathBuf>,
}

impl Cache {
    /// That of a data directory.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self { data: Some(data.to_owned()) }
    }

    /// No index is read or written: every file is read.
    #[must_use]
    pub const fn none() -> Self {
        Self { data: None }
    }

    fn path(&self) -> Option<PathBuf> {
        Some(self.data.as_ref()?.join(DIRECTORY).join(FILE))
    }

    /// The index, if there is one that can be relied on for a fleet directory.
    pub(crate) fn read(&self, root: &Path) -> Option<Index> {
        let path = self.path().filter(|_| remote::of(root).is_none())?;
        let bytes = Guarded::stream().without_links().read(&path).ok()?;
        Index::read(bytes, build()?)
    }

    /// Collects a new index of a fleet directory, a look at which begins now, by the clock of this
    /// machine; for whoever is about to hold the ledger.
    pub(crate) fn collector(
        &self,
        path: &Path,
        root: [u64; 2],
        now: Timestamp,
    ) -> Option<Collector> {
        let data = self.data.as_ref().filter(|_| remote::of(path).is_none())?;
        let directory = data.join(DIRECTORY);
        // A data directory is begun by whoever opens the ledger.
        let there = data.is_dir() && durable::make_directory(&directory).is_ok();
        let time = there.then(|| durable::file_time(&directory));
        let stamp = match time {
            Some(Ok((device, time))) if device == root[0] => time,
            _ => now.millis().saturating_mul(1_000_000).saturating_sub(BETWEEN_CLOCKS),
        };
        Some(Collector::new(build()?, root, stamp))
    }

    /// Writes what was collected, where it says more than `before`, and gives the digest of the index
    /// that is there by then.
    ///
    /// # Errors
    /// If it cannot be written; that costs time alone.
    pub(crate) fn write(
        &self,
        collector: Collector,
        before: Option<&Index>,
    ) -> Result<Option<Digest>, durable::Error> {
        let root = collector.root();
        let same = before.filter(|before| before.root() == root);
        let Some(path) = self.path() else { return Ok(None) };
        match collector.finish(same.map(Index::len)) {
            Finished::Same => Ok(same.map(Index::digest)),
            Finished::New(bytes, digest) => {
                self.replace(&path, &bytes)?;
                Ok(Some(digest))
            }
            Finished::TooLarge => Ok(None),
        }
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), durable::Error> {
        let directory = durable::parent(path);
        durable::make_directory(directory)?;
        let tag = directory.join(TAG);
        if !tag.exists() {
            durable::replace_file("cache.file", &tag, |out| out.write_all(TAG_TEXT))?;
        }
        durable::replace_file("cache.file", path, |out| out.write_all(bytes))
    }

    /// Keeps a decision, as it was packed, if that is not what is kept already.
    ///
    /// # Errors
    /// If it cannot be written; that costs time alone.
    pub(crate) fn keep_decision(&self, packed: &[u8]) -> Result<(), durable::Error> {
        let Some((build, path)) = build().zip(self.path()) else { return Ok(()) };
        let mut bytes = [build.as_bytes(), packed].concat();
        let digest = sum(&bytes);
        bytes.extend(digest.as_bytes());
        self.replace(&path.with_file_name(DECISION), &bytes)
    }

    /// The decision that was kept, as it was packed.
    pub(crate) fn kept_decision(&self) -> Option<Vec<u8>> {
        let path = self.path()?.with_file_name(DECISION);
        let mut bytes = Guarded::stream().without_links().read(&path).ok()?;
        let (rest, digest) = bytes.split_last_chunk::<32>()?;
        let packed = rest.strip_prefix(build()?.as_bytes())?;
        if sum(rest).as_bytes() != digest {
            return None;
        }
        let length = packed.len();
        bytes.truncate(32 + length);
        bytes.drain(..32);
        Some(bytes)
    }
}

/// What tells this program from any other that might read manifests otherwise.
fn build() -> Option<Digest> {
    static BUILD: OnceLock<Option<Digest>> = OnceLock::new();
    *BUILD.get_or_init(|| {
        let stat = stat("/proc/self/exe").ok()?;
        let Version { inode, size, modified, changed: _ } = Version::of(&stat);
        let version = env!("CARGO_PKG_VERSION");
        let text = format!("{version} {} {inode} {size} {modified}", stat.st_dev);
        Some(Digest::of(text.as_bytes()))
    })
}
