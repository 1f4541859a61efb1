//! The freeze: seen from everywhere, with its reason, and both ways out of it.

use std::fs;

use super::client::{address, get, until_metrics, until_ready};
use crate::support::{Fixture, device};

fn fleet(place: &Fixture) {
    for n in 0..20 {
        place.write(&format!("fleet/many/{n}.yaml"), device(&format!("S{n:02}")));
    }
}

#[test]
fn a_fleet_that_has_shrunk_freezes_and_both_ways_lead_out() {
    let place = Fixture::of(&["A", "B"]);
    fleet(&place);
    let args = ["--listen", "127.0.0.1:0"];
    let mut daemon = place.daemon(&args);
    let at = address(&mut daemon);
    until_metrics(&mut daemon, at, &["devices{status=\"Pending\"} 22", "frozen 0", "ready 1"]);

    fs::rename(place.path("fleet/many"), place.path("many")).unwrap();
    until_ready(&mut daemon, at, Some("frozen: "));
    until_metrics(&mut daemon, at, &["frozen 1", "ready 0", "devices_orphaned 0"]);
    let why = get(at, "/readyz").json()["reasons"][0].as_str().unwrap().to_owned();
    assert!(why.contains("restore the manifests"), "{why}");
    assert!(why.contains("apply --accept-removals"), "{why}");
    assert!(daemon.said().contains("removed=20 of=22"), "{}", daemon.said());
    // What devices say is taken in, what manifests say is not.
    place.write("r.json", r#"{"serialNumber":"A","at":"2026-01-01T00:00:00Z"}"#);
    assert_eq!(place.outcome(&["report", "r.json"]).0, 0);
    place.save("fleet/C.yaml", &device("C"));
    until_metrics(&mut daemon, at, &["devices{status=\"Enrolled\"} 1"]);
    assert_eq!(get(at, "/api/v1/devices/C").status, 404);

    // The first way: it is plausible again.
    fs::rename(place.path("many"), place.path("fleet/many")).unwrap();
    until_ready(&mut daemon, at, None);
    until_metrics(&mut daemon, at, &["frozen 0", "devices_orphaned 0"]);
    daemon.until("C", || match get(at, "/api/v1/devices/C").status {
        200 => Ok(()),
        status => Err(status.to_string()),
    });

    // The second: an operator names the number, while no daemon is writing.
    fs::rename(place.path("fleet/many"), place.path("many")).unwrap();
    until_ready(&mut daemon, at, Some("frozen: "));
    let accept = |n: &str| place.outcome(&["apply", "--yes", "--accept-removals", n]);
    let (code, _, err) = accept("20");
    assert_eq!(code, 1);
    assert!(err.contains(&format!("process {} is writing", daemon.pid())), "{err}");
    daemon.stop();
    assert_eq!(accept("19").0, 3, "another number");
    let (code, _, err) = accept("20");
    assert_eq!(code, 0, "{err}");
    let mut daemon = place.daemon(&args);
    daemon.until_said("answers HTTP", 2);
    let at = address(&mut daemon);
    until_ready(&mut daemon, at, None);
    until_metrics(&mut daemon, at, &["frozen 0", "devices_orphaned 20"]);
    let kinds: Vec<_> = place.log().iter().map(|entry| entry["kind"].clone()).collect();
    let times = |kind: &str| kinds.iter().filter(|k| *k == kind).count();
    assert_eq!((times("pass.frozen"), times("pass.thawed")), (2, 2), "{kinds:?}");
    daemon.stop();
}

#[test]
fn it_is_not_ready_while_the_first_large_plan_waits_for_its_second_look() {
    let place = Fixture::of(&[]);
    fleet(&place);
    fs::create_dir(place.path("fleet/.git")).unwrap();
    fs::write(place.path("fleet/.git/index.lock"), "").unwrap();
    let mut daemon = place.daemon(&["--listen", "127.0.0.1:0"]);
    let at = address(&mut daemon);
    until_ready(&mut daemon, at, Some("index.lock"));
    until_metrics(&mut daemon, at, &["ready 0", "holds{reason=\"unsettled\"} 21"]);
    fs::remove_file(place.path("fleet/.git/index.lock")).unwrap();
    until_ready(&mut daemon, at, None);
    until_metrics(&mut daemon, at, &["devices{status=\"Pending\"} 20"]);
    // From now on a large change waits as before, and is no reason any more.
    fs::write(place.path("fleet/.git/index.lock"), "").unwrap();
    fs::remove_file(place.path("fleet/many/0.yaml")).unwrap();
    until_metrics(&mut daemon, at, &["holds{reason=\"unsettled\"} 1", "ready 1"]);
    daemon.stop();
}

#[test]
fn while_a_large_change_waits_edits_wait_with_it() {
    let place = Fixture::of(&["A", "B"]);
    let mut daemon = place.daemon(&["--listen", "127.0.0.1:0"]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    let at = address(&mut daemon);
    place.write("fleet/.git/index.lock", "");
    fs::remove_file(place.path("fleet/B.yaml")).unwrap();
    until_metrics(&mut daemon, at, &["holds{reason=\"unsettled\"} 1"]);
    let before = place.log().len();
    place.save("fleet/A.yaml", &device("A").replace("ana@", "bo@"));
    until_metrics(&mut daemon, at, &["holds{reason=\"unsettled\"} 2"]);
    assert_eq!(place.log().len(), before);
    fs::remove_file(place.path("fleet/.git/index.lock")).unwrap();
    place.until_recorded(&mut daemon, &["-B:Pending", "A:Pending"]);
    assert_eq!(place.log().iter().filter(|entry| entry["kind"] == "device.updated").count(), 1);
    daemon.stop();
}
