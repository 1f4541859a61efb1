//! The ledger on real files: what is written, read back, completed, repaired and refused.

mod clock;
mod crashes;
mod devices;
mod held;
mod many;
mod snapshots;
mod tampering;
mod trusted;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;
use tempfile::TempDir;

use super::entries::{LogEntries, entries, entries_from};
use super::follow::{read, read_proven, replay};
use super::layout::{LOG, STATE};
use super::store::open_as;
use super::verify::verify;
use crate::domain::model::{
    ComplianceState, DeviceSpec, Hardware, Ownership, Platform, Profile, Status,
};
use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::state::State;
use crate::domain::state::event::{
    Change, ComplianceChanged, DeviceProvisioned, DeviceStatus, DeviceUpdated, ErrorClass, Field,
    FreezeCause, Nothing, PassFrozen, PassThawed, ProfileFailed, ProfilePush,
};
use crate::domain::state::event::{Entry, Event, Source};
use crate::edges::fs::durable;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::line;
use crate::edges::ledger::snapshot::{self, as_written};
use crate::edges::ledger::store::{Expected, Known, Logged, Terms};
use crate::edges::ledger::writer::{Draft, Ledger};

/// A clock that moves on by a second at every look.
fn clock() -> impl Fn() -> Timestamp + Send + Sync + 'static {
    let millis = AtomicI64::new(1_763_800_000_000);
    move || Timestamp::from_millis(millis.fetch_add(1000, Ordering::Relaxed))
}

fn open(dir: &Path) -> Result<Ledger, Error> {
    super::open(dir, "tester".into(), clock())
}

fn source(path: &str) -> Source {
    Source {
        path: path.into(),
        digest: Digest::of(path.as_bytes()),
        revision: Some("0a1b2c3".into()),
    }
}

fn profile(description: &str) -> Draft {
    Event::ProfileRecorded(Box::new(Profile {
        name: "Standard".parse().unwrap(),
        description: description.into(),
        platforms: vec![Platform::Windows, Platform::Ios],
        apps: vec!["VPN".into()],
        settings: json!({"vpn": {"server": "vpn.example.com", "ports": [443, 500], "ñ": "a\u{7}\"\\"}}),
        licenses: vec!["SPE_E3".into()],
        compliance: serde_json::from_value(json!({
            "minimumOsVersion": {"windows": "10.0.26100", "android": "14"},
            "antivirus": {"required": true, "maxSignatureAgeDays": 7},
            "screenLock": {"required": true, "minPinLength": 6},
        }))
        .unwrap(),
        intune: None,
        digest: Digest::of(description.as_bytes()),
    }))
    .into()
}

fn provisioned(number: u32, intent: u64) -> Draft {
    let path = format!("site/d{number}.yaml");
    Draft {
        device: Some(id(number)),
        source: Some(source(&path)),
        event: Event::DeviceProvisioned(Box::new(DeviceProvisioned {
            spec: Arc::new(DeviceSpec {
                name: format!("device-{number}").parse().unwrap(),
                serial_number: format!("SN{number:06}").parse().unwrap(),
                user_email: "ana.ruiz@example.com".parse().unwrap(),
                profile: "Standard".parse().unwrap(),
                platform: Platform::Windows,
                os_version: "10.0.26100.2314".parse().unwrap(),
                ownership: Ownership::Corporate,
                labels: Arc::new([("site".into(), "madrid".into())].into()),
                hardware: number.is_multiple_of(2).then(|| {
                    Box::new(Hardware {
                        manufacturer: Some("Lenovo".into()),
                        model: None,
                        autopilot_hash: Some(crate::domain::model::HardwareHash::new("aGFzaA==")),
                    })
                }),
                access: number.is_multiple_of(2).then(|| {
                    Box::new(crate::domain::model::Exemption {
                        exempt_until: "2026-12-01T00:00:00Z".parse().unwrap(),
                        reason: "waits for a new disk".into(),
                    })
                }),
            }),
            enrollment: 1,
            intent,
            profile_digest: Digest::of(b"one"),
        })),
    }
}

fn id(number: u32) -> DeviceId {
    format!("D{number:03}").parse().unwrap()
}

fn about(number: u32, event: Event) -> Draft {
    Draft { device: Some(id(number)), source: None, event }
}

fn push(intent: u64) -> ProfilePush {
    let (profile, digest) = ("Standard".parse().unwrap(), Digest::of(b"two"));
    ProfilePush { intent, profile, digest, former_users: vec![] }
}

fn status(from: Status, to: Status) -> Event {
    let reason = "it reported".into();
    Event::DeviceStatus(DeviceStatus { from, to, reason, enrollment: None, last_sync: None })
}

/// Every kind that a pass writes, on three devices.
fn story() -> Vec<Draft> {
    let compliance = ComplianceChanged {
        from: ComplianceState::Unknown,
        to: ComplianceState::NonCompliant,
        failing: vec!["encryption".into()],
        missing: vec!["antivirus".into()],
        episode: None,
    };
    let change = |field, from, to| Change { field, from, to };
    let updated = DeviceUpdated {
        changes: vec![
            change(Field::UserEmail, json!("ana.ruiz@example.com"), json!("bo@example.com")),
            change(Field::Labels, json!({"site": "madrid"}), json!({"site": "oslo", "a": "b"})),
            change(Field::Hardware, json!(null), json!({"model": "X1"})),
            change(Field::Manifest, json!("site/d1.yaml"), json!("other.yaml")),
        ],
    };
    let failed = ProfileFailed {
        intent: 9,
        class: ErrorClass::Unknown,
        error: "timed out\nafter 30 s\t✗".into(),
    };
    let frozen = PassFrozen { cause: FreezeCause::Shrunken, removed: 2, of: 3 };
    let moved = |n, event| Draft { source: Some(source("other.yaml")), ..about(n, event) };
    vec![
        profile("one"),
        provisioned(1, 3),
        provisioned(2, 3),
        provisioned(3, 3),
        about(1, Event::ProfilePushed(push(3))),
        about(1, status(Status::Pending, Status::Enrolled)),
        about(1, Event::ComplianceChanged(compliance)),
        moved(1, Event::DeviceUpdated(updated)),
        about(2, Event::ProfileIntended(push(9))),
        about(2, Event::ProfileFailed(failed)),
        about(3, Event::DeviceOrphaned(Nothing {})),
        moved(3, Event::DeviceAdopted(Nothing {})),
        Event::PassFrozen(frozen.clone()).into(),
        Event::PassThawed(PassThawed { accepted_removals: Some(2) }).into(),
        profile("two"),
        about(3, Event::DeviceOrphaned(Nothing {})),
        Event::PassFrozen(frozen).into(),
    ]
}

/// A ledger with the story in it, in three batches, and telemetry; with a snapshot of it all.
fn told() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path()).unwrap();
    let mut story = story();
    let rest = story.split_off(5);
    ledger.append(story).unwrap();
    ledger.append(rest).unwrap();
    ledger.sync().unwrap();
    observe(&mut ledger);
    ledger.snapshot().unwrap();
    dir
}

fn observe(ledger: &mut Ledger) {
    let facts = serde_json::from_value(json!({
        "osVersion": "10.0.26100.3", "encryption": {"enabled": false},
        "screenLock": {"enabled": true, "pinLength": 6},
        "antivirus": {"enabled": true, "signaturesUpdatedAt": "2026-11-21T22:00:00Z"},
    }))
    .unwrap();
    ledger.observe(id(1), Timestamp::from_millis(1_763_900_000_000), &facts);
}

/// Until it is so: in the tick of the file system's clock in which files were written nothing is kept.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed().as_secs() < 60, "waited in vain until {what}");
    }
}

fn log(dir: &Path) -> Vec<u8> {
    fs::read(dir.join(LOG)).unwrap()
}

fn set(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(dir.join(name), bytes).unwrap();
}

fn add(dir: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(dir.join(LOG)).unwrap().write_all(bytes).unwrap();
}

/// All but telemetry.
fn logged(mut state: State) -> State {
    for device in state.devices.values_mut() {
        device.last_sync = None;
        device.facts = None;
    }
    state
}

#[test]
fn what_is_appended_is_what_every_reader_finds() {
    let dir = told();
    let ledger = open(dir.path()).unwrap();
    assert_eq!(ledger.state().seq, 18);
    assert_eq!(&read(dir.path()).unwrap(), ledger.state());
    assert_eq!(replay(dir.path()).unwrap().state, logged(ledger.state().clone()));
    assert!(ledger.state().devices[&id(1)].last_sync.is_some());
    let (serial, device) = ("sn000002".parse().unwrap(), id(2));
    assert_eq!(ledger.state().by_serial(&serial).unwrap().0, device);
}

#[test]
fn the_log_is_a_chain_that_anyone_can_follow() {
    let dir = told();
    let mut prev = Digest::ZERO.to_string();
    let log = String::from_utf8(log(dir.path())).unwrap();
    for (i, text) in log.lines().enumerate() {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!((&value["seq"], &value["prev"]), (&json!(i + 1), &json!(prev)));
        assert!(text.starts_with(&format!("{{\"seq\":{},\"at\":\"2025-11-22T", i + 1)), "{text}");
        prev = Digest::of(text.as_bytes()).to_string();
    }
    assert_eq!(read(dir.path()).unwrap().head.0.to_string(), prev);
}

#[test]
fn every_prefix_of_the_log_is_a_valid_state() {
    let dir = told();
    let log = log(dir.path());
    let ends: Vec<_> = (0..=log.len()).filter(|i| *i == 0 || log[i - 1] == b'\n').collect();
    let mut before = State::default();
    for (lines, end) in ends.into_iter().enumerate() {
        let part = tempfile::tempdir().unwrap();
        set(part.path(), LOG, &log[..end]);
        let state = read(part.path()).unwrap();
        assert_eq!(state.seq, lines as u64);
        assert!(state.devices.len() >= before.devices.len());
        assert!(state.next_id() >= before.next_id());
        assert_eq!(verify(part.path()).unwrap().problems, []);
        before = state;
    }
}

#[test]
fn opening_alone_writes_nothing_but_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("new/data");
    assert_eq!(read(&data).unwrap(), State::default());
    assert_eq!(verify(&data).unwrap().problems, []);
    assert!(!data.exists(), "readers make nothing");
    let mut ledger = open(&data).unwrap();
    ledger.snapshot().unwrap();
    ledger.append(Vec::new()).unwrap();
    let names: Vec<_> = fs::read_dir(&data).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["lock"]);
    // The number that an intent of the first batch gets.
    assert_eq!(ledger.next_seq(), 2);
    ledger.append(vec![profile("one")]).unwrap();
    assert_eq!((ledger.state().seq, ledger.next_seq()), (2, 3));
}

#[test]
fn a_second_writer_is_told_who_holds_the_lock_and_readers_are_not_stopped() {
    let dir = told();
    let first = open(dir.path()).unwrap();
    let error = open(dir.path()).err().unwrap();
    assert!(matches!(error, Error::Locked { .. }));
    assert!(error.to_string().contains(&format!("process {} ", std::process::id())), "{error}");
    assert_eq!(&read(dir.path()).unwrap(), first.state());
    drop(first);
    open(dir.path()).unwrap();
}

#[test]
fn a_torn_last_line_is_kept_cut_and_logged() {
    for torn in [&b"{\"seq\":19,\"at\":\"20"[..], b"{", &[0; 200_000]] {
        let dir = told();
        let before = log(dir.path());
        add(dir.path(), torn);
        assert_eq!(read(dir.path()).unwrap().seq, 18, "readers leave it out");
        let ledger = open(dir.path()).unwrap();
        assert_eq!(fs::read(dir.path().join("audit.jsonl.broken")).unwrap(), torn);
        assert_eq!(ledger.state().seq, 19);
        let after = log(dir.path());
        assert!(after.starts_with(&before));
        let last = entries(dir.path(), before.len() as u64).next().unwrap().unwrap();
        let Event::LogRepaired(repaired) = last.entry.event else { panic!("{last:?}") };
        assert_eq!((repaired.bytes, repaired.digest), (torn.len() as u64, Digest::of(torn)));
        drop(ledger);
        assert_eq!(open(dir.path()).unwrap().state().seq, 19, "once is enough");
        assert_eq!(verify(dir.path()).unwrap().problems, []);
    }
}

#[test]
fn a_torn_first_line_and_a_repair_that_was_broken_off_are_repaired() {
    let dir = tempfile::tempdir().unwrap();
    set(dir.path(), LOG, b"{\"seq\":1,");
    // As after a crash between the copy and the cut.
    set(dir.path(), "audit.jsonl.broken", b"{\"seq\":1,");
    let ledger = open(dir.path()).unwrap();
    assert_eq!(ledger.state().seq, 2, "ledger.created and log.repaired");
    let broken = fs::read(dir.path().join("audit.jsonl.broken")).unwrap();
    assert_eq!(broken, b"{\"seq\":1,\n{\"seq\":1,");
    assert_eq!(verify(dir.path()).unwrap().problems, []);
}

#[test]
fn an_acknowledged_line_that_is_torn_is_not_repaired_away() {
    let dir = told();
    let log = log(dir.path());
    set(dir.path(), LOG, &log[..log.len() - 10]);
    let error = open(dir.path()).err().unwrap().to_string();
    assert!(error.contains("made at entry 18, but audit.jsonl ends at entry 17"), "{error}");
    assert_eq!(self::log(dir.path()), &log[..log.len() - 10], "nothing was changed");
    assert!(!dir.path().join("audit.jsonl.broken").exists());
}

#[test]
fn after_a_failed_write_nothing_is_written_any_more() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    let before = log(dir.path());
    ledger.break_file(OpenOptions::new().append(true).open("/dev/full").unwrap());
    let error = ledger.append(vec![profile("three")]).unwrap_err().to_string();
    assert!(error.contains("cannot append to") && error.contains("No space left"), "{error}");
    ledger.break_file(OpenOptions::new().append(true).open(dir.path().join(LOG)).unwrap());
    for error in [
        ledger.append(vec![profile("four")]).unwrap_err(),
        ledger.sync().unwrap_err(),
        ledger.snapshot().unwrap_err(),
    ] {
        assert!(matches!(error, Error::Poisoned { .. }));
        assert!(error.to_string().contains("look at the disk and start again"), "{error}");
    }
    assert_eq!(log(dir.path()), before);
    drop(ledger);
    assert_eq!(open(dir.path()).unwrap().state().seq, 18, "starting again continues");
}

#[test]
fn after_a_failed_fsync_nothing_is_written_any_more() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    ledger.append(vec![profile("three")]).unwrap();
    // Pipes cannot be fsynced.
    let (_reader, writer) = std::io::pipe().unwrap();
    ledger.break_file(File::from(std::os::fd::OwnedFd::from(writer)));
    assert!(ledger.sync().unwrap_err().to_string().contains("cannot fsync"));
    assert!(matches!(ledger.append(vec![profile("four")]), Err(Error::Poisoned { .. })));
    let saved: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.path().join(STATE)).unwrap()).unwrap();
    assert!(matches!(ledger.snapshot(), Err(Error::Poisoned { .. })));
    assert_eq!(saved["seq"], 18, "the snapshot never runs ahead of what is durable");
}

#[test]
fn a_line_of_64_kib_is_refused_before_anything_is_written() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    let before = (log(dir.path()), ledger.state().clone());
    let long = profile(&"x".repeat(line::TOO_LONG));
    let error = ledger.append(vec![profile("three"), long]).unwrap_err();
    assert!(matches!(error, Error::Line(_)), "{error}");
    assert!(error.to_string().contains("entry 20 (profile.recorded)"), "{error}");
    assert_eq!((log(dir.path()), ledger.state().clone()), before);
    ledger.append(vec![profile("three")]).unwrap();
    assert_eq!(ledger.state().seq, 19, "the ledger is still good");
    assert_eq!(verify(dir.path()).unwrap().problems, []);
}

#[test]
fn what_cannot_follow_never_reaches_the_disk() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    let before = log(dir.path());
    let wrong = about(1, status(Status::Failed, Status::Enrolled));
    let error = ledger.append(vec![profile("three"), wrong]).unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
    assert!(matches!(ledger.append(vec![profile("four")]), Err(Error::Poisoned { .. })));
    assert_eq!(log(dir.path()), before);
}

#[test]
fn a_log_that_something_else_wrote_to_is_left_alone() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    add(dir.path(), b"intruder\n");
    let before = log(dir.path());
    let error = ledger.append(vec![profile("three")]).unwrap_err().to_string();
    assert!(error.contains("something else wrote to it"), "{error}");
    assert_eq!(log(dir.path()), before);
}

#[test]
fn entries_are_found_by_their_number_without_reading_all() {
    let dir = tempfile::tempdir().unwrap();
    assert!(entries_from(dir.path(), 7).next().is_none(), "there need not be a log yet");
    let mut ledger = open(dir.path()).unwrap();
    for n in 0..400 {
        ledger.append(vec![profile(&"x".repeat(n * n % 3_001))]).unwrap();
    }
    let last = ledger.state().seq;
    for wanted in (0..=last + 1).step_by(7) {
        let mut found = entries_from(dir.path(), wanted);
        let start = found.offset();
        let at = found.by_ref().map(Result::unwrap).find(|logged| logged.entry.seq >= wanted);
        assert_eq!(at.as_ref().map(|at| at.entry.seq), (wanted <= last).then_some(wanted.max(1)));
        let end = found.offset() - at.map_or(0, |at| at.raw.len() as u64 + 1);
        assert!(end - start <= 2 * line::TOO_LONG as u64, "{wanted}: from {start} to {end}");
    }
    // Where the number of a line cannot be read, all is: the entries say what is wrong.
    drop(ledger);
    OpenOptions::new().write(true).truncate(true).open(dir.path().join(LOG)).unwrap();
    add(dir.path(), &b"nonsense\n".repeat(40_000));
    assert_eq!(entries_from(dir.path(), 7).offset(), 0);
}

#[test]
fn the_number_of_a_line_that_is_being_written_is_no_number_yet() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path()).unwrap();
    ledger.append((0..9).map(|_| profile(&"x".repeat(1_000))).collect()).unwrap();
    ledger.append(vec![profile(&"x".repeat(60_000))]).unwrap();
    ledger.end_pass().unwrap();
    // Entry 12, as far as it got.
    add(dir.path(), b"{\"seq\":1");
    let found = entries_from(dir.path(), 5).map(|found| found.unwrap().entry.seq);
    assert!(found.collect::<Vec<_>>().contains(&5));
}

#[test]
fn entries_can_be_followed() {
    let dir = tempfile::tempdir().unwrap();
    let mut following = entries(dir.path(), 0);
    assert!(following.next().is_none(), "there need not be a log yet");
    let mut ledger = open(dir.path()).unwrap();
    ledger.append(vec![profile("one")]).unwrap();
    let kinds = |entries: &mut LogEntries| -> Vec<_> {
        entries.map(|e| e.unwrap().entry.event.kind()).collect()
    };
    assert_eq!(kinds(&mut following), ["ledger.created", "profile.recorded"]);
    ledger.append(vec![provisioned(1, 3)]).unwrap();
    let whole = log(dir.path());
    add(dir.path(), b"{\"seq\":4");
    let offset = following.offset();
    let next = following.next().unwrap().unwrap();
    assert_eq!((next.entry.seq, next.entry.device), (3, Some(id(1))));
    assert!(next.raw.ends_with(b"}"));
    assert!(following.next().is_none(), "an unfinished line is none yet");
    assert_eq!(following.offset(), whole.len() as u64);
    drop(ledger);
    open(dir.path()).unwrap();
    assert_eq!(kinds(&mut following), ["log.repaired"]);
    assert_eq!(kinds(&mut entries(dir.path(), offset)), ["device.provisioned", "log.repaired"]);
    add(dir.path(), b"nonsense\n");
    assert!(following.next().unwrap().unwrap_err().to_string().contains("entry 5"));
}
