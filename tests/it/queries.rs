//! What is asked about a few devices reads nothing of the others, and what a writer verified is not read
//! again; answers are those that all of the files give.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Fixture, device, healthy, needs, wait_until};

const DEVICES: usize = 300;
/// Far less than all of the snapshot or of the log of so many devices.
const FEW: u64 = 100_000;

/// A fleet of which everything is kept that makes commands fast.
fn fleet() -> Fixture {
    let serials: Vec<String> = (0..DEVICES).map(|n| format!("S{n:03}")).collect();
    let serials: Vec<&str> = serials.iter().map(String::as_str).collect();
    let place = Fixture::of(&serials);
    let user = "userEmail: one@example.com";
    let text = place.read("fleet/S150.yaml");
    let line = text.lines().find(|line| line.contains("userEmail")).expect("a user").trim();
    place.replace("fleet/S150.yaml", line, user);
    apply(&place);
    place.report(&healthy("S150", 1));
    apply(&place);
    for name in ["state.json", "audit.jsonl"] {
        let length = fs::metadata(place.data().join(name)).expect("it is there").len();
        assert!(length > 2 * FEW, "{name}: {length}");
    }
    place
}

/// Applies until everything is kept: nothing is in the moment in which files were written.
fn apply(place: &Fixture) {
    let version =
        |name: &str| fs::metadata(place.data().join(name)).and_then(|file| file.modified()).ok();
    wait_until("all to be kept", || {
        assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
        ["cache/devices", "cache/verified"].iter().all(|name| version(name) > version("state.json"))
    });
}

/// How many bytes of a file a command reads, by these calls.
fn read(place: &Fixture, file: &str, calls: &str, args: &[&str]) -> u64 {
    needs("strace");
    let log = place.path("strace.log");
    let shown = log.display().to_string();
    let trace = format!("trace={calls}");
    place.run_under(&["strace", "-f", "-y", "-qq", "-e", &trace, "-o", &shown], args);
    let text = fs::read_to_string(&log).expect("a log");
    let of = format!("/{file}>");
    // Threads whose call is told in two lines, since others came between.
    let mut open = BTreeSet::new();
    let mut sum = 0;
    for line in text.lines() {
        let thread = line.split(' ').next().unwrap_or_default();
        let resumed = line.contains(" resumed>") && open.remove(thread);
        if line.ends_with("<unfinished ...>") && line.contains(&of) {
            open.insert(thread);
        } else if resumed || line.contains(&of) {
            let read =
                line.rsplit_once("= ").and_then(|(_, read)| read.split(' ').next()?.parse().ok());
            sum += read.unwrap_or(0_u64);
        }
    }
    sum
}

const ALL: &str = "read,pread64";

const ASKED: [&[&str]; 7] = [
    &["show", "S150", "-o", "json"],
    &["show", "d007", "-o", "json"],
    &["list", "--user", "ONE@example.com", "-o", "json"],
    &["list", "--user", "nobody@example.com"],
    &["list", "--status", "Enrolled", "-o", "csv"],
    &["list", "--label", "site=nowhere"],
    &["show", "S150", "-o", "json", "--fleet", "nowhere"],
];

#[test]
fn a_few_devices_are_found_without_reading_the_others() {
    let place = fleet();
    let before: Vec<_> = ASKED.map(|args| place.run(args)).into();
    for args in ASKED {
        for file in ["state.json", "audit.jsonl"] {
            let bytes = read(&place, file, ALL, args);
            assert!(bytes < FEW, "{args:?}: {bytes} of {file}");
        }
    }
    fs::remove_dir_all(place.data().join("cache")).expect("removed");
    for (args, before) in ASKED.iter().zip(before) {
        let now = place.run(args);
        assert_eq!(
            (now.code, &now.stdout, &now.stderr),
            (before.code, &before.stdout, &before.stderr)
        );
        assert!(read(&place, "state.json", ALL, args) > 2 * FEW, "{args:?}");
    }
}

#[test]
fn a_writer_reads_the_log_again_only_in_doubt() {
    let place = fleet();
    // What is appended to is proved by its end, each time: that is read elsewhere than in its order.
    let whole = || read(&place, "audit.jsonl", "read", &["apply", "--yes"]);
    assert!(whole() < FEW, "nobody touched it");
    place.replace("fleet/S007.yaml", "osVersion: ", "enrollment: 2\n  osVersion: ");
    assert!(whole() < FEW, "it grew by the writer's own hand");
    apply(&place);
    assert!(whole() < FEW, "and is verified");
    assert!(
        read(&place, "audit.jsonl", "read", &["audit", "verify"]) > 2 * FEW,
        "audit verify reads all"
    );
    let path = place.data().join("audit.jsonl");
    let text = fs::read(&path).expect("the log");
    fs::write(&path, text).expect("written");
    assert!(whole() > 2 * FEW, "it was touched");
    apply(&place);
    assert!(whole() < FEW, "it is verified again");
    fs::remove_dir_all(place.data().join("cache")).expect("removed");
    assert!(whole() > 2 * FEW, "nothing is kept");
    assert!(read(&place, "audit.jsonl", "read", &["apply", "--yes", "--no-index"]) > 2 * FEW);
}

#[test]
fn damaged_it_changes_no_answer() {
    let place = fleet();
    let expected: Vec<_> = ASKED.map(|args| place.run(args).stdout).into();
    let agrees = |what: &str| {
        for (args, expected) in ASKED.iter().zip(&expected).step_by(2) {
            assert_eq!(&place.run(args).stdout, expected, "{what}: {args:?}");
        }
    };
    for name in ["devices", "history", "verified"] {
        let path = place.data().join("cache").join(name);
        let whole = fs::read(&path).expect("it is kept");
        let cut = [0, 100, whole.len() / 2].map(|length| whole[..length].to_vec());
        let flipped = (0..whole.len()).step_by(whole.len() / 8 + 1).map(|at| {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            bytes
        });
        for bytes in cut.into_iter().chain(flipped) {
            fs::write(&path, &bytes).expect("written");
            agrees(name);
            let applied = place.run(&["apply", "--yes"]);
            assert_eq!(applied.code, Some(0), "{name}: {applied:?}");
            agrees(name);
            assert_eq!(place.run(&["audit", "verify"]).code, Some(0));
        }
    }
}

#[test]
fn the_snapshot_and_the_index_come_back_when_they_are_asked_for() {
    let place = fleet();
    let without_telemetry = |place: &Fixture| {
        let mut state = place.state();
        for device in state["devices"].as_object_mut().expect("devices").values_mut() {
            device["facts"].take();
            device["lastSync"].take();
        }
        state
    };
    let expected = without_telemetry(&place);
    let shown = place.run(&["list", "--status", "Pending"]).stdout;
    for gone in [&["state.json"][..], &["cache"], &["state.json", "cache"]] {
        for name in gone {
            let path = place.data().join(name);
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
                .expect("removed");
        }
        assert_eq!(place.run(&["list", "--status", "Pending"]).stdout, shown, "{gone:?}");
        let said = place.json(&["audit", "snapshot"]);
        assert_eq!(said["devices"], DEVICES, "{said}");
        assert_eq!(said["seq"], place.state()["seq"]);
        assert_eq!(without_telemetry(&place), expected, "{gone:?}");
        assert_eq!(place.run(&["list", "--status", "Pending"]).stdout, shown, "{gone:?}");
    }
    // A daemon writes it by itself, and nobody else may.
    let mut daemon = place.daemon(&[]);
    daemon.until_said("the daemon runs", 1);
    let refused = place.run(&["audit", "snapshot"]);
    assert!(refused.stderr.contains("is writing to this ledger"), "{refused:?}");
    place.write("fleet/more.yaml", device("MORE"));
    daemon.until("the new device to be in the snapshot", || {
        let there = place.read(".fleetform/state.json").contains("\"MORE\"");
        if there { Ok(()) } else { Err("it is not".to_owned()) }
    });
}
