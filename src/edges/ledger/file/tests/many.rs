//! Many entries at once: by all cores, in pieces, and the same lines.

use super::*;

/// More than are written in one piece.
const MANY: u32 = 2000;

fn at_one_time() -> Timestamp {
    Timestamp::from_millis(1_763_900_000_000)
}

#[test]
fn they_are_the_lines_that_they_are_one_by_one() {
    let told = told();
    let dirs = [0, 1].map(|_| tempfile::tempdir().unwrap());
    for name in [LOG, STATE] {
        for dir in &dirs {
            fs::copy(told.path().join(name), dir.path().join(name)).unwrap();
        }
    }
    let [mut at_once, mut one_by_one] = dirs
        .each_ref()
        .map(|dir| super::super::open(dir.path(), "tester".into(), at_one_time).unwrap());
    // Of other lengths each time.
    let drafts = |begin: &str| {
        let name = |n| profile(&format!("{begin}{n}"));
        (0..MANY).map(name).collect::<Vec<_>>()
    };
    for begin in ["long-", ""] {
        at_once.append(drafts(begin)).unwrap();
    }
    for draft in [drafts("long-"), drafts("")].concat() {
        one_by_one.append(vec![draft]).unwrap();
    }
    let [first, second] = dirs.each_ref().map(|dir| log(dir.path()));
    assert!(first == second, "{} and {} bytes", first.len(), second.len());
    assert_eq!(at_once.state(), one_by_one.state());
    assert_eq!(verify(dirs[0].path()).unwrap().problems, []);
}

#[test]
fn room_for_devices_to_come_changes_nothing() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    let before = ledger.state().clone();
    ledger.expect_devices(10_000);
    assert_eq!(*ledger.state(), before);
    for (id, device) in before.devices.iter() {
        let found = ledger.state().by_serial(&device.spec.serial_number);
        assert_eq!(found.map(|(id, _)| id), Some(*id));
    }
}

#[test]
fn if_the_last_one_is_too_long_none_of_them_is_written() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    let before = (log(dir.path()), ledger.state().clone());
    let long = profile(&"x".repeat(line::TOO_LONG));
    let drafts = (0..MANY).map(|n| profile(&n.to_string())).chain([long]).collect();
    let error = ledger.append(drafts).unwrap_err();
    assert!(error.to_string().contains("entry 2019 (profile.recorded)"), "{error}");
    assert_eq!((log(dir.path()), ledger.state().clone()), before);
    ledger.append(vec![profile("three")]).unwrap();
    assert_eq!(verify(dir.path()).unwrap().problems, []);
}

#[test]
fn if_one_cannot_follow_neither_it_nor_what_comes_after_it_reaches_the_disk() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    let before = log(dir.path());
    let wrong = about(1, status(Status::Failed, Status::Enrolled));
    let profiles = || (0..MANY).map(|n| profile(&n.to_string()));
    let drafts = profiles().chain([wrong]).chain(profiles()).collect();
    let error = ledger.append(drafts).unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
    drop(ledger);
    let after = log(dir.path());
    assert!(after.starts_with(&before));
    let written = &after[before.len()..];
    assert!(written.is_empty() || written.ends_with(b"\n"));
    assert!(!written.windows(15).any(|part| part == b"\"device.status\""));
    assert_eq!(verify(dir.path()).unwrap().problems, []);
}
