//! Random pairs of fleets, in which much clashes and much is broken: a difference that reads only
//! what it must is that of reading everything, and what it says is what a plan says, where the
//! ledger holds the base. Where they may differ is asserted, too. Nothing is kept of a failure
//! but the seed and the pair that it prints.

mod agreement;
mod fleets;

use std::cell::Cell;
use std::collections::BTreeSet;

use fleetform::domain::diff::{Difference, FleetDiff, diff};
use fleetform::domain::fleet::Desired;
use fleetform::domain::model::SerialNumber;
use fleetform::edges::source;
use fleetform::edges::source::git::Repository;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use self::fleets::{Fleet, document, edit};
use crate::support::{Fixture, git, number};

/// Each starts a dozen processes; `PAIRS` asks for more, or for fewer.
const CASES: u32 = 24;
const SEED: [u8; 32] = [5; 32];

/// Both sides, read.
struct Pair {
    fixture: Fixture,
    sides: [Fleet; 2],
    base: Desired,
    head: Desired,
}

impl Pair {
    fn new(base: Fleet, head: Fleet) -> Self {
        let fixture = Fixture::empty();
        let root = fixture.path("fleet");
        let sides = [base, head];
        let [base, head] = sides.each_ref().map(|side| {
            side.write(&root);
            source::load(&root)
        });
        Self { fixture, sides, base, head }
    }

    /// Read from revisions of a repository.
    fn revisions(&self) -> FleetDiff {
        let (root, dir) = (self.fixture.path("fleet"), self.fixture.path(""));
        git(&dir, &["init", "-q"]);
        for side in &self.sides {
            side.write(&root);
            git(&dir, &["add", "-A"]);
            git(&dir, &["commit", "-q", "--allow-empty", "-m", "x"]);
        }
        let repository = Repository::open(&root).expect("a repository");
        let [(_, base), (_, head)] = repository.compare("HEAD~", "HEAD").expect("two revisions");
        diff(&base, &head)
    }
}

/// Checks so many pairs, and says how many there were.
fn pairs(cases: u32, check: impl Fn(&Pair)) -> usize {
    let cases = number("PAIRS").map_or(cases, |n| u32::try_from(n).expect("a small number"));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let base = prop::collection::vec(document(), 8..30);
    // One edit at times, and many at others.
    let edits =
        prop_oneof![prop::collection::vec(edit(), 1..3), prop::collection::vec(edit(), 3..9)];
    let ran = TestRunner::new_with_rng(config, rng).run(&(base, edits), |(documents, edits)| {
        let mut base = Fleet::default();
        base.documents = documents;
        let mut head = base.clone();
        edits.into_iter().for_each(|edit| head.take(edit));
        check(&Pair::new(base, head));
        Ok(())
    });
    if let Err(error) = ran {
        panic!("seed {SEED:?}: {error}");
    }
    cases as usize
}

/// Who is told of.
fn told(diff: &FleetDiff) -> BTreeSet<&SerialNumber> {
    diff.devices.iter().map(|d| &d.device.spec.serial_number).collect()
}

#[test]
fn what_is_not_read_makes_no_difference() {
    let excepted = Cell::new(0);
    let differ = Cell::new(0);
    let cases = pairs(CASES, |pair| {
        let (whole, mut revisions) = (diff(&pair.base, &pair.head), pair.revisions());
        // The one exception: a device that is in conflict before and after, with a file that
        // does not differ, is shown as its manifest changes.
        let valid = |fleet: &Desired, serial: &SerialNumber| {
            fleet.devices.iter().any(|d| d.spec.serial_number == *serial)
        };
        let told = told(&whole);
        revisions.devices.retain(|d| {
            let serial = &d.device.spec.serial_number;
            let changed = matches!(d.difference, Difference::Changed | Difference::Moved);
            let conflict = changed && !valid(&pair.base, serial) && !valid(&pair.head, serial);
            excepted.set(excepted.get() + usize::from(conflict));
            assert!(!conflict || !told.contains(serial));
            !conflict
        });
        differ.set(differ.get() + usize::from(whole != FleetDiff::default()));
        assert_eq!(revisions, whole);
    });
    assert!(differ.get() > cases / 2, "most pairs differ");
    assert!(excepted.get() < cases, "{} exceptions", excepted.get());
}
