//! `cache/` in the data directory: what is kept to save time, may be deleted at any time, and is as
//! if it were not there where anything about it is off.
//!
//! A file there ends with a digest of all before it, and begins with which program wrote it, since
//! another one may understand what it rests on otherwise.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rayon::prelude::*;
use rustix::fs::stat;

use super::durable;
use super::guarded::{Guarded, Version};
use crate::domain::model::Digest;

/// Below the data directory.
pub(crate) const DIRECTORY: &str = "cache";
/// What says to programs that make backups that none is needed of it.
const TAG: &str = "CACHEDIR.TAG";
/// As <https://bford.info/cachedir/> has it.
const TAG_TEXT: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
    # Made by fleetform: it may be deleted at any time, and needs no backup.\n";
/// Bytes that are hashed at once, on any core.
const BLOCK: usize = 1 << 20;

/// Where a file of this name is kept.
pub(crate) fn path(data: &Path, name: &str) -> PathBuf {
    data.join(DIRECTORY).join(name)
}

/// Replaces a file that is kept.
///
/// # Errors
/// If it cannot be written; that costs time alone.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), durable::Error> {
    let directory = durable::parent(path);
    durable::make_directory(directory)?;
    let tag = directory.join(TAG);
    if !tag.exists() {
        durable::replace_file("cache.file", &tag, |out| out.write_all(TAG_TEXT))?;
    }
    durable::replace_file("cache.file", path, write)
}

/// Keeps a few bytes.
///
/// # Errors
/// As for [`replace`].
pub(crate) fn keep(path: &Path, packed: &[u8]) -> Result<(), durable::Error> {
    let Some(build) = build() else { return Ok(()) };
    let mut bytes = [build.as_bytes(), packed].concat();
    let digest = sum(&bytes);
    bytes.extend(digest.as_bytes());
    replace(path, |out| out.write_all(&bytes))
}

/// What this program kept last; `None` if there is nothing, or not the very same.
pub(crate) fn kept(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Guarded::stream().without_links().read(path).ok()?;
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

/// What tells this program from any other.
pub(crate) fn build() -> Option<Digest> {
    static BUILD: OnceLock<Option<Digest>> = OnceLock::new();
    *BUILD.get_or_init(|| {
        let stat = stat("/proc/self/exe").ok()?;
        let Version { inode, size, modified, changed: _ } = Version::of(&stat);
        let version = env!("CARGO_PKG_VERSION");
        let text = format!("{version} {} {inode} {size} {modified}", stat.st_dev);
        Some(Digest::of(text.as_bytes()))
    })
}

/// Of a digest of each block: on every core at once.
pub(crate) fn sum(bytes: &[u8]) -> Digest {
    let blocks: Vec<[u8; 32]> =
        bytes.par_chunks(BLOCK).map(|block| *Digest::of(block).as_bytes()).collect();
    Digest::of(blocks.as_flattened())
}
