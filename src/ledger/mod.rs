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
pub mod entries;
pub mod line;
mod load;
mod lock;
pub mod peek;
mod scan;
mod share;
pub mod snapshot;
pub mod verify;
mod wipe_wire;

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::audit::{Audit, Chain};
pub use self::entries::{Entries, Logged, entries, entries_from};
use self::lock::Lock;
use self::share::Share;
pub use self::snapshot::Snapshot;
pub use self::verify::{Problem, Verified, verify};
use crate::durable;
use crate::event::{Entry, Event, LedgerCreated, Source};
use crate::model::{DeviceId, Digest, Facts, Timestamp};
use crate::state::{FoldError, State};

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

/// The one writer of a data directory.
pub struct Ledger {
    dir: PathBuf,
    actor: Arc<str>,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    audit: Audit,
    state: State,
    unsaved: bool,
    lock: Lock,
}

impl Ledger {
    /// Takes the lock in `dir`, which is made if need be, verifies the whole log, completes the
    /// snapshot, compares it with what the log alone gives, and cuts an unfinished last line. A
    /// ledger that is new is not written yet.
    ///
    /// # Errors
    /// If somebody else writes, or if anything is wrong with the files but for that last line.
    pub fn open(
        dir: &Path,
        actor: Arc<str>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        durable::make_directory(dir)?;
        let lock = lock::take(dir)?;
        let path = dir.join(LOG);
        let snapshot = load::load(dir)?;
        let saved = snapshot.as_ref().map_or(0, |s| s.state.seq);
        let mut following = Following::proving(dir, snapshot.unwrap_or_default());
        let mut torn = None;
        let mut chain = Chain::START;
        if let Some(log) = audit::open(&path)? {
            let end = following.all(&mut chain, &path, &log)?;
            torn = Some(end).filter(|end| end.torn > 0);
        }
        let state = following.done(chain)?;
        let repaired = torn.map(|end| audit::cut(dir, end)).transpose()?;
        let mut ledger = Self {
            dir: dir.to_owned(),
            actor,
            now: Box::new(now),
            audit: Audit::new(path, chain)?,
            unsaved: state.seq > saved,
            state,
            lock,
        };
        if let Some(repaired) = repaired {
            ledger.append(vec![Event::LogRepaired(repaired).into()])?;
            ledger.sync()?;
        }
        ledger.mark_whole()?;
        Ok(ledger)
    }

    /// What is recorded, up to the last entry appended.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
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
        self.mark_whole()
    }

    /// Ends a pass as [`Ledger::end_pass`] does, and replaces `state.json` first, if it is not up
    /// to date.
    ///
    /// # Errors
    /// If a step fails. The log is not touched by that; it may be tried again.
    pub fn snapshot(&mut self) -> Result<(), Error> {
        self.sync()?;
        if self.unsaved && self.state.seq > 0 {
            snapshot::save(&self.dir, &self.state, self.audit.chain().end)?;
            self.unsaved = false;
        }
        self.mark_whole()
    }

    fn mark_whole(&mut self) -> Result<(), Error> {
        self.lock.mark(self.audit.chain().end)
    }
}

/// A state that is being completed from the log.
struct Following<'a> {
    dir: &'a Path,
    snapshot: Snapshot,
    /// What the snapshot on disk was made at, and of which lineage it is.
    saved: Chain,
    lineage: Option<uuid::Uuid>,
    /// What it says, where that is to be proved by the log from its beginning.
    unproved: Option<State>,
    share: Share,
}

impl<'a> Following<'a> {
    fn new(dir: &'a Path, snapshot: Snapshot) -> Self {
        let State { seq, head, lineage, .. } = snapshot.state;
        let saved = Chain { seq, head: head.0, end: snapshot.log_bytes };
        Self { dir, snapshot, saved, lineage, unproved: None, share: Share::default() }
    }

    /// A writer relies on nothing that only the snapshot says, but for telemetry: whoever can edit
    /// `state.json` could have a wipe forgotten, and issued again.
    fn proving(dir: &'a Path, snapshot: Snapshot) -> Self {
        let following = Self::new(dir, snapshot);
        let unproved = (following.saved.seq > 0).then_some(following.snapshot.state);
        Self { snapshot: Snapshot::default(), unproved, ..following }
    }

    fn all(&mut self, chain: &mut Chain, path: &Path, log: &File) -> Result<scan::End, Error> {
        self.until(chain, path, log, u64::MAX)
    }

    /// All lines that lie before byte `until`.
    fn until(
        &mut self,
        chain: &mut Chain,
        path: &Path,
        log: &File,
        until: u64,
    ) -> Result<scan::End, Error> {
        let from = self.snapshot.log_bytes;
        chain.follow_all(path, log, until, from, |chain, entry| self.take(chain, entry))
    }

    fn take(&mut self, chain: &Chain, entry: Option<Entry>) -> Result<(), Error> {
        if chain.seq == 1 && self.saved.seq > 0 {
            self.check_lineage(entry.as_ref())?;
        }
        if chain.seq == self.saved.seq && *chain != self.saved {
            let Chain { seq, head, end } = chain;
            return Err(self.disagree(format!(
                "{STATE} was made at entry {seq} with the hash {}, ending at byte {}, but in {LOG} it \
                 has the hash {head} and ends at byte {end}",
                self.saved.head, self.saved.end
            )));
        }
        if chain.seq <= self.snapshot.state.seq {
            return Ok(());
        }
        let Some(mut entry) = entry else {
            return Err(
                self.disagree(format!("{STATE} does not say where entry {} ends", self.saved.seq))
            );
        };
        self.share.entry(&mut entry);
        self.snapshot.state.fold(&entry, chain.head).map_err(|e| Error::Log {
            path: self.dir.join(LOG),
            seq: e.seq,
            offset: self.snapshot.log_bytes,
            what: e.to_string(),
        })?;
        self.snapshot.log_bytes = chain.end;
        match self.unproved.take_if(|_| chain.seq == self.saved.seq) {
            Some(saved) => self.prove(saved),
            None => Ok(()),
        }
    }

    /// At the entry that the snapshot was made at: the log gives the same, and has no telemetry.
    fn prove(&mut self, saved: State) -> Result<(), Error> {
        let replayed = &mut self.snapshot.state;
        if let Some(what) = verify::differences(&saved, replayed).into_iter().next() {
            return Err(self.disagree(what));
        }
        for (id, device) in saved.devices {
            if let Some(replayed) = replayed.devices.get_mut(&id) {
                (replayed.last_sync, replayed.facts) = (device.last_sync, device.facts);
            }
        }
        Ok(())
    }

    fn check_lineage(&self, first: Option<&Entry>) -> Result<(), Error> {
        let ours = self.lineage;
        match first.map(|entry| &entry.event) {
            Some(Event::LedgerCreated(created)) if Some(created.lineage) == ours => Ok(()),
            Some(Event::LedgerCreated(created)) => Err(self.disagree(format!(
                "{STATE} is of the lineage {}, but {LOG} of {}",
                ours.map_or("none".into(), |l| l.to_string()),
                created.lineage
            ))),
            _ => Err(self.disagree(format!("{LOG} does not begin with ledger.created"))),
        }
    }

    fn done(self, chain: Chain) -> Result<State, Error> {
        if chain.seq < self.saved.seq {
            return Err(self.disagree(format!(
                "{STATE} was made at entry {}, but {LOG} ends at entry {}: its end is missing",
                self.saved.seq, chain.seq
            )));
        }
        Ok(self.snapshot.state)
    }

    fn disagree(&self, what: String) -> Error {
        Error::Disagree { dir: self.dir.to_owned(), what }
    }
}

/// What is recorded in `dir`, for readers: no lock, no write. While a writer is at work, this is
/// what it had recorded at the end of its last whole pass; what a dead one left half done is
/// taken as far as it got, as the next writer will take it. An absent directory holds nothing.
///
/// # Errors
/// If the files cannot be read, or are not as they were written as far as was looked: the
/// log is followed from where the snapshot was made.
pub fn read(dir: &Path) -> Result<State, Error> {
    // Before the log, which only grows: so that the snapshot cannot be ahead of it.
    let snapshot = load::load(dir)?.unwrap_or_default();
    let mut following = Following::new(dir, snapshot);
    let mut chain = Chain::START;
    let path = dir.join(LOG);
    if let Some(log) = audit::open(&path)? {
        if following.saved.seq > 0 {
            chain = following.skip(&path, &log)?;
        }
        let whole = whole(dir, &log).map_err(durable::Error::at("read", &path))?;
        following.until(&mut chain, &path, &log, whole)?;
    }
    following.done(chain)
}

/// Up to which byte the log is of whole passes, but for what a dead writer left.
fn whole(dir: &Path, log: &File) -> std::io::Result<u64> {
    loop {
        let before = lock::look(dir);
        let length = log.metadata()?.len();
        // Who began, ended or finished a pass in between makes the length worth nothing.
        if lock::look(dir) == before {
            return Ok(before.filter(|mark| mark.live).map_or(length, |mark| mark.whole));
        }
    }
}

impl Following<'_> {
    /// To where the snapshot was made, by a look at the first line and that one.
    fn skip(&self, path: &Path, log: &File) -> Result<Chain, Error> {
        let failed = |e| Error::from(durable::Error::at("read", path)(e));
        let end = self.saved.end;
        let length = log.metadata().map_err(failed)?.len();
        if length < end {
            return Err(self.disagree(format!(
                "{STATE} was made at entry {}, which ended at byte {end}, but {LOG} is only {length} \
                 bytes long: its end is missing",
                self.saved.seq
            )));
        }
        let long = line::TOO_LONG as u64;
        let first = read_at(log, 0, end.min(long)).map_err(failed)?;
        let first = first.split(|b| *b == b'\n').next().unwrap_or_default();
        self.check_lineage(line::read(first).ok().map(|(entry, _)| entry).as_ref())?;

        let start = end.saturating_sub(long);
        let before = read_at(log, start, end - start).map_err(failed)?;
        let last =
            before.strip_suffix(b"\n").and_then(|lines| lines.rsplit(|b| *b == b'\n').next());
        match last.map(Digest::of) {
            Some(hash) if hash == self.saved.head => Ok(self.saved),
            _ => Err(self.disagree(format!(
                "{STATE} was made at entry {}, ending at byte {end}, with the hash {}, but that is not \
                 the line that {LOG} has there",
                self.saved.seq, self.saved.head
            ))),
        }
    }
}

fn read_at(mut file: &File, offset: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What the log in `dir` alone gives: all but telemetry.
///
/// # Errors
/// If the log cannot be read or is not as it was written.
pub fn replay(dir: &Path) -> Result<Snapshot, Error> {
    let mut following = Following::new(dir, Snapshot::default());
    let mut chain = Chain::START;
    let path = dir.join(LOG);
    if let Some(log) = audit::open(&path)? {
        following.all(&mut chain, &path, &log)?;
    }
    Ok(following.snapshot)
}

#[cfg(test)]
mod tests;
