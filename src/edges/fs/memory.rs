//! How much memory there is: what bounds what is read, in place of a number of files. And in which pages
//! the system gives it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::thread::{disable_transparent_huge_pages, transparent_huge_pages_are_disabled};

use super::guarded::Guarded;

/// Far more than the files of the system that say it.
const MOST: usize = 1 << 20;

/// Bytes of a file, or of what is made of it, that are worth huge pages.
const MUCH: u64 = 4 << 20;

/// Whether huge pages are off until much memory is needed.
static SMALL: AtomicBool = AtomicBool::new(false);

/// Turns huge pages off until much memory is needed: with them the system clears 2 MiB where a thread of a
/// small command takes its first bytes.
pub(crate) fn begin_small() {
    // Who started this process may have decided for it.
    if transparent_huge_pages_are_disabled().is_ok_and(|disabled| !disabled) {
        SMALL.store(disable_transparent_huge_pages(true).is_ok(), Ordering::Relaxed);
    }
}

/// Says that so many bytes will be needed: if they are many, huge pages are on from now on.
pub(crate) fn expect(bytes: u64) {
    if bytes >= MUCH && SMALL.swap(false, Ordering::Relaxed) {
        // With small pages it is slower, and no different.
        let _ = disable_transparent_huge_pages(false);
    }
}

/// Turns huge pages off for good: what comes takes much memory in pieces that are given back soon, and with
/// them the system clears more of it than is used.
pub(crate) fn stay_small() {
    SMALL.store(false, Ordering::Relaxed);
    let _ = disable_transparent_huge_pages(true);
}

/// Bytes that this process may still take; `None` where the system does not say.
#[must_use]
pub(crate) fn available() -> Option<u64> {
    let machine = read("/proc/meminfo").as_deref().and_then(meminfo);
    let group = read("/proc/self/cgroup").as_deref().and_then(group).and_then(|group| left(&group));
    let process = rustix::process::getrlimit(rustix::process::Resource::As).current;
    [machine, group, process].into_iter().flatten().min()
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    String::from_utf8(Guarded::up_to(MOST).read(path.as_ref()).ok()?).ok()
}

/// `MemAvailable:   12345 kB`
fn meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The directory of the control group: `0::/system.slice/fleetform.service`.
fn group(text: &str) -> Option<PathBuf> {
    let group = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(Path::new("/sys/fs/cgroup").join(group))
}

/// What the group and those above it leave; where none of them has a limit, nothing is said.
fn left(group: &Path) -> Option<u64> {
    let number = |path: PathBuf| read(path)?.trim().parse::<u64>().ok();
    let limits = group.ancestors().filter_map(|group| {
        let limit = number(group.join("memory.max"))?;
        Some(limit.saturating_sub(number(group.join("memory.current"))?))
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_pages_are_there_once_much_is_expected_and_nobody_wants_to_stay_small() {
        let disabled = || transparent_huge_pages_are_disabled().unwrap();
        assert!(!disabled());
        begin_small();
        expect(MUCH - 1);
        // Another test may expect much at the same time.
        assert!(disabled() || !SMALL.load(Ordering::Relaxed));
        expect(MUCH);
        assert!(!disabled());
        stay_small();
        expect(MUCH);
        assert!(disabled());
        disable_transparent_huge_pages(false).unwrap();
    }

    #[test]
    fn the_least_of_what_machine_group_and_process_leave_counts() {
        assert_eq!(meminfo("MemFree: 1 kB\nMemAvailable:  12345 kB\n"), Some(12_641_280));
        assert_eq!(meminfo("MemAvailable: many\n"), None);
        assert_eq!(group("0::/a/b.service\n"), Some("/sys/fs/cgroup/a/b.service".into()));
        assert_eq!(group("1:memory:/a\n"), None);
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        let put = |path: &Path, max: &str, current: &str| {
            std::fs::write(path.join("memory.max"), max).unwrap();
            std::fs::write(path.join("memory.current"), current).unwrap();
        };
        put(&inner, "max\n", "10\n");
        assert_eq!(left(&inner), None);
        put(&dir.path().join("a"), "100\n", "70\n");
        assert_eq!(left(&inner), Some(30), "the group above it has a limit");
        put(&inner, "50\n", "60\n");
        assert_eq!(left(&inner), Some(0));
        assert!(available().is_some_and(|bytes| bytes > 0));
    }
}
