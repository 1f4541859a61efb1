//! Where fixtures lie.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rustix::fs::{StatVfsMountFlags, statvfs};
use tempfile::{Builder, TempDir};

/// Linux has a file system in memory here, in containers sometimes a very small one.
const MEMORY: &str = "/dev/shm";
/// All fixtures of a run take far less at a time.
const ROOM: u64 = 1 << 30;

/// A directory of a test's own. The program makes durable whatever it writes, and a disk takes
/// milliseconds for each time, so it lies in memory where that is possible; `TMPDIR` names
/// another place.
pub fn directory() -> TempDir {
    static PARENT: LazyLock<PathBuf> = LazyLock::new(|| {
        let named = std::env::var_os("TMPDIR").is_some();
        if !named && serves(Path::new(MEMORY)) { MEMORY.into() } else { std::env::temp_dir() }
    });
    Builder::new().prefix("fleetform-test-").tempdir_in(&*PARENT).expect("a directory")
}

/// Whether there is room, and hooks and editors that tests write can be run.
fn serves(place: &Path) -> bool {
    statvfs(place).is_ok_and(|about| {
        about.f_bavail.saturating_mul(about.f_frsize) >= ROOM
            && !about.f_flag.contains(StatVfsMountFlags::NOEXEC)
    })
}
