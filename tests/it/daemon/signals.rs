//! Signals: stop, stop at once, read the configuration again; and the end that nobody announced.

use std::time::Duration;

use super::support::{Daemon, PROFILE, Place, device};

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
    place.write("other/profile.yaml", PROFILE);
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
