//! `state.json`: its bytes, its strictness, and how it goes together with the log.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;

/// What `jq -S .` makes of these bytes.
fn jq(bytes: &[u8]) -> Vec<u8> {
    let mut jq = Command::new("jq")
        .args(["-S", "."])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs jq: apt-get install jq");
    let mut stdin = jq.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
    let out = jq.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(out.status.success());
    out.stdout
}

fn state(dir: &Path) -> String {
    fs::read_to_string(dir.join(STATE)).unwrap()
}

#[test]
fn its_bytes_are_those_of_jq() {
    let dir = told();
    let text = state(dir.path());
    assert_eq!(text, String::from_utf8(jq(text.as_bytes())).unwrap());
    for key in ["\"lineage\": \"", "\"lastSync\": null", "\"wipe\": null", "\"wipes\": {}\n}\n"] {
        assert!(text.contains(key), "{key} in {text}");
    }
}

#[test]
fn device_ids_are_sorted_as_the_strings_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path()).unwrap();
    ledger.append((1..=1010).map(|n| provisioned(n, 2)).collect()).unwrap();
    ledger.snapshot().unwrap();
    let text = state(dir.path());
    let at = |id: &str| text.find(&format!("    \"{id}\": {{")).unwrap();
    assert!(at("D100") < at("D1000") && at("D1000") < at("D101"));
    assert_eq!(text.as_bytes(), jq(text.as_bytes()));
    assert_eq!(&read(dir.path()).unwrap(), ledger.state());
}

#[test]
fn a_lost_snapshot_comes_back_but_for_telemetry() {
    let dir = told();
    let mut replayed = Vec::new();
    snapshot::write(&replay(dir.path()).unwrap(), &mut replayed).unwrap();
    let with_telemetry = state(dir.path());
    fs::remove_file(dir.path().join(STATE)).unwrap();
    let mut ledger = open(dir.path()).unwrap();
    ledger.snapshot().unwrap();
    assert_eq!(state(dir.path()).as_bytes(), replayed, "as `audit replay` prints it");
    assert_ne!(state(dir.path()), with_telemetry);
    observe(&mut ledger);
    ledger.snapshot().unwrap();
    assert_eq!(state(dir.path()), with_telemetry);
}

#[test]
fn a_snapshot_behind_the_log_is_completed() {
    let dir = told();
    let before = state(dir.path());
    let mut ledger = open(dir.path()).unwrap();
    ledger.append(vec![provisioned(4, 19), about(4, Event::ProfilePushed(push(19)))]).unwrap();
    ledger.sync().unwrap();
    let expected = ledger.state().clone();
    drop(ledger);
    assert_eq!(state(dir.path()), before, "as after a crash before the snapshot");
    assert_eq!(read(dir.path()).unwrap(), expected);
    assert_eq!(verify(dir.path()).unwrap().problems, []);
    let mut ledger = open(dir.path()).unwrap();
    assert_eq!(ledger.state(), &expected);
    ledger.snapshot().unwrap();
    assert_ne!(state(dir.path()), before);
    assert_eq!(read(dir.path()).unwrap(), expected);
}

#[test]
fn a_snapshot_that_lacks_since_when_a_push_waits_is_completed_from_the_log() {
    let dir = told();
    let mut ledger = open(dir.path()).unwrap();
    ledger.append(vec![provisioned(4, 19)]).unwrap();
    ledger.snapshot().unwrap();
    let expected = ledger.state().clone();
    assert!(expected.devices[&id(4)].push.progress.since.is_some());
    drop(ledger);
    let whole = state(dir.path());
    let push = whole.find("\"intent\": 19").unwrap();
    let since = push + whole[push..].find("\"since\"").unwrap();
    let state = since + whole[since..].find("\"state\": \"intended\"").unwrap();
    set(dir.path(), STATE, [&whole[..since], &whole[state..]].concat());
    assert_eq!(verify(dir.path()).unwrap().problems, [], "an older version wrote it");
    assert_eq!(read(dir.path()).unwrap(), expected);
    assert_eq!(open(dir.path()).unwrap().state(), &expected);
}

#[test]
fn an_unchanged_snapshot_is_not_written() {
    let dir = told();
    fs::remove_file(dir.path().join("lock")).unwrap();
    let mut ledger = open(dir.path()).unwrap();
    fs::remove_file(dir.path().join(STATE)).unwrap();
    ledger.snapshot().unwrap();
    assert!(!dir.path().join(STATE).exists());
    observe(&mut ledger);
    ledger.snapshot().unwrap();
    assert!(dir.path().join(STATE).exists());
}

#[test]
fn reading_is_strict_and_says_where() {
    let dir = told();
    let good = state(dir.path());
    let cases = [
        ("\"enrollment\": 1,", "\"enrollment\": 1, \"extra\": 2,", "unknown field `extra`"),
        ("\"version\": 1,", "\"version\": 2,", "it is of version 2, not 1"),
        ("\"seq\": 18,", "\"seq\": 18446744073709551615,", "beyond any log"),
        ("\"seq\": 18,", "\"seq\": 0,", "the number of no entry"),
        ("\"seq\": 18,", "\"seq\": \"18\",", "invalid type: string"),
        ("\"wipes\": {}", "\"wipes\": {\"a\": 1}", "is not a SHA-256"),
        ("\"wipe\": null", "\"wipe\": 1", "invalid type: integer"),
        ("\"D002\": {", "\"D001\": {", "D001 is there twice"),
        ("\"D002\": {", "\"D2\": {", "is not a device id"),
        ("    \"Standard\": {", "    \"Other\": {", "the profile under Other is Standard"),
        ("\"state\": \"failed\"", "\"state\": \"pushed\"", "if and only if it failed"),
        ("\"status\": \"Pending\"", "\"status\": \"pending\"", "must be one of Pending"),
        ("  \"at\": \"", "  \"at\": 5, \"x\": \"", "expected a string"),
    ];
    for (from, to, message) in cases {
        assert!(good.contains(from), "{from}");
        set(dir.path(), STATE, good.replacen(from, to, 1));
        for error in [read(dir.path()).unwrap_err(), open(dir.path()).err().unwrap()] {
            let Error::Snapshot { line, .. } = &error else { panic!("{to}: {error}") };
            let text = error.to_string();
            assert!(text.contains(message) && *line > 0, "{to}: {text}");
            assert!(text.contains(&format!("state.json:{line}:")), "{text}");
            assert!(!text.contains(" at line "), "{text}");
        }
        let found = verify(dir.path()).unwrap().problems;
        assert!(found.iter().any(|p| p.message.contains(message)), "{to}: {found:?}");
    }
    for bytes in [&b""[..], b"{", b"[]", &[0xff; 9], &vec![b'['; 100_000]] {
        set(dir.path(), STATE, bytes);
        assert!(matches!(read(dir.path()), Err(Error::Snapshot { .. })));
    }
}

#[test]
fn the_layout_only_makes_reading_quicker() {
    let dir = told();
    let good = state(dir.path());
    let expected = super::super::state_json::load(dir.path()).unwrap().unwrap();
    let quickly = || as_written(&mut File::open(dir.path().join(STATE)).unwrap(), 0).unwrap();
    assert_eq!(quickly().as_ref(), Some(&expected));
    let value: serde_json::Value = serde_json::from_str(&good).unwrap();
    for text in [value.to_string(), good.replace('\n', " "), good.replace("  ", " ")] {
        set(dir.path(), STATE, text);
        assert_eq!(super::super::state_json::load(dir.path()).unwrap().as_ref(), Some(&expected));
    }
    let last = good.find("\n    }\n").unwrap();
    let cases = [
        good.replacen("\n    },\n", "\n    }\n", 1),
        format!("{}\n    }},\n{}", &good[..last], &good[last + 7..]),
        good.replacen("    \"D001\"", "   \"D001\"", 1).replacen("{\n", "{{\n", 1),
        good.trim_end().trim_end_matches('}').to_owned(),
        format!("{good}x"),
        format!("{good}{good}"),
    ];
    for text in cases {
        set(dir.path(), STATE, &text);
        assert!(
            matches!(super::super::state_json::load(dir.path()), Err(Error::Snapshot { .. })),
            "{text}"
        );
    }
}

#[test]
fn a_snapshot_of_another_log_stops_readers_and_writers() {
    let dir = told();
    let other = told();
    let good = state(dir.path());
    let head = read(dir.path()).unwrap().head.0.to_string();
    let bytes = format!("\"logBytes\": {}", log(dir.path()).len());
    let cases = [
        (state(other.path()), "lineage"),
        (good.replace(&head, &Digest::of(b"x").to_string()), "with the hash"),
        (good.replace(&bytes, "\"logBytes\": 5"), "logBytes"),
        (good.replace(&bytes, "\"logBytes\": 99999999"), "logBytes"),
        (good.replace("\"seq\": 18", "\"seq\": 17"), "17"),
        (good.replace("\"seq\": 18", "\"seq\": 19"), "19"),
    ];
    for (text, what) in cases {
        assert_ne!(text, good, "{what}");
        set(dir.path(), STATE, &text);
        let before = log(dir.path());
        let error = open(dir.path()).err().unwrap();
        assert!(matches!(error, Error::Disagree { .. }), "{what}: {error}");
        assert_eq!(log(dir.path()), before);
        assert_eq!(state(dir.path()), text);
        assert!(!verify(dir.path()).unwrap().problems.is_empty(), "{what}");
        if !what.starts_with(|c: char| c.is_ascii_digit()) {
            assert!(matches!(read(dir.path()), Err(Error::Disagree { .. })), "{what}");
        }
    }
    set(dir.path(), STATE, &good);
    fs::remove_file(dir.path().join(LOG)).unwrap();
    for error in [read(dir.path()).unwrap_err(), open(dir.path()).err().unwrap()] {
        assert!(error.to_string().contains("made at entry 18"), "{error}");
    }
}

#[test]
fn equal_labels_share_one_allocation() {
    let dir = told();
    fn shared(state: &State) -> bool {
        Arc::ptr_eq(&state.devices[&id(2)].spec.labels, &state.devices[&id(3)].spec.labels)
    }
    assert!(shared(&read(dir.path()).unwrap()));
    assert!(shared(&replay(dir.path()).unwrap().state));
}

#[test]
fn a_sync_that_was_asked_for_stands_in_it_as_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path()).unwrap();
    ledger.append(vec![provisioned(1, 2)]).unwrap();
    let requested = json!({
        "intent": 3, "request": "0b2f5c1e-93a2-4b58-9d53-5d7b0a1c2d3e", "by": "uid=1001",
        "claims": "uid=0(root)", "lastSync": "2026-11-22T09:00:00.000Z",
    });
    let failed = json!({"intent": 3, "class": "transient", "error": "503"});
    for (kind, data) in [("sync.requested", requested), ("sync.failed", failed)] {
        let event = Event::parse(kind, &data.to_string()).unwrap();
        ledger.append(vec![about(1, event)]).unwrap();
        ledger.snapshot().unwrap();
        let text = state(dir.path());
        assert_eq!(text.as_bytes(), jq(text.as_bytes()));
        assert_eq!(&read(dir.path()).unwrap(), ledger.state());
        let asked = ledger.state().devices[&id(1)].rare.sync_requested.clone().unwrap();
        assert_eq!(asked.failed.is_some(), kind == "sync.failed");
    }
}

/// A ledger whose snapshot is being written, and what is told at its end.
fn saving(dir: &Path) -> (Ledger, std::sync::mpsc::Receiver<()>) {
    let mut ledger = open(dir).unwrap();
    ledger.append((1..=1010).map(|n| provisioned(n, 2)).collect()).unwrap();
    let (done, told) = std::sync::mpsc::channel();
    ledger.begin_saving(move || done.send(()).unwrap_or_default()).unwrap();
    (ledger, told)
}

#[test]
fn a_snapshot_is_written_beside_whatever_is_appended_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let (mut ledger, told) = saving(dir.path());
    let then = ledger.state().clone();
    assert!(!ledger.is_saved());
    ledger.append(vec![about(1, Event::ProfilePushed(push(2)))]).unwrap();
    ledger.end_pass().unwrap();
    told.recv().unwrap();
    ledger.end_saving().unwrap();
    assert!(!ledger.is_saving() && !ledger.is_saved(), "it lacks what came meanwhile");
    let quickly = as_written(&mut File::open(dir.path().join(STATE)).unwrap(), 0).unwrap();
    assert_eq!(quickly.unwrap().state, then);
    assert_eq!(&read(dir.path()).unwrap(), ledger.state());
    ledger.snapshot().unwrap();
    assert!(ledger.is_saved());
    assert_eq!(verify(dir.path()).unwrap().problems, []);
}

#[test]
fn one_at_a_time_is_written_and_whoever_closes_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut ledger, told) = saving(dir.path());
    let first = ledger.state().seq;
    ledger.append(vec![about(1, Event::ProfilePushed(push(2)))]).unwrap();
    ledger.begin_saving(|| panic!("another one is not begun")).unwrap();
    drop(ledger);
    told.try_recv().expect("it is written");
    let seq = format!("\n  \"seq\": {first},");
    assert!(state(dir.path()).contains(&seq), "{seq}");
}

#[test]
fn one_that_fails_is_told_and_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path()).unwrap();
    let in_the_way = dir.path().join(STATE);
    fs::create_dir_all(in_the_way.join("x")).unwrap();
    ledger.append(vec![provisioned(1, 2)]).unwrap();
    let (done, told) = std::sync::mpsc::channel();
    ledger.begin_saving(move || done.send(()).unwrap()).unwrap();
    told.recv().unwrap();
    ledger.end_saving().expect_err("a directory is in the way");
    assert!(!ledger.is_saved());
    fs::remove_dir_all(&in_the_way).unwrap();
    ledger.snapshot().unwrap();
    assert!(ledger.is_saved());
    assert_eq!(&read(dir.path()).unwrap(), ledger.state());
}
