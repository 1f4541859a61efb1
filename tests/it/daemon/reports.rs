//! What devices report is acknowledged once a snapshot says it, and nothing else waits for that.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use crate::support::{Daemon, Fixture, device};

/// For something that must not happen: many times what it would take.
const NOTHING_HAPPENS: Duration = Duration::from_millis(200);

/// How long each snapshot takes, in microseconds.
const SLOW: &str = "fsync:delay_enter=60000000";

/// What a snapshot is called until it is whole.
const SNAPSHOT: &str = ".fleetform/.state.json.tmp";

/// A daemon that has heard the report of its one device, while each snapshot takes long.
fn with_slow_snapshots() -> (Fixture, Daemon) {
    let place = Fixture::of(&["A"]);
    place.run(&["apply", "--yes"]).exits(0);
    let snapshot = place.path(SNAPSHOT);
    let mut daemon = place.daemon_with_fault(&snapshot.display().to_string(), SLOW, &[]);
    let at = chrono::Utc::now().to_rfc3339();
    place.report(&format!("{{\"serialNumber\":\"A\",\"at\":\"{at}\",\"osVersion\":\"10\"}}"));
    place.until_recorded(&mut daemon, &["A:Enrolled"]);
    (place, daemon)
}

#[test]
fn while_a_snapshot_takes_long_they_wait_for_it_and_changes_do_not() {
    let (place, mut daemon) = with_slow_snapshots();
    let unread = || unread(&place);
    // One change after the other, and the second one while nothing else is under way.
    for (serial, recorded) in
        [("B", &["A:Enrolled", "B:Pending"][..]), ("C", &["A:Enrolled", "B:Pending", "C:Pending"])]
    {
        place.save(&format!("fleet/{serial}.yaml"), &device(serial));
        place.until_recorded(&mut daemon, recorded);
    }
    assert_eq!(unread(), 1, "acknowledged, though no snapshot says it");
    assert!(place.state()["devices"]["D001"]["lastSync"].is_null());
    daemon.mended();
    daemon.until("the report to be acknowledged", || match unread() {
        0 => Ok(()),
        some => Err(format!("{some} left")),
    });
    assert!(!place.state()["devices"]["D001"]["lastSync"].is_null());
    daemon.stop();
}

#[test]
fn a_stop_waits_for_the_snapshot_that_is_being_written_and_writes_the_last_one() {
    let (place, mut daemon) = with_slow_snapshots();
    let snapshot = place.path(SNAPSHOT);
    place.save("fleet/B.yaml", &device("B"));
    place.until_recorded(&mut daemon, &["A:Enrolled", "B:Pending"]);
    daemon.until("the snapshot to be begun", || match snapshot.exists() {
        true => Ok(()),
        false => Err("not begun".to_owned()),
    });
    let begun = fs::metadata(&snapshot).unwrap().ino();
    daemon.signal("TERM");
    daemon.until_said("the daemon stops", 1);
    let end = Instant::now() + NOTHING_HAPPENS;
    while Instant::now() < end {
        assert_eq!(
            fs::metadata(&snapshot).unwrap().ino(),
            begun,
            "another one was begun beside it"
        );
    }
    assert_eq!((unread(&place), place.state()["devices"]["D002"].is_null()), (1, true));
    daemon.mended();
    assert_eq!(daemon.ended().code(), Some(0), "{}", daemon.said());
    let state = place.state();
    assert!(!state["devices"]["D001"]["lastSync"].is_null());
    assert_eq!(state["devices"]["D002"]["status"], "Pending");
    assert_eq!(unread(&place), 0);
    assert!(!snapshot.exists(), "nothing is left of it");
    place.run(&["audit", "verify"]).exits(0);
}

/// Files of reports that are not acknowledged.
fn unread(place: &Fixture) -> usize {
    let inbox = fs::read_dir(place.path(".fleetform/inbox")).unwrap();
    inbox.filter(|entry| entry.as_ref().unwrap().path().is_file()).count()
}

#[test]
fn at_a_stop_they_are_acknowledged_too() {
    let place = Fixture::of(&["A"]);
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    for second in 0..20 {
        let at = chrono::Utc::now() - chrono::TimeDelta::seconds(20 - second);
        let at = at.to_rfc3339();
        place.report(&format!("{{\"serialNumber\":\"A\",\"at\":\"{at}\",\"osVersion\":\"10\"}}"));
    }
    place.until_recorded(&mut daemon, &["A:Enrolled"]);
    daemon.stop();
    // Whatever it has heard of the twenty is counted once.
    place.run(&["apply", "--yes"]).exits(0);
    let state = place.state();
    assert!(!state["devices"]["D001"]["lastSync"].is_null());
    assert_eq!(place.logged("device.status"), 1);
}
