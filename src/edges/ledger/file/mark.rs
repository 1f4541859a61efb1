//! The text of the lock file: who holds it, and up to which byte the log is of whole passes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::layout::LOCK;
use crate::edges::fs::guarded::Guarded;

/// What a reader sees of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Whether a writer in another process holds it.
    pub(crate) live: bool,
    /// Up to which byte the log is of whole passes.
    pub(crate) whole: u64,
}

/// Looks at the lock without touching it; `None` where nothing is marked.
pub(super) fn read(dir: &Path) -> Option<Mark> {
    let file = Guarded::stream().without_links().open(&dir.join(LOCK)).ok()?.into_file();
    let asked = Flock::from(FlockType::ReadLock);
    let live = fcntl_getlk(&file, &asked).ok()?.is_some();
    loop {
        // Two copies that differ are being written.
        match parse(&file)? {
            (_, whole) if whole.is_some() => return whole.map(|whole| Mark { live, whole }),
            (true, _) => {}
            _ => return None,
        }
    }
}

/// The process in which a writer holds the lock, such as "process 123"; looks without touching it.
pub(super) fn holder(dir: &Path) -> Option<String> {
    let file = Guarded::stream().without_links().open(&dir.join(LOCK)).ok()?.into_file();
    fcntl_getlk(&file, &Flock::from(FlockType::ReadLock)).ok()??;
    Some(pid(&file).map_or_else(|| "another process".into(), |pid| format!("process {pid}")))
}

/// In one write of always the same length, so that there is never a part of it.
pub(super) fn write(file: &File, whole: Option<u64>) -> io::Result<()> {
    let pid = std::process::id();
    let mark = whole.map_or_else(|| "-".repeat(20), |whole| format!("{whole:020}"));
    file.write_all_at(format!("{pid:<10}\n{mark} {mark}\n").as_bytes(), 0)
}

/// Whether the two copies of the mark differ, and the mark.
pub(super) fn parse(file: &File) -> Option<(bool, Option<u64>)> {
    let mut bytes = [0; 53];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let (one, two) = text.lines().nth(1)?.split_once(' ')?;
    Some((one != two, one.parse().ok().filter(|_| one == two)))
}

/// Of the holder, which may be about to write it, so that there may be none.
pub(super) fn pid(file: &File) -> Option<u32> {
    let mut text = [0; 10];
    let length = file.read_at(&mut text, 0).ok()?;
    std::str::from_utf8(&text[..length]).ok()?.lines().next()?.trim().parse().ok()
}
