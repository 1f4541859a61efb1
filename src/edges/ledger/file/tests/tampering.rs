//! What `verify` says of logs that were tampered with, and that the check in the shell, which
//! shares no code with it, agrees.

use crate::domain::model::Digest;
use std::process::Command;

use super::*;
use crate::edges::ledger::file::verify::{problems, well};
use crate::edges::ledger::verify::Verified;

type Lines = Vec<Vec<u8>>;

fn lines(dir: &Path) -> Lines {
    log(dir).split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
}

/// The numbers that `verify` names, and what it says.
fn found(dir: &Path) -> (Vec<u64>, String) {
    let verified = verify(dir).unwrap();
    let text = verified.problems.iter().map(|p| format!("{p}\n")).collect();
    (verified.problems.iter().filter_map(|p| p.seq).collect(), text)
}

/// Whether the script is content, and what it says.
fn script(dir: &Path) -> (bool, String) {
    Command::new("jq").arg("--version").output().expect("this test needs jq: apt-get install jq");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/verify-audit-log.sh");
    let out = Command::new("sh").arg(script).arg(dir).output().unwrap();
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    (out.status.success(), String::from_utf8(out.stdout).unwrap())
}

/// `change` is found, by `verify` and by the script, under one of `seqs`, and what `verify` says
/// has `text` in it; writers refuse to go on.
#[track_caller]
fn tampered(seqs: &[u64], text: &str, change: impl FnOnce(&mut Lines)) {
    let dir = told();
    let mut lines = lines(dir.path());
    change(&mut lines);
    let bytes = lines.concat();
    set(dir.path(), LOG, &bytes);
    let (named, said) = found(dir.path());
    assert!(said.contains(text), "{text:?} not in:\n{said}");
    assert_eq!(named, seqs, "{said}");
    let (ok, said) = script(dir.path());
    let names = |seq: &u64| said.starts_with(&format!("seq {seq} "));
    assert!(!ok && seqs.iter().any(names), "script: {said}");
    assert!(open(dir.path()).is_err());
    assert_eq!(log(dir.path()), bytes, "nothing was changed");
}

fn replace(line: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(line.clone()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    *line = text.replacen(from, to, 1).into_bytes();
}

fn break_prev(line: &mut [u8]) {
    let start = line.len() - "\"}\n".len() - 64;
    line[start..start + 64].copy_from_slice(Digest::of(b"x").to_string().as_bytes());
}

#[test]
fn a_good_ledger_is_well_and_the_script_agrees_on_its_head() {
    let dir = told();
    let verified = verify(dir.path()).unwrap();
    assert_eq!(verified.problems, []);
    assert_eq!((verified.lines, verified.seq, verified.snapshot_seq), (18, 18, Some(18)));
    assert_eq!(verified.bytes, log(dir.path()).len() as u64);
    assert_eq!(script(dir.path()), (true, format!("{}\nok: 18 lines\n", verified.head)));
    fs::remove_file(dir.path().join(STATE)).unwrap();
    assert_eq!(verify(dir.path()).unwrap(), Verified { snapshot_seq: None, ..verified });
    assert!(script(dir.path()).0);
}

#[test]
fn a_flipped_byte_names_its_line() {
    let dir = told();
    let good = log(dir.path());
    let mut offset = 0;
    for (i, line) in lines(dir.path()).into_iter().enumerate() {
        let seq = i as u64 + 1;
        // The newline is the last byte.
        for at in (0..line.len()).step_by(13).chain([7, 8, line.len() - 3, line.len() - 1]) {
            for flip in [0x01, 0x80, line[at] ^ b'\n'] {
                let mut bytes = good.clone();
                bytes[offset + at] ^= flip;
                if bytes == good {
                    continue;
                }
                set(dir.path(), LOG, &bytes);
                let (named, said) = found(dir.path());
                assert!(named.contains(&seq), "{seq}, byte {at}, {flip:#x}:\n{said}");
                let neighbours = seq.saturating_sub(1)..=seq + 1;
                assert!(named.iter().all(|n| neighbours.contains(n)), "{seq}, {at}:\n{said}");
            }
        }
        offset += line.len();
    }
}

/// What the quick look says is what the thorough one says, or it says nothing.
#[track_caller]
fn agreed(dir: &Path, what: &str) -> bool {
    let thorough = problems(dir).unwrap();
    let well = well(dir);
    assert!(well.as_ref().is_none_or(|quick| *quick == thorough), "{what}: {thorough:?}");
    well.is_some()
}

#[test]
fn what_is_well_at_a_quick_look_is_well() {
    let dir = told();
    assert!(agreed(dir.path(), "as it was written"));
    let (good_log, good_state) = (log(dir.path()), fs::read(dir.path().join(STATE)).unwrap());
    for (name, good) in [(LOG, &good_log), (STATE, &good_state)] {
        let mut told = 0;
        for at in (0..good.len()).step_by(3) {
            let flip = [0x01, 0x20, good[at] ^ b'\n'][at % 3];
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            set(dir.path(), name, &bytes);
            told += usize::from(agreed(dir.path(), &format!("{name}, byte {at}, {flip:#x}")));
            if at % 21 == 0 {
                for (from, to) in [(at, at + 1), (at, good.len()), (at, at)] {
                    let bytes = [&good[..from], b" ".as_slice(), &good[to..]].concat();
                    set(dir.path(), name, &bytes);
                    agreed(dir.path(), &format!("{name}, cut at {at}"));
                }
            }
        }
        // Digits of telemetry, and what was no change at all.
        assert!(told < good.len() / 10, "{told} of {} changes pass {name} quickly", good.len());
        set(dir.path(), name, good);
    }
    // Nobody could tell where the devices of such a snapshot begin.
    let text = String::from_utf8(good_state.clone()).unwrap();
    let begin = text.find("\n  \"devices\": {").unwrap();
    let end = text.find("\n  },\n  \"frozen\"").unwrap();
    let devices = &text[begin..end + 4];
    let elsewhere = format!("\n  \"devices\": {{}},{}", devices.replacen("devices", "more", 1));
    for other in [
        text.replacen(devices, &elsewhere, 1),
        text.replacen(devices, "\n  \"devices\": {}", 1),
        text.replacen(devices, &format!("{devices},{devices}"), 1),
        text.replacen("\"D002\": {", "\"D001\": {", 1),
        text.replacen("    },\n    \"D002\"", "    }\n    \"D002\"", 1),
        format!("{text} "),
        text.trim_end().to_owned(),
    ] {
        set(dir.path(), STATE, &other);
        assert!(!agreed(dir.path(), &other));
    }
    set(dir.path(), STATE, &good_state);
    for changed in ["facts", "lastSync"] {
        let key = format!("\n      \"{changed}\": ");
        let (before, after) = text.split_once(&key).unwrap();
        for (value, well) in [("null", true), ("7", false), ("{\"a\": 1}", false), ("\"x\"", false)]
        {
            let (_, rest) = after.split_once(",\n      \"").unwrap();
            let rest = if after.starts_with('{') {
                &after[after.find("\n      }").unwrap() + 9..]
            } else {
                rest
            };
            let rest = rest.trim_start_matches([',', '\n', ' ']).trim_start_matches('"');
            set(dir.path(), STATE, format!("{before}{key}{value},\n      \"{rest}"));
            assert_eq!(agreed(dir.path(), value), well, "{changed}: {value}");
        }
    }
}

#[test]
fn a_change_names_its_line_wherever_it_is() {
    let email = ("ana.ruiz@example.com", "eve.evil@example.com");
    tampered(&[4], "entry 4 was changed", |lines| replace(&mut lines[3], email.0, email.1));
    // The last one by state.json, the first one by the second.
    tampered(&[18], "entry 18 was changed", |lines| {
        replace(&mut lines[17], "\"of\":3", "\"of\":4")
    });
    tampered(&[1], "entry 1 was changed", |lines| replace(&mut lines[0], "tester", "Tester"));
    tampered(&[1], "entry 1 was changed", |lines| {
        replace(&mut lines[0], "\"prev\":\"0", "\"prev\":\"1")
    });
    for seq in [2, 9, 17, 18] {
        tampered(&[seq], &format!("entry {seq} was changed"), |lines| {
            break_prev(&mut lines[seq as usize - 1]);
        });
    }
    tampered(&[7], "entry 7 was changed: it says seq 70", |lines| {
        replace(&mut lines[6], "\"seq\":7", "\"seq\":70");
    });
    tampered(&[4, 10], "entry 10 was changed", |lines| {
        replace(&mut lines[3], email.0, email.1);
        replace(&mut lines[9], "\"intent\":9", "\"intent\":8");
    });
}

#[test]
fn a_removed_line_is_named() {
    tampered(&[7], "seq 7 is missing: 6 is followed by 8", |lines| drop(lines.remove(6)));
    tampered(&[7, 8], "seq 8 is missing: 7 is followed by 9", |lines| drop(lines.drain(6..8)));
    tampered(&[1], "seq 1 is missing: the log begins with 2", |lines| drop(lines.remove(0)));
}

#[test]
fn swapped_and_moved_lines_are_named() {
    tampered(&[8], "entry 8 is out of place: it follows entry 6", |lines| lines.swap(6, 7));
    tampered(&[18], "entry 18 is out of place: it follows entry 16", |lines| lines.swap(16, 17));
    tampered(&[7, 12], "entry 12 is out of place: it follows entry 6", |lines| lines.swap(6, 11));
    tampered(&[3], "entry 3 is out of place: it follows entry 9", |lines| {
        let line = lines.remove(2);
        lines.insert(8, line);
    });
}

#[test]
fn a_repeated_line_is_named() {
    tampered(&[7], "entry 7 is there again after entry 7", |lines| {
        lines.insert(7, lines[6].clone())
    });
    tampered(&[3], "entry 3 is there again after entry 9", |lines| {
        lines.insert(9, lines[2].clone())
    });
}

#[test]
fn a_cut_tail_is_named_through_the_snapshot() {
    tampered(&[18], "seq 18 is missing: the log ends with 17", |lines| lines.truncate(17));
    tampered(&[6], "seq 6 is missing: the log ends with 5", |lines| lines.truncate(5));
    tampered(&[1], "seq 1 is missing", Vec::clear);
    tampered(&[18, 18], "entry 18 (at byte", |lines| lines[17].truncate(30));
}

#[test]
fn a_line_that_is_no_entry_is_named() {
    tampered(&[5], "entry 5 (at byte", |lines| lines[4] = b"{}\n".to_vec());
    tampered(&[5], "longer than 65536 bytes", |lines| {
        lines[4] = vec![b'x'; 3 << 20].into_iter().chain([b'\n']).collect()
    });
    tampered(&[7], "kind \"device.Status\"", |lines| {
        replace(&mut lines[6], "device.status", "device.Status");
    });
    tampered(&[1], "cannot be read", |lines| lines[0] = b"\0\0\0\n".to_vec());
}

#[test]
fn a_rewritten_history_is_caught_by_the_snapshot() {
    let dir = told();
    let other = told();
    set(dir.path(), LOG, log(other.path()));
    let (named, said) = found(dir.path());
    assert_eq!(named, [18], "{said}");
    assert!(said.contains("all of the log up to it was rewritten"), "{said}");
    assert!(script(dir.path()).1.starts_with("seq 18 "));
}

#[test]
fn numbers_that_leave_no_room_are_borne() {
    for to in ["18446744073709551615", "18446744073709551614", "0", "9007199254740993"] {
        let dir = told();
        let mut lines = lines(dir.path());
        replace(&mut lines[6], "\"seq\":7,", &format!("\"seq\":{to},"));
        break_prev(&mut lines[6]);
        set(dir.path(), LOG, lines.concat());
        assert!(!found(dir.path()).0.is_empty());
        assert!(open(dir.path()).is_err() && replay(dir.path()).is_err());
    }
}

#[test]
fn a_snapshot_that_the_log_does_not_give_is_told_key_by_key() {
    let dir = told();
    let good = fs::read_to_string(dir.path().join(STATE)).unwrap();
    let cases = [
        ("\"enrollment\": 1", "\"enrollment\": 2", "enrollment of device D001 is not"),
        ("\"D003\": {", "\"D004\": {", "device D003, which it lacks, is not"),
        ("\"D003\": {", "\"D004\": {", "device D004, which it has, is not"),
        ("\"cause\": \"shrunken\"", "\"cause\": \"empty\"", "its `frozen` is not"),
        ("\"description\": \"two\"", "\"description\": \"2\"", "its `profiles` are not"),
    ];
    for (from, to, message) in cases {
        assert!(good.contains(from), "{from}");
        set(dir.path(), STATE, good.replacen(from, to, 1));
        let (named, said) = found(dir.path());
        assert!(named.is_empty() && said.contains(message), "{message}:\n{said}");
    }
    set(dir.path(), STATE, good.replace("\"encryption\": {", "\"encryption\": {\n"));
    assert_eq!(verify(dir.path()).unwrap().problems, [], "telemetry and layout are free");
}

#[test]
fn at_most_twenty_problems_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path()).unwrap();
    ledger.append((1..=300).map(|n| provisioned(n, 2)).collect()).unwrap();
    ledger.snapshot().unwrap();
    let good = lines(dir.path());
    let odd: Lines = good.iter().step_by(2).cloned().collect();
    let reversed: Lines = good.iter().rev().cloned().collect();
    let mut changed = good.clone();
    changed.iter_mut().for_each(|line| replace(line, "tester", "Tester"));
    let nonsense = vec![b"nonsense\n".to_vec(); 300];
    for lines in [odd, reversed, changed, nonsense] {
        set(dir.path(), LOG, lines.concat());
        let verified = verify(dir.path()).unwrap();
        assert_eq!(verified.problems.len(), crate::edges::ledger::verify::MOST);
        assert!(verified.more);
        assert_eq!(verified.lines, lines.len() as u64);
    }
}

#[test]
fn a_snapshot_that_forgets_a_wipe_or_the_trust_files_is_found_out() {
    use crate::domain::state::State;
    use crate::domain::state::event::TrustFiles;
    use crate::edges::ledger::differences::differences;
    use crate::edges::ledger::snapshot::WipeWire;

    let (at, request) = ("2026-11-22T10:00:00.000Z", Digest::of(b"request"));
    let wipe: WipeWire = serde_json::from_value(serde_json::json!({
        "code": null, "detail": "", "deviceId": "D001", "expiresAt": at, "intent": 9,
        "issueAt": at, "issuedAt": at, "name": "lost", "path": "w.yaml", "reason": "lost",
        "requestedBy": "b@example.com", "scope": "full", "serialNumber": "A",
        "signers": ["b@example.com"], "since": at, "state": "issued",
    }))
    .unwrap();
    let forgetful = State::default();
    let mut wiped = State::default();
    wiped.wipes.insert(request, wipe.into_wipe(request));
    let trust = Some(TrustFiles { allowed_signers: request, revoked_keys: None });
    let mut trusting = State::default();
    trusting.trust = trust;
    for logged in [wiped, trusting] {
        assert_eq!(differences(&logged, &logged), Vec::<String>::new());
        assert_eq!(differences(&forgetful, &logged).len(), 1);
        assert_eq!(differences(&logged, &forgetful).len(), 1);
    }
}

#[test]
fn a_log_that_a_newer_version_went_on_with_is_not_to_be_restored_from_a_backup() {
    let dir = told();
    let old = log(dir.path());
    let next = old.iter().filter(|b| **b == b'\n').count() + 1;
    let line = |kind: &str, data: &str| {
        let prev = Digest::of(old.trim_ascii_end().rsplit(|b| *b == b'\n').next().unwrap());
        format!(
            "{{\"seq\":{next},\"at\":\"2026-11-22T10:00:00.000Z\",\"kind\":\"{kind}\",\"actor\":\"a\",\
             \"data\":{data},\"prev\":\"{prev}\"}}\n"
        )
    };
    for (kind, data, newer) in [
        ("device.painted", "{}", true),
        ("pass.thawed", "{\"by\":\"bob\"}", true),
        ("pass.thawed", "[1,2]", false),
    ] {
        set(dir.path(), LOG, [&old[..], line(kind, data).as_bytes()].concat());
        let refused = |read: Result<State, Error>| {
            let told = read.unwrap_err().to_string();
            assert!(told.contains(&format!("entry {next} ")), "{told}");
            assert_eq!(told.contains("written by a newer fleetform"), newer, "{told}");
            assert_eq!(told.contains("from a backup"), !newer, "{told}");
        };
        refused(open(dir.path()).map(|ledger| ledger.state().clone()));
        refused(read(dir.path()));
    }
}
