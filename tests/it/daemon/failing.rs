//! Signals, deadlines, and a disk that fails.

use std::process::Command;
use std::time::Duration;

use super::support::{Daemon, Place, device};

fn started(place: &Place, args: &[&str]) -> Daemon {
    let mut daemon = place.daemon(args);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    daemon
}

#[test]
fn it_ends_well_when_asked_to() {
    for name in ["TERM", "INT"] {
        let place = Place::new(&["A"]);
        let mut daemon = started(&place, &[]);
        daemon.signal(name);
        assert_eq!(daemon.ended().code(), Some(0), "{}", daemon.said());
        let state = std::fs::read_to_string(place.path(".fleetform/state.json")).unwrap();
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        assert_eq!(state["seq"], place.log().len(), "the snapshot is up to date");
        assert_eq!(place.run(&["apply", "--yes"]).0, 0, "the lock is free");
    }
}

#[test]
fn a_second_signal_ends_it_at_once_and_that_does_no_harm() {
    let place = Place::new(&[]);
    let devices: Vec<_> = (0..20_000).map(|n| device(&format!("S{n:05}"))).collect();
    for (n, part) in devices.chunks(2000).enumerate() {
        place.write(&format!("fleet/{n}.yaml"), &part.join("---\n"));
    }
    let mut daemon = place.daemon(&[]);
    daemon.until("the pass under way", || {
        if place.log().len() > 1 { Ok(()) } else { Err("not begun".into()) }
    });
    daemon.signal("TERM");
    daemon.signal("INT");
    let code = daemon.ended().code();
    assert!(matches!(code, Some(0 | 130 | 143)), "{code:?}");
    let mut daemon = place.daemon(&[]);
    daemon.until("20,000 devices", || {
        let n = place.recorded().len();
        if n == 20_000 { Ok(()) } else { Err(n.to_string()) }
    });
    daemon.stop();
    assert_eq!(place.run(&["audit", "verify"]).0, 0);
}

#[test]
fn after_a_kill_the_next_start_needs_no_hand() {
    let place = Place::new(&["A"]);
    let mut daemon = started(&place, &[]);
    place.save("fleet/B.yaml", &device("B"));
    daemon.signal("KILL");
    daemon.ended();
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    daemon.stop();
}

#[test]
fn a_deadline_wakes_it_by_itself() {
    let place = Place::new(&["A"]);
    place.write("fleetform.yaml", "enrollment: {deadline: 2s}\n");
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Failed"]);
    let log = place.log();
    let at = |kind: &str| {
        let entry = log.iter().find(|entry| entry["kind"] == kind).unwrap();
        humantime::parse_rfc3339(entry["at"].as_str().unwrap()).unwrap()
    };
    let late = at("device.status").duration_since(at("device.provisioned")).unwrap();
    assert!(late >= Duration::from_secs(2), "{late:?}");
    // The next look of its own would come in an hour.
    assert!(late < Duration::from_secs(30), "{late:?}");
}

#[test]
fn the_configuration_is_read_again_whole_or_not_at_all() {
    let place = Place::new(&["A"]);
    place.write("daemon.yaml", "provider: {kind: local}\n");
    let mut daemon = started(&place, &["--config", "daemon.yaml"]);
    place.write("daemon.yaml", "fleet: ./other\nenrollment: {deadline: 0s}\n");
    daemon.signal("HUP");
    daemon.until_said("the old one stays", 1);
    place.save("fleet/B.yaml", &device("B"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    place.write("daemon.yaml", "data: ./elsewhere\n");
    daemon.signal("HUP");
    daemon.until_said("the old one stays", 2);
    place.write("daemon.yaml", "enrollment: {deadline: 1s}\n");
    daemon.signal("HUP");
    place.until_recorded(&mut daemon, &["A:Failed", "B:Failed"]);
    // Another fleet directory is watched from then on.
    place.write("other/profile.yaml", super::support::PROFILE);
    for serial in ["A", "B"] {
        place.write(&format!("other/{serial}.yaml"), &device(serial));
    }
    place.write("daemon.yaml", "fleet: ./other\n");
    daemon.signal("HUP");
    daemon.until_said("the configuration was read again", 2);
    place.write("other/C.yaml", &device("C"));
    place.until_recorded(&mut daemon, &["A:Failed", "B:Failed", "C:Pending"]);
    daemon.stop();
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn a_full_disk_stops_effects_and_readers_go_on_until_it_is_mended() {
    if !installed("prlimit") {
        return;
    }
    let place = Place::new(&["A"]);
    let mut daemon = started(&place, &[]);
    let limit = |size: &str| {
        let args = ["--pid", &daemon.pid(), &format!("--fsize={size}:unlimited")];
        assert!(Command::new("prlimit").args(args).status().unwrap().success());
    };
    let size = std::fs::metadata(place.path(".fleetform/audit.jsonl")).unwrap().len();
    // As on a full disk, a write goes only half through.
    limit(&(size + 100).to_string());
    place.save("fleet/B.yaml", &device("B"));
    daemon.until_said("the pass failed", 1);
    assert_eq!(place.recorded(), ["A:Pending"], "readers go on");
    assert!(!place.path(".fleetform/outbox/B.json").exists(), "without a log, no effect");
    let args = ["--pid", &daemon.pid(), "--fsize=unlimited:unlimited"];
    assert!(Command::new("prlimit").args(args).status().unwrap().success());
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    daemon.until_said("it works again", 1);
    daemon.stop();
    assert_eq!(place.run(&["audit", "verify"]).0, 0);
}

#[test]
fn after_a_failed_fsync_the_log_is_read_anew() {
    // Where tracing is forbidden, the fault cannot be made.
    let allowed = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return;
    }
    let place = Place::new(&["A"]);
    assert_eq!(place.run(&["apply", "--yes"]).0, 0);
    place.write("fleet/B.yaml", &device("B"));
    // The first one is at the start; then the log cannot be made durable, three times.
    let mut traced = Command::new("strace");
    traced
        .args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync"])
        .args(["-e", "inject=fsync:error=EIO:when=2..4"])
        .args([env!("CARGO_BIN_EXE_fleetform"), "daemon", "--resync", "1h", "--color", "never"])
        .current_dir(place.path(""))
        .stdin(std::process::Stdio::null());
    let mut daemon = place.daemon_as(traced);
    daemon.until_said("the pass failed", 1);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    daemon.until_said("it works again", 1);
    daemon.stop();
    assert_eq!(place.run(&["audit", "verify"]).0, 0);
}
