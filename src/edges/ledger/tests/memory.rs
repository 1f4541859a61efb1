//! A ledger in memory, as a database might keep one: entries by number, and a snapshot.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Instant, SystemTime};

use crate::domain::model::{Digest, Timestamp};
use crate::domain::state::State;
use crate::edges::ledger::chain::{Chain, Line, inspect};
use crate::edges::ledger::error::Error;
use crate::edges::ledger::intern::Interner;
use crate::edges::ledger::line;
use crate::edges::ledger::snapshot::Snapshot;
use crate::edges::ledger::store::{
    Beginning, Entries, Expected, KnownName, Lines, Logged, Opened, Pace, Reader, Store,
    StorePlace, Writing,
};
use crate::edges::ledger::verify::{Checker, Verified};

/// What every handle to it shares.
#[derive(Default)]
struct Kept {
    /// Durable lines, without newlines.
    lines: Vec<Vec<u8>>,
    /// Lines that a crash loses.
    unsynced: Vec<Vec<u8>>,
    snapshot: Option<(Snapshot, SystemTime)>,
    time: Option<Timestamp>,
    held: bool,
}

#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Kept>>);

fn path() -> PathBuf {
    "memory".into()
}

impl Memory {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }

    fn place(&self) -> StorePlace {
        StorePlace([0, Arc::as_ptr(&self.0) as u64])
    }

    /// The chain and the state of the durable lines.
    fn followed(&self) -> Result<(Chain, State), Error> {
        let (mut chain, mut state) = (Chain::START, State::default());
        for bytes in &self.kept().lines {
            let end = chain.end + bytes.len() as u64 + 1;
            let seen =
                inspect(Line { offset: chain.end, bytes, end }, true, &mut Interner::default());
            let entry = chain.follow(&seen).map_err(|e| Error::of_line(path(), e))?;
            state.fold(entry.unwrap(), chain.head).map_err(Error::Refused)?;
        }
        Ok((chain, state))
    }

    /// Opens it for the one writer.
    pub(super) fn hold(&self, expected: Expected) -> Result<Opened, Error> {
        if std::mem::replace(&mut self.kept().held, true) {
            return Err(Error::Locked { path: path(), holder: "another writer".into() });
        }
        let opened = self.checked(expected);
        self.kept().held = opened.is_ok();
        let (chain, state) = opened?;
        let saved = self.kept().snapshot.as_ref().map_or(0, |(saved, _)| saved.state.seq);
        let writer = Writer { memory: self.clone(), chain, durable: chain, poisoned: false };
        Ok(Opened { store: Box::new(writer), state, saved, repaired: None })
    }

    fn checked(&self, expected: Expected) -> Result<(Chain, State), Error> {
        match expected {
            Expected::Existing if !self.exists()? => Err(Error::Absent { dir: path() }),
            Expected::New if self.exists()? => Err(Error::Present { dir: path() }),
            Expected::Same(known) if known.place != self.place() => {
                let what = "it is another ledger".into();
                Err(Error::Replaced { path: path(), what, help: "" })
            }
            _ => self.followed(),
        }
    }
}

struct Writer {
    memory: Memory,
    chain: Chain,
    durable: Chain,
    poisoned: bool,
}

impl Drop for Writer {
    fn drop(&mut self) {
        let mut kept = self.memory.kept();
        kept.held = false;
        kept.unsynced.clear();
    }
}

impl Store for Writer {
    fn check(&self) -> Result<(), Error> {
        if self.poisoned { Err(Error::Poisoned { path: path() }) } else { Ok(()) }
    }

    fn poison(&mut self) {
        self.poisoned = true;
    }

    fn prove(&mut self) -> Result<(), Error> {
        let kept = self.memory.kept();
        let last = kept.unsynced.last().or(kept.lines.last());
        assert_eq!(last.map_or(Digest::ZERO, |line| Digest::of(line)), self.chain.head);
        Ok(())
    }

    fn append(&mut self, Lines { text, each: _, seq, head }: Lines<'_>) -> Result<(), Error> {
        self.check()?;
        let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        self.memory.kept().unsynced.extend(lines.map(<[u8]>::to_vec));
        self.chain = Chain { seq, head, end: self.chain.end + text.len() as u64 };
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.check()?;
        let mut kept = self.memory.kept();
        let unsynced = std::mem::take(&mut kept.unsynced);
        kept.lines.extend(unsynced);
        self.durable = self.chain;
        Ok(())
    }

    fn snapshot(&mut self, state: &State, _: Pace) -> Writing {
        let snapshot = Snapshot { state: state.clone(), log_bytes: self.chain.end };
        let memory = self.memory.clone();
        Box::new(move || {
            memory.kept().snapshot = Some((snapshot, SystemTime::UNIX_EPOCH));
            Ok(())
        })
    }

    fn prove_whole(&mut self, _: &State) -> Result<(), Error> {
        Ok(())
    }

    fn rest(&mut self, _: Option<&State>) -> Result<(), Error> {
        Ok(())
    }

    fn publish(&mut self, now: Option<Timestamp>) -> Result<(), Error> {
        let mut kept = self.memory.kept();
        kept.time = kept.time.max(now);
        Ok(())
    }

    fn kept_time(&self) -> Option<Timestamp> {
        self.memory.kept().time
    }

    fn place(&self) -> StorePlace {
        self.memory.place()
    }

    fn durable(&self) -> Chain {
        self.durable
    }
}

impl Reader for Memory {
    fn exists(&self) -> Result<bool, Error> {
        Ok(!self.kept().lines.is_empty())
    }

    fn state(&self) -> Result<State, Error> {
        Ok(self.followed()?.1)
    }

    fn proven(&self) -> Result<State, Error> {
        self.state()
    }

    fn replay(&self) -> Result<Snapshot, Error> {
        let (chain, state) = self.followed()?;
        Ok(Snapshot { state, log_bytes: chain.end })
    }

    fn verify(&self) -> Result<Verified, Error> {
        let mut checker = Checker::new("the snapshot");
        let kept = self.kept();
        checker.compare_with(kept.snapshot.as_ref().map(|(snapshot, _)| snapshot.clone()));
        let mut offset = 0;
        for bytes in &kept.lines {
            let end = offset + bytes.len() as u64 + 1;
            checker.next(inspect(Line { offset, bytes, end }, true, &mut Interner::default()));
            offset = end;
        }
        Ok(checker.finish(offset, None::<fn(u64) -> String>))
    }

    fn entries_from(&self, seq: u64) -> Entries {
        let memory = self.clone();
        let mut next = usize::try_from(seq.max(1) - 1).unwrap();
        Box::new(std::iter::from_fn(move || {
            let raw = memory.kept().lines.get(next)?.clone();
            next += 1;
            let (entry, prev) = line::read(&raw).unwrap();
            Some(Ok(Logged { raw, entry, prev }))
        }))
    }

    fn highest_time(&self) -> Option<Timestamp> {
        self.kept().time
    }

    fn version(&self) -> Option<Digest> {
        None
    }

    fn writer(&self) -> Option<String> {
        None
    }

    fn snapshot_at(&self) -> Option<SystemTime> {
        self.kept().snapshot.as_ref().map(|(_, at)| *at)
    }

    fn names(&self, _: Beginning<'_>, _: Instant, _: &mut dyn FnMut(KnownName<'_>)) -> Option<()> {
        None
    }
}
