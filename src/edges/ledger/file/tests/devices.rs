//! The index of the devices: whatever it says, the answers are those of the snapshot and the log.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::super::devices;
use super::super::reader::{reader, reader_of_all};
use super::*;
use crate::domain::lookup;
use crate::edges::ledger::store::{Beginning, Key, KnownName, Wanted};

const FILES: [&str; 2] = ["devices", "history"];

fn cached(dir: &Path, name: &str) -> PathBuf {
    dir.join("cache").join(name)
}

/// Stops a writer, so that there is an index.
fn rest(dir: &Path, ledger: &mut Ledger) {
    ledger.snapshot().unwrap();
    until("there is an index", || {
        ledger.rest();
        devices::entries_of(dir, id(1)).is_some() && is_of_snapshot(dir)
    });
}

/// Whether devices are found by the index.
fn is_of_snapshot(dir: &Path) -> bool {
    devices::state_of(dir, &Wanted::Word("D001")).is_some()
}

/// What is asked of it.
const WORDS: [&str; 11] = [
    "D001",
    "d2",
    "D002",
    "D004",
    "D005",
    "sn000003",
    "SN000004",
    "device-1",
    "DEVICE-3",
    "name=device-2",
    "nobody",
];

const BEGINNINGS: [&str; 10] = [
    "",
    "D",
    "d00",
    "D002",
    "sn0000",
    "SN000003",
    "device-",
    "DEVICE-2",
    "device-2-and-much-more",
    "x",
];

fn keys() -> Vec<Vec<Key<'static>>> {
    vec![
        vec![Key::User("ANA.ruiz@example.com")],
        vec![Key::User("bo@example.com"), Key::Status(Status::Enrolled)],
        vec![Key::Profile("standard")],
        vec![Key::Status(Status::Pending)],
        vec![Key::Label("site", "oslo")],
        vec![Key::Label("site", "nowhere")],
    ]
}

fn has(device: &crate::domain::state::Device, key: &Key<'_>) -> bool {
    let spec = &device.spec;
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    match key {
        Key::Serial(serial) => same(serial, spec.serial_number.as_str()),
        Key::Name(name) => same(name, spec.name.as_str()),
        Key::User(user) => same(user, spec.user_email.as_str()),
        Key::Profile(profile) => same(profile, spec.profile.as_str()),
        Key::Status(status) => *status == device.status,
        Key::Label(key, value) => spec.labels.get(*key).is_some_and(|is| is == value),
    }
}

/// That all answers are those that are given without an index.
fn agrees(dir: &Path, what: &str) {
    let (with, without) = (reader(dir), reader_of_all(dir));
    let whole = without.state().unwrap();
    let around = |state: &State| {
        let mut state = state.clone();
        state.devices = crate::domain::state::Devices::default();
        state.reindexed()
    };
    for word in WORDS {
        let state = with.state_of(&Wanted::Word(word)).unwrap();
        assert_eq!(around(&state), around(&whole), "{what}: {word}");
        assert_eq!(state.devices.is_empty(), whole.devices.is_empty(), "{what}: {word}");
        match (lookup::device(&state, word), lookup::device(&whole, word)) {
            (Ok(a), Ok(b)) => assert_eq!((a.0, a.1), (b.0, b.1), "{what}: {word}"),
            (a, b) => assert_eq!(a.map(|_| ()), b.map(|_| ()), "{what}: {word}"),
        }
    }
    for keys in keys() {
        let found = |state: &State| {
            let all = state.devices.iter();
            let all = all.filter(|(_, device)| keys.iter().all(|key| has(device, key)));
            all.map(|(id, device)| (*id, device.clone())).collect::<Vec<_>>()
        };
        let state = with.state_of(&Wanted::Having(keys.clone())).unwrap();
        assert_eq!(found(&state), found(&whole), "{what}: {keys:?}");
    }
    for word in BEGINNINGS {
        let begins = |text: &str| text.to_lowercase().starts_with(&word.to_lowercase());
        let names = |reader: &dyn crate::edges::ledger::Reader| {
            let (mut found, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(60));
            let wanted = Beginning { word, most: 1000 };
            let whole = reader.names(wanted, deadline, &mut |known| match known {
                KnownName::Device { id, name, serial } => {
                    if [id, name, serial].into_iter().any(begins) {
                        found.push(format!("{id} {name} {serial}"));
                    }
                }
                KnownName::Profile(name) => found.push(name.to_owned()),
            });
            found.sort();
            whole.map(|()| found)
        };
        assert_eq!(names(&*with), names(&*without), "{what}: {word}");
    }
    for number in 1..8 {
        let entries = |reader: &dyn crate::edges::ledger::Reader| {
            reader.entries_of(id(number)).map(Result::unwrap).collect::<Vec<_>>()
        };
        assert_eq!(entries(&*with), entries(&*without), "{what}: {number}");
    }
}

#[test]
fn too_many_names_are_none() {
    let dir = told();
    rest(dir.path(), &mut open(dir.path()).unwrap());
    let found = |word, most| {
        let (mut devices, mut profiles) = (0, 0);
        let deadline = Instant::now() + Duration::from_secs(60);
        devices::names(dir.path(), Beginning { word, most }, deadline, &mut |known| match known {
            KnownName::Device { .. } => devices += 1,
            KnownName::Profile(_) => profiles += 1,
        })
        .map(|()| (devices, profiles))
    };
    assert_eq!(found("device-", 3), Some((3, 1)));
    assert_eq!(found("device-", 2), Some((0, 1)));
    assert_eq!(found("D0", 3), Some((3, 1)));
    assert_eq!(found("D0", 2), Some((0, 1)));
    assert_eq!(found("sn000002", 1), Some((1, 1)));
    assert_eq!(found("nobody", 0), Some((0, 1)));
    let past = Instant::now() - Duration::from_secs(1);
    let late = devices::names(dir.path(), Beginning { word: "D0", most: 9 }, past, &mut |_| {
        panic!("half of them")
    });
    assert_eq!(late, None);
}

#[test]
fn where_a_word_means_no_device_those_of_like_names_are_there_and_not_all() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    ledger.append((4..=400).map(|number| provisioned(number, 30)).collect()).unwrap();
    rest(dir.path(), &mut ledger);
    for (word, like) in [
        ("devcie-100", 100),
        ("device-3999", 399),
        ("device399", 399),
        ("sn00030O", 300),
        ("SN00300", 300),
        ("name=device-2x", 2),
        // Some device is there.
        ("", 400),
        ("something else", 400),
    ] {
        let state = reader(dir.path()).state_of(&Wanted::Word(word)).unwrap();
        assert!(lookup::device(&state, word).is_err(), "{word}");
        assert!(state.devices.get(&id(like)).is_some(), "{word}");
        assert!(state.devices.len() < 50, "{word}: {}", state.devices.len());
    }
}

#[test]
fn it_is_made_at_a_stop_and_says_what_the_log_says() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    rest(dir.path(), &mut ledger);
    assert!(is_of_snapshot(dir.path()));
    agrees(dir.path(), "at rest");
    // What comes after the snapshot is seen too, once a pass ends.
    ledger
        .append(vec![provisioned(4, 30), about(2, status(Status::Pending, Status::Failed))])
        .unwrap();
    agrees(dir.path(), "in a pass");
    ledger.end_pass().unwrap();
    assert!(is_of_snapshot(dir.path()));
    agrees(dir.path(), "after a pass");
    let status = |state: State| state.devices[&id(2)].status;
    assert_eq!(status(reader(dir.path()).state_of(&Wanted::Word("D002")).unwrap()), Status::Failed);
    assert!(devices::entries_of(dir.path(), id(4)).unwrap().count() == 1);
    rest(dir.path(), &mut ledger);
    agrees(dir.path(), "at rest again");
}

#[test]
fn cut_flipped_aged_or_swapped_it_changes_no_answer() {
    let (dir, other) = (told(), told());
    for dir in [dir.path(), other.path()] {
        rest(dir, &mut open(dir).unwrap());
    }
    let aged = FILES.map(|name| fs::read(cached(dir.path(), name)).unwrap());
    {
        let mut ledger = open(dir.path()).unwrap();
        ledger
            .append(vec![provisioned(4, 30), about(1, status(Status::Enrolled, Status::Failed))])
            .unwrap();
        rest(dir.path(), &mut ledger);
    }
    for (name, aged) in FILES.into_iter().zip(aged) {
        let path = cached(dir.path(), name);
        let whole = fs::read(&path).unwrap();
        let cut = [0, 1, 4095, 4096, 4097, whole.len() / 2, whole.len() - 1];
        let cut = cut.map(|length| whole[..length].to_vec());
        // Most of what is used stands at the beginning of a block.
        let used = (0..whole.len()).filter(|at| at % 4096 < 300).step_by(5);
        let flipped = used.chain((0..whole.len()).step_by(97)).map(|at| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            bytes
        });
        let swapped = fs::read(cached(other.path(), name)).unwrap();
        for bytes in cut.into_iter().chain(flipped).chain([swapped, aged]) {
            fs::write(&path, bytes).unwrap();
            agrees(dir.path(), name);
        }
        fs::remove_file(&path).unwrap();
        agrees(dir.path(), name);
        fs::write(&path, whole).unwrap();
        assert!(is_of_snapshot(dir.path()), "as it was");
    }
    // Another snapshot under the index, which may be of another ledger.
    let state = fs::read(dir.path().join(STATE)).unwrap();
    fs::write(dir.path().join(STATE), state).unwrap();
    assert!(!is_of_snapshot(dir.path()));
    agrees(dir.path(), "the snapshot was touched");
    fs::remove_dir_all(dir.path().join("cache")).unwrap();
    agrees(dir.path(), "deleted");
    rest(dir.path(), &mut open(dir.path()).unwrap());
    assert!(is_of_snapshot(dir.path()), "it comes back");
}

/// What a pass may write, as far as it can follow.
fn random(step: u32, ledger: &Ledger, on: &mut u32) -> Draft {
    let next = |below: u32| step % below;
    let number = next(*on) + 1;
    let device = &ledger.state().devices[&id(number)];
    match step / 7 % 5 {
        0 => {
            *on += 1;
            let mut draft = provisioned(*on, 30);
            // Hardware that was wiped comes back as another device.
            if device.is_wiped()
                && ledger.state().by_serial(&device.spec.serial_number).unwrap().0 == id(number)
                && let Event::DeviceProvisioned(new) = &mut draft.event
            {
                let serial = device.spec.serial_number.clone();
                Arc::get_mut(&mut new.spec).unwrap().serial_number = serial;
            }
            draft
        }
        1 | 2 => {
            let to = [Status::Enrolled, Status::Wiped, Status::Failed, Status::Pending];
            about(number, status(device.status, to[next(4) as usize]))
        }
        3 => {
            let user = ["ana.ruiz@example.com", "bo@example.com"][next(2) as usize];
            let name = json!(format!("device-{}", next(5)));
            let changes = vec![
                Change { field: Field::UserEmail, from: json!("x"), to: json!(user) },
                Change { field: Field::Name, from: json!("x"), to: name },
            ];
            let event = Event::DeviceUpdated(DeviceUpdated { changes });
            Draft { source: Some(source("other.yaml")), ..about(number, event) }
        }
        _ => about(number, Event::ProfilePushed(push(30))),
    }
}

#[test]
fn whatever_is_written_and_whenever_answers_are_those_without_it() {
    let seed = [7; 32];
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 12, failure_persistence: None, ..Config::default() },
        TestRng::from_seed(RngAlgorithm::ChaCha, &seed),
    );
    let steps = prop::collection::vec((any::<u32>(), 0..6_u8), 1..30);
    let tale = |steps: Vec<(u32, u8)>| {
        let dir = told();
        let mut devices = 3;
        let mut ledger = open(dir.path()).unwrap();
        for (step, then) in steps {
            let draft = random(step, &ledger, &mut devices);
            ledger.append(vec![draft]).unwrap();
            match then {
                0 => ledger.snapshot().unwrap(),
                1 => rest(dir.path(), &mut ledger),
                2 => {
                    rest(dir.path(), &mut ledger);
                    drop(ledger);
                    ledger = open(dir.path()).unwrap();
                }
                3 => ledger.end_pass().unwrap(),
                _ => {}
            }
            agrees(dir.path(), &format!("{step} {then}"));
        }
        Ok(())
    };
    runner.run(&steps, tale).unwrap();
}

#[test]
fn a_reader_beside_a_writer_is_right_at_any_moment() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    rest(dir.path(), &mut ledger);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let read = || {
            let reader = reader(dir.path());
            let (mut seen, mut last) = (0, 0);
            while !done.load(Ordering::Relaxed) || seen < 500 {
                let state = reader.state_of(&Wanted::Word("D001")).unwrap();
                // Each entry changes it; a reader in the same process sees those of a pass, too.
                assert!(state.seq >= last, "{} after {last}", state.seq);
                let expected = [Status::Enrolled, Status::Failed][(state.seq % 2) as usize];
                assert_eq!(state.devices[&id(1)].status, expected, "{}", state.seq);
                let history: Vec<_> = reader.entries_of(id(1)).map(Result::unwrap).collect();
                assert!(history.windows(2).all(|pair| pair[0].entry.seq < pair[1].entry.seq));
                (seen, last) = (seen + 1, state.seq);
            }
        };
        let readers = [scope.spawn(read), scope.spawn(read)];
        for turn in 0..300 {
            let there = status(Status::Enrolled, Status::Failed);
            let back = status(Status::Failed, Status::Enrolled);
            ledger.append(vec![about(1, there)]).unwrap();
            ledger.append(vec![about(1, back)]).unwrap();
            if turn % 3 == 0 {
                ledger.snapshot().unwrap()
            } else {
                ledger.end_pass().unwrap()
            }
            ledger.rest();
        }
        done.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    rest(dir.path(), &mut ledger);
    agrees(dir.path(), "in the end");
}

#[test]
#[ignore = "dies; the test below runs it in a process of its own"]
fn in_a_process_of_its_own() {
    let _scenario = fail::FailScenario::setup();
    go_on(Path::new("."));
}

fn go_on(dir: &Path) {
    let mut ledger = open(dir).unwrap();
    for _ in 0..3 {
        let number = u32::try_from(ledger.state().devices.len()).unwrap() + 1;
        ledger.append(vec![provisioned(number, 30)]).unwrap();
        rest(dir, &mut ledger);
    }
}

#[test]
fn dying_at_any_write_of_it_changes_no_answer() {
    let child = concat!(module_path!(), "::in_a_process_of_its_own");
    let child = child.split_once("::").unwrap().1;
    let points = durable::CRASH_POINTS.iter().filter(|point| point.starts_with("cache."));
    for (point, before) in points.flat_map(|point| (0..3).map(move |before| (point, before))) {
        let dir = told();
        if point.starts_with("cache.history") {
            rest(dir.path(), &mut open(dir.path()).unwrap());
        }
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", child])
            .env("FAILPOINTS", format!("{point}={before}*off->return"))
            .current_dir(dir.path())
            .output()
            .unwrap()
            .status;
        let died = status.signal() == Some(6);
        assert!(died || (before > 0 && status.success()), "{point} was not reached: {status}");
        agrees(dir.path(), point);
        rest(dir.path(), &mut open(dir.path()).unwrap());
        agrees(dir.path(), point);
    }
}
