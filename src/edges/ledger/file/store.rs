//! A ledger in a data directory, held for its one writer.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::devices::{self, Fresh, Gathered, Recent};
use super::directory::{self, Directory};
use super::follow::{self, Following};
use super::layout::LOG;
use super::lock::{self, Lock};
use super::log::{self, LogFile};
use super::reader::exists;
use super::scan::End;
use super::trusted::{Seen, Trusted};
use super::{clock, state_json};
use crate::domain::model::Timestamp;
use crate::domain::state::State;
use crate::edges::fs::durable;
use crate::edges::ledger::chain::Chain;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::store::{
    Expected, Known, Lines, Opened, Pace, Store, StorePlace, Terms, Writing,
};
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
    open_as(dir, &Terms { expected: Expected::Any, witness: &|_| Ok(()), cache: true }, actor, now)
}

/// Locks `dir`, which is made if a ledger may be begun there, verifies the whole log, but for what an
/// earlier writer verified and nobody touched since, completes the snapshot, compares it with what the log alone gives, and cuts an unfinished last line. A
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
    let Terms { expected, witness, cache: _ } = terms;
    let known = admit(*expected, dir)?;
    let held = Directory::hold(dir)?;
    if let Some(known) = known.filter(|known| known.lineage.is_none()) {
        held.prove_same(known.place)?;
    }
    let lock = lock::take(&held)?;
    // Whoever goes on with what it held before has had trouble: everything is looked at.
    let trusted = (terms.cache && known.is_none()).then(|| Trusted::untouched(dir)).flatten();
    let trusted = trusted.filter(|trusted| lock.marked() == Some(trusted.chain.end));
    let quick = trusted.and_then(|trusted| Some((trusted, follow::read_trusted(dir, &trusted)?)));
    let whole = quick.is_none();
    let Followed { state, saved, chain, torn, log, snapshot } = match quick {
        Some((Trusted { log, snapshot, chain }, (state, saved))) => {
            let (log, snapshot) = (Some(log), Some(snapshot));
            Followed { state, saved, chain, torn: None, log, snapshot }
        }
        None => follow_whole(dir, lock.marked(), known)?,
    };
    witness(&state).map_err(|what| Error::Contradicted { dir: dir.to_owned(), what })?;
    let repaired = torn.map(|end| log::cut(dir, end)).transpose()?;
    let log = LogFile::new(dir.join(LOG), chain, log)?;
    let clock = clock::highest_time(dir);
    let fresh = if whole { Fresh::All } else { Fresh::Tail };
    let known = Arc::new(Mutex::new(Saved { seen: snapshot, seq: saved, fresh }));
    let cache = terms.cache;
    let recent = Recent::after(chain.end);
    let store = FileStore { log, clock, whole, saved: known, recent, cache, lock, dir: held };
    Ok(Opened { store: Box::new(store), state, saved, repaired })
}

/// A log that was followed to its end.
struct Followed {
    state: State,
    /// The entry at which the snapshot was made.
    saved: u64,
    chain: Chain,
    /// A last line that nobody finished.
    torn: Option<End>,
    /// The files as they were meanwhile.
    log: Option<Seen>,
    snapshot: Option<Seen>,
}

/// Reads all that there is.
fn follow_whole(dir: &Path, marked: Option<u64>, known: Option<Known>) -> Result<Followed, Error> {
    let (seen_log, seen_snapshot) = (Seen::log(dir), Seen::snapshot(dir));
    let path = dir.join(LOG);
    let snapshot = state_json::load(dir)?;
    let saved = snapshot.as_ref().map_or(0, |s| s.state.seq);
    let mut following = Following::proving(dir, snapshot.unwrap_or_default(), marked, known);
    let mut torn = None;
    let mut chain = Chain::START;
    if let Some(log) = log::open(&path)? {
        let end = following.all(&mut chain, &path, &log)?;
        torn = Some(end).filter(|end| end.torn > 0);
    }
    let state = following.done(chain)?;
    // Whatever changed while it was read was not verified.
    let log = seen_log.filter(|seen| Seen::log(dir) == Some(*seen));
    let snapshot = seen_snapshot.filter(|seen| Seen::snapshot(dir) == Some(*seen));
    Ok(Followed { state, saved, chain, torn, log, snapshot })
}

struct FileStore {
    log: LogFile,
    /// The time kept in `clock`.
    clock: Option<Timestamp>,
    /// Whether this process read the log from its beginning.
    whole: bool,
    saved: Arc<Mutex<Saved>>,
    /// What was appended since the last index of the devices.
    recent: Recent,
    /// Whether anything is kept to save time.
    cache: bool,
    lock: Lock,
    // Last: it is dropped after the lock file.
    dir: Directory,
}

/// The snapshot as it was verified or written.
#[derive(Debug, Clone, Copy)]
struct Saved {
    seen: Option<Seen>,
    /// The entry at which it was made.
    seq: u64,
    /// How much of the index of the devices is made anew.
    fresh: Fresh,
}

/// Held for a moment only: whoever stops does not wait for a snapshot that is being written.
fn lock(saved: &Mutex<Saved>) -> MutexGuard<'_, Saved> {
    saved.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the index of the devices is made of; `None` if there can be none.
fn gathered(dir: &Path, state: &State, chain: Chain, of_log: (Fresh, &Recent)) -> Option<Gathered> {
    devices::gather(dir, state, chain, of_log).inspect_err(no_index).ok().flatten()
}

/// Makes the index of the devices of a snapshot that was just written or verified. By one at a time.
fn index(saved: &Mutex<Saved>, dir: &Path, gathered: Gathered, seen: Seen) {
    if devices::build(dir, gathered, seen).inspect_err(no_index).unwrap_or(false) {
        lock(saved).fresh = Fresh::Tail;
    }
}

fn no_index(error: &Error) {
    tracing::debug!(%error, "there is no index of the devices");
}

impl FileStore {
    /// Makes the index of the devices, if the snapshot says all that the log says, and it is not there.
    fn keep_index(&mut self, state: &State, chain: Chain) {
        let dir = self.dir.path();
        let Saved { seen, seq, fresh } = *lock(&self.saved);
        let Some(seen) = seen.filter(|_| seq == chain.seq) else { return };
        let is_built = || fresh == Fresh::Tail && devices::is_built(dir, seen, chain);
        if self.cache
            && !is_built()
            && let Some(gathered) = gathered(dir, state, chain, (fresh, &self.recent.take()))
        {
            index(&self.saved, dir, gathered, seen);
        }
    }
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
        self.log.write(lines)?;
        if self.cache {
            self.recent.note(lines.each, self.log.chain().end);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.log.sync()
    }

    fn snapshot(&mut self, state: &State, pace: Pace) -> Writing {
        let (dir, state, chain) = (self.dir.path().to_owned(), state.clone(), self.log.chain());
        let (saved, cache, recent) = (self.saved.clone(), self.cache, self.recent.take());
        Box::new(move || {
            let fresh = lock(&saved).fresh;
            let save = || {
                state_json::save(&dir, &state, chain.end)?;
                let seen = Seen::snapshot(&dir);
                *lock(&saved) = Saved { seen, seq: chain.seq, fresh };
                Ok::<_, Error>(seen)
            };
            let gather = || {
                let gathered = || gathered(&dir, &state, chain, (fresh, &recent));
                cache.then(gathered).flatten()
            };
            let (seen, gathered) = match pace {
                Pace::AtOnce => {
                    let (seen, gathered) = rayon::join(save, gather);
                    (seen?, gathered)
                }
                Pace::Beside => (save()?, gather()),
            };
            if let Some((gathered, seen)) = gathered.zip(seen) {
                index(&saved, &dir, gathered, seen);
            }
            Ok(())
        })
    }

    fn prove_whole(&mut self, recorded: &State) -> Result<(), Error> {
        if !self.whole {
            follow::prove(self.dir.path(), recorded, &self.log.chain())?;
            self.whole = true;
        }
        Ok(())
    }

    fn rest(&mut self, state: Option<&State>) -> Result<(), Error> {
        let chain = self.log.durable();
        if let Some(state) = state.filter(|_| chain == self.log.chain()) {
            self.keep_index(state, chain);
        }
        let dir = self.dir.path();
        let snapshot = lock(&self.saved).seen.filter(|seen| Seen::snapshot(dir) == Some(*seen));
        let whole = self.log.chain() == chain && self.lock.marked() == Some(chain.end);
        match self.log.untouched().zip(snapshot).filter(|_| self.cache && whole) {
            Some((log, snapshot)) => Ok(Trusted { log, snapshot, chain }.keep(dir)?),
            None => Ok(()),
        }
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

    fn place(&self) -> StorePlace {
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
