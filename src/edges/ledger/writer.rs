//! The one writer of a ledger: what is appended is checked, folded and written, in that order.

use std::sync::Arc;

use super::error::Error;
use super::line;
use super::rows::{Row, Rows};
use super::saving::Saving;
use super::store::{Known, Line, Lines, Opened, Pace, Store};
use crate::domain::model::{DeviceId, Facts, Timestamp};
use crate::domain::state::State;
use crate::domain::state::Wipe;
use crate::domain::state::event::{Entry, Event, LedgerCreated, Source};
use crate::domain::wipe::clock::{known, must_be_kept};

/// Of the data format.
const VERSION: u32 = 1;
/// More than it takes where no line is of unusual length.
const KEPT_BUFFER: usize = 1 << 20;

/// How much is written at once: little enough to stay in the cache of the processor meanwhile.
const PIECE: usize = 512 << 10;

/// What is to be logged; the ledger adds number, time, actor and hash.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The device that the entry is about, if it is about one.
    pub device: Option<DeviceId>,
    /// The manifest behind it.
    pub source: Option<Source>,
    /// The kind of the entry and its data.
    pub event: Event,
}

impl From<Event> for Draft {
    fn from(event: Event) -> Self {
        Self { device: None, source: None, event }
    }
}

/// That the ledger was, a moment ago, the one that this process holds. What has an effect outside
/// takes one, so that there is no effect without a log.
#[derive(Debug)]
pub(crate) struct Proof(());

/// The one writer of a ledger.
pub struct Ledger {
    actor: Arc<str>,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    state: State,
    /// Of a pass under way: see [`Ledger::end_pass`].
    rows: Rows,
    /// The lines that are written at once.
    buffer: Vec<u8>,
    /// Those in the buffer.
    lines: Vec<Line>,
    /// Whether the snapshot lacks something, also one that is being written.
    unsaved: bool,
    /// A snapshot that is being written beside everything else. Before `store`: whoever closes the
    /// ledger waits for it.
    saving: Option<Saving>,
    /// See [`Ledger::time_matters_until`].
    matters_until: Option<Timestamp>,
    store: Box<dyn Store>,
}

impl Ledger {
    /// Goes on with a ledger that was opened: what was cut from it is logged first. One that is new
    /// is not written yet.
    ///
    /// # Errors
    /// If the ledger is not the one that was opened any more, or cannot be written.
    pub(crate) fn begin(
        opened: Opened,
        actor: Arc<str>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let Opened { store, state, saved, repaired } = opened;
        let mut ledger = Self {
            actor,
            now: Box::new(now),
            unsaved: state.seq > saved,
            saving: None,
            state,
            matters_until: None,
            rows: Rows::default(),
            buffer: Vec::new(),
            lines: Vec::new(),
            store,
        };
        ledger.prove()?;
        if let Some(repaired) = repaired {
            ledger.append(vec![Event::LogRepaired(repaired).into()])?;
            ledger.sync()?;
        }
        ledger.publish(true)?;
        Ok(ledger)
    }

    /// That the ledger is still the one that this process opened, and ends where it should. Asked
    /// before each entry and each effect.
    ///
    /// # Errors
    /// [`Error::Replaced`] or [`Error::LockRemoved`] if not; those of the system. Nothing may be done then.
    pub(crate) fn prove(&mut self) -> Result<Proof, Error> {
        self.store.prove()?;
        Ok(Proof(()))
    }

    /// To open the same ledger again after a failure.
    #[must_use]
    pub(crate) fn known(&self) -> Known {
        let durable = self.store.durable();
        let lineage = self.state.lineage.filter(|_| durable.seq > 0);
        Known { place: self.store.place(), lineage, durable }
    }

    /// What is recorded, up to the last entry appended.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether the snapshot says all that is recorded.
    #[must_use]
    pub(crate) fn is_saved(&self) -> bool {
        !self.unsaved && self.saving.is_none()
    }

    /// The latest time known: `now`, or a later one that this ledger has seen.
    #[must_use]
    pub(crate) fn latest(&self, now: Timestamp) -> Timestamp {
        let seen = self.state.at.max(known(self.store.kept_time()));
        seen.map_or(now, |at| at.max(now))
    }

    /// Of requests that this pass sees and the log does not have: when the last of them expires.
    /// As long as a clock set back could revive one, the time of each pass is kept at once.
    pub(crate) fn time_matters_until(&mut self, until: Option<Timestamp>) {
        self.matters_until = until;
    }

    /// The number of the next entry to be appended. In a new ledger `ledger.created` goes before it.
    #[must_use]
    pub(crate) fn next_seq(&self) -> u64 {
        self.state.seq.max(1) + 1
    }

    /// Makes room for so many new devices, which are about to be logged.
    pub(crate) fn expect_devices(&mut self, more: usize) {
        self.state.expect_devices(more);
    }

    /// Writes entries, at once, and takes them into the state. Not durable before
    /// [`Ledger::sync`]. All lines are in memory meanwhile: some thousand a time.
    ///
    /// # Errors
    /// [`Error::Line`] if one is too long: nothing was done. After any other error nothing can be
    /// written any more, and the state is not to be relied on.
    pub fn append(&mut self, drafts: Vec<Draft>) -> Result<(), Error> {
        self.store.check()?;
        self.prove()?;
        if drafts.is_empty() {
            return Ok(());
        }
        if drafts.iter().any(|draft| draft.event.is_irreversible()) {
            self.store.prove_whole(&self.state)?;
        }
        let entries = self.entries(drafts);
        let mut rows = std::mem::take(&mut self.rows);
        let mut begun = rows.begin(&entries).map_err(Error::Line)?.peekable();
        self.unsaved = true;
        while begun.peek().is_some() {
            self.buffer.clear();
            self.lines.clear();
            while self.buffer.len() < PIECE
                && let Some((entries, row)) = begun.next()
            {
                self.take(entries, row)?;
            }
            let (text, each) = (&self.buffer[..], &self.lines[..]);
            let lines = Lines { text, each, seq: self.state.seq, head: self.state.head.0 };
            self.store.append(lines)?;
        }
        drop(begun);
        self.rows = rows;
        // A buffer that long lines have blown up is given back.
        if self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    fn entries(&self, drafts: Vec<Draft>) -> Vec<Entry> {
        let (at, seq) = ((self.now)(), self.state.seq);
        let created = (seq == 0).then(|| {
            let lineage = uuid::Uuid::new_v4();
            Draft::from(Event::LedgerCreated(LedgerCreated { version: VERSION, lineage }))
        });
        let numbered = created.into_iter().chain(drafts).zip(seq + 1..);
        let entry = |(Draft { device, source, event }, seq)| {
            let actor = self.actor.clone();
            Entry { seq, at, device, actor, source, event }
        };
        numbered.map(entry).collect()
    }

    /// Ends these lines in the buffer, and takes what they say into the state: before they are written,
    /// since an entry that nothing can follow must never reach the disk, where it would stop every
    /// start from then on.
    fn take(&mut self, entries: &[Entry], row: &Row) -> Result<(), Error> {
        for (entry, line) in row.lines(entries) {
            let start = self.buffer.len();
            self.buffer.extend(line);
            let hash = line::end(start, self.state.head.0, &mut self.buffer);
            let length = u32::try_from(self.buffer.len() - start).expect("a line is under 64 KiB");
            self.lines.push(Line { device: entry.device, length });
            if let Err(e) = self.state.fold(entry, hash) {
                self.store.poison();
                return Err(Error::Refused(e));
            }
        }
        Ok(())
    }

    /// Makes all that was appended durable: before this, nothing that it announces may be done.
    ///
    /// # Errors
    /// If it fails; nothing can be written any more.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        self.store.sync()
    }

    /// Telemetry of a device's report: for the snapshot only.
    pub(crate) fn observe(&mut self, id: DeviceId, at: Timestamp, facts: &Facts) {
        self.state.observe(id, at, facts);
        self.unsaved = true;
    }

    /// Telemetry of reports that came too late to count: for the snapshot only.
    pub(crate) fn pass_over(&mut self, id: DeviceId, reports: u64) {
        self.state.pass_over(id, reports);
        self.unsaved = true;
    }

    /// Ends a pass: what was appended is durable, and only from now on do readers see it.
    ///
    /// # Errors
    /// If a step fails.
    pub fn end_pass(&mut self) -> Result<(), Error> {
        self.sync()?;
        self.rows = Rows::default();
        let open = |wipe: &&Wipe| wipe.state.is_open() || wipe.state.is_under_way();
        let open = self.state.wipes.values().filter(open).map(|wipe| wipe.subject.expires_at);
        let until = open.max().max(self.matters_until);
        let now = (self.now)();
        self.publish(must_be_kept(self.store.kept_time(), now, until))
    }

    /// Ends a pass as [`Ledger::end_pass`] does, and replaces the snapshot first, if it is not up
    /// to date. The time is kept, whatever depends on it: so it is also at a stop, which ends here.
    ///
    /// # Errors
    /// If a step fails. The log is not touched by that; it may be tried again.
    pub fn snapshot(&mut self) -> Result<(), Error> {
        self.snapshot_beside(|_| ())
    }

    /// As [`Ledger::snapshot`]; meanwhile somebody looks at what is recorded.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn snapshot_beside<T: Send>(
        &mut self,
        look: impl FnOnce(&State) -> T + Send,
    ) -> Result<T, Error> {
        if let Some(saving) = self.saving.take() {
            self.saved(saving.end())?;
        }
        self.sync()?;
        self.prove()?;
        let (state, store) = (&self.state, &mut self.store);
        let writing = (self.unsaved && state.seq > 0).then(|| store.snapshot(state, Pace::AtOnce));
        let (saved, seen) =
            rayon::join(|| writing.map_or(Ok(()), |writing| writing()), || look(state));
        saved?;
        self.unsaved &= state.seq == 0;
        self.publish(true)?;
        Ok(seen)
    }

    /// As [`Ledger::snapshot`], but the snapshot is written by a thread beside, which calls `done` at its
    /// end: then [`Ledger::end_saving`] says what came of it. While one is written, no other is
    /// begun.
    ///
    /// # Errors
    /// If a step before fails.
    pub(crate) fn begin_saving(
        &mut self,
        done: impl FnOnce() + Send + 'static,
    ) -> Result<(), Error> {
        self.sync()?;
        self.prove()?;
        if self.unsaved && self.saving.is_none() && self.state.seq > 0 {
            let writing = self.store.snapshot(&self.state, Pace::Beside);
            self.saving = Some(Saving::begin(writing, done));
            self.unsaved = false;
        }
        self.publish(true)
    }

    /// What came of [`Ledger::begin_saving`], if it is over.
    ///
    /// # Errors
    /// If the snapshot could not be written; it may be tried again.
    pub(crate) fn end_saving(&mut self) -> Result<(), Error> {
        let over = self.saving.take_if(|saving| saving.is_over());
        over.map_or(Ok(()), |saving| self.saved(saving.end()))
    }

    /// Whether a snapshot is being written beside.
    #[must_use]
    pub(crate) fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    fn saved(&mut self, outcome: Result<(), Error>) -> Result<(), Error> {
        self.unsaved |= outcome.is_err();
        outcome
    }

    /// Keeps what is verified, so that the next start need not read it again: for whoever stops. That
    /// it cannot be kept costs time alone.
    pub fn rest(&mut self) {
        let state = self.saving.is_none().then_some(&self.state);
        if let Err(error) = self.store.rest(state) {
            tracing::debug!(%error, "the next start reads the whole log");
        }
    }

    /// Lets go of the ledger where the process ends: the memory of what is recorded goes with it.
    pub(crate) fn close(self) {
        let Self { state, .. } = self;
        std::mem::forget(state);
    }

    /// Every pass ends here, also one in which nothing happened.
    fn publish(&mut self, keep_time: bool) -> Result<(), Error> {
        let now = (keep_time && self.state.seq > 0).then(|| (self.now)());
        self.store.publish(now)
    }

    /// From now on appends go to this file, whatever it is.
    #[cfg(test)]
    pub(super) fn break_file(&mut self, file: std::fs::File) {
        self.store.break_file(file);
    }
}
