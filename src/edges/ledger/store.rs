//! Where a ledger is kept: what a data directory does today, and a database may do tomorrow.
//!
//! A [`Store`] holds the ledger for its one writer, a [`Reader`] looks at it without a lock. Neither
//! knows what entries mean, and nobody above knows how they are kept. Opening one is the only thing
//! that each kind does in its own way: it checks the whole chain, and gives an [`Opened`].

use std::collections::BTreeSet;
use std::time::{Instant, SystemTime};

use super::chain::Chain;
use super::error::Error;
use super::snapshot::Snapshot;
use super::verify::Verified;
use crate::domain::model::{DeviceId, Digest, SerialNumber, Status, Timestamp};
use crate::domain::state::State;
use crate::domain::state::event::{Entry, LogRepaired};
use crate::domain::wipe::target::{LogHead, LoggedHead};

/// Which place a process has written to, as its kind of store tells places apart: device and inode
/// of the data directory, say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StorePlace(pub(super) [u64; 2]);

/// What a process knows of the ledger that it has written: enough to tell it from any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub(super) place: StorePlace,
    /// `None` as long as nothing is durable.
    pub(super) lineage: Option<uuid::Uuid>,
    /// How far it is durable.
    pub(super) durable: Chain,
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
pub(crate) struct Terms<'a> {
    pub(crate) expected: Expected,
    /// Asked whether something outside of the ledger contradicts it, before anything is written.
    pub(crate) witness: &'a dyn Fn(&State) -> Result<(), String>,
    /// Whether what an earlier writer verified need not be read again where nobody touched it.
    pub(crate) cache: bool,
}

/// A ledger that was opened for writing: the whole chain was checked, now or by an earlier writer.
pub(crate) struct Opened {
    /// Held until it is dropped.
    pub(crate) store: Box<dyn Store>,
    /// What all entries give, with the telemetry of the last snapshot.
    pub(crate) state: State,
    /// The entry at which the last snapshot was made; 0 if there is none.
    pub(crate) saved: u64,
    /// What was cut from the end, to be logged.
    pub(crate) repaired: Option<LogRepaired>,
}

/// A line, and the device that it is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) device: Option<DeviceId>,
    /// In bytes, with its newline.
    pub(crate) length: u32,
}

/// Whole lines that continue the chain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines<'a> {
    pub(crate) text: &'a [u8],
    /// Those of the text, in their order.
    pub(crate) each: &'a [Line],
    pub(crate) seq: u64,
    /// Hash of the last one.
    pub(crate) head: Digest,
}

/// What else goes on while a snapshot is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Whoever wants it waits for it.
    AtOnce,
    /// Passes, which are to have their share of the processor.
    Beside,
}

/// Writes a snapshot. If that fails, the old one is still there.
pub(crate) type Writing = Box<dyn FnOnce() -> Result<(), Error> + Send>;

/// A ledger, held for its one writer.
///
/// After an error of [`Store::append`] or [`Store::sync`] nobody knows what is kept: the store is
/// poisoned, and refuses all but being dropped.
pub(crate) trait Store: Send + Sync {
    /// Whether nothing can be written any more.
    ///
    /// # Errors
    /// [`Error::Poisoned`] if so.
    fn check(&self) -> Result<(), Error>;

    /// From now on nothing can be written any more.
    fn poison(&mut self);

    /// That the ledger is still the one that was opened, and ends with what was appended last.
    ///
    /// # Errors
    /// [`Error::Replaced`] or [`Error::LockRemoved`] if not; those of the store.
    fn prove(&mut self) -> Result<(), Error>;

    /// Appends lines, all at once; not durable before [`Store::sync`].
    ///
    /// # Errors
    /// If that fails; the store is then poisoned.
    fn append(&mut self, lines: Lines<'_>) -> Result<(), Error>;

    /// Makes all that was appended durable.
    ///
    /// # Errors
    /// If that fails; the store is then poisoned.
    fn sync(&mut self) -> Result<(), Error>;

    /// What replaces the snapshot by this state, of the last entry: at once, or beside whatever is
    /// appended meanwhile. There is never more than one at a time.
    fn snapshot(&mut self, state: &State, pace: Pace) -> Writing;

    /// Readers see all that is durable from now on. Keeps `now` as the highest time seen, where
    /// there is one.
    ///
    /// # Errors
    /// If that fails; it may be tried again.
    fn publish(&mut self, now: Option<Timestamp>) -> Result<(), Error>;

    /// That the log, read from its beginning, gives what is recorded, but for telemetry: asked before
    /// what cannot be taken back. A store that read all of it when it was opened knows.
    ///
    /// # Errors
    /// If it gives something else, or cannot be read.
    fn prove_whole(&mut self, recorded: &State) -> Result<(), Error>;

    /// Keeps what is verified for the next writer, for whom nothing of it need be read again, and what
    /// readers find devices by; `state` is what is recorded, unless a snapshot is being written, which does
    /// the latter.
    ///
    /// # Errors
    /// If it cannot be written; that costs time alone.
    fn rest(&mut self, state: Option<&State>) -> Result<(), Error>;

    /// The highest time that is kept.
    fn kept_time(&self) -> Option<Timestamp>;

    /// Where it is kept.
    fn place(&self) -> StorePlace;

    /// How far it is durable.
    fn durable(&self) -> Chain;

    /// From now on appends go to this file, whatever it is.
    #[cfg(test)]
    fn break_file(&mut self, _file: std::fs::File) {
        panic!("this store has no file");
    }
}

/// One entry, and its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// The line, without its newline.
    pub raw: Vec<u8>,
    pub entry: Entry,
    /// The hash of the line before it, as it says; not checked here.
    pub(crate) prev: Digest,
}

/// Entries one by one, for people: the chain is not checked. `None` means that there are no more
/// now; later there may be. While a writer is at work, they end with the last whole pass.
pub(crate) type Entries = Box<dyn Iterator<Item = Result<Logged, Error>> + Send>;

/// A name in the snapshot, for completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownName<'a> {
    /// A recorded device.
    Device {
        /// As `D001`.
        id: &'a str,
        name: &'a str,
        serial: &'a str,
    },
    /// A recorded profile.
    Profile(&'a str),
}

/// Names for completion that somebody wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning<'a> {
    /// What they begin with, in any case.
    pub(crate) word: &'a str,
    /// If there are more, none of them is of any use.
    pub(crate) most: usize,
}

/// What a device can be found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key<'a> {
    /// Whatever the case, as are names, users and profiles.
    Serial(&'a str),
    Name(&'a str),
    User(&'a str),
    Profile(&'a str),
    Status(Status),
    /// A key and its value.
    Label(&'a str, &'a str),
}

/// Which devices somebody wants to see.
#[derive(Debug, Clone)]
pub enum Wanted<'a> {
    /// Those that a word may mean; where it means none, those with similar names, or all.
    Word(&'a str),
    /// Those that have all of this; there is something.
    Having(Vec<Key<'a>>),
    /// Those that have one of these serial numbers.
    Serials(&'a [SerialNumber]),
}

/// A ledger, looked at: takes no lock, writes nothing, and bears with a writer at work.
pub trait Reader: Send + Sync {
    /// Whether there is a ledger, or what is left of one.
    ///
    /// # Errors
    /// If that cannot be seen.
    fn exists(&self) -> Result<bool, Error>;

    /// The state: the snapshot, completed from the entries after it; an empty one where there is no
    /// ledger.
    ///
    /// # Errors
    /// If it cannot be read, or something is wrong with it.
    fn state(&self) -> Result<State, Error>;

    /// As [`Reader::state`], but of the devices perhaps only some: those that are wanted as they are
    /// now, and others. Some device is there if there is any. What acts needs all of them.
    ///
    /// # Errors
    /// As [`Reader::state`].
    fn state_of(&self, _wanted: &Wanted<'_>) -> Result<State, Error> {
        self.state()
    }

    /// As [`Reader::state`], but nothing is taken from the snapshot that the log does not prove,
    /// except for telemetry: for what somebody is about to sign. Reads every entry.
    ///
    /// # Errors
    /// As [`Reader::state`], and if the log gives something else than the snapshot.
    fn proven(&self) -> Result<State, Error>;

    /// What the log alone gives: all but telemetry.
    ///
    /// # Errors
    /// If the log cannot be read or is not as it was written.
    fn replay(&self) -> Result<Snapshot, Error>;

    /// Everything that is wrong; an absent ledger is well.
    ///
    /// # Errors
    /// Only if it cannot be read.
    fn verify(&self) -> Result<Verified, Error>;

    /// The entries from this number on, or from one not far before it: found without reading what
    /// goes before. There need not be any yet.
    fn entries_from(&self, seq: u64) -> Entries;

    /// The entries about this device, from the first one on.
    fn entries_of(&self, device: DeviceId) -> Entries {
        self.scan_for(device)
    }

    /// As [`Reader::entries_of`]: looks at every entry.
    fn scan_for(&self, device: DeviceId) -> Entries {
        let of = move |logged: &Result<Logged, Error>| {
            logged.as_ref().map_or(true, |logged| logged.entry.device == Some(device))
        };
        Box::new(self.entries_from(1).filter(of))
    }

    /// The entries of these numbers, as far as there are such; what cannot be read is not among
    /// them. Each costs little, whatever the length of the log.
    fn heads(&self, seqs: &BTreeSet<u64>) -> Vec<LoggedHead> {
        let look_up = |seq: &u64| {
            let found = self.entries_from(*seq).find_map(|logged| match logged {
                Ok(logged) if logged.entry.seq < *seq => None,
                Ok(logged) => Some((logged.entry.seq == *seq).then_some(logged)),
                Err(_) => Some(None),
            })??;
            let head = LogHead { seq: *seq, hash: Digest::of(&found.raw) };
            Some(LoggedHead { head, at: found.entry.at })
        };
        seqs.iter().filter_map(look_up).collect()
    }

    /// The highest time that writers of this ledger have seen; none where no writer kept one. One
    /// that cannot be read counts as a time that never comes.
    fn highest_time(&self) -> Option<Timestamp>;

    /// What changes whenever a reader might see something else: of the files, say, their times and
    /// lengths. `None` where that cannot be told, or there is no ledger.
    fn version(&self) -> Option<Digest>;

    /// Who is writing, such as "process 123"; `None` if nobody is, or nobody can tell.
    fn writer(&self) -> Option<String>;

    /// When the snapshot was made; `None` if there is none.
    fn snapshot_at(&self) -> Option<SystemTime>;

    /// Shows profiles and devices of the snapshot to `visit`, quickly: those that are wanted, if they are not
    /// too many, and perhaps others. `None` if there is no snapshot that can be read, or it is not at its
    /// end before the deadline: half of the names would be as good as wrong.
    fn names(
        &self,
        wanted: Beginning<'_>,
        deadline: Instant,
        visit: &mut dyn FnMut(KnownName<'_>),
    ) -> Option<()>;
}
