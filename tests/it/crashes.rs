//! Promise 4: a crash at any instruction loses nothing and repeats nothing. The binary aborts at
//! each crash point in turn, is started again, and must end where an undisturbed run ends.

use std::collections::{BTreeMap, BTreeSet};

use fleetform::edges::fs::durable;
use fleetform::edges::ledger;
use fleetform::edges::provider::local;
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::invariants::Reading;
use crate::support::{Fixture, device, healthy, number, text};

/// Crash at the first, second, … time that a point is passed; `CRASH_HITS` asks for more.
const HITS: u64 = 2;

/// Points that no pass reaches, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("author.", "writes manifests, for `provision`, `set`, `fmt`, `check --fix` and `import`"),
    ("new.", "writes a wipe request, for `wipe new`"),
    ("submit.", "hands reports over, for `report`: tested below"),
    ("deliveries.", "keeps what sinks have yet to tell: tested in `receivers`"),
    ("cache.history", "goes on with an index of devices: tested beside the ledger"),
    ("backup.", "writes a backup: whole or not at all, as every file"),
    ("restore", "restores a backup: tested beside backups"),
    ("inbox.write", "leaves the rest of a large file: tested beside the provider"),
    ("inbox.fsync", "likewise"),
    ("inbox.rename", "likewise"),
];

/// A first pass over everything, with reports that nobody can use, into a data directory that
/// holds nothing else.
fn first_pass() -> Fixture {
    let fixture = Fixture::sample();
    fixture.write(".fleetform/inbox/a", healthy("NOBODY", 1));
    fixture.write(".fleetform/inbox/nonsense", "nonsense");
    // As a whole it is moved.
    fixture.write(".fleetform/inbox/nothing", "");
    fixture
}

/// Something of everything that a later pass does, over a log that ends in the middle of a line.
fn later_pass() -> Fixture {
    let fixture = Fixture::enrolled();
    fixture.replace("fleet/profiles/standard.yaml", "vpn.example.com", "vpn2.example.com");
    fixture.replace("fleet/profiles/standard.yaml", "minPinLength: 6", "minPinLength: 9");
    fixture.replace("fleet/berlin/lena-vogt-iphone.yaml", "spec:", "spec:\n  status: Failed");
    fixture.replace("fleet/madrid/carmen-soto-phone.yaml", "Mobile", "Executive");
    fixture.replace("fleet/berlin/lena-vogt-macbook.yaml", "spec:", "spec:\n  enrollment: 2");
    fixture.remove("fleet/madrid/ana-ruiz-laptop.yaml");
    fixture.write("fleet/new.yaml", device("NEW1") + "---\n" + &device("NEW2"));
    let done = |serial: &str, day| {
        let outbox = fixture.read(&format!(".fleetform/outbox/{serial}.json"));
        let commands: Value = serde_json::from_str(&outbox).expect("JSON");
        let id = text(&commands["commands"][0]["id"]).to_owned();
        healthy(serial, day).replace("\"at\"", &format!("\"completed\":[\"{id}\"],\"at\""))
    };
    let lines = [
        done("PF5B20QK", 2),
        done("R5CT31WXYZ", 2),
        done("C02ZL1XYMD6T", 2),
        healthy("DX3QK8F1PL", 2).replace("\"pinLength\":8", "\"pinLength\":4"),
        healthy("NOBODY", 2),
    ];
    fixture.write(".fleetform/inbox/a", lines.join("\n"));
    fixture.write(".fleetform/inbox/b", healthy("PF4A81LM", 2));
    fixture.write(".fleetform/inbox/nonsense", "nonsense");
    let log = fixture.read(".fleetform/audit.jsonl");
    fixture.write(".fleetform/audit.jsonl", log + "{\"seq\":99,\"at\":\"2020");
    fixture
}

/// What must be the same, however often the process died: devices, profiles, what devices have
/// to do, what was refused.
#[derive(Debug, PartialEq)]
struct Outcome {
    devices: BTreeMap<String, Value>,
    profiles: Value,
    outbox: BTreeMap<String, Vec<Value>>,
    refused: BTreeSet<String>,
    waiting: Vec<String>,
}

#[track_caller]
fn assert_same(found: &Outcome, expected: &Outcome, context: &str) {
    for (id, device) in &expected.devices {
        assert_eq!(found.devices.get(id), Some(device), "{id} after {context}");
    }
    for (serial, commands) in &expected.outbox {
        assert_eq!(found.outbox.get(serial), Some(commands), "{serial} after {context}");
    }
    assert_eq!(found, expected, "after {context}");
}

fn outcome(fixture: &Fixture) -> Outcome {
    let mut state = fixture.state();
    let mut devices = BTreeMap::new();
    for (id, mut device) in state["devices"].as_object().expect("devices").clone() {
        for pointer in ["/statusSince", "/compliance/since", "/push/intent"] {
            device.pointer_mut(pointer).expect(pointer).take();
        }
        for pointer in ["/episode/opened", "/episode/since"] {
            device.pointer_mut(pointer).map(Value::take);
        }
        for license in device["licenses"].as_array_mut().into_iter().flatten() {
            license["since"].take();
            license["intent"].take();
        }
        let orphaned = !device["orphanedSince"].is_null();
        device["orphanedSince"] = orphaned.into();
        devices.insert(id, device);
    }
    let mut outbox = BTreeMap::new();
    for name in names(fixture, ".fleetform/outbox") {
        let text = fixture.read(&format!(".fleetform/outbox/{name}"));
        let mut document: Value = serde_json::from_str(&text).expect("JSON");
        let commands = document["commands"].as_array_mut().expect("commands");
        commands.iter_mut().for_each(|command| drop(command["id"].take()));
        outbox.insert(name, commands.clone());
    }
    let refused = names(fixture, ".fleetform/inbox/rejected");
    let refused =
        refused.iter().map(|name| fixture.read(&format!(".fleetform/inbox/rejected/{name}")));
    let waiting = names(fixture, ".fleetform/inbox");
    Outcome {
        devices,
        profiles: state["profiles"].take(),
        outbox,
        refused: refused.collect(),
        waiting,
    }
}

/// Names in a directory, but for those that a crash may leave and the next pass overwrites.
fn names(fixture: &Fixture, directory: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(fixture.path(directory)) else { return vec![] };
    let names = entries.map(|e| e.expect("an entry").file_name().into_string().expect("UTF-8"));
    let mut names: Vec<_> = names.filter(|name| name != "rejected").collect();
    names.sort();
    names
}

/// Applies until nothing is left, as a supervisor would.
fn settle(fixture: &Fixture, context: &str) {
    for _ in 0..3 {
        let applied = fixture.run(&["apply", "--yes", "-o", "json"]);
        assert_eq!(applied.code, Some(0), "{context}: {applied:?}");
        if applied.json()["done"] == json!({}) {
            return;
        }
    }
    panic!("{context}: there is always something left");
}

fn verify(fixture: &Fixture, context: &str) {
    let reading = Reading::check(&fixture.data());
    assert_eq!(fixture.logged("device.provisioned"), reading.devices(), "{context}");
    let problems = ledger::file::verify(&fixture.data()).expect("a ledger").problems;
    assert_eq!(problems, [], "{context}");
}

/// Crashes a pass at every point; gives the points that were reached.
fn crash_everywhere(prepare: fn() -> Fixture) -> BTreeSet<&'static str> {
    let prepared = prepare();
    let undisturbed = prepared.duplicate();
    settle(&undisturbed, "undisturbed");
    verify(&undisturbed, "undisturbed");
    let expected = outcome(&undisturbed);
    let points: Vec<_> = durable::CRASH_POINTS.iter().chain(local::CRASH_POINTS).collect();
    let reached = points.par_iter().filter_map(|point| {
        let mut died = false;
        for before in 0..number("CRASH_HITS").unwrap_or(HITS) {
            let fixture = prepared.duplicate();
            let failpoint = format!("{point}={before}*off->return");
            let crash = fixture.run_with(&["apply", "--yes"], &[("FAILPOINTS", &failpoint)]);
            if crash.signal != Some(6) {
                assert_eq!(crash.code, Some(0), "{failpoint}: {crash:?}");
                break;
            }
            died = true;
            settle(&fixture, &failpoint);
            assert_same(&outcome(&fixture), &expected, &failpoint);
            verify(&fixture, &failpoint);
        }
        died.then_some(**point)
    });
    reached.collect()
}

#[test]
fn a_pass_that_dies_anywhere_is_completed_by_the_next() {
    let (first, later) =
        rayon::join(|| crash_everywhere(first_pass), || crash_everywhere(later_pass));
    let points = durable::CRASH_POINTS.iter().chain(local::CRASH_POINTS);
    for point in points.filter(|point| !first.contains(*point) && !later.contains(*point)) {
        let why = ELSEWHERE.iter().find(|(prefix, _)| point.starts_with(prefix));
        assert!(why.is_some(), "no pass of this test reaches {point}");
    }
}

#[test]
fn whatever_a_power_cut_leaves_of_a_write_of_the_log_the_next_pass_completes_it() {
    rayon::join(|| tear_everywhere(&first_pass()), || tear_everywhere(&later_pass()));
}

/// Leaves a part of each write of a pass, up to the middle of each of its lines.
fn tear_everywhere(prepared: &Fixture) {
    let undisturbed = prepared.duplicate();
    settle(&undisturbed, "undisturbed");
    let expected = outcome(&undisturbed);
    // The log as it is before each write of it, and as the write would leave it.
    let mut crashed = vec![prepared.duplicate()];
    loop {
        let fixture = prepared.duplicate();
        let before = crashed.len() - 1;
        let failpoint = format!("ledger.append.fsync.before={before}*off->return");
        let crash = fixture.run_with(&["apply", "--yes"], &[("FAILPOINTS", &failpoint)]);
        if crash.signal != Some(6) {
            crash.exits(0);
            break;
        }
        crashed.push(fixture);
    }
    assert!(crashed.len() >= 3, "intents, and what came of them");
    let log = |fixture: &Fixture| {
        let path = fixture.path(".fleetform/audit.jsonl");
        std::fs::read_to_string(path).unwrap_or_default()
    };
    let writes = crashed.iter().zip(&crashed[1..]).flat_map(|(before, after)| {
        let (begun, whole) = (log(before).rfind('\n').map_or(0, |at| at + 1), log(after));
        let ends: Vec<usize> = whole[begun..].match_indices('\n').map(|(at, _)| at).collect();
        let starts: Vec<usize> =
            std::iter::once(begun).chain(ends.iter().map(|end| begun + end + 1)).collect();
        // In the middle of each line.
        let cuts = starts.into_iter().zip(ends).map(move |(start, end)| (start + begun + end) / 2);
        cuts.map(move |cut| (after, cut))
    });
    let writes: Vec<_> = writes.collect();
    assert!(writes.len() > 20, "{}", writes.len());
    writes.par_iter().for_each(|(after, cut)| {
        let fixture = after.duplicate();
        let whole = log(&fixture);
        let context = format!("of {} bytes {cut}", whole.len());
        fixture.write(".fleetform/audit.jsonl", &whole[..*cut]);
        settle(&fixture, &context);
        assert_same(&outcome(&fixture), &expected, &context);
        verify(&fixture, &context);
    });
}

#[test]
fn reports_that_were_handed_over_twice_count_once() {
    let mut prepared = Fixture::sample();
    prepared.run(&["apply", "--yes"]).exits(0);
    prepared.write("reports", [healthy("PF3XK9Q2", 1), healthy("NOBODY", 1)].join("\n"));
    let undisturbed = prepared.duplicate();
    undisturbed.run(&["report", "reports"]).exits(0);
    settle(&undisturbed, "undisturbed");
    let expected = outcome(&undisturbed);
    for point in local::CRASH_POINTS.iter().filter(|point| point.starts_with("submit.")) {
        let fixture = prepared.duplicate();
        let failpoint = format!("{point}=return");
        let crash = fixture.run_with(&["report", "reports"], &[("FAILPOINTS", &failpoint)]);
        assert_eq!(crash.signal, Some(6), "{failpoint}: {crash:?}");
        fixture.run(&["report", "reports"]).exits(0);
        settle(&fixture, &failpoint);
        let mut outcome = outcome(&fixture);
        outcome.waiting.retain(|name| !name.starts_with('.'));
        assert_same(&outcome, &expected, &failpoint);
    }
    prepared = undisturbed;
    verify(&prepared, "undisturbed");
}
