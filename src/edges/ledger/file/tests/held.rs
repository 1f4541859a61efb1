//! A writer whose directory, log or lock no longer exists, and a log whose end is missing.

use std::os::unix::fs::{FileExt as _, symlink};

use super::*;

/// A parent directory, with the data directory `data` in it and the story told.
fn nested() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    fs::rename(told().keep(), &dir).unwrap();
    (parent, dir)
}

fn open_same(dir: &Path, known: Known) -> Result<Ledger, Error> {
    let terms = Terms { expected: Expected::Same(known), witness: &|_| Ok(()), cache: true };
    open_as(dir, &terms, "tester".into(), clock())
}

fn message<T>(result: Result<T, Error>) -> String {
    result.err().expect("an error").to_string()
}

fn copied(dir: &Path, from: &str, to: &str) {
    set(dir, to, fs::read(dir.join(from)).unwrap());
}

fn nothing(_: &Path) {}

type Step = fn(&Path);

/// What is done to the files of a running writer, what it says, and how that is undone, after
/// which the same writer goes on.
const LOSSES: &[(&str, Step, &str, Step)] = &[
    (
        "the log is renamed, as by logrotate",
        |dir| fs::rename(dir.join(LOG), dir.join("audit.jsonl.1")).unwrap(),
        "the log that this process writes is gone; nothing more is done: was it rotated (logrotate)",
        |dir| fs::rename(dir.join("audit.jsonl.1"), dir.join(LOG)).unwrap(),
    ),
    (
        "the log is renamed and made anew, as by logrotate's create",
        |dir| {
            fs::rename(dir.join(LOG), dir.join("audit.jsonl.1")).unwrap();
            set(dir, LOG, "");
        },
        "another file has the name of the log",
        |dir| fs::rename(dir.join("audit.jsonl.1"), dir.join(LOG)).unwrap(),
    ),
    (
        "a copy takes the place of the log, as by an editor",
        |dir| {
            fs::rename(dir.join(LOG), dir.join("mine")).unwrap();
            copied(dir, "mine", LOG);
        },
        "another file has the name of the log",
        |dir| fs::rename(dir.join("mine"), dir.join(LOG)).unwrap(),
    ),
    (
        "the log is cut in place, as by logrotate's copytruncate",
        |dir| {
            copied(dir, LOG, "copy");
            OpenOptions::new().write(true).truncate(true).open(dir.join(LOG)).unwrap();
        },
        "it is 0 bytes long and should be",
        |dir| add(dir, &fs::read(dir.join("copy")).unwrap()),
    ),
    (
        "the log's last line is edited in place",
        |dir| {
            let end = log(dir).len() as u64;
            let file = OpenOptions::new().write(true).open(dir.join(LOG)).unwrap();
            file.write_all_at(b"x", end - 20).unwrap();
        },
        "it does not end with entry 18 any more",
        nothing,
    ),
    (
        "the data directory is moved away",
        |dir| fs::rename(dir, dir.with_extension("moved")).unwrap(),
        "the data directory no longer exists; nothing more is done: was it unmounted",
        |dir| fs::rename(dir.with_extension("moved"), dir).unwrap(),
    ),
    (
        "an empty directory is in the place of the data directory, as after an unmount",
        |dir| {
            fs::rename(dir, dir.with_extension("moved")).unwrap();
            fs::create_dir(dir).unwrap();
        },
        "another directory is in place of the data directory",
        |dir| {
            fs::remove_dir(dir).unwrap();
            fs::rename(dir.with_extension("moved"), dir).unwrap();
        },
    ),
    (
        "a link to a copy is in the place of the data directory",
        |dir| {
            let moved = dir.with_extension("moved");
            fs::rename(dir, &moved).unwrap();
            let copy = dir.with_extension("copy");
            fs::create_dir(&copy).unwrap();
            for name in [LOG, STATE, "lock"] {
                set(&copy, name, fs::read(moved.join(name)).unwrap());
            }
            symlink(copy, dir).unwrap();
        },
        "another directory is in place of the data directory",
        |dir| {
            fs::remove_file(dir).unwrap();
            fs::rename(dir.with_extension("moved"), dir).unwrap();
        },
    ),
];

/// All below a directory but the directory itself.
fn files(dir: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        found.push((path.clone(), fs::read(&path).ok()));
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        }
    }
    found.sort();
    found
}

#[test]
fn what_was_taken_from_a_writer_stops_it_until_it_is_back() {
    for (what, lose, said, restore) in LOSSES {
        let (parent, dir) = nested();
        let mut ledger = open(&dir).unwrap();
        let state = ledger.state().clone();
        lose(&dir);
        let before = files(parent.path());
        for error in [
            message(ledger.prove()),
            message(ledger.append(vec![profile("three")])),
            message(ledger.snapshot()),
        ] {
            assert!(error.contains(said), "{what}: {error}");
        }
        assert_eq!(files(parent.path()), before, "{what}: nothing was written anywhere");
        assert_eq!(*ledger.state(), state, "{what}");
        restore(&dir);
        if *restore as usize != nothing as Step as usize {
            ledger.append(vec![profile("three")]).unwrap();
            ledger.snapshot().unwrap();
            assert_eq!(verify(&dir).unwrap().problems, [], "{what}");
        }
    }
}

#[test]
fn a_process_that_opens_its_ledger_again_takes_no_other() {
    for (what, lose, _, restore) in LOSSES {
        let (parent, dir) = nested();
        let known = open(&dir).unwrap().known();
        lose(&dir);
        let before = files(parent.path());
        match open_same(&dir, known) {
            // As good as the one it was, but for its place.
            Ok(ledger) => assert_eq!(ledger.known().durable, known.durable, "{what}"),
            Err(error) => {
                let error = error.to_string();
                let told = ["logrotate", "unmounted", "`audit verify`", "fleetform audit verify"];
                assert!(told.iter().any(|part| error.contains(part)), "{what}: {error}");
                let (mut after, mut before) = (files(parent.path()), before);
                // Who writes to a lock file says so in it.
                after.retain(|(path, _)| !path.ends_with("lock"));
                before.retain(|(path, _)| !path.ends_with("lock"));
                assert_eq!(after, before, "{what}: nothing was made");
                restore(&dir);
                if *restore as usize != nothing as Step as usize {
                    assert_eq!(open_same(&dir, known).unwrap().state().seq, 18, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_ledger_opened_again_may_have_grown_but_not_shrunk_or_changed() {
    let dir = told();
    let known = open(dir.path()).unwrap().known();
    let mut other = open(dir.path()).unwrap();
    other.append(vec![profile("three")]).unwrap();
    other.snapshot().unwrap();
    let grown = other.known();
    drop(other);
    assert_eq!(open_same(dir.path(), known).unwrap().state().seq, 19);

    // An older backup, consistent in itself.
    let older = told();
    fs::remove_file(older.path().join("lock")).unwrap();
    let error = message(open_same(older.path(), grown));
    assert!(
        error.contains("this process wrote it up to entry 19, but it ends at entry 18"),
        "{error}"
    );
    // Another ledger, as long as ours.
    let mut ledger = open(older.path()).unwrap();
    ledger.append(vec![profile("three")]).unwrap();
    ledger.snapshot().unwrap();
    drop(ledger);
    let error = message(open_same(older.path(), grown));
    assert!(error.contains("this is not the log that this process wrote"), "{error}");
}

#[test]
fn a_lock_removed_by_hand_lets_nobody_in() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    let lock = dir.path().join("lock");
    let marked = fs::read(&lock).unwrap();
    let me = format!("process {} is writing to this ledger", std::process::id());
    for take_away in [
        |lock: &Path| fs::remove_file(lock).unwrap(),
        |lock: &Path| {
            let other = lock.with_extension("other");
            fs::copy(lock, &other).unwrap();
            fs::rename(other, lock).unwrap();
        },
    ] {
        take_away(&lock);
        let error = message(open(dir.path()));
        assert!(error.contains(&me), "{error}");
        let error = message(ledger.append(vec![profile("three")]));
        assert!(error.contains("the lock file was removed or replaced"), "{error}");
        assert_eq!(fs::read(&lock).unwrap(), marked, "it is made anew, with its mark");
        assert!(message(open(dir.path())).contains(&me));
    }
    ledger.append(vec![profile("three")]).unwrap();
}

#[test]
fn a_lock_that_is_a_link_is_not_written_through() {
    let dir = told();
    fs::remove_file(dir.path().join("lock")).unwrap();
    set(dir.path(), "precious", "precious");
    symlink("precious", dir.path().join("lock")).unwrap();
    assert!(open(dir.path()).is_err());
    assert_eq!(fs::read_to_string(dir.path().join("precious")).unwrap(), "precious");
}

#[test]
fn a_snapshot_that_is_no_file_of_its_own_is_not_read() {
    for make in [
        |path: &Path| symlink("elsewhere", path).unwrap(),
        |path: &Path| {
            let kind = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, path, kind, 0o600.into(), 0).unwrap();
        },
    ] {
        let dir = told();
        let path = dir.path().join(STATE);
        fs::rename(&path, dir.path().join("elsewhere")).unwrap();
        make(&path);
        assert!(message(read(dir.path())).contains("state.json"));
        assert!(message(open(dir.path())).contains("state.json"));
    }
}

#[test]
fn who_follows_a_log_is_told_that_it_is_another_one() {
    for (what, lose, said) in [
        ("renamed", LOSSES[0].1, "the log that was being read is gone"),
        ("made anew", LOSSES[1].1, "another file has the name of the log that was being read"),
        ("cut", LOSSES[3].1, "the log that was being read was cut"),
    ] {
        let dir = told();
        let mut following = entries(dir.path(), 0);
        assert_eq!(following.by_ref().map(Result::unwrap).count(), 18);
        assert!(following.next().is_none());
        lose(dir.path());
        let error = message(following.next().expect("an error"));
        assert!(error.contains(said) && error.contains("logrotate"), "{what}: {error}");
    }
}

/// Whoever cuts the log takes the snapshot away with it; the lock stays.
#[test]
fn a_log_that_was_cut_is_refused_by_the_mark_in_the_lock() {
    let dir = told();
    fs::remove_file(dir.path().join(STATE)).unwrap();
    let whole = log(dir.path());
    let ends = whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
    let mut cuts: Vec<_> = ends.filter(|end| *end < whole.len()).collect();
    // In the middle of the first, the last and another line; and all of it.
    cuts.extend([0, 9, whole.len() - 1, cuts[3] + 7]);
    for cut in cuts {
        set(dir.path(), LOG, &whole[..cut]);
        for error in
            [message(open(dir.path())), message(read(dir.path())), message(read_proven(dir.path()))]
        {
            assert!(error.contains("the end of the log is missing"), "{cut}: {error}");
            assert!(error.contains("Put the newest copy"), "{cut}: {error}");
        }
        assert_eq!(log(dir.path()), &whole[..cut], "{cut}: nothing was changed");
        let found = verify(dir.path()).unwrap();
        assert!(found.problems.iter().any(|p| p.message.contains("missing")), "{cut}: {found:?}");
        assert!(!dir.path().join("audit.jsonl.broken").exists());
    }
    set(dir.path(), LOG, &whole);
    assert_eq!(open(dir.path()).unwrap().state().seq, 18, "it is whole again");
    // Cut, and written anew beyond the mark.
    let other = tempfile::tempdir().unwrap();
    open(other.path()).unwrap().append(vec![profile(&"x".repeat(9000))]).unwrap();
    let foreign = log(other.path());
    assert!(foreign.len() > whole.len());
    set(dir.path(), LOG, foreign);
    let error = message(open(dir.path()));
    assert!(error.contains("no entry ends there"), "{error}");
}

#[test]
fn what_somebody_is_about_to_sign_rests_on_nothing_that_the_log_does_not_say() {
    let dir = told();
    let state = fs::read_to_string(dir.path().join(STATE)).unwrap();
    assert_eq!(logged(read_proven(dir.path()).unwrap()), logged(read(dir.path()).unwrap()));
    assert!(read_proven(dir.path()).unwrap().devices[&id(1)].facts.is_some(), "telemetry is kept");
    // The serials of two devices change places.
    let swapped = state.replace("SN000001", "X").replace("SN000002", "SN000001");
    set(dir.path(), STATE, swapped.replace("\"X\"", "\"SN000002\""));
    assert!(read(dir.path()).is_ok(), "a quick reader cannot know");
    let error = message(read_proven(dir.path()));
    assert!(error.contains("not what the log gives"), "{error}");
}

#[test]
fn a_ledger_begins_only_where_it_is_expected_to() {
    let open = |dir: &Path, expected| {
        let terms = Terms { expected, witness: &|_| Ok(()), cache: true };
        open_as(dir, &terms, "tester".into(), clock())
    };
    let parent = tempfile::tempdir().unwrap();
    let (absent, empty) = (parent.path().join("absent"), parent.path().join("empty"));
    fs::create_dir(&empty).unwrap();
    fs::create_dir(empty.join("inbox")).unwrap();
    for dir in [&absent, &empty] {
        let error = message(open(dir, Expected::Existing));
        assert!(error.contains("there is no ledger in"), "{error}");
        assert!(error.contains("mounted") && error.contains("--new-ledger"), "{error}");
    }
    assert!(!absent.exists());
    assert_eq!(files(&empty).len(), 1, "no lock either");
    for (dir, expected) in [(&absent, Expected::New), (&empty, Expected::Any)] {
        let mut ledger = open(dir, expected).unwrap();
        ledger.append(vec![profile("one")]).unwrap();
        ledger.snapshot().unwrap();
        drop(ledger);
        assert_eq!(open(dir, Expected::Existing).unwrap().state().seq, 2);
        let error = message(open(dir, Expected::New));
        assert!(error.contains("a ledger in") && error.contains("first run only"), "{error}");
        // What is left of one is none to begin anew.
        fs::remove_file(dir.join(LOG)).unwrap();
        assert!(open(dir, Expected::New).is_err());
        assert!(open(dir, Expected::Any).is_err());
        fs::remove_file(dir.join(STATE)).unwrap();
        assert!(message(open(dir, Expected::Any)).contains("the end of the log is missing"));
    }
}

#[test]
fn a_witness_against_the_ledger_is_heard_before_anything_is_changed() {
    let dir = told();
    add(dir.path(), b"{\"seq\":19");
    let before = log(dir.path());
    let witness = |state: &State| Err(format!("entry {} is not the last", state.seq));
    let terms = Terms { expected: Expected::Existing, witness: &witness, cache: true };
    let error = message(open_as(dir.path(), &terms, "tester".into(), clock()));
    assert!(error.contains("entry 18 is not the last; nothing was changed"), "{error}");
    assert_eq!(log(dir.path()), before);
    assert_eq!(open(dir.path()).unwrap().state().seq, 19, "log.repaired");
}
