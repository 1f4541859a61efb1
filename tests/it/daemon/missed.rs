//! What comes in a moment in which nobody looks is not lost.

use std::fs;

use chrono::TimeDelta;

use super::time::{now, place, request};
use crate::support::{Daemon, Fixture, WIPE, device, needs, signature};

/// How long the daemon takes to look at requests, after it has taken the time.
const SLOW: &str = "openat:delay_enter=1500000";

#[test]
fn a_deadline_that_passes_while_the_daemon_decides_is_met_right_after() {
    let place = Fixture::of(&["A"]);
    place.write("fleetform.yaml", "enrollment: {deadline: 3s}\n");
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    place.write("fleet/B.yaml", device("B"));
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    // One that is there: only then are its opens found by its name.
    assert_eq!(place.outcome(&["sync", "A"]).0, 0);
    let mut daemon = place.daemon_with_fault("./.fleetform/requests", SLOW, &[]);
    place.until_recorded(&mut daemon, &["A:Failed", "B:Failed"]);
    let slow = fs::read_to_string(place.path("strace.log")).unwrap();
    assert!(slow.contains("DELAYED"), "{slow}");
}

#[test]
fn a_signature_that_comes_between_two_looks_for_changes_is_found_by_a_resync() {
    let place = place("delay: 1h");
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    request(&place, 1, now() + TimeDelta::hours(2), false);
    let args = ["--watch", "poll", "--poll", "1h", "--resync", "200ms", "-vv"];
    let mut daemon = place.daemon(&args);
    let until_logged = |daemon: &mut Daemon, kind: &str| {
        daemon.until(kind, || {
            let log = place.log();
            let found = log.iter().any(|entry| entry["kind"] == kind && entry["device"] == "D001");
            if found { Ok(()) } else { Err(format!("{} entries", log.len())) }
        });
    };
    until_logged(&mut daemon, "wipe.held");
    // From now on manifests are not read, since nobody touched them.
    daemon.until_said("everything=false", 2);
    let yaml = fs::read(place.path("fleet/r1.yaml")).unwrap();
    place.write("fleet/r1.yaml.sig", String::from_utf8(signature("bob", WIPE, &yaml)).unwrap());
    until_logged(&mut daemon, "wipe.accepted");
    daemon.stop();
}

#[test]
fn a_deadline_that_passes_while_apply_works_is_in_the_next_plan() {
    needs("strace");
    let place = Fixture::of(&["A"]);
    place.write("fleetform.yaml", "enrollment: {deadline: 3s}\n");
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    // An index that is to be written: what it takes is longer than the deadline.
    place.write("fleet/A.yaml", device("A") + "\n");
    let log = place.path("strace.log").display().to_string();
    let index = ["-P", "./.fleetform/cache/.fleet.tmp"];
    let slow = ["-e", "trace=rename", "-e", "inject=rename:delay_enter=4000000"];
    let wrapper = [&["strace", "-f", "-qq", "-o", &log][..], &index, &slow].concat();
    assert_eq!(place.run_under(&wrapper, &["apply", "--yes"]).code, Some(0));
    let slow = fs::read_to_string(place.path("strace.log")).unwrap();
    assert!(slow.contains("DELAYED"), "{slow}");
    let kept = place.run(&["plan"]).stdout;
    assert_eq!(kept, place.run(&["plan", "--no-index"]).stdout);
    assert!(kept.contains("Failed"), "{kept}");
}
