use std::cell::{Cell, RefCell};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::domain::fleet::Desired;
use crate::domain::model::Timestamp;
use crate::edges::fs::cache::DIRECTORY;
use crate::edges::fs::kept::{Kept, forged};
use crate::edges::source::{Loaded, load, load_indexed, touched, unchanged};

const PROFILE: &str =
    "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: P}\nspec: {platforms: [windows]}\n";

/// All serial numbers are equally long, so that files can change without growing.
fn device(n: u32, enrollment: u32) -> String {
    format!(
        "apiVersion: fleetform/v1\nkind: Device\nmetadata:\n  name: d{n}\n  labels:\n    site: \"{}\"\nspec:\n  \
         serialNumber: S{n:03}\n  userEmail: u@example.com\n  profile: P\n  osVersion: \"10\"\n  \
         enrollment: {}\n",
        n % 3,
        enrollment % 10
    )
}

struct Place {
    dir: tempfile::TempDir,
    cache: Cache,
    /// What the index on the disk says.
    kept: RefCell<Option<Desired>>,
    /// How often a few files told everything.
    few: Cell<usize>,
}

impl Place {
    fn new(devices: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::of(&dir.path().join("data"));
        fs::create_dir_all(dir.path().join("data").join(DIRECTORY)).unwrap();
        let place = Self { dir, cache, kept: RefCell::default(), few: Cell::new(0) };
        place.put("profile.yaml", PROFILE);
        for n in 0..devices {
            place.put(&format!("d{}/{n}.yaml", n % 4), device(n, 1));
        }
        place
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("fleet")
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("data").join(DIRECTORY).join("fleet")
    }

    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// As somebody who only reads.
    fn look(&self) -> Loaded {
        load_indexed(&self.root(), &self.cache, None, None)
    }

    /// As whoever holds the ledger; the number of files that were opened.
    fn keep(&self) -> usize {
        let loaded = load_indexed(&self.root(), &self.cache, Some(Timestamp::from_millis(0)), None);
        let opened = loaded.opened;
        let (desired, digest) = loaded.keep(&self.cache);
        assert_eq!(desired, load(&self.root()));
        assert!(digest.is_some());
        *self.kept.borrow_mut() = Some(desired);
        opened
    }

    /// Until the clock of the file system has moved on: then all that was written counts.
    fn settle(&self) {
        let tick = self.dir.path().join("tick");
        let newest = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        fs::write(&tick, "").unwrap();
        let before = newest(&tick);
        while newest(&tick) == before {
            fs::write(&tick, "").unwrap();
        }
        self.keep();
    }

    /// With an index that equals what everybody reads without one; how many files were opened.
    fn agrees(&self, what: &str) -> usize {
        let Loaded { desired, opened, .. } = self.look();
        assert_eq!(desired, load(&self.root()), "{what}");
        // Where nothing is said to have changed, nothing did.
        if unchanged(&self.root(), &self.cache, &[]).is_some() {
            assert_eq!(*self.kept.borrow(), Some(desired.clone()), "{what}");
        }
        if let Some(with_few) = self.with_few() {
            assert_eq!(with_few, desired, "{what}, a few");
        }
        opened
    }

    /// What the index says, with what the few files hold by now that were touched since; `None` where
    /// that does not tell everything.
    fn with_few(&self) -> Option<Desired> {
        let few = touched(&self.root(), &self.cache, 64).filter(|few| !few.is_empty())?;
        // A few files say nothing of what others are in conflict with.
        let mut all = self.kept.borrow().clone().filter(|kept| kept.findings.is_empty())?;
        let mut live = few.before()?;
        let serials = few.reread(&mut live)?;
        for serial in &serials {
            let now = live.desired().by_serial(serial).expect("it was read");
            let at = all.devices.iter().position(|device| device.spec.serial_number == *serial);
            all.devices[at.expect("it was known")] = now.clone();
        }
        self.few.set(self.few.get() + 1);
        Some(all)
    }
}

#[test]
fn what_nobody_touched_is_neither_opened_nor_parsed() {
    let place = Place::new(40);
    assert_eq!(place.look().opened, 41, "there is no index yet");
    place.settle();
    // A profile is always read: it is for many, and there are few.
    assert_eq!((place.agrees("all"), place.look().reused), (1, 40));
    assert!(unchanged(&place.root(), &place.cache, &[]).is_some());
    place.put("d1/1.yaml", device(1, 2));
    assert_eq!(place.agrees("one was edited"), 2);
    assert_eq!(place.few.get(), 1, "that one, and the profile, tell everything");
    assert_eq!(unchanged(&place.root(), &place.cache, &[]), None);
    // Who only reads changes nothing.
    assert_eq!(place.agrees("again"), 2);
    place.settle();
    assert_eq!(place.agrees("kept"), 1);
    let written = fs::metadata(place.file()).unwrap().modified().unwrap();
    assert_eq!(place.keep(), 1);
    assert_eq!(fs::metadata(place.file()).unwrap().modified().unwrap(), written, "nothing is new");
    fs::remove_file(place.root().join("d1/1.yaml")).unwrap();
    assert_eq!(place.agrees("one is gone"), 1);
    assert_eq!(unchanged(&place.root(), &place.cache, &[]), None);
    place.settle();
    place.put("d1/new.yaml", device(41, 1));
    assert_eq!(unchanged(&place.root(), &place.cache, &[]), None, "one is new");
    let none = load_indexed(&place.root(), &Cache::none(), None, None);
    assert_eq!((none.opened, none.reused), (41, 0));
}

#[test]
fn a_fresh_checkout_costs_reading_and_no_parsing_and_is_then_known() {
    let place = Place::new(20);
    place.settle();
    // As git-sync has it: another directory with the same files, and a link that is swapped.
    let (old, new) = (place.dir.path().join("old"), place.dir.path().join("new"));
    fs::rename(place.root(), &old).unwrap();
    symlink(&old, place.root()).unwrap();
    assert_eq!(place.agrees("the same directory by another name"), 1);
    for n in 0..20 {
        let path = format!("d{}/{n}.yaml", n % 4);
        fs::create_dir_all(new.join(&path).parent().unwrap()).unwrap();
        fs::copy(old.join(&path), new.join(&path)).unwrap();
    }
    fs::copy(old.join("profile.yaml"), new.join("profile.yaml")).unwrap();
    fs::remove_file(place.root()).unwrap();
    symlink(&new, place.root()).unwrap();
    assert_eq!(place.agrees("another directory"), 21);
    assert!(place.look().rests_on_index(), "whatever is large is read without it");
    place.settle();
    assert_eq!(place.agrees("known by now"), 1);
}

#[test]
fn what_is_not_older_than_the_look_that_read_it_is_read_again() {
    let place = Place::new(12);
    // Where no file can tell its time, that of the machine must do: here it is long ago.
    let data = place.dir.path().join("new");
    let cache = Cache::of(&data);
    for _ in 0..2 {
        let loaded = load_indexed(&place.root(), &cache, Some(Timestamp::from_millis(0)), None);
        assert_eq!((loaded.opened, loaded.reused), (13, 0));
        // Whoever opens a ledger makes it, and nobody else.
        fs::create_dir_all(&data).unwrap();
        assert_eq!(loaded.keep(&cache).0, load(&place.root()));
    }
    assert!(cache.read(&place.root()).is_some(), "it is there, and each of its files is in doubt");
}

#[test]
fn an_index_that_was_cut_flipped_aged_or_swapped_changes_no_answer() {
    let place = Place::new(12);
    place.settle();
    let whole = fs::read(place.file()).unwrap();
    let expected = load(&place.root());
    let answers = |bytes: &[u8], what: &str| {
        fs::write(place.file(), bytes).unwrap();
        let Loaded { desired, reused, .. } = place.look();
        assert_eq!(desired, expected, "{what}");
        reused
    };
    assert_eq!(answers(&whole, "whole"), 12);
    for length in (0..whole.len()).step_by(61) {
        assert_eq!(answers(&whole[..length], "cut"), 0, "{length}");
    }
    assert_eq!(answers(&[&whole[..], b"x"].concat(), "longer"), 0);
    for at in (0..whole.len()).step_by(37) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        assert_eq!(answers(&flipped, "flipped"), 0, "{at}");
    }
    // Of another fleet, and of this one as it was.
    let other = Place::new(12);
    other.put("d1/1.yaml", device(1, 7));
    other.settle();
    assert_eq!(answers(&fs::read(other.file()).unwrap(), "swapped"), 0);
    place.put("d1/1.yaml", device(1, 2));
    fs::write(place.file(), &whole).unwrap();
    assert_eq!(place.agrees("aged"), 2);
    // What is no file is none.
    fs::remove_file(place.file()).unwrap();
    symlink("/etc/passwd", place.file()).unwrap();
    assert_eq!(place.agrees("a link"), 13);
}

#[test]
fn an_index_that_lies_in_a_valid_file_gives_damage_at_most_and_never_a_panic() {
    let place = Place::new(6);
    place.settle();
    let whole = fs::read(place.file()).unwrap();
    let length = Kept::open(&place.file()).unwrap().head().len();
    for at in (0..length).step_by(13) {
        fs::write(place.file(), &whole).unwrap();
        let changed = forged(&place.file(), |head| head[at] = head[at].wrapping_add(0x41));
        fs::write(place.file(), &changed).unwrap();
        let _ = place.look();
        let _ = touched(&place.root(), &place.cache, 64).map(|few| few.before());
    }
}

/// Every kind of edit that has fooled a cache somewhere.
#[derive(Debug, Clone)]
enum Edit {
    /// As long as before, at once.
    Rewrite(u32, u32),
    /// With the time that it had.
    RewriteAndTouch(u32, u32),
    Swap(u32, u32),
    Chmod(u32),
    DeleteAndCreate(u32, u32),
    Remove(u32),
    RenameDirectory(u32, u32),
    SwapRoot,
    Break(u32),
    Copy(u32, u32),
    /// Whoever holds the ledger looks.
    Keep,
    Settle,
}

fn edit() -> impl Strategy<Value = Edit> {
    let n = || 0..24_u32;
    prop_oneof![
        6 => (0..16_u32, n()).prop_map(|(a, b)| Edit::Rewrite(a, b)),
        2 => (n(), n()).prop_map(|(a, b)| Edit::RewriteAndTouch(a, b)),
        1 => (n(), n()).prop_map(|(a, b)| Edit::Swap(a, b)),
        2 => n().prop_map(Edit::Chmod),
        2 => (n(), n()).prop_map(|(a, b)| Edit::DeleteAndCreate(a, b)),
        1 => n().prop_map(Edit::Remove),
        1 => (0..4_u32, 0..4_u32).prop_map(|(a, b)| Edit::RenameDirectory(a, b)),
        1 => Just(Edit::SwapRoot),
        1 => n().prop_map(Edit::Break),
        1 => (n(), n()).prop_map(|(a, b)| Edit::Copy(a, b)),
        1 => Just(Edit::Keep),
        3 => Just(Edit::Settle),
    ]
}

fn copy_with_times(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy_with_times(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
            let times = fs::metadata(&from).unwrap().modified().unwrap();
            fs::File::open(&to).unwrap().set_modified(times).unwrap();
        }
    }
}

fn make(place: &Place, edit: &Edit) {
    let path = |n: u32| place.root().join(format!("d{}/{n}.yaml", n % 4));
    let there = |n: u32| path(n).exists();
    match *edit {
        Edit::Rewrite(n, to) => place.put(&format!("d{}/{n}.yaml", n % 4), device(n, to)),
        Edit::RewriteAndTouch(n, to) if there(n) => {
            let before = fs::metadata(path(n)).unwrap().modified().unwrap();
            fs::write(path(n), device(n, to)).unwrap();
            fs::File::open(path(n)).unwrap().set_modified(before).unwrap();
        }
        Edit::Swap(a, b) if there(a) && there(b) && a != b => {
            let aside = place.root().join("aside");
            fs::rename(path(a), &aside).unwrap();
            fs::rename(path(b), path(a)).unwrap();
            fs::rename(&aside, path(b)).unwrap();
        }
        Edit::Chmod(n) if there(n) => {
            fs::set_permissions(path(n), fs::Permissions::from_mode(0o600)).unwrap();
        }
        Edit::DeleteAndCreate(n, to) => {
            let _ = fs::remove_file(path(n));
            place.put(&format!("d{}/{n}.yaml", n % 4), device(n, to));
            // As far in the past as anybody likes.
            let old = SystemTime::now() - Duration::from_secs(100_000);
            fs::File::open(path(n)).unwrap().set_modified(old).unwrap();
        }
        Edit::Remove(n) => {
            let _ = fs::remove_file(path(n));
        }
        Edit::RenameDirectory(a, b) => {
            let of = |n: u32| place.root().join(format!("d{n}"));
            let aside = place.root().join("aside");
            if a != b && of(a).exists() && of(b).exists() {
                fs::rename(of(a), &aside).unwrap();
                fs::rename(of(b), of(a)).unwrap();
                fs::rename(&aside, of(b)).unwrap();
            }
        }
        Edit::SwapRoot => {
            let aside = place.dir.path().join("aside");
            let _ = fs::remove_dir_all(&aside);
            fs::rename(place.root(), &aside).unwrap();
            // As `cp -a` has it: the same names, bytes and times.
            copy_with_times(&aside, &place.root());
        }
        Edit::Break(n) => place.put(&format!("d{}/{n}.yaml", n % 4), "]["),
        Edit::Copy(a, b) if there(a) && a != b => {
            fs::create_dir_all(path(b).parent().unwrap()).unwrap();
            fs::copy(path(a), path(b)).map(drop).unwrap();
        }
        Edit::Keep => {
            place.keep();
        }
        Edit::Settle => place.settle(),
        Edit::RewriteAndTouch(..) | Edit::Swap(..) | Edit::Chmod(_) | Edit::Copy(..) => {}
    }
}

#[test]
fn whatever_is_done_to_files_a_look_with_an_index_finds_what_one_without_finds() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    let edits = proptest::collection::vec(edit(), 1..25);
    let few = Cell::new(0);
    TestRunner::new_with_rng(config, rng)
        .run(&edits, |edits| {
            let place = Place::new(16);
            place.settle();
            for (n, edit) in edits.iter().enumerate() {
                make(&place, edit);
                place.agrees(&format!("after {n}: {edit:?}"));
            }
            // However it got there, it can be known.
            place.settle();
            let Loaded { desired, opened, .. } = place.look();
            let odd = desired.unusable.len() + 1;
            prop_assert!(opened <= odd, "{opened} of {} were opened", desired.devices.len());
            few.set(few.get() + place.few.get());
            Ok(())
        })
        .unwrap();
    assert!(few.get() > 3, "a few files told everything {} times", few.get());
}
