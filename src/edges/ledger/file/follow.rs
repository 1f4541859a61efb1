//! Following the log: from its beginning for a writer, from the snapshot on for a reader.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::layout::{LOCK, LOG, STATE};
use super::log::{self, USUAL, follow_all, last_line};
use super::trusted::Trusted;
use super::{mark, scan, state_json};
use crate::domain::model::ComplianceState;
use crate::domain::state::event::{Entry, Event};
use crate::domain::state::{Device, PushState, State};
use crate::edges::fs::durable;
use crate::edges::ledger::chain::Chain;
use crate::edges::ledger::differences::differences;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::line;
use crate::edges::ledger::snapshot::Snapshot;
use crate::edges::ledger::store::Known;

/// A state that is being completed from the log.
pub(super) struct Following<'a> {
    dir: &'a Path,
    snapshot: Snapshot,
    /// What the snapshot on disk was made at, and with which lineage its log began.
    saved: Chain,
    origin: Option<uuid::Uuid>,
    /// What it says, where that is to be proved by the log from its beginning.
    unproved: Option<State>,
    /// Where the lock says that whole passes ended, until a line is seen to end there.
    marked: Option<u64>,
    /// What this process wrote before.
    known: Option<Known>,
}

impl<'a> Following<'a> {
    pub(super) fn new(dir: &'a Path, snapshot: Snapshot) -> Self {
        let State { seq, head, .. } = snapshot.state;
        let origin = snapshot.state.origin();
        let saved = Chain { seq, head: head.0, end: snapshot.log_bytes };
        Self { dir, snapshot, saved, origin, unproved: None, marked: None, known: None }
    }

    /// A writer relies on nothing that only the snapshot says, but for telemetry: whoever can edit
    /// `state.json` could have a wipe forgotten, and issued again.
    /// The log has to be as long as the lock says, and to continue what this process knows.
    pub(super) fn proving(
        dir: &'a Path,
        snapshot: Snapshot,
        marked: Option<u64>,
        known: Option<Known>,
    ) -> Self {
        let following = Self::new(dir, snapshot);
        let unproved = (following.saved.seq > 0).then_some(following.snapshot.state);
        let marked = marked.filter(|end| *end > 0);
        Self { snapshot: Snapshot::default(), unproved, marked, known, ..following }
    }

    pub(super) fn all(
        &mut self,
        chain: &mut Chain,
        path: &Path,
        log: &File,
    ) -> Result<scan::End, Error> {
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
        follow_all(chain, path, log, until, from, |chain, entry| self.take(chain, entry))
    }

    fn take(&mut self, chain: &Chain, entry: Option<&Entry>) -> Result<(), Error> {
        self.marked.take_if(|end| *end == chain.end);
        if let Some(known) = self.known.filter(|known| known.durable.seq == chain.seq) {
            self.check_known(&known, chain)?;
        }
        if chain.seq == 1 && self.saved.seq > 0 {
            self.check_lineage(entry)?;
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
        let Some(entry) = entry else {
            return Err(
                self.disagree(format!("{STATE} does not say where entry {} ends", self.saved.seq))
            );
        };
        self.snapshot.state.fold(entry, chain.head).map_err(|e| Error::Log {
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
        if let Some(what) = differences(&saved, replayed).into_iter().next() {
            return Err(self.disagree(format!("{STATE}: {what}")));
        }
        for (id, device) in saved.devices.iter() {
            if let Some(replayed) = replayed.devices.get_mut(id) {
                (replayed.last_sync, replayed.facts) = (device.last_sync, device.facts.clone());
            }
        }
        Ok(())
    }

    fn check_lineage(&self, first: Option<&Entry>) -> Result<(), Error> {
        let ours = self.origin;
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

    fn check_known(&self, known: &Known, chain: &Chain) -> Result<(), Error> {
        if known.durable == *chain {
            return Ok(());
        }
        Err(self.disagree(format!(
            "this is not the log that this process wrote: entry {} has the hash {} and should have {}",
            chain.seq, chain.head, known.durable.head
        )))
    }

    fn cut(&self, what: String) -> Error {
        Error::Cut { path: self.dir.join(LOG), what }
    }

    /// What the whole log gives.
    ///
    /// # Errors
    /// If something shows that the log was longer.
    pub(super) fn done(self, chain: Chain) -> Result<State, Error> {
        if let Some(known) = self.known.filter(|known| known.durable.seq > chain.seq) {
            return Err(self.cut(format!(
                "this process wrote it up to entry {}, but it ends at entry {}",
                known.durable.seq, chain.seq
            )));
        }
        if chain.seq < self.saved.seq {
            return Err(self.disagree(format!(
                "{STATE} was made at entry {}, but {LOG} ends at entry {}: its end is missing",
                self.saved.seq, chain.seq
            )));
        }
        match self.marked {
            Some(marked) if marked > chain.end => Err(self.cut(format!(
                "{} says that it was whole up to byte {marked}, but it ends at byte {}",
                LOCK, chain.end
            ))),
            Some(marked) => Err(self.cut(format!(
                "{} says that a reconciliation ended at byte {marked}, but no entry ends there: \
                 it was cut and rewritten, or {} is of another ledger",
                LOCK, LOCK
            ))),
            None => Ok(self.snapshot.state),
        }
    }

    /// What it has come to.
    pub(super) fn into_state(self) -> State {
        self.snapshot.state
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
    let snapshot = state_json::load(dir)?.unwrap_or_default();
    if is_of_older(&snapshot.state) {
        return read_proven(dir);
    }
    let mut following = Following::new(dir, snapshot);
    let mut chain = Chain::START;
    let path = dir.join(LOG);
    if let Some(log) = log::open(&path)? {
        if following.saved.seq > 0 {
            chain = following.skip(&path, &log)?;
        }
        let (whole, marked) = whole(dir, &log).map_err(durable::Error::at("read", &path))?;
        if let Some(marked) = marked {
            let length = log.metadata().map_err(durable::Error::at("read", &path))?.len();
            if marked > length {
                return Err(following.cut(format!(
                    "{} says that it was whole up to byte {marked}, but it is {length} bytes long",
                    LOCK
                )));
            }
        }
        following.until(&mut chain, &path, &log, whole)?;
    }
    following.done(chain)
}

/// What an earlier writer verified, with what the log says after its snapshot; `None` in any doubt.
pub(super) fn read_trusted(dir: &Path, trusted: &Trusted) -> Option<(State, u64)> {
    let snapshot = state_json::load(dir).ok()??;
    if is_of_older(&snapshot.state) {
        return None;
    }
    let mut following = Following::new(dir, snapshot);
    let path = dir.join(LOG);
    let log = log::open(&path).ok()??;
    let mut chain = following.skip(&path, &log).ok()?;
    let scan::End { torn, .. } = following.all(&mut chain, &path, &log).ok()?;
    let saved = following.saved.seq;
    // What was read is what was verified, since it still is what it was.
    let same = torn == 0 && chain == trusted.chain && Trusted::untouched(dir)? == *trusted;
    Some((following.done(chain).ok().filter(|_| same)?, saved))
}

/// That the log in `dir`, which ends at `chain`, gives what is recorded, but for telemetry.
///
/// # Errors
/// If it gives something else, or cannot be read.
pub(super) fn prove(dir: &Path, recorded: &State, chain: &Chain) -> Result<(), Error> {
    let replayed = replay(dir)?;
    let found = (replayed.state.seq, replayed.state.head.0, replayed.log_bytes);
    let ends = (found != (chain.seq, chain.head, chain.end))
        .then(|| format!("{LOG} ends at entry {}, and should end at entry {}", found.0, chain.seq));
    let differs = || differences(recorded, &replayed.state).into_iter().next();
    let differs = || differs().map(|what| format!("what was taken from {STATE}: {what}"));
    match ends.or_else(differs) {
        Some(what) => Err(Error::Disagree { dir: dir.to_owned(), what }),
        None => Ok(()),
    }
}

/// Whether it was written by a version that kept less: a device that is not compliant has an episode, and one
/// without its profile a time since when.
fn is_of_older(state: &State) -> bool {
    let lacks = |device: &Device| {
        let failing = device.compliance.state == ComplianceState::NonCompliant;
        let waits = device.push.progress.state != PushState::Pushed;
        failing && device.episode.is_none() || waits && device.push.progress.since.is_none()
    };
    state.devices.values().any(lacks)
}

/// As [`read`], but nothing is taken from the snapshot that the log does not prove, except for
/// telemetry: for what somebody is about to sign. It reads the whole log.
///
/// # Errors
/// As [`read`], and if the log gives something else than the snapshot.
pub(super) fn read_proven(dir: &Path) -> Result<State, Error> {
    Ok(read_whole(dir)?.0)
}

/// As [`read_proven`], with the log, and how far that state is of it.
///
/// # Errors
/// As for [`read_proven`].
pub(super) fn read_whole(dir: &Path) -> Result<(State, Option<(File, Chain)>), Error> {
    // Before the log, as in `read`.
    let snapshot = state_json::load(dir)?.unwrap_or_default();
    let marked = mark::read(dir).map(|mark| mark.whole);
    let mut following = Following::proving(dir, snapshot, marked, None);
    let mut chain = Chain::START;
    let path = dir.join(LOG);
    let log = log::open(&path)?;
    if let Some(log) = &log {
        let (whole, _) = whole(dir, log).map_err(durable::Error::at("read", &path))?;
        // A pass that ends is in the snapshot before the lock says so.
        let until = whole.max(following.saved.end);
        following.until(&mut chain, &path, log, until)?;
    }
    Ok((following.done(chain)?, log.map(|log| (log, chain))))
}

/// Up to which byte the log is to be read: that of whole passes, but for what a dead writer
/// left; and up to which byte the lock says that it is of whole passes.
pub(super) fn whole(dir: &Path, log: &File) -> std::io::Result<(u64, Option<u64>)> {
    loop {
        let before = mark::read(dir);
        let length = log.metadata()?.len();
        // Who began, ended or finished a pass in between makes the length worth nothing.
        if mark::read(dir) == before {
            let live = before.filter(|mark| mark.live);
            return Ok((live.map_or(length, |mark| mark.whole), before.map(|mark| mark.whole)));
        }
    }
}

impl Following<'_> {
    /// To where the snapshot was made, by a look at the first line and that one.
    pub(super) fn skip(&self, path: &Path, log: &File) -> Result<Chain, Error> {
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
        let mut first = Vec::new();
        for length in USUAL {
            first = read_at(log, 0, end.min(length as u64)).map_err(failed)?;
            if first.contains(&b'\n') {
                break;
            }
        }
        let first = first.split(|b| *b == b'\n').next().unwrap_or_default();
        self.check_lineage(line::read(first).ok().map(|(entry, _)| entry).as_ref())?;

        match last_line(&self.saved, log, path)? {
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
    if let Some(log) = log::open(&path)? {
        following.all(&mut chain, &path, &log)?;
    }
    Ok(following.snapshot)
}
