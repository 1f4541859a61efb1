//! A directory that was there when a process began, known by device and inode: what is kept in it is never
//! written elsewhere, say below its mount point once it is unmounted.

use std::path::{Path, PathBuf};

use rustix::fs::stat;
use rustix::io::Errno;

use super::durable::{self, make_inside};

/// A directory, and which one it is.
#[derive(Debug, Clone)]
pub(crate) struct KnownDirectory {
    path: PathBuf,
    /// Device and inode; nothing where there was none.
    identity: Option<(u64, u64)>,
}

impl KnownDirectory {
    /// The directory that has this name now.
    #[must_use]
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: identity(path).ok() }
    }

    /// Its name.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A directory below it, which is made where it is not there.
    ///
    /// # Errors
    /// If its name leads to another one by now, or to none; those of making the other.
    pub(crate) fn directory(&self, name: &str) -> Result<PathBuf, durable::Error> {
        let found = identity(&self.path).and_then(|found| match self.identity {
            Some(known) if known == found => Ok(()),
            _ => Err(Errno::STALE),
        });
        found.map_err(|errno| durable::Error::at("write in", &self.path)(errno.into()))?;
        let below = self.path.join(name);
        make_inside(&below)?;
        Ok(below)
    }
}

fn identity(path: &Path) -> Result<(u64, u64), Errno> {
    let found = stat(path)?;
    Ok((found.st_dev, found.st_ino))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn nothing_is_made_in_a_directory_that_is_gone_nor_in_one_that_took_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let (data, aside) = (dir.path().join("data"), dir.path().join("aside"));
        fs::create_dir(&data).unwrap();
        let home = KnownDirectory::of(&data);
        fs::rename(&data, &aside).unwrap();
        home.directory("deliveries").unwrap_err();
        assert!(!data.exists());
        fs::create_dir(&data).unwrap();
        home.directory("deliveries").unwrap_err();
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
        fs::remove_dir(&data).unwrap();
        fs::rename(&aside, &data).unwrap();
        assert!(home.directory("deliveries").unwrap().is_dir());
    }
}
