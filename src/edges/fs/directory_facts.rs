//! What the system says of a directory: whose it is, who may write there, and how much fits.

use std::io;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, FileType, accessat, stat, statvfs};
use rustix::io::Errno;

/// A directory, looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirectoryFacts {
    /// The user that it belongs to.
    pub(crate) owner: u32,
    /// Its permissions.
    pub(crate) mode: u32,
    /// Whether this process may make and remove files in it.
    pub(crate) writable: bool,
    /// Bytes that this process may still write there.
    pub(crate) free: u64,
    /// Files that may still be made; nothing where the file system does not count them.
    pub(crate) free_files: Option<u64>,
}

impl DirectoryFacts {
    /// Looks at the directory at this path, through symbolic links.
    ///
    /// # Errors
    /// If there is none, or it cannot be looked at.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let about = stat(path)?;
        if FileType::from_raw_mode(about.st_mode) != FileType::Directory {
            return Err(Errno::NOTDIR.into());
        }
        let wanted = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
        let space = statvfs(path)?;
        Ok(Self {
            owner: about.st_uid,
            mode: about.st_mode & 0o7777,
            writable: accessat(CWD, path, wanted, AtFlags::EACCESS).is_ok(),
            free: space.f_bavail.saturating_mul(space.f_frsize),
            free_files: (space.f_files > 0).then_some(space.f_favail),
        })
    }
}

/// The user as whom this process runs.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_directory_is_told_from_what_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("d");
        fs::create_dir(&made).unwrap();
        fs::set_permissions(&made, fs::Permissions::from_mode(0o750)).unwrap();
        let DirectoryFacts { owner, mode, writable, free, free_files } =
            DirectoryFacts::of(&made).unwrap();
        assert_eq!((owner, mode, writable), (user(), 0o750, true));
        assert!(free > 0 && free_files != Some(0));
        let none = DirectoryFacts::of(&dir.path().join("none")).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
        let file = tempfile::NamedTempFile::new().unwrap();
        let file = DirectoryFacts::of(file.path()).unwrap_err();
        assert_eq!(file.kind(), io::ErrorKind::NotADirectory);
    }
}
