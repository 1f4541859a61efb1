//! The same promises over every store: the shipped one, and one in memory that keeps nothing in
//! files. What passes here knows of no file.

mod memory;

use std::sync::atomic::{AtomicI64, Ordering};

use self::memory::Memory;
use super::store::{Reader, Terms};
use super::{Draft, Error, Expected, Known, Ledger, file};
use crate::domain::model::{Digest, Facts, Timestamp};
use crate::domain::state::event::{Event, FreezeCause, PassFrozen, PassThawed};

/// Where a ledger can be, closed and opened again.
trait Place {
    fn open(&self, expected: Expected) -> Result<Ledger, Error>;
    fn reader(&self) -> std::sync::Arc<dyn Reader>;
}

impl Place for tempfile::TempDir {
    fn open(&self, expected: Expected) -> Result<Ledger, Error> {
        let terms = Terms { expected, witness: &|_| Ok(()), cache: true };
        file::open_as(self.path(), &terms, "tester".into(), clock())
    }

    fn reader(&self) -> std::sync::Arc<dyn Reader> {
        super::file::reader(self.path())
    }
}

impl Place for Memory {
    fn open(&self, expected: Expected) -> Result<Ledger, Error> {
        Ledger::begin(self.hold(expected)?, "tester".into(), clock())
    }

    fn reader(&self) -> std::sync::Arc<dyn Reader> {
        std::sync::Arc::new(self.clone())
    }
}

fn places() -> Vec<(&'static str, Box<dyn Place>)> {
    vec![("files", Box::new(tempfile::tempdir().unwrap())), ("memory", Box::new(Memory::default()))]
}

/// A clock that moves on by a second at every look.
fn clock() -> impl Fn() -> Timestamp + Send + Sync + 'static {
    let millis = AtomicI64::new(1_763_800_000_000);
    move || Timestamp::from_millis(millis.fetch_add(1000, Ordering::Relaxed))
}

fn frozen(removed: u64) -> Draft {
    Event::PassFrozen(PassFrozen { cause: FreezeCause::Shrunken, removed, of: 9 }).into()
}

fn thawed() -> Draft {
    Event::PassThawed(PassThawed { accepted_removals: Some(2) }).into()
}

fn seqs(reader: &dyn Reader, from: u64) -> Vec<u64> {
    let seqs = reader.entries_from(from).map(|logged| logged.unwrap().entry.seq);
    seqs.filter(|seq| *seq >= from).collect()
}

#[test]
fn a_ledger_is_begun_read_and_gone_on_with() {
    for (what, place) in places() {
        assert!(!place.reader().exists().unwrap(), "{what}");
        assert!(matches!(place.open(Expected::Existing), Err(Error::Absent { .. })), "{what}");
        let mut ledger = place.open(Expected::New).unwrap();
        ledger.append(vec![frozen(1), thawed()]).unwrap();
        ledger.end_pass().unwrap();
        let state = ledger.state().clone();
        assert_eq!((state.seq, ledger.next_seq()), (3, 4), "{what}");
        assert_eq!(place.reader().state().unwrap(), state, "{what}");
        assert_eq!(place.reader().replay().unwrap().state, state, "{what}");
        drop(ledger);
        assert!(matches!(place.open(Expected::New), Err(Error::Present { .. })), "{what}");
        let ledger = place.open(Expected::Existing).unwrap();
        assert_eq!(ledger.state(), &state, "{what}");
        assert_eq!(place.reader().verify().unwrap().problems, [], "{what}");
    }
}

#[test]
fn what_was_synced_outlives_the_process() {
    for (what, place) in places() {
        let mut ledger = place.open(Expected::Any).unwrap();
        ledger.append(vec![frozen(1)]).unwrap();
        ledger.sync().unwrap();
        let (durable, known) = (ledger.state().clone(), ledger.known());
        ledger.append(vec![thawed()]).unwrap();
        // The process dies: what was not synced may be lost, or not.
        drop(ledger);
        let again = place.open(Expected::Same(known)).unwrap();
        assert!((2..=3).contains(&again.state().seq), "{what}");
        assert_eq!(again.state().lineage, durable.lineage, "{what}");
        if again.state().seq == 2 {
            assert_eq!(again.state(), &durable, "{what}");
        }
    }
}

#[test]
fn a_snapshot_keeps_what_no_entry_holds() {
    for (what, place) in places() {
        let mut ledger = place.open(Expected::Any).unwrap();
        ledger.append(vec![frozen(1)]).unwrap();
        assert!(place.reader().snapshot_at().is_none(), "{what}");
        ledger.snapshot().unwrap();
        assert!(place.reader().snapshot_at().is_some(), "{what}");
        ledger.append(vec![thawed()]).unwrap();
        ledger.end_pass().unwrap();
        let state = ledger.state().clone();
        drop(ledger);
        assert_eq!(place.reader().proven().unwrap(), state, "{what}");
        assert_eq!(place.open(Expected::Existing).unwrap().state(), &state, "{what}");
    }
}

#[test]
fn there_is_one_writer_and_it_proves_that_it_is_the_one() {
    for (what, place) in places() {
        let mut ledger = place.open(Expected::Any).unwrap();
        assert!(ledger.prove().is_ok(), "{what}");
        assert!(matches!(place.open(Expected::Any), Err(Error::Locked { .. })), "{what}");
        ledger.append(vec![frozen(1)]).unwrap();
        assert!(ledger.prove().is_ok(), "{what}");
        ledger.end_pass().unwrap();
        let known: Known = ledger.known();
        drop(ledger);
        assert!(place.open(Expected::Same(known)).is_ok(), "{what}");
    }
    // Another place is not the one that a process knows.
    for ((what, one), (_, other)) in places().into_iter().zip(places()) {
        let mut ledger = one.open(Expected::Any).unwrap();
        ledger.append(vec![frozen(1)]).unwrap();
        ledger.end_pass().unwrap();
        let mut foreign = other.open(Expected::Any).unwrap();
        foreign.append(vec![frozen(2), thawed()]).unwrap();
        foreign.end_pass().unwrap();
        drop(foreign);
        assert!(other.open(Expected::Same(ledger.known())).is_err(), "{what}");
    }
}

#[test]
fn entries_are_found_by_their_number() {
    for (what, place) in places() {
        assert_eq!(seqs(&*place.reader(), 1), [0; 0], "{what}");
        let mut ledger = place.open(Expected::Any).unwrap();
        for n in 0..5 {
            ledger.append(vec![frozen(n), thawed()]).unwrap();
        }
        ledger.end_pass().unwrap();
        let reader = place.reader();
        assert_eq!(seqs(&*reader, 1), (1..=11).collect::<Vec<_>>(), "{what}");
        assert_eq!(seqs(&*reader, 9), [9, 10, 11], "{what}");
        assert_eq!(seqs(&*reader, 12), [0; 0], "{what}");
        let heads = reader.heads(&[3, 11, 99].into());
        assert_eq!(heads.iter().map(|h| h.head.seq).collect::<Vec<_>>(), [3, 11], "{what}");
        assert_eq!(heads[1].head.hash, ledger.state().head.0, "{what}");
        // Whoever follows goes on where the entries ended.
        let mut following = reader.entries_from(11);
        assert!(following.by_ref().all(|logged| logged.is_ok()), "{what}");
        ledger.append(vec![frozen(7)]).unwrap();
        ledger.end_pass().unwrap();
        assert_eq!(following.next().unwrap().unwrap().entry.seq, 12, "{what}");
    }
}

#[test]
fn after_an_entry_that_cannot_follow_nothing_is_written() {
    for (what, place) in places() {
        let mut ledger = place.open(Expected::Any).unwrap();
        ledger.append(vec![frozen(1)]).unwrap();
        ledger.end_pass().unwrap();
        let event = Event::parse("device.orphaned", "{}").unwrap();
        let draft = Draft { device: Some("D007".parse().unwrap()), source: None, event };
        assert!(matches!(ledger.append(vec![draft]), Err(Error::Refused(_))), "{what}");
        assert!(matches!(ledger.append(vec![thawed()]), Err(Error::Poisoned { .. })), "{what}");
        assert!(matches!(ledger.sync(), Err(Error::Poisoned { .. })), "{what}");
        drop(ledger);
        assert_eq!(place.open(Expected::Existing).unwrap().state().seq, 2, "{what}");
    }
}

#[test]
fn the_highest_time_is_kept() {
    for (what, place) in places() {
        assert_eq!(place.reader().highest_time(), None, "{what}");
        let mut ledger = place.open(Expected::Any).unwrap();
        ledger.append(vec![frozen(1)]).unwrap();
        ledger.end_pass().unwrap();
        let first = place.reader().highest_time().expect(what);
        ledger.observe("D001".parse().unwrap(), first, &Facts::default());
        ledger.snapshot().unwrap();
        assert!(place.reader().highest_time() > Some(first), "{what}");
    }
    assert_eq!(Digest::ZERO, super::chain::Chain::START.head);
}
