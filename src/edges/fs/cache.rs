//! `cache/` in the data directory: what is kept to save time, may be deleted at any time, and is as
//! if it were not there where anything about it is off.
//!
//! A file there says which program wrote it, since another one may understand what it rests on
//! otherwise, and by digests that it is what was written. So nobody waits until the disk has it.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::stat;

use super::durable;
use super::guarded::Version;
use crate::domain::model::Digest;

/// Below the data directory.
pub(crate) const DIRECTORY: &str = "cache";
/// What says to programs that make backups that none is needed of it.
const TAG: &str = "CACHEDIR.TAG";
/// As <https://bford.info/cachedir/> has it.
const TAG_TEXT: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
    # Made by fleetform: it may be deleted at any time, and needs no backup.\n";

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
    durable::make_inside(directory)?;
    let tag = directory.join(TAG);
    if !tag.exists() {
        durable::replace_without_sync("cache.file", &tag, |out| out.write_all(TAG_TEXT))?;
    }
    durable::replace_without_sync("cache.file", path, write)
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
