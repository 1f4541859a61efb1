//! Deadlines that nothing but time brings, and clocks that are wrong.

use std::fs;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::client::{address, until_metrics};
use crate::support::{Daemon, Fixture, Request, WIPE, signature, time, trusted, with_clock};

pub fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

fn text(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Devices, and Bob, whose signature counts; `wipes` is a part of the configuration.
pub fn place(wipes: &str) -> Fixture {
    let place = Fixture::of(&["A", "B", "C"]);
    place.write("signers", trusted("bob"));
    let config = format!("trust: {{allowedSigners: signers}}\nwipes: {{{wipes}}}\n");
    place.write("fleetform.yaml", &config);
    place
}

/// A request to wipe the device with this number, from now until then, signed or not.
pub fn request(place: &Fixture, n: usize, until: DateTime<Utc>, signed: bool) {
    let serial = ["A", "B", "C"][n - 1].to_owned();
    let lineage = place.log()[0]["data"]["lineage"].as_str().unwrap().to_owned();
    let request = Request {
        ledger: lineage,
        serial,
        issued: time(&text(now() - TimeDelta::seconds(1))),
        expires: time(&text(until)),
        ..Request::of(u32::try_from(n).unwrap())
    };
    let yaml = request.yaml();
    if signed {
        let armored = signature("bob", WIPE, yaml.as_bytes());
        place.write(&format!("fleet/r{n}.yaml.sig"), String::from_utf8(armored).unwrap());
    }
    place.write(&format!("fleet/r{n}.yaml"), &yaml);
}

/// When the log says that this came about, waiting for it.
fn until_logged(place: &Fixture, daemon: &mut Daemon, kind: &str, device: &str) -> DateTime<Utc> {
    let mut found = None;
    daemon.until(&format!("{kind} of {device}"), || {
        let log = place.log();
        let entry = log.iter().find(|entry| entry["kind"] == kind && entry["device"] == device);
        found = entry.map(|entry| entry["at"].as_str().unwrap().parse().unwrap());
        if found.is_some() { Ok(()) } else { Err(format!("{} entries", log.len())) }
    });
    found.unwrap()
}

#[track_caller]
fn assert_due(what: &str, at: DateTime<Utc>, due: DateTime<Utc>) {
    // The daemon's own looks come an hour apart: what is done a little later, time did.
    let late = at - due;
    assert!(late >= TimeDelta::zero() && late < TimeDelta::seconds(20), "{what}: {late} late");
}

#[test]
fn the_end_of_a_cooling_off_of_a_window_and_of_a_request_wake_it() {
    let place = place("delay: 2s, quorum: [{upTo: 1, per: 6s, signers: 1}]");
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    let day = now() + TimeDelta::days(1);
    let end = DateTime::from_timestamp(now().timestamp() + 4, 0).unwrap();
    request(&place, 3, end, false);
    request(&place, 1, day, true);
    let accepted = until_logged(&place, &mut daemon, "wipe.accepted", "D001");
    // Only when the first has used the window up.
    request(&place, 2, day, true);
    let issued = until_logged(&place, &mut daemon, "wipe.issued", "D001");
    assert_due("the cooling off", issued, accepted + TimeDelta::seconds(2));
    let expired = until_logged(&place, &mut daemon, "wipe.expired", "D003");
    assert_due("the expiry", expired, end);
    let second = until_logged(&place, &mut daemon, "wipe.issued", "D002");
    assert_due("the window", second, issued + TimeDelta::seconds(6));
    daemon.stop();
}

#[test]
fn a_look_at_one_device_forgets_no_deadline_of_another() {
    let place = Fixture::of(&["A", "B"]);
    place.write("fleetform.yaml", "enrollment: {deadline: 4s}\n");
    // Were it new, all would be looked at.
    fs::create_dir_all(place.path(".fleetform/inbox")).unwrap();
    let mut daemon = place.daemon(&[]);
    let begun = until_logged(&place, &mut daemon, "device.provisioned", "D002");
    place.write("r.json", format!(r#"{{"serialNumber":"A","at":"{}"}}"#, text(now())));
    assert_eq!(place.outcome(&["report", "r.json"]).0, 0);
    place.until_recorded(&mut daemon, &["A:Enrolled", "B:Pending"]);
    let failed = until_logged(&place, &mut daemon, "device.status", "D002");
    assert_due("the deadline", failed, begun + TimeDelta::seconds(4));
    daemon.stop();
}

#[test]
fn an_enrolment_deadline_wakes_it() {
    let place = Fixture::of(&["A"]);
    place.write("fleetform.yaml", "enrollment: {deadline: 2s}\n");
    let mut daemon = place.daemon(&[]);
    let begun = until_logged(&place, &mut daemon, "device.provisioned", "D001");
    let failed = until_logged(&place, &mut daemon, "device.status", "D001");
    assert_due("the deadline", failed, begun + TimeDelta::seconds(2));
    daemon.stop();
}

fn wipes(place: &Fixture) -> Vec<Value> {
    let log = place.log().into_iter();
    log.filter(|entry| entry["kind"] == "wipe.issued").collect()
}

#[test]
fn with_a_clock_behind_the_log_nothing_is_wiped_until_it_has_caught_up() {
    let place = place("delay: 0s");
    place.write("clock", "+8s");
    let mut daemon = with_clock(&place, &[]);
    let ahead = until_logged(&place, &mut daemon, "device.provisioned", "D001");
    assert!(ahead > now() + TimeDelta::seconds(1), "the clock is not ahead");
    daemon.stop();
    request(&place, 1, now() + TimeDelta::days(1), true);
    let mut daemon = place.daemon(&["--listen", "127.0.0.1:0"]);
    daemon.until_said("clock is behind the log's last entry: no wipe is issued", 1);
    let at = address(&mut daemon);
    until_metrics(&mut daemon, at, &["holds{reason=\"wipeHeld\"} 1"]);
    assert_eq!(wipes(&place), [] as [Value; 0]);
    // It wakes by itself once the clock has caught up.
    let issued = until_logged(&place, &mut daemon, "wipe.issued", "D001");
    assert_due("the log's last date", issued, ahead);
    daemon.stop();
}

#[test]
fn what_a_jump_of_the_clock_makes_due_is_done_without_waiting_for_a_resync() {
    let place = place("delay: 0s");
    place.write("clock", "+0");
    let mut daemon = with_clock(&place, &[]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    place.save("clock", "+1d");
    place.until_recorded(&mut daemon, &["A:Failed", "B:Failed", "C:Failed"]);
    daemon.stop();
}

#[test]
fn a_clock_that_jumps_does_no_harm() {
    let place = place("delay: 0s");
    place.write("clock", "+0");
    let resync = Duration::from_millis(300);
    let every = format!("{}ms", resync.as_millis());
    let mut daemon = with_clock(&place, &["--resync", &every]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    // Forward: what was to happen in the meantime happens, once.
    place.save("clock", "+1d");
    place.until_recorded(&mut daemon, &["A:Failed", "B:Failed", "C:Failed"]);
    // Back: no wipe, and it is said; all else goes on.
    place.save("clock", "+0");
    daemon.until_said("clock is behind the log's last entry", 1);
    request(&place, 1, now() + TimeDelta::days(1), true);
    place.write("r.json", r#"{"serialNumber":"B","at":"2026-01-01T00:00:00Z"}"#);
    assert_eq!(place.outcome(&["report", "r.json"]).0, 0);
    place.until_recorded(&mut daemon, &["A:Failed", "B:Enrolled", "C:Failed"]);
    assert_eq!(wipes(&place), [] as [Value; 0]);
    daemon.stop();
    assert_eq!(place.outcome(&["audit", "verify"]).0, 0);
    let statuses = place.log().into_iter().filter(|entry| entry["kind"] == "device.status");
    assert_eq!(statuses.count(), 4, "three failed and one enrolled");
    assert!(fs::metadata(place.path(".fleetform/outbox/A.json")).is_ok());
}

/// A command that nobody confirms: the daemon takes it back when its request expires.
#[test]
fn the_end_of_a_request_that_was_issued_wakes_it_and_the_command_is_taken_back() {
    let place = place("");
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    let end = DateTime::from_timestamp(now().timestamp() + 8, 0).unwrap();
    request(&place, 1, end, true);
    until_logged(&place, &mut daemon, "wipe.issued", "D001");
    let expired = until_logged(&place, &mut daemon, "wipe.expired", "D001");
    assert_due("the expiry", expired, end);
    let commands = fs::read_to_string(place.path(".fleetform/outbox/A.json")).unwrap();
    assert!(!commands.contains("\"wipe\""), "{commands}");
    daemon.stop();
}

/// The provider does not take a wipe: the device waits, as after any other effect that failed.
#[test]
fn a_wipe_that_the_provider_did_not_take_is_tried_again_after_a_wait() {
    let place = place("");
    let mut daemon = place.daemon(&["--listen", "127.0.0.1:0"]);
    let at = address(&mut daemon);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    place.write(".fleetform/outbox/A.json", "nonsense");
    request(&place, 1, now() + TimeDelta::days(1), true);
    until_logged(&place, &mut daemon, "wipe.deferred", "D001");
    let lines = ["devices_backing_off 1", "actions_total{kind=\"wipe\",outcome=\"failed\"} 1"];
    until_metrics(&mut daemon, at, &lines);
    assert_eq!(wipes(&place).len(), 1, "not at once");
    daemon.stop();
}
