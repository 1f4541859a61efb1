//! A ledger in a data directory, held for its one writer.

use std::path::Path;
use std::sync::Arc;

use super::directory::{self, Directory};
use super::follow::Following;
use super::layout::LOG;
use super::lock::{self, Lock};
use super::log::{self, LogFile};
use super::reader::exists;
use super::{clock, state_json};
use crate::domain::model::Timestamp;
use crate::domain::state::State;
use crate::edges::fs::durable;
use crate::edges::ledger::chain::Chain;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::store::{Expected, Known, Lines, Opened, Place, Store, Terms};
use crate::edges::ledger::writer::Ledger;

/// A ledger in the data directory `dir`, whether there is one or not.
///
/// # Errors
/// Those of [`open_as`].
pub fn open(
    dir: &Path,
    actor: Arc<str>,
    now: impl Fn() -> Timestamp + Send + Sync + 'static,
) -> Result<Ledger, Error> {
    open_as(dir, &Terms { expected: Expected::Any, witness: &|_| Ok(()) }, actor, now)
}

/// Locks `dir`, which is made if a ledger may be begun there, verifies the whole log, completes
/// the snapshot, compares it with what the log alone gives, and cuts an unfinished last line. A
/// ledger that is new is not written yet.
///
/// # Errors
/// If somebody else writes, if the ledger is not the one expected, or if anything is wrong with
/// the files but for that last line.
pub(crate) fn open_as(
    dir: &Path,
    terms: &Terms<'_>,
    actor: Arc<str>,
    now: impl Fn() -> Timestamp + Send + Sync + 'static,
) -> Result<Ledger, Error> {
    Ledger::begin(hold(dir, terms)?, actor, now)
}

fn hold(dir: &Path, terms: &Terms<'_>) -> Result<Opened, Error> {
    let Terms { expected, witness } = terms;
    let known = admit(*expected, dir)?;
    let held = Directory::hold(dir)?;
    if let Some(known) = known.filter(|known| known.lineage.is_none()) {
        held.prove_same(known.place)?;
    }
    let lock = lock::take(&held)?;
    let path = dir.join(LOG);
    let snapshot = state_json::load(dir)?;
    let saved = snapshot.as_ref().map_or(0, |s| s.state.seq);
    let snapshot = snapshot.unwrap_or_default();
    let mut following = Following::proving(dir, snapshot, lock.marked(), known);
    let mut torn = None;
    let mut chain = Chain::START;
    if let Some(log) = log::open(&path)? {
        let end = following.all(&mut chain, &path, &log)?;
        torn = Some(end).filter(|end| end.torn > 0);
    }
    let state = following.done(chain)?;
    witness(&state).map_err(|what| Error::Contradicted { dir: dir.to_owned(), what })?;
    let repaired = torn.map(|end| log::cut(dir, end)).transpose()?;
    let log = LogFile::new(path, chain)?;
    let store = FileStore { log, clock: clock::highest_time(dir), lock, dir: held };
    Ok(Opened { store: Box::new(store), state, saved, repaired })
}

struct FileStore {
    log: LogFile,
    /// The time kept in `clock`.
    clock: Option<Timestamp>,
    lock: Lock,
    // Last: it is dropped after the lock file.
    dir: Directory,
}

impl Store for FileStore {
    fn check(&self) -> Result<(), Error> {
        self.log.check()
    }

    fn poison(&mut self) {
        self.log.poison();
    }

    fn prove(&mut self) -> Result<(), Error> {
        self.dir.prove()?;
        self.log.prove()?;
        self.lock.prove(&self.dir)
    }

    fn append(&mut self, lines: Lines<'_>) -> Result<(), Error> {
        self.log.write(lines)
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.log.sync()
    }

    fn snapshot(&mut self, state: &State) -> Result<(), Error> {
        Ok(state_json::save(self.dir.path(), state, self.log.chain().end)?)
    }

    fn publish(&mut self, now: Option<Timestamp>) -> Result<(), Error> {
        if let Some(now) = now {
            self.dir.prove()?;
            clock::keep(self.dir.path(), &mut self.clock, now)?;
        }
        self.lock.mark(self.log.chain().end)
    }

    fn kept_time(&self) -> Option<Timestamp> {
        self.clock
    }

    fn place(&self) -> Place {
        self.dir.identity().into()
    }

    fn durable(&self) -> Chain {
        self.log.durable()
    }

    #[cfg(test)]
    fn break_file(&mut self, file: std::fs::File) {
        self.log.break_file(file);
    }
}

/// Whether a writer may begin at all, before anything is locked or made; and what it knows.
fn admit(expected: Expected, dir: &Path) -> Result<Option<Known>, Error> {
    let dir = || dir.to_owned();
    match expected {
        Expected::Existing if !exists(&dir())? => Err(Error::Absent { dir: dir() }),
        Expected::New if exists(&dir())? => Err(Error::Present { dir: dir() }),
        Expected::Any | Expected::New => {
            durable::make_directory(&dir()).map(|()| None).map_err(Error::from)
        }
        Expected::Existing => Ok(None),
        Expected::Same(known) => {
            directory::still_there(&dir(), known.lineage.is_none() || exists(&dir())?)?;
            Ok(Some(known))
        }
    }
}
