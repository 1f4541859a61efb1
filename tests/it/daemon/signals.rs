//! Signals: stop, stop at once, read the configuration again; and the end that nobody announced.

use std::time::{Duration, Instant};

use super::client::{address, get_with};
use crate::support::{Daemon, Fixture, PLAIN_PROFILE, device};

fn started(place: &Fixture, args: &[&str]) -> Daemon {
    let mut daemon = place.daemon(args);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    daemon
}

#[test]
fn it_ends_well_when_asked_to() {
    for name in ["TERM", "INT"] {
        let place = Fixture::of(&["A"]);
        let mut daemon = started(&place, &[]);
        daemon.signal(name);
        assert_eq!(daemon.ended().code(), Some(0), "{}", daemon.said());
        let said = daemon.said();
        let first = said.find("shutting down after the current batch").expect("it is said");
        assert!(first < said.find("the daemon stops").expect("it is said"), "{said}");
        assert!(said.contains("reconciled: 1 profile recorded, 1 provisioned"), "{said}");
        let state = std::fs::read_to_string(place.path(".fleetform/state.json")).unwrap();
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        assert_eq!(state["seq"], place.log().len(), "the snapshot is up to date");
        assert_eq!(place.outcome(&["apply", "--yes"]).0, 0, "the lock is free");
    }
}

/// Three batches, so that there is something left to do after the one under way.
const MANY: usize = 9_000;

#[test]
fn in_the_middle_of_a_large_pass_it_ends_soon_and_well() {
    for names in [&["TERM"][..], &["INT", "TERM"]] {
        let place = Fixture::bare();
        place.write("fleet/profile.yaml", PLAIN_PROFILE);
        let devices: Vec<_> = (0..MANY).map(|n| device(&format!("S{n:05}"))).collect();
        for (n, part) in devices.chunks(2000).enumerate() {
            place.write(&format!("fleet/{n}.yaml"), part.join("---\n"));
        }
        let mut daemon = place.daemon(&[]);
        let log = place.path(".fleetform/audit.jsonl");
        daemon.until("the pass under way", || {
            let length = std::fs::metadata(&log).map_or(0, |file| file.len());
            if length > 1000 { Ok(()) } else { Err(length.to_string()) }
        });
        let start = Instant::now();
        names.iter().for_each(|name| daemon.signal(name));
        let code = daemon.ended().code();
        assert!(start.elapsed() < Duration::from_secs(10), "{names:?}: {:?}", start.elapsed());
        match names {
            // The second one may come when it has ended already.
            [_, _] => assert!(matches!(code, Some(0 | 130 | 143)), "{code:?}"),
            _ => {
                assert_eq!(code, Some(0), "{names:?}: {}", daemon.said());
                let state = std::fs::read(place.path(".fleetform/state.json")).unwrap();
                let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
                let log = place.log();
                assert_eq!(state["seq"], log.len(), "{names:?}: the snapshot is up to date");
                assert!(log.len() < 2 * MANY, "it was not in the middle");
            }
        }
        let mut daemon = place.daemon(&[]);
        daemon.until("all devices", || {
            let n = place.recorded().len();
            if n == MANY { Ok(()) } else { Err(n.to_string()) }
        });
        daemon.stop();
        assert_eq!(place.outcome(&["audit", "verify"]).0, 0);
    }
}

#[test]
fn after_a_kill_the_next_start_needs_no_hand() {
    let place = Fixture::of(&["A"]);
    let mut daemon = started(&place, &[]);
    place.save("fleet/B.yaml", &device("B"));
    daemon.signal("KILL");
    daemon.ended();
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    daemon.stop();
}

#[test]
fn the_configuration_is_read_again_whole_or_not_at_all() {
    let place = Fixture::of(&["A"]);
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
    place.write("other/profile.yaml", PLAIN_PROFILE);
    for serial in ["A", "B"] {
        place.write(&format!("other/{serial}.yaml"), device(serial));
    }
    place.write("daemon.yaml", "fleet: ./other\n");
    daemon.signal("HUP");
    daemon.until_said("the configuration was read again", 2);
    place.write("other/C.yaml", device("C"));
    place.until_recorded(&mut daemon, &["A:Failed", "B:Failed", "C:Pending"]);
    daemon.stop();
}

#[test]
fn the_token_is_read_again_with_the_configuration_or_neither() {
    let place = Fixture::of(&["A"]);
    let [old, new, newer] = [1, 2, 3].map(|n| format!("{n}123456789abcdef"));
    place.write_secret("token", &old);
    place.write("daemon.yaml", "http: {listen: \"127.0.0.1:0\", tokenFile: token}\n");
    let mut daemon = started(&place, &["--config", "daemon.yaml"]);
    let address = address(&mut daemon);
    let is = |token: &str| {
        let header = format!("Authorization: Bearer {token}\r\n");
        get_with(address, "/api/v1/devices", &header).status
    };
    assert_eq!((is(&old), is(&new)), (200, 401));
    place.write_secret("token", &new);
    assert_eq!((is(&old), is(&new)), (200, 401), "nobody said so yet");
    daemon.signal("HUP");
    daemon.until_said("the configuration was read again", 1);
    assert_eq!((is(&old), is(&new)), (401, 200));
    // One that cannot be used, beside a configuration that can: neither is taken.
    let with = |rest: &str| {
        let http = "http: {listen: \"127.0.0.1:0\", tokenFile: token}\n";
        place.write("daemon.yaml", format!("{http}{rest}"));
    };
    place.write_secret("token", "short");
    with("enrollment: {deadline: 1ms}\n");
    daemon.signal("HUP");
    daemon.until_said("the old one stays", 1);
    // One that can, beside a configuration that cannot.
    place.write_secret("token", &newer);
    with("nonsense: 1\n");
    daemon.signal("HUP");
    daemon.until_said("the old one stays", 2);
    assert_eq!((is(&new), is(&newer), is("short")), (200, 401, 401));
    place.save("fleet/B.yaml", &device("B"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    with("");
    daemon.signal("HUP");
    daemon.until_said("the configuration was read again", 2);
    assert_eq!((is(&new), is(&newer)), (401, 200));
    daemon.stop();
}
