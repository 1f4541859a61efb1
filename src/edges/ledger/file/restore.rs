//! A ledger that is put together beside its place, and moved there once it is whole.
//!
//! The log is moved last: before that there is no ledger, and after it the whole one. What a crash
//! leaves behind is a stage without a ledger beside it, which the next restore clears away.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directory::Directory;
use super::layout::{CLOCK, LOCK, LOG, STATE};
use super::reader::exists;
use super::store::open_as;
use crate::domain::model::Timestamp;
use crate::edges::fs::durable;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::store::{Expected, Terms};
use crate::edges::ledger::writer::Ledger;

/// Where it is put together: in the data directory, so that moving it is a rename.
const STAGE: &str = ".restore";
/// What a data directory may hold that is about to get a ledger: reports that wait for one, and
/// what a new file system has.
const WELCOME: [&str; 2] = ["inbox", "lost+found"];
/// What a backup holds besides the ledger's own files.
const OUTBOX: &str = "outbox";
/// What any command may have made meanwhile, and what is safe to delete.
const CACHE: &str = "cache";

/// A data directory without a ledger, held until dropped.
pub(crate) struct Restoring {
    stage: PathBuf,
    // Last: it is dropped after the stage is gone.
    place: Directory,
}

impl Restoring {
    /// Locks `dir`, which is made where there is none.
    ///
    /// # Errors
    /// [`Error::Occupied`] if it holds anything that a ledger could be mixed up with; if somebody
    /// else holds it; those of the system.
    pub(crate) fn begin(dir: &Path) -> Result<Self, Error> {
        durable::make_directory(dir)?;
        let place = Directory::hold(dir)?;
        let stage = dir.join(STAGE);
        clear(dir, &stage)?;
        durable::make_directory(&stage)?;
        Ok(Self { stage, place })
    }

    /// The directory that the parts of the ledger are to be put into.
    pub(crate) fn stage(&self) -> &Path {
        &self.stage
    }

    /// The ledger that was put there: checked from its first line on, as any other.
    ///
    /// # Errors
    /// Those of every writer.
    pub(crate) fn open(
        &self,
        actor: Arc<str>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Ledger, Error> {
        let terms = Terms { expected: Expected::Existing, witness: &|_| Ok(()), cache: false };
        open_as(&self.stage, &terms, actor, now)
    }

    /// Moves it to its place.
    ///
    /// # Errors
    /// Those of the system; there is then a whole ledger in its place, or none.
    pub(crate) fn finish(self) -> Result<(), Error> {
        self.place.prove()?;
        let dir = self.place.path();
        for (step, name) in [("outbox", OUTBOX), ("clock", CLOCK), ("state", STATE)] {
            self.advance(step, name)?;
        }
        durable::step("restore", "dirsync", || durable::sync_directory(dir))
            .map_err(durable::Error::at("fsync", dir))?;
        self.advance("log", LOG)?;
        durable::step("restore", "dirsync", || durable::sync_directory(dir))
            .map_err(durable::Error::at("fsync", dir))?;
        Ok(())
    }

    fn advance(&self, step: &'static str, name: &str) -> Result<(), Error> {
        let path = self.place.path().join(name);
        let moved = durable::step("restore", step, || {
            match fs::rename(self.stage.join(name), &path) {
                // Only the log is in every backup.
                Err(e) if e.kind() == ErrorKind::NotFound && name != LOG => Ok(()),
                moved => moved,
            }
        });
        Ok(moved.map_err(durable::Error::at("move", &path))?)
    }
}

impl Drop for Restoring {
    fn drop(&mut self) {
        // What stays behind is cleared away by the next one.
        let _ = fs::remove_dir_all(&self.stage);
    }
}

/// Clears away what a crash left of an earlier attempt.
fn clear(dir: &Path, stage: &Path) -> Result<(), Error> {
    let unfinished = match fs::symlink_metadata(stage) {
        Ok(about) => about.is_dir() && !dir.join(LOG).exists(),
        Err(_) => false,
    };
    let listed = || -> std::io::Result<Vec<String>> {
        let name = |entry: std::io::Result<fs::DirEntry>| {
            Ok(entry?.file_name().to_string_lossy().into_owned())
        };
        fs::read_dir(dir)?.map(name).collect()
    };
    let mut names = listed().map_err(durable::Error::at("list", dir))?;
    names.sort();
    let left_behind =
        |name: &str| unfinished && [STAGE, OUTBOX, CLOCK, STATE, LOCK, CACHE].contains(&name);
    if let Some(name) = names.iter().find(|name| !WELCOME.contains(&&***name) && !left_behind(name))
    {
        let (dir, name) = (dir.to_owned(), name.clone());
        return Err(Error::Occupied { ledger: exists(&dir)?, dir, name });
    }
    for name in names.iter().filter(|name| left_behind(name)) {
        let path = dir.join(name);
        let gone = match fs::symlink_metadata(&path) {
            Ok(about) if about.is_dir() => fs::remove_dir_all(&path),
            _ => fs::remove_file(&path),
        };
        gone.map_err(durable::Error::at("remove", &path))?;
    }
    Ok(())
}
