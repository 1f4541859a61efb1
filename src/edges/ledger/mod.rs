//! The ledger: the audit log, which says everything, and its latest snapshot.
//!
//! A [`Ledger`] is the one writer of a data directory. What it appends is checked, folded and
//! written, in that order, and true only once [`Ledger::sync`] is through; after any error of
//! writing it does nothing more. Readers take no lock, write nothing and bear with a
//! writer at work. Nobody guesses: whatever is wrong with the files, but for a last line
//! that nobody finished, is an error that says what was found and where.
//!
//! ```text
//! audit.jsonl ── scan ── line ── audit (chain) ──┬── State::fold ──> State
//! state.json ─── snapshot ───────────────────────┘
//! ```

pub mod audit;
mod clock;
pub mod entries;
mod follow;
mod held;
pub mod line;
mod load;
mod lock;
pub mod peek;
mod scan;
mod share;
pub mod snapshot;
pub mod verify;
mod wipe_wire;

use std::io::ErrorKind::{NotADirectory, NotFound};
use std::path::{Path, PathBuf};

use std::sync::Arc;

use self::audit::{Audit, Chain};
pub use self::clock::highest_time;
pub use self::entries::{Entries, Logged, entries, entries_from, heads};
use self::follow::Following;
pub use self::follow::{CUT, Known, read, read_proven, replay};
use self::held::Directory;
use self::lock::Lock;
pub use self::snapshot::Snapshot;
pub use self::verify::{Problem, Verified, verify};
use crate::domain::model::{DeviceId, Digest, Facts, Timestamp};
use crate::domain::state::event::{Entry, Event, LedgerCreated, Source};
use crate::domain::state::{FoldError, State, Wipe};
use crate::domain::wipe::clock::known;
use crate::edges::fs::durable;

/// The log's file name.
pub const LOG: &str = "audit.jsonl";
/// The snapshot's file name.
pub const STATE: &str = "state.json";

/// Of the data format.
const VERSION: u32 = 1;

/// Why the ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error(transparent)]
    File(#[from] durable::Error),
    /// Somebody else is writing.
    #[error("{}: {holder} is writing to this ledger; wait until it is done, or stop it", path.display())]
    Locked {
        /// Of the lock.
        path: PathBuf,
        /// "process 123", as far as it can be told.
        holder: String,
    },
    /// The log is not as it was written.
    #[error(
        "{}: entry {seq} (at byte {offset}): {what}; nothing was changed: see `fleetform audit verify` for all \
         that is wrong, and restore {LOG} from a backup", path.display()
    )]
    Log {
        /// Of the log.
        path: PathBuf,
        /// That the entry should have.
        seq: u64,
        /// Where its line begins.
        offset: u64,
        /// What was found.
        what: String,
    },
    /// The snapshot cannot be understood.
    #[error(
        "{}:{line}:{column}: {what}; if a newer fleetform wrote it, use that one, else remove the file: \
         all but the last reports come back from {LOG}", path.display()
    )]
    Snapshot {
        /// Of the snapshot.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What was found.
        what: String,
    },
    /// Log and snapshot do not belong together.
    #[error("{}: {what}; nothing was changed: restore {LOG} and {STATE} from one backup", dir.display())]
    Disagree {
        /// The data directory.
        dir: PathBuf,
        /// What was found in either.
        what: String,
    },
    /// The log lacks entries that it had.
    #[error("{}: the end of the log is missing: {what}; nothing was changed: {CUT}", path.display())]
    Cut {
        /// Of the log.
        path: PathBuf,
        /// What shows it.
        what: String,
    },
    /// Something else in the data directory shows that this log is not the one it belongs to.
    #[error("{}: {what}; nothing was changed", dir.display())]
    Contradicted {
        /// The data directory.
        dir: PathBuf,
        /// What was found, and what to do.
        what: String,
    },
    /// There is none where one has to be.
    #[error(
        "there is no ledger in {}: is the path right, and the file system mounted? To begin a new ledger \
         there, run `fleetform apply --new-ledger` once", dir.display()
    )]
    Absent {
        /// The data directory.
        dir: PathBuf,
    },
    /// There is one where none may be.
    #[error(
        "there is a ledger in {} already; leave --new-ledger away: it is for the first run only", dir.display()
    )]
    Present {
        /// The data directory.
        dir: PathBuf,
    },
    /// What this process holds is not there any more under its name.
    #[error("{}: {what}; nothing more is done: {help}", path.display())]
    Replaced {
        /// Of the directory or file.
        path: PathBuf,
        /// What was found.
        what: String,
        /// What may have happened, and what to do.
        help: &'static str,
    },
    /// The lock was taken away from the process that held it.
    #[error(
        "{}: the lock file was removed or replaced while this process held it; no other writer was let in, \
         and the file was made anew: leave it alone", path.display()
    )]
    LockRemoved {
        /// Of the lock.
        path: PathBuf,
    },
    /// An entry that the log cannot hold; nothing was written.
    #[error("nothing was written to the log: {0}")]
    Line(line::Error),
    /// An entry that cannot follow what was recorded: a mistake in the program. Nothing was written.
    #[error(
        "nothing was written to the log: {0}; this is a bug in fleetform, start it again and report it"
    )]
    Refused(FoldError),
    /// An earlier write failed.
    #[error(
        "{}: nothing more is written after an earlier error; look at the disk and start again", path.display()
    )]
    Poisoned {
        /// Of the log.
        path: PathBuf,
    },
}

/// What is to be logged; the ledger adds number, time, actor and hash.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Whom it is about.
    pub device: Option<DeviceId>,
    /// The manifest behind it.
    pub source: Option<Source>,
    /// What happened.
    pub event: Event,
}

impl From<Event> for Draft {
    fn from(event: Event) -> Self {
        Self { device: None, source: None, event }
    }
}

/// What a writer expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A ledger: somebody named the directory, so an empty one is a mistake.
    Existing,
    /// A ledger or none, and then one is begun.
    Any,
    /// None: one is begun.
    New,
    /// The one that this process wrote before, at least as far as it had come.
    Same(Known),
}

/// What a ledger is opened with.
pub struct Terms<'a> {
    /// What has to be there.
    pub expected: Expected,
    /// Asked whether something outside of the ledger contradicts it, before anything is written.
    pub witness: &'a dyn Fn(&State) -> Result<(), String>,
}

/// That the ledger was, a moment ago, the one that this process holds. What has an effect outside
/// takes one, so that there is no effect without a log.
#[derive(Debug)]
pub struct Proof(());

/// The one writer of a data directory.
pub struct Ledger {
    actor: Arc<str>,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    audit: Audit,
    state: State,
    unsaved: bool,
    /// The time kept in `clock`.
    clock: Option<Timestamp>,
    /// See [`Ledger::time_matters_until`].
    matters_until: Option<Timestamp>,
    lock: Lock,
    // Last: it is let go of after the lock file.
    dir: Directory,
}

impl Ledger {
    /// [`Ledger::open_as`], whether there is a ledger or not.
    ///
    /// # Errors
    /// Those of [`Ledger::open_as`].
    pub fn open(
        dir: &Path,
        actor: Arc<str>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        Self::open_as(dir, &Terms { expected: Expected::Any, witness: &|_| Ok(()) }, actor, now)
    }

    /// Locks `dir`, which is made if a ledger may be begun there, verifies the whole log, completes
    /// the snapshot, compares it with what the log alone gives, and cuts an unfinished last line. A
    /// ledger that is new is not written yet.
    ///
    /// # Errors
    /// If somebody else writes, if the ledger is not the one expected, or if anything is wrong with
    /// the files but for that last line.
    pub fn open_as(
        dir: &Path,
        terms: &Terms<'_>,
        actor: Arc<str>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let Terms { expected, witness } = terms;
        let known = expected.admit(dir)?;
        let held = Directory::hold(dir)?;
        if let Some(known) = known.filter(|known| known.lineage.is_none()) {
            known.directory.prove(Some(held.identity()), dir)?;
        }
        let lock = lock::take(&held)?;
        let path = dir.join(LOG);
        let snapshot = load::load(dir)?;
        let saved = snapshot.as_ref().map_or(0, |s| s.state.seq);
        let snapshot = snapshot.unwrap_or_default();
        let mut following = Following::proving(dir, snapshot, lock.marked(), known);
        let mut torn = None;
        let mut chain = Chain::START;
        if let Some(log) = audit::open(&path)? {
            let end = following.all(&mut chain, &path, &log)?;
            torn = Some(end).filter(|end| end.torn > 0);
        }
        let state = following.done(chain)?;
        witness(&state).map_err(|what| Error::Contradicted { dir: dir.to_owned(), what })?;
        let repaired = torn.map(|end| audit::cut(dir, end)).transpose()?;
        let mut ledger = Self {
            actor,
            now: Box::new(now),
            audit: Audit::new(path, chain)?,
            unsaved: state.seq > saved,
            state,
            clock: highest_time(dir),
            matters_until: None,
            lock,
            dir: held,
        };
        ledger.prove()?;
        if let Some(repaired) = repaired {
            ledger.append(vec![Event::LogRepaired(repaired).into()])?;
            ledger.sync()?;
        }
        ledger.keep_time()?;
        ledger.mark_whole()?;
        Ok(ledger)
    }

    /// That the data directory, the log and the lock are still those that this process opened, and
    /// that the log ends where it should. Asked before each entry and each effect.
    ///
    /// # Errors
    /// [`Error::Replaced`] or [`Error::LockRemoved`] if not; those of the system. Nothing may be done then.
    pub fn prove(&mut self) -> Result<Proof, Error> {
        self.dir.prove()?;
        self.audit.prove()?;
        self.lock.prove(&self.dir)?;
        Ok(Proof(()))
    }

    /// To open the same ledger again after a failure.
    #[must_use]
    pub fn known(&self) -> Known {
        let durable = self.audit.durable();
        let lineage = self.state.lineage.filter(|_| durable.seq > 0);
        Known { directory: self.dir.identity(), lineage, durable }
    }

    /// What is recorded, up to the last entry appended.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The latest time known: `now`, or a later one that this ledger has seen.
    #[must_use]
    pub(crate) fn latest(&self, now: Timestamp) -> Timestamp {
        let seen = self.state.at.max(known(self.clock));
        seen.map_or(now, |at| at.max(now))
    }

    /// Of requests that this pass sees and the log does not have: when the last of them expires.
    /// As long as a clock set back could revive one, the time of each pass is kept at once.
    pub(crate) fn time_matters_until(&mut self, until: Option<Timestamp>) {
        self.matters_until = until;
    }

    /// The number of the next entry to be appended. In a new ledger `ledger.created` goes before it.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.state.seq.max(1) + 1
    }

    /// Writes entries, at once, and takes them into the state. Not durable before
    /// [`Ledger::sync`]. All lines are in memory meanwhile: some thousand a time.
    ///
    /// # Errors
    /// [`Error::Line`] if one is too long: nothing was done. After any other error nothing can be
    /// written any more, and the state is not to be relied on.
    pub fn append(&mut self, drafts: Vec<Draft>) -> Result<(), Error> {
        self.audit.check()?;
        self.prove()?;
        if drafts.is_empty() {
            return Ok(());
        }
        let batch = self.stage(drafts)?;
        // Folded before they are written: an entry that nothing can follow must never reach the
        // disk, where it would stop every start from then on.
        for (entry, hash) in &batch {
            if let Err(e) = self.state.fold(entry, *hash) {
                self.audit.poison();
                return Err(Error::Refused(e));
            }
        }
        self.unsaved = true;
        self.audit.write(self.state.seq, self.state.head.0)
    }

    fn stage(&mut self, drafts: Vec<Draft>) -> Result<Vec<(Entry, Digest)>, Error> {
        let at = (self.now)();
        let Chain { mut seq, mut head, .. } = self.audit.chain();
        let created = (seq == 0).then(|| {
            let lineage = uuid::Uuid::new_v4();
            Draft::from(Event::LedgerCreated(LedgerCreated { version: VERSION, lineage }))
        });
        let mut batch = Vec::with_capacity(drafts.len() + 1);
        for Draft { device, source, event } in created.into_iter().chain(drafts) {
            seq += 1;
            let entry = Entry { seq, at, device, actor: self.actor.clone(), source, event };
            head = self.audit.stage(&entry, head)?;
            batch.push((entry, head));
        }
        Ok(batch)
    }

    /// Makes all that was appended durable: before this, nothing that it announces may be done.
    ///
    /// # Errors
    /// If it fails; nothing can be written any more.
    pub fn sync(&mut self) -> Result<(), Error> {
        self.audit.sync()
    }

    /// Telemetry of a device's report: for the snapshot only.
    pub fn observe(&mut self, id: DeviceId, at: Timestamp, facts: &Facts) {
        self.state.observe(id, at, facts);
        self.unsaved = true;
    }

    /// Telemetry of reports that came too late to count: for the snapshot only.
    pub fn pass_over(&mut self, id: DeviceId, reports: u64) {
        self.state.pass_over(id, reports);
        self.unsaved = true;
    }

    /// Ends a pass: what was appended is durable, and only from now on do readers see it.
    ///
    /// # Errors
    /// If a step fails.
    pub fn end_pass(&mut self) -> Result<(), Error> {
        self.sync()?;
        let open = |wipe: &&Wipe| wipe.state.is_open() || wipe.state.is_under_way();
        let open = self.state.wipes.values().filter(open).map(|wipe| wipe.subject.expires_at);
        let until = open.max().max(self.matters_until);
        if clock::is_due(self.clock, (self.now)(), until) {
            self.keep_time()?;
        }
        self.mark_whole()
    }

    /// Ends a pass as [`Ledger::end_pass`] does, and replaces `state.json` first, if it is not up
    /// to date. The time is kept, whatever depends on it: so it is also at a stop, which ends here.
    ///
    /// # Errors
    /// If a step fails. The log is not touched by that; it may be tried again.
    pub fn snapshot(&mut self) -> Result<(), Error> {
        self.sync()?;
        self.prove()?;
        if self.unsaved && self.state.seq > 0 {
            snapshot::save(self.dir.path(), &self.state, self.audit.chain().end)?;
            self.unsaved = false;
        }
        self.keep_time()?;
        self.mark_whole()
    }

    fn keep_time(&mut self) -> Result<(), Error> {
        if self.state.seq > 0 {
            clock::keep(self.dir.path(), &mut self.clock, (self.now)())?;
        }
        Ok(())
    }

    /// Every pass ends here, also one in which nothing happened.
    fn mark_whole(&mut self) -> Result<(), Error> {
        self.lock.mark(self.audit.chain().end)
    }
}

impl Expected {
    /// Whether a writer may begin at all, before anything is locked or made; and what it knows.
    fn admit(self, dir: &Path) -> Result<Option<Known>, Error> {
        let dir = || dir.to_owned();
        match self {
            Self::Existing if !exists(&dir())? => Err(Error::Absent { dir: dir() }),
            Self::New if exists(&dir())? => Err(Error::Present { dir: dir() }),
            Self::Any | Self::New => {
                durable::make_directory(&dir()).map(|()| None).map_err(Error::from)
            }
            Self::Existing => Ok(None),
            Self::Same(known) => {
                held::still_there(&dir(), known.lineage.is_none() || exists(&dir())?)?;
                Ok(Some(known))
            }
        }
    }
}

/// Whether there is a ledger in `dir`, or what is left of one.
///
/// # Errors
/// If that cannot be seen.
pub fn exists(dir: &Path) -> Result<bool, Error> {
    let there = |name: &str| {
        let path = dir.join(name);
        match std::fs::symlink_metadata(&path) {
            Ok(about) => Ok(about.len() > 0),
            Err(e) if matches!(e.kind(), NotFound | NotADirectory) => Ok(false),
            Err(e) => Err(Error::from(durable::Error::at("look at", &path)(e))),
        }
    };
    Ok(there(LOG)? || there(STATE)? || lock::look(dir).is_some_and(|mark| mark.whole > 0))
}

#[cfg(test)]
mod tests;
