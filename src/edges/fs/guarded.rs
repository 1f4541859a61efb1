//! Opening files for reading that others may have put there: the one way in which this program does.
//!
//! Only a regular file is opened, without waiting (a FIFO would wait for its writer), and no more
//! than a given number of bytes is read of it. What is looked at is what was opened, not what lies
//! under the name a moment later.
//!
//! ```ignore
//! let token = Guarded::up_to(4096).secret().read(path)?;
//! let file = Guarded::up_to(MAX).without_links().open_at(&directory, name)?;
//! ```

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat};
use rustix::io::Errno;

/// So often a file that changes while it is read is read again.
const TRIES: usize = 3;

/// How a file is to be opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guarded {
    most: usize,
    links: bool,
    secret: bool,
}

/// A regular file, open.
#[derive(Debug)]
pub(crate) struct Opened {
    file: File,
    stat: Stat,
    most: usize,
}

/// Why a file is not read; a sentence that goes after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("{}", io::Error::from(*.0))]
    System(Errno),
    /// A symbolic link, where none is followed.
    #[error("is a symbolic link")]
    Link,
    /// A directory, FIFO, socket or device.
    #[error("is not a regular file")]
    NotAFile,
    /// More bytes than are read.
    #[error("is larger than {0} bytes")]
    TooLarge(usize),
    /// What was read of it may be half of one version and half of another.
    #[error("kept changing while it was read")]
    Changing,
    /// A secret that is none.
    #[error("can be read by every user ({0:04o}): `chmod o-rwx` it, and replace what it holds")]
    Public(u32),
    /// A secret of the user who reads it that others share; as ssh has it with keys.
    #[error("is yours, and your group may use it too ({0:04o}): `chmod go-rwx` it")]
    Shared(u32),
}

/// A file that is not read, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub(crate) struct Error {
    /// As it was given.
    pub(crate) path: PathBuf,
    pub(crate) why: Refused,
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::System(errno) => errno.into(),
            Refused::Link => Errno::LOOP.into(),
            Refused::NotAFile => Self::other("it is not a regular file"),
            other => Self::other(format!("it {other}")),
        }
    }
}

impl Guarded {
    /// Of at most so many bytes, through symbolic links.
    pub(crate) const fn up_to(most: usize) -> Self {
        Self { most, links: true, secret: false }
    }

    /// Of any length: who reads it stays within bounds otherwise.
    pub(crate) const fn stream() -> Self {
        Self::up_to(usize::MAX)
    }

    /// Follows no symbolic link in the place of the file; those on the way to it are followed,
    /// where the name has more than one component.
    pub(crate) const fn without_links(self) -> Self {
        Self { links: false, ..self }
    }

    /// Refuses a file that every user can read or change, and one of the user who reads it that
    /// the group can. A file of root may be lent to a group: so are secrets handed to services.
    pub(crate) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// Opens the file of this name below a directory.
    ///
    /// # Errors
    /// If there is none that may be opened.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that opens such files")]
    pub(crate) fn open_at(
        self,
        directory: impl AsFd,
        name: impl rustix::path::Arg,
    ) -> Result<Opened, Refused> {
        let Self { most, links, secret } = self;
        let refused = |errno| match errno {
            Errno::LOOP if !links => Refused::Link,
            // A socket, or a device without a driver.
            Errno::NXIO => Refused::NotAFile,
            errno => Refused::System(errno),
        };
        let follow = if links { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | follow;
        let file = openat(directory, name, flags, Mode::empty()).map_err(refused)?;
        let stat = fstat(&file).map_err(refused)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Refused::NotAFile);
        }
        if secret {
            let own = stat.st_uid == rustix::process::geteuid().as_raw();
            check_permissions(stat.st_mode & 0o7777, own)?;
        }
        Ok(Opened { file: file.into(), stat, most })
    }

    /// Opens the file at this path.
    ///
    /// # Errors
    /// If there is none that may be opened.
    pub(crate) fn open(self, path: &Path) -> Result<Opened, Refused> {
        self.open_at(CWD, path)
    }

    /// As [`Guarded::open`]; `None` where there is nothing of that name.
    ///
    /// # Errors
    /// If what is there may not be opened.
    pub(crate) fn open_if_there(self, path: &Path) -> Result<Option<Opened>, Refused> {
        match self.open(path) {
            Ok(opened) => Ok(Some(opened)),
            Err(Refused::System(Errno::NOENT)) => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// Reads the file at this path.
    ///
    /// # Errors
    /// If there is none that may be read.
    pub(crate) fn read(self, path: &Path) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let read = self.open(path).and_then(|opened| opened.read(&mut bytes));
        read.map_err(|why| Error { path: path.to_owned(), why }).map(|()| bytes)
    }
}

impl Opened {
    /// What the system says of the open file: its identity, owner and mode.
    pub(crate) const fn stat(&self) -> &Stat {
        &self.stat
    }

    /// To read it piece by piece.
    pub(crate) fn into_file(self) -> File {
        self.file
    }

    /// Puts all of it in the place of what `bytes` holds: as it was at one moment, as far as its
    /// times tell.
    ///
    /// # Errors
    /// If it is too large, never the same twice, or the system refuses.
    pub(crate) fn read(&self, bytes: &mut Vec<u8>) -> Result<(), Refused> {
        self.read_with_stat(bytes).map(drop)
    }

    /// As [`Opened::read`], with what the system says of the file that held these bytes.
    ///
    /// # Errors
    /// As [`Opened::read`].
    pub(crate) fn read_with_stat(&self, bytes: &mut Vec<u8>) -> Result<Stat, Refused> {
        let mut before = self.stat;
        for _ in 0..TRIES {
            self.read_once(&before, bytes)?;
            let after = fstat(&self.file).map_err(Refused::System)?;
            if Version::of(&before) == Version::of(&after) {
                return Ok(after);
            }
            before = after;
        }
        Err(Refused::Changing)
    }

    fn read_once(&self, stat: &Stat, bytes: &mut Vec<u8>) -> Result<(), Refused> {
        let Self { file, most, .. } = self;
        let too_large = || Refused::TooLarge(*most);
        let size = usize::try_from(stat.st_size).ok().filter(|size| size <= most);
        let size = size.ok_or_else(too_large)?;
        // One more than expected, so that a file that has grown is seen to be longer.
        bytes.resize(size + 1, 0);
        let mut filled = 0;
        loop {
            let read = || rustix::io::pread(file, &mut bytes[filled..], filled as u64);
            let n = rustix::io::retry_on_intr(read).map_err(Refused::System)?;
            filled += n;
            // A read that stops short at the size of the file has met its end.
            if n == 0 || (filled == size && filled > 0) {
                bytes.truncate(filled);
                return Ok(());
            }
            if filled > *most {
                return Err(too_large());
            }
            if filled == bytes.len() {
                bytes.resize((filled * 2).min(most.saturating_add(1)), 0);
            }
        }
    }
}

/// What tells one version of a file from the next: its inode, its length and both of its times,
/// of which nobody can set the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    /// Of the inode.
    pub(crate) inode: u64,
    /// In bytes.
    pub(crate) size: u64,
    /// When the content changed, in nanoseconds.
    pub(crate) modified: i64,
    /// When anything changed, in nanoseconds.
    pub(crate) changed: i64,
}

impl Version {
    /// As the system says.
    #[must_use]
    pub(crate) fn of(stat: &Stat) -> Self {
        let nanos =
            |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
        Self {
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: nanos(stat.st_mtime, stat.st_mtime_nsec as i64),
            changed: nanos(stat.st_ctime, stat.st_ctime_nsec as i64),
        }
    }
}

/// Whether few enough may use a secret with this mode.
const fn check_permissions(mode: u32, own: bool) -> Result<(), Refused> {
    if mode & 0o006 != 0 {
        Err(Refused::Public(mode))
    } else if own && mode & 0o060 != 0 {
        Err(Refused::Shared(mode))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn only_a_regular_file_within_bounds_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("file"), "0123456789").unwrap();
        fs::write(path("empty"), "").unwrap();
        symlink("file", path("link")).unwrap();
        symlink("loop", path("loop")).unwrap();
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(CWD, path("fifo"), FileType::Fifo, mode, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        let plain = Guarded::up_to(10);
        let why = |guarded: Guarded, name: &str| guarded.read(&path(name)).map_err(|e| e.why);
        assert_eq!(why(plain, "file").unwrap(), b"0123456789");
        assert_eq!(why(plain, "link").unwrap(), b"0123456789");
        assert_eq!(why(plain, "empty").unwrap(), b"");
        for (guarded, name, refused) in [
            (Guarded::up_to(9), "file", Refused::TooLarge(9)),
            (plain.without_links(), "link", Refused::Link),
            (plain, "loop", Refused::System(Errno::LOOP)),
            (plain, "fifo", Refused::NotAFile),
            (plain, "socket", Refused::NotAFile),
            (plain, ".", Refused::NotAFile),
            (plain, "gone", Refused::System(Errno::NOENT)),
        ] {
            assert_eq!(why(guarded, name), Err(refused), "{name}");
        }
        // Grows without end, and says that it is empty.
        assert_eq!(
            Guarded::up_to(9).read(Path::new("/proc/self/maps")).unwrap_err().why,
            Refused::TooLarge(9)
        );
        assert!(plain.open_if_there(&path("gone")).unwrap().is_none());
        let error = plain.read(&path("fifo")).unwrap_err().to_string();
        assert!(error.ends_with("/fifo: is not a regular file"), "{error}");
    }

    #[test]
    fn a_file_that_changed_since_it_was_opened_is_read_as_it_is_now() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "one").unwrap();
        let opened = Guarded::up_to(10).open(&path).unwrap();
        fs::write(&path, "longer").unwrap();
        let mut bytes = Vec::new();
        let stat = opened.read_with_stat(&mut bytes).unwrap();
        assert_eq!((&bytes[..], stat.st_size), (&b"longer"[..], 6));
        // What comes after the length that it had is not read: that would be half of two versions.
        let grown = Opened { most: 4, ..Guarded::up_to(10).open(&path).unwrap() };
        assert_eq!(grown.read(&mut bytes), Err(Refused::TooLarge(4)));
    }

    #[test]
    fn a_secret_is_read_by_few() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "x").unwrap();
        let read = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Guarded::up_to(9).secret().read(&path).map_err(|e| e.why)
        };
        assert_eq!(read(0o600).unwrap(), b"x");
        assert_eq!(read(0o640), Err(Refused::Shared(0o640)));
        assert_eq!(read(0o644), Err(Refused::Public(0o644)));
        assert_eq!(read(0o602), Err(Refused::Public(0o602)));
        assert_eq!(check_permissions(0o640, false), Ok(()), "lent to a group");
        assert_eq!(check_permissions(0o644, false), Err(Refused::Public(0o644)));
    }
}
