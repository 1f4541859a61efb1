//! What a writer verified is not read again as long as nobody touched it, and nothing irreversible
//! rests on that.

use super::super::layout::LOCK;
use super::super::trusted::{Seen, Trusted};
use super::*;
use crate::domain::model::WipeScope;
use crate::domain::state::event::WipeIssued;
use crate::edges::ledger::chain::Chain;

/// Stops a writer, so that what it verified is kept.
fn stop(dir: &Path) {
    until("it is kept", || {
        let mut ledger = open(dir).unwrap();
        ledger.snapshot().unwrap();
        ledger.rest();
        Trusted::untouched(dir).is_some()
    });
}

/// Whether a writer opens it without reading all of the log.
fn is_quick(dir: &Path) -> bool {
    let trusted = Trusted::untouched(dir);
    trusted.is_some_and(|trusted| super::super::follow::read_trusted(dir, &trusted).is_some())
}

fn issued() -> Draft {
    let (request, intent, scope) = (Digest::of(b"request"), 20, WipeScope::Full);
    let issued = WipeIssued { request, intent, scope, signers: vec![], needed: 2 };
    about(1, Event::WipeIssued(Box::new(issued)))
}

#[test]
fn what_nobody_touched_is_opened_without_reading_the_log_and_is_the_same() {
    let dir = told();
    let expected = read(dir.path()).unwrap();
    stop(dir.path());
    assert!(is_quick(dir.path()));
    let mut ledger = open(dir.path()).unwrap();
    assert_eq!(ledger.state(), &expected);
    ledger.append(vec![about(2, Event::DeviceOrphaned(Nothing {}))]).unwrap();
    ledger.end_pass().unwrap();
    let expected = ledger.state().clone();
    drop(ledger);
    // A writer that did not stop well leaves a log that has grown since.
    assert!(!is_quick(dir.path()));
    assert_eq!(open(dir.path()).unwrap().state(), &expected);
    stop(dir.path());
    assert!(is_quick(dir.path()));
    assert_eq!(verify(dir.path()).unwrap().problems, []);
}

#[test]
fn a_stop_that_has_no_time_for_the_snapshot_keeps_what_is_verified() {
    let dir = told();
    stop(dir.path());
    let mut ledger = open(dir.path()).unwrap();
    ledger.append(vec![about(2, Event::DeviceOrphaned(Nothing {}))]).unwrap();
    ledger.end_pass().unwrap();
    let expected = ledger.state().clone();
    until("it is kept", || {
        ledger.rest();
        Trusted::untouched(dir.path()).is_some()
    });
    drop(ledger);
    assert!(is_quick(dir.path()));
    assert_eq!(open(dir.path()).unwrap().state(), &expected, "the entries after the snapshot too");
}

#[test]
fn of_a_log_that_lies_elsewhere_nothing_is_kept() {
    let (dir, disk) = (told(), tempfile::tempdir().unwrap());
    let log = dir.path().join(LOG);
    fs::rename(&log, disk.path().join(LOG)).unwrap();
    std::os::unix::fs::symlink(disk.path().join(LOG), &log).unwrap();
    let mut ledger = open(dir.path()).unwrap();
    ledger.snapshot().unwrap();
    ledger.rest();
    drop(ledger);
    assert!(Trusted::untouched(dir.path()).is_none(), "the link does not change with the log");
    let changed = fs::read_to_string(&log).unwrap().replacen("D001", "D002", 1);
    fs::write(disk.path().join(LOG), changed).unwrap();
    assert!(open(dir.path()).is_err());
}

#[test]
fn a_log_that_lost_its_end_has_no_version() {
    let dir = told();
    stop(dir.path());
    let reader = super::super::reader(dir.path());
    assert!(reader.version().is_some());
    let lock = fs::File::options().write(true).open(dir.path().join(LOCK)).unwrap();
    super::super::mark::write(&lock, Some(log(dir.path()).len() as u64 + 1)).unwrap();
    assert_eq!(reader.version(), None);
}

#[test]
fn in_any_doubt_everything_is_verified() {
    type Doubt = fn(&Path);
    let doubts: [(&str, Doubt); 6] = [
        ("the log was touched", |dir| {
            let log = log(dir);
            fs::write(dir.join(LOG), log).unwrap();
        }),
        ("the log is another file", |dir| {
            fs::copy(dir.join(LOG), dir.join("copy")).unwrap();
            fs::rename(dir.join("copy"), dir.join(LOG)).unwrap();
        }),
        ("the snapshot was touched", |dir| {
            let state = fs::read(dir.join(STATE)).unwrap();
            fs::write(dir.join(STATE), state).unwrap();
        }),
        ("the mark is another one", |dir| {
            let text = fs::read_to_string(dir.join("lock")).unwrap();
            let first = text.lines().next().unwrap();
            fs::write(dir.join("lock"), format!("{first}\n{:020} {:020}\n", 0, 0)).unwrap();
        }),
        ("nothing is kept", |dir| fs::remove_file(dir.join("cache/verified")).unwrap()),
        ("what is kept was changed", |dir| {
            let mut kept = fs::read(dir.join("cache/verified")).unwrap();
            kept[50] ^= 1;
            fs::write(dir.join("cache/verified"), kept).unwrap();
        }),
    ];
    for (what, doubt) in doubts {
        let dir = told();
        let expected = read(dir.path()).unwrap();
        stop(dir.path());
        doubt(dir.path());
        let trusted = Trusted::untouched(dir.path()).is_some();
        assert!(!trusted || what == "the mark is another one", "{what}");
        assert_eq!(open(dir.path()).unwrap().state(), &expected, "{what}");
    }
}

#[test]
fn a_change_of_the_log_that_keeps_its_length_and_time_is_found_at_the_next_start() {
    let dir = told();
    stop(dir.path());
    let path = dir.path().join(LOG);
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let text = String::from_utf8(log(dir.path())).unwrap();
    fs::write(&path, text.replacen("device-2", "device-9", 1)).unwrap();
    File::options().append(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert!(matches!(open(dir.path()).err(), Some(Error::Log { .. })));
}

#[test]
fn a_change_under_a_writer_is_not_blessed_by_its_stop() {
    for name in [LOG, STATE] {
        let dir = told();
        stop(dir.path());
        let mut ledger = open(dir.path()).unwrap();
        let path = dir.path().join(name);
        let bytes = fs::read(&path).unwrap();
        // In its place, as an editor may do it.
        File::options().write(true).open(&path).unwrap().write_all(&bytes).unwrap();
        ledger.append(vec![about(2, Event::DeviceOrphaned(Nothing {}))]).unwrap();
        ledger.end_pass().unwrap();
        let settled = || Seen::log(dir.path()).unwrap().is_settled(dir.path());
        until("a change could be seen", settled);
        ledger.rest();
        drop(ledger);
        assert!(!is_quick(dir.path()), "{name}");
    }
}

#[test]
fn no_wipe_rests_on_what_was_kept() {
    let dir = told();
    stop(dir.path());
    // Whoever can write here can have something forgotten, and say that it was verified.
    let state = fs::read_to_string(dir.path().join(STATE)).unwrap();
    let forged = state.replacen("bo@example.com", "eve@example.com", 1);
    assert_ne!(forged, state);
    set(dir.path(), STATE, forged);
    let (log, snapshot) = (Seen::log(dir.path()).unwrap(), Seen::snapshot(dir.path()).unwrap());
    let replayed = replay(dir.path()).unwrap();
    let State { seq, head, .. } = replayed.state;
    let chain = Chain { seq, head: head.0, end: replayed.log_bytes };
    until("it is forged", || {
        Trusted { log, snapshot, chain }.keep(dir.path()).unwrap();
        Trusted::untouched(dir.path()).is_some()
    });
    let mut ledger = open(dir.path()).unwrap();
    assert!(
        ledger.state().devices.values().any(|d| d.spec.user_email.as_str() == "eve@example.com")
    );
    let error = ledger.append(vec![issued()]).unwrap_err();
    assert!(matches!(error, Error::Disagree { .. }), "{error}");
    assert_eq!(ledger.state().seq, chain.seq);
}
