//! A directory that others put files into, and the few operations that are done in it.
//!
//! Names are single components below an open directory: nothing is followed, nothing
//! but regular files is opened, nothing is changed in place. What is new is written
//! under a temporary name (`.N.tmp`, which no serial number and no batch can bear),
//! made durable, and only then given its name. Every step is a crash point.

#![expect(clippy::disallowed_methods, reason = "directories, and files that are made here")]

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fd::OwnedFd;
use rustix::fs::{self, Access, AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

use super::error::Error;
use crate::edges::fs::durable;
use crate::edges::fs::guarded::{Guarded, Opened, Refused};

/// Up to this many files each gets its own fsync; above it one syncfs is cheaper, although
/// it also waits for what others have written (an fsync costs about 4 ms).
const FSYNC_EACH: usize = 8;

/// See [`durable::crash_if_armed`].
fn crash_point(area: &str, step: &str) {
    if fail::has_failpoints() {
        durable::crash_if_armed(&format!("{area}.{step}"));
    }
}

/// What tells one file from another that took its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp([i128; 7]);

impl Stamp {
    fn of(stat: &fs::Stat) -> Self {
        Self([
            stat.st_dev.into(),
            stat.st_ino.into(),
            stat.st_size.into(),
            stat.st_mtime.into(),
            stat.st_mtime_nsec.into(),
            stat.st_ctime.into(),
            stat.st_ctime_nsec.into(),
        ])
    }

    /// In bytes.
    pub(crate) fn size(self) -> u64 {
        u64::try_from(self.0[2]).unwrap_or(0)
    }
}

/// Gives what was just made to the owner of the directory that it lies in, as far as whoever
/// made it may: that is the superuser alone, and to all others nothing changes.
fn hand_over(made: &OwnedFd, directory: &fs::Stat) -> Result<(), Errno> {
    let stat = fs::fstat(made)?;
    let same = (stat.st_uid, stat.st_gid) == (directory.st_uid, directory.st_gid);
    if same || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let (uid, gid) = (Uid::from_raw(directory.st_uid), Gid::from_raw(directory.st_gid));
    fs::fchown(made, Some(uid), Some(gid))
}

/// What was found under a name.
pub(crate) enum Found<T> {
    Nothing,
    File(Stamp, T),
    /// What is never read: no regular file, or too large; and why.
    Unusable(Stamp, String),
}

/// An open directory.
pub(crate) struct Dir {
    fd: OwnedFd,
    path: PathBuf,
    /// What its crash points begin with.
    area: &'static str,
}

impl fmt::Debug for Dir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dir").field(&self.path).finish()
    }
}

impl Dir {
    /// An existing directory, or `None`.
    pub(crate) fn open(path: &Path, area: &'static str) -> Result<Option<Self>, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match fs::open(path, flags, Mode::empty()) {
            Ok(fd) => Ok(Some(Self { fd, path: path.into(), area })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::Io { doing: "open", path: path.into(), errno }),
        }
    }

    /// A directory that exists from now on, durably, inside one that is there: a data directory that is gone
    /// is not made anew by what is put into it.
    pub(crate) fn create(path: &Path, area: &'static str) -> Result<Self, Error> {
        if let Some(dir) = Self::open(path, area)? {
            return Ok(dir);
        }
        let io = |errno| Error::Io { doing: "create", path: path.into(), errno };
        let parent = match path.parent() {
            None => return Err(io(Errno::NOENT)),
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
        };
        let parent = Self::open(parent, area)?.ok_or_else(|| io(Errno::NOENT))?;
        crash_point(area, "mkdir.before");
        // Nobody but its owner gets in until it has the mode of the directory that it lies in.
        match fs::mkdir(path, Mode::RWXU) {
            Ok(()) => parent.share(path).map_err(io)?,
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(io(errno)),
        }
        crash_point(area, "mkdir.after");
        parent.sync()?;
        Self::open(path, area)?.ok_or_else(|| io(Errno::NOENT))
    }

    /// Gives a directory that was just made below this one its owner and mode: made by the
    /// superuser for a daemon of another user, it would shut that one out.
    fn share(&self, path: &Path) -> Result<(), Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = fs::open(path, flags, Mode::empty())?;
        let ours = fs::fstat(&self.fd)?;
        hand_over(&made, &ours)?;
        fs::fchmod(&made, Mode::from_raw_mode(ours.st_mode & 0o7777))
    }

    /// Its device and inode.
    pub(crate) fn identity(&self) -> Result<(u64, u64), Error> {
        let io = |errno| Error::Io { doing: "access", path: self.path.clone(), errno };
        let stat = fs::fstat(&self.fd).map_err(io)?;
        Ok((stat.st_dev, stat.st_ino))
    }

    /// The directory that it lies in, by device and inode, whatever its path leads to by now.
    pub(crate) fn above(&self) -> Result<(u64, u64), Error> {
        let above = OsStr::new("..");
        let stat = fs::statat(&self.fd, above, AtFlags::empty());
        let stat = stat.map_err(|errno| self.io("access", above, errno))?;
        Ok((stat.st_dev, stat.st_ino))
    }

    fn io(&self, doing: &'static str, name: &OsStr, errno: Errno) -> Error {
        Error::Io { doing, path: self.path.join(name), errno }
    }

    pub(crate) fn path(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    /// Whose it is.
    pub(crate) fn owner(&self) -> Result<u32, Error> {
        let io = |errno| Error::Io { doing: "access", path: self.path.clone(), errno };
        Ok(fs::fstat(&self.fd).map_err(io)?.st_uid)
    }

    /// Every name in it, in no order.
    pub(crate) fn names(&self) -> Result<Vec<OsString>, Error> {
        let io = |errno| Error::Io { doing: "list", path: self.path.clone(), errno };
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&self.fd).map_err(io)? {
            let name = entry.map_err(io)?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        Ok(names)
    }

    /// Which file has this name now; not followed, not opened.
    pub(crate) fn stamp(&self, name: &OsStr) -> Result<Option<Stamp>, Error> {
        match fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Stamp::of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.io("access", name, errno)),
        }
    }

    /// Opens a regular file, to read it piece by piece.
    pub(crate) fn file(&self, name: &OsStr) -> Result<Found<File>, Error> {
        Ok(match self.opened(name, Guarded::stream())? {
            Found::Nothing => Found::Nothing,
            Found::File(stamp, opened) => Found::File(stamp, opened.into_file()),
            Found::Unusable(stamp, why) => Found::Unusable(stamp, why),
        })
    }

    fn opened(&self, name: &OsStr, guarded: Guarded) -> Result<Found<Opened>, Error> {
        // A look before opening: opening a device can have effects of its own.
        let stat = match fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(Found::Nothing),
            Err(errno) => return Err(self.io("access", name, errno)),
        };
        if let Some(what) = irregular(&stat) {
            let why = format!("is {what}, not a regular file");
            return Ok(Found::Unusable(Stamp::of(&stat), why));
        }
        match guarded.without_links().open_at(&self.fd, name) {
            Ok(opened) => Ok(Found::File(Stamp::of(opened.stat()), opened)),
            Err(Refused::System(Errno::NOENT)) => Ok(Found::Nothing),
            Err(Refused::System(errno)) => Err(self.io("open", name, errno)),
            // What took the name since the look.
            Err(refused) => Ok(Found::Unusable(Stamp::of(&stat), refused.to_string())),
        }
    }

    /// Reads a regular file of at most `limit` bytes. The stamp is older than the
    /// content: a file that grows meanwhile does not bear it any more.
    pub(crate) fn read(&self, name: &OsStr, limit: usize) -> Result<Found<Vec<u8>>, Error> {
        let (stamp, opened) = match self.opened(name, Guarded::up_to(limit))? {
            Found::File(stamp, opened) => (stamp, opened),
            Found::Nothing => return Ok(Found::Nothing),
            Found::Unusable(stamp, why) => return Ok(Found::Unusable(stamp, why)),
        };
        let mut bytes = Vec::new();
        match opened.read(&mut bytes) {
            Ok(()) => Ok(Found::File(stamp, bytes)),
            Err(Refused::System(errno)) => Err(self.io("read", name, errno)),
            Err(Refused::Changing) => Err(self.io("read", name, Errno::AGAIN)),
            Err(refused) => Ok(Found::Unusable(stamp, refused.to_string())),
        }
    }

    pub(crate) fn read_failed(&self, name: &OsStr, error: &std::io::Error) -> Error {
        self.io("read", name, Errno::from_io_error(error).unwrap_or(Errno::IO))
    }

    /// Whether names in it can be listed, made and removed.
    pub(crate) fn check_access(&self) -> Result<(), Error> {
        let wanted = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
        fs::accessat(&self.fd, ".", wanted, AtFlags::EACCESS).map_err(|errno| Error::Io {
            doing: "read and write in",
            path: self.path.clone(),
            errno,
        })
    }

    /// Writes a file of a new name; not durable yet. Nothing is left of it on failure.
    pub(crate) fn write_new(&self, name: &OsStr, bytes: &[u8]) -> Result<(), Error> {
        crash_point(self.area, "write.before");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = fs::openat(&self.fd, name, flags, Mode::from_raw_mode(0o644))
            .map_err(|errno| self.io("create", name, errno))?;
        self.fill(name, fd, |file| file.write_all(bytes))
    }

    /// A new file with the rest of another one, from `offset` on; not durable yet. Nothing is
    /// left of it on failure.
    pub(crate) fn write_rest(&self, name: &OsStr, from: &OsStr, offset: u64) -> Result<(), Error> {
        let Found::File(_, mut source) = self.file(from)? else {
            return Err(Error::Changed { path: self.path(from) });
        };
        source.seek(SeekFrom::Start(offset)).map_err(|error| self.read_failed(from, &error))?;
        crash_point(self.area, "write.before");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = fs::openat(&self.fd, name, flags, Mode::from_raw_mode(0o644))
            .map_err(|errno| self.io("create", name, errno))?;
        self.fill(name, fd, |file| std::io::copy(&mut source, file).map(|_| ()))
    }

    fn fill(
        &self,
        name: &OsStr,
        fd: OwnedFd,
        write: impl FnOnce(&mut File) -> std::io::Result<()>,
    ) -> Result<(), Error> {
        let owned = fs::fstat(&self.fd).and_then(|ours| hand_over(&fd, &ours));
        let written = owned.map_err(std::io::Error::from).and_then(|()| write(&mut File::from(fd)));
        if let Err(error) = written {
            self.discard(name);
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            return Err(self.io("write", name, errno));
        }
        crash_point(self.area, "write.after");
        Ok(())
    }

    /// Makes the content of these files durable, but not their names.
    pub(crate) fn sync_contents(&self, names: &[&OsStr]) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        crash_point(self.area, "fsync.before");
        let failed = |errno| Error::Io { doing: "fsync in", path: self.path.clone(), errno };
        if names.len() > FSYNC_EACH {
            fs::syncfs(&self.fd).map_err(failed)?;
        } else {
            for name in names {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                fs::openat(&self.fd, *name, flags, Mode::empty())
                    .and_then(fs::fsync)
                    .map_err(failed)?;
            }
        }
        crash_point(self.area, "fsync.after");
        Ok(())
    }

    /// Makes the names in it durable: what was linked, renamed and removed.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        crash_point(self.area, "sync.before");
        fs::fsync(&self.fd).map_err(|errno| Error::InDoubt { path: self.path.clone(), errno })?;
        crash_point(self.area, "sync.after");
        Ok(())
    }

    /// A second name for a file; the bare number, since the caller has a way round most.
    pub(crate) fn link(&self, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        crash_point(self.area, "link.before");
        fs::linkat(&self.fd, from, &self.fd, to, AtFlags::empty())?;
        crash_point(self.area, "link.after");
        Ok(())
    }

    /// Gives a file its name, in place of what had it.
    pub(crate) fn replace(&self, from: &OsStr, to: &OsStr) -> Result<(), Error> {
        crash_point(self.area, "rename.before");
        fs::renameat(&self.fd, from, &self.fd, to)
            .map_err(|errno| self.io("replace", to, errno))?;
        crash_point(self.area, "rename.after");
        Ok(())
    }

    /// Moves a file to another directory, where the name must be free.
    pub(crate) fn move_to(&self, from: &OsStr, dir: &Self, to: &OsStr) -> Result<(), Error> {
        crash_point(self.area, "move.before");
        let flags = RenameFlags::NOREPLACE;
        match fs::renameat_with(&self.fd, from, &dir.fd, to, flags) {
            // Not every file system can refuse to replace; the caller has looked before.
            Err(Errno::INVAL | Errno::NOSYS) => fs::renameat(&self.fd, from, &dir.fd, to),
            done => done,
        }
        .map_err(|errno| dir.io("move a batch to", to, errno))?;
        crash_point(self.area, "move.after");
        Ok(())
    }

    /// Removes a file; that it is gone already is as good.
    pub(crate) fn remove(&self, name: &OsStr) -> Result<(), Error> {
        crash_point(self.area, "unlink.before");
        match fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(self.io("remove", name, errno)),
        }
        crash_point(self.area, "unlink.after");
        Ok(())
    }

    /// Removes a temporary after a failure, if it can be; the next sweep finds the rest.
    pub(crate) fn discard(&self, name: &OsStr) {
        if let Err(error) = self.remove(name) {
            tracing::debug!(%error, "a temporary file is left behind");
        }
    }

    /// Removes the temporaries that a crash left behind. Only where one process writes.
    pub(crate) fn sweep(&self) -> Result<(), Error> {
        for name in self.names()?.iter().filter(|name| is_temporary(name)) {
            self.remove(name)?;
        }
        Ok(())
    }
}

fn irregular(stat: &fs::Stat) -> Option<&'static str> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => None,
        FileType::Directory => Some("a directory"),
        FileType::Symlink => Some("a symbolic link"),
        FileType::Fifo => Some("a FIFO"),
        FileType::Socket => Some("a socket"),
        _ => Some("a device"),
    }
}

/// A name that nothing else bears, in a directory that was swept by this process.
pub(crate) fn temporary() -> OsString {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!(".{}.tmp", NEXT.fetch_add(1, Ordering::Relaxed)).into()
}

fn is_temporary(name: &OsStr) -> bool {
    let number = name.as_bytes().strip_prefix(b".").and_then(|n| n.strip_suffix(b".tmp"));
    number.is_some_and(|n| !n.is_empty() && n.iter().all(u8::is_ascii_digit))
}
