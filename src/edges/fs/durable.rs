//! Writing files so that they survive a crash: the one module that does.
//!
//! A file is replaced by writing `.NAME.tmp` beside it, fsync, rename and fsync of the
//! directory, so that a reader sees the old or the new bytes, never a part. A failed
//! step is never tried again on the same file: after a failed fsync Linux may have
//! marked the pages clean, and a retry would lie.
//!
//! Test builds can abort the process before and after every step, at [`CRASH_POINTS`];
//! release builds carry no such hook.

#![expect(clippy::disallowed_methods, reason = "directories, and files that are made here")]

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

macro_rules! crash_points {
    ($($file:literal: $($step:literal)+;)+) => {
        /// Every point at which a test build can be made to abort, by the crate `fail`:
        /// `FAILPOINTS='ledger.append.fsync.before=return'`, or `3*off->return` for the fourth time.
        pub const CRASH_POINTS: &[&str] = &[$($(
            concat!($file, ".", $step, ".before"),
            concat!($file, ".", $step, ".after"),
        )+)+];
    };
}

crash_points! {
    "author.file": "write" "fsync" "rename" "dirsync";
    "cache.file": "write" "rename";
    "cache.history": "write";
    "backup.file": "write" "fsync" "rename" "dirsync";
    "clock.file": "write" "fsync" "rename" "dirsync";
    "deliveries.again": "write" "fsync" "rename" "dirsync";
    "deliveries.file": "write" "fsync" "rename" "dirsync";
    "ledger.append": "write" "fsync" "dirsync";
    "ledger.broken": "write" "fsync" "dirsync";
    "ledger.cut": "truncate" "fsync";
    "ledger.snapshot": "write" "fsync" "rename" "dirsync";
    "new": "write" "fsync" "link" "dirsync";
    "restore": "outbox" "clock" "state" "log" "dirsync";
    "restore.file": "write" "fsync" "rename" "dirsync";
}

/// What could not be done to a file, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}: {cause}", path.display())]
pub struct Error {
    /// A verb, as in "cannot write".
    pub(crate) doing: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) cause: io::Error,
}

impl Error {
    /// For `map_err`.
    pub(crate) fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self { doing, path: path.to_owned(), cause }
    }
}

/// Aborts the process here if a test asked for it; `file` and `step` as in [`CRASH_POINTS`].
fn crash_point(file: &str, step: &str, when: &str) {
    if fail::has_failpoints() {
        let name = format!("{file}.{step}.{when}");
        assert!(CRASH_POINTS.contains(&name.as_str()), "{name} is missing in CRASH_POINTS");
        crash_if_armed(&name);
    }
}

/// Aborts the process here, as a power failure would, if a test has armed the point.
pub(crate) fn crash_if_armed(name: &str) {
    fail::fail_point!(name, |_: Option<String>| std::process::abort());
    // Without the feature the macro is nothing.
    let _ = name;
}

/// One step towards durability, with a crash point on either side.
///
/// # Errors
/// Those of the step.
pub(crate) fn step<T>(
    file: &str,
    step: &str,
    action: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    crash_point(file, step, "before");
    let done = action()?;
    crash_point(file, step, "after");
    Ok(done)
}

/// Replaces the file at `path` by what `write` writes, durably and at once; `file` names its
/// crash points. What a crash left of an earlier attempt is overwritten.
///
/// # Errors
/// If any step fails; the file is then what it was, unless it was the last fsync, of the
/// directory, that failed.
pub(crate) fn replace_file(
    file: &str,
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Error> {
    replace(file, path, |temporary| write_new(file, temporary, write))?;
    let directory = parent(path);
    step(file, "dirsync", || sync_directory(directory)).map_err(Error::at("fsync", directory))
}

/// As [`replace_file`], but without waiting for the disk: after a power cut the file may be what it was, or
/// anything. Only for a file of which each part says whether it is whole.
///
/// # Errors
/// As for [`replace_file`].
pub(crate) fn replace_without_sync(
    file: &str,
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Error> {
    replace(file, path, |temporary| make_new(file, temporary, write).map(drop))
}

/// Replaces the file at `path` by what `write` puts at another one.
fn replace(
    file: &str,
    path: &Path,
    write: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), Error> {
    let temporary = temporary(path);
    let written = write(&temporary).map_err(Error::at("write", &temporary)).and_then(|()| {
        step(file, "rename", || fs::rename(&temporary, path)).map_err(Error::at("replace", path))
    });
    if written.is_err() {
        // The error that counts is the first one; the next attempt removes what is left.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Replaces many files, each at once: one wait for the disk makes all of them durable. `file` names
/// the crash points. After a crash some have their new content, and the others their old one.
///
/// # Errors
/// If any step fails. What is not renamed by then stays what it was.
pub(crate) fn replace_files(file: &str, files: &[(PathBuf, &[u8])]) -> Result<(), Error> {
    let clean = || {
        for (path, _) in files {
            // The error that counts is the first one; the next attempt removes what is left.
            let _ = fs::remove_file(temporary(path));
        }
    };
    let all = || {
        for (path, bytes) in files {
            let temporary = temporary(path);
            make_new(file, &temporary, |out| out.write_all(bytes))
                .map_err(Error::at("write", &temporary))?;
        }
        let Some((first, _)) = files.first() else { return Ok(()) };
        let directory = parent(first);
        let sync = || rustix::fs::syncfs(File::open(directory)?).map_err(io::Error::from);
        step(file, "fsync", sync).map_err(Error::at("fsync", directory))?;
        for (path, _) in files {
            step(file, "rename", || fs::rename(temporary(path), path))
                .map_err(Error::at("replace", path))?;
        }
        step(file, "dirsync", sync).map_err(Error::at("fsync", directory))
    };
    let done = all();
    if done.is_err() {
        clean();
    }
    done
}

/// Changes a file in its place, without waiting for the disk; `file` names the crash points. Only for a file
/// of which each part says whether it is whole.
///
/// # Errors
/// If that fails; what was to be written may be there in part.
pub(crate) fn write_at_without_sync(
    file: &str,
    path: &Path,
    write: impl FnOnce(&File) -> io::Result<()>,
) -> Result<(), Error> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let opened = OpenOptions::new().write(true).custom_flags(flags).open(path);
    let opened = opened.map_err(Error::at("open", path))?;
    step(file, "write", || write(&opened)).map_err(Error::at("write", path))
}

/// The time that the file system of this directory gives to what is written now, in nanoseconds, and
/// its device: that of a file which is made for this and goes again.
///
/// # Errors
/// If none can be made.
pub(crate) fn file_time(directory: &Path) -> io::Result<(u64, i64)> {
    let path = temporary(&directory.join(format!("time{}", std::process::id())));
    let _ = fs::remove_file(&path);
    let made = OpenOptions::new().write(true).create_new(true).open(&path);
    let time = made.and_then(|made| made.metadata());
    let _ = fs::remove_file(&path);
    let time = time?;
    Ok((time.dev(), time.mtime().saturating_mul(1_000_000_000).saturating_add(time.mtime_nsec())))
}

/// Makes a file that is not there yet, whole and durable, or not at all: what is there by that
/// name is never overwritten.
///
/// # Errors
/// If any step fails; of kind [`io::ErrorKind::AlreadyExists`] if the name is taken.
pub(crate) fn create_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut name = temporary(path).into_os_string();
    name.push(std::process::id().to_string());
    let temporary = PathBuf::from(name);
    let made = write_new("new", &temporary, |out| out.write_all(bytes))
        .map_err(Error::at("write", &temporary))
        .and_then(|()| {
            // Unlike a rename, a link takes no other file's name.
            step("new", "link", || fs::hard_link(&temporary, path))
                .map_err(Error::at("create", path))
        });
    // The content stays under its new name; without one it is of no use.
    let _ = fs::remove_file(&temporary);
    made?;
    let directory = parent(path);
    step("new", "dirsync", || sync_directory(directory)).map_err(Error::at("fsync", directory))
}

fn write_new(
    file: &str,
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let made = make_new(file, path, write)?;
    step(file, "fsync", || made.sync_all())
}

/// As [`write_new`], but not durable yet.
fn make_new(
    file: &str,
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    // create_new follows no link that somebody laid here.
    let made = OpenOptions::new().write(true).create_new(true).open(path)?;
    hand_over(&made, parent(path))?;
    let mut out = BufWriter::with_capacity(1 << 16, made);
    step(file, "write", || write(&mut out).and_then(|()| out.flush()))?;
    out.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Makes a directory and those above it, readable by its owner only, durably; no error if it is
/// there. Only for whoever begins something: see [`make_inside`].
///
/// # Errors
/// If one of them cannot be made.
pub(crate) fn make_directory(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    make_directory(parent(path))?;
    make_inside(path)
}

/// Makes a directory inside one that is there, readable by its owner only, durably; no error if it is
/// there. A data directory that is gone, say unmounted, must not be made anew by what is kept in it.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn make_inside(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    let above = parent(path);
    match DirBuilder::new().mode(0o700).create(path) {
        // Somebody else made it just now.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made
            .and_then(|()| hand_over(&File::open(path)?, above))
            .map_err(Error::at("make the directory", path))?,
    }
    sync_directory(above).map_err(Error::at("fsync", above))
}

/// Gives a file or directory that was just made to the owner of the directory that it lies in:
/// made by the superuser beside a daemon of another user, it would shut that one out. Does
/// nothing for everybody else.
///
/// # Errors
/// Those of the system.
pub(crate) fn hand_over(made: &File, directory: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let (ours, theirs) = (made.metadata()?, fs::metadata(directory)?);
    if (ours.uid(), ours.gid()) == (theirs.uid(), theirs.gid()) {
        return Ok(());
    }
    fchown(made, Some(theirs.uid()), Some(theirs.gid()))
}

/// Makes what was created, renamed or removed in a directory durable.
///
/// # Errors
/// Those of opening it and of fsync.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The directory that a path lies in.
#[must_use]
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".tmp");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        for text in ["one", "two"] {
            replace_file("ledger.snapshot", &path, |w| w.write_all(text.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(dir.path()), ["state.json"]);
    }

    #[test]
    fn many_are_replaced_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for text in [&b"one"[..], b"two"] {
            replace_files("author.file", &[(at("a"), text), (at("b"), text)]).unwrap();
            assert_eq!(
                (fs::read(at("a")).unwrap(), fs::read(at("b")).unwrap()),
                (text.into(), text.into())
            );
        }
        replace_files("author.file", &[]).unwrap();
        assert!(replace_files("author.file", &[(at("a"), b"x"), (at("gone/b"), b"x")]).is_err());
        assert_eq!(fs::read(at("a")).unwrap(), b"two");
        assert_eq!(names(dir.path()), ["a", "b"]);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        replace_file("ledger.snapshot", &path, |w| w.write_all(b"old")).unwrap();
        let error = replace_file("ledger.snapshot", &path, |w| {
            w.write_all(b"new")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        })
        .unwrap_err();
        assert!(error.to_string().contains(".state.json.tmp"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(dir.path()), ["state.json"]);
    }

    #[test]
    fn a_leftover_or_a_link_in_the_way_is_not_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let victim = dir.path().join("victim");
        replace_file("ledger.snapshot", &victim, |w| w.write_all(b"precious")).unwrap();
        symlink(&victim, dir.path().join(".state.json.tmp")).unwrap();
        replace_file("ledger.snapshot", &path, |w| w.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(names(dir.path()), ["state.json", "victim"]);
    }

    #[test]
    fn a_new_file_takes_no_other_files_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d007.yaml");
        create_file(&path, b"first").unwrap();
        let error = create_file(&path, b"second").unwrap_err();
        assert_eq!(error.cause.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        let dangling = dir.path().join("link");
        symlink("nowhere", &dangling).unwrap();
        assert!(create_file(&dangling, b"third").is_err());
        assert_eq!(names(dir.path()), ["d007.yaml", "link"]);
    }

    #[test]
    fn the_disk_being_full_is_an_error() {
        // A stand-in for a full disk: the writer is one that always is.
        let dir = tempfile::tempdir().unwrap();
        let error = replace_file("ledger.snapshot", &dir.path().join("x"), |_| {
            let mut full = OpenOptions::new().write(true).open("/dev/full")?;
            full.write_all(b"x")
        })
        .unwrap_err();
        assert_eq!(error.cause.kind(), io::ErrorKind::StorageFull);
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn what_the_superuser_makes_is_the_directorys_owners() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(dir.path(), Some(12_345), Some(54_321)).unwrap();
        make_directory(&dir.path().join("a/b")).unwrap();
        replace_file("ledger.snapshot", &dir.path().join("a/b/c"), |w| w.write_all(b"x")).unwrap();
        create_file(&dir.path().join("a/d"), b"x").unwrap();
        for path in ["a", "a/b", "a/b/c", "a/d"] {
            let metadata = fs::metadata(dir.path().join(path)).unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (12_345, 54_321), "{path}");
        }
    }

    #[test]
    fn directories_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        make_directory(&path).unwrap();
        make_directory(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert_eq!(parent(Path::new("x")), Path::new("."));
    }

    #[test]
    fn crash_points_can_be_named_in_the_environment_and_are_distinct() {
        let mut sorted = CRASH_POINTS.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), CRASH_POINTS.len());
        assert!(CRASH_POINTS.iter().all(|name| !name.contains(['=', ';'])));
    }
}
