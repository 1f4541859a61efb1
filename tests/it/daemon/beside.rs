//! What others see beside the daemon: whole passes, and never half of one.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Fixture, PLAIN_PROFILE, device};

/// More than one batch of a pass, so that there is a half of it to be seen.
const DEVICES: usize = 4200;

fn fleet(place: &Fixture, user: &str) {
    let devices: Vec<_> = (0..DEVICES)
        .map(|n| device(&format!("S{n:04}")).replace("ana@", &format!("{user}@")))
        .collect();
    for (n, part) in devices.chunks(1000).enumerate() {
        place.save(&format!("fleet/{n}.yaml"), &part.join("---\n"));
    }
}

#[test]
fn readers_see_whole_passes() {
    let place = Fixture::bare();
    place.write("fleet/profile.yaml", PLAIN_PROFILE);
    fleet(&place, "u0");
    let mut daemon = place.daemon(&[]);
    let mut users = BTreeSet::new();
    let mut looks = 0;
    for round in 0..4 {
        if round > 0 {
            // At once, so that it is one pass: as a swap of the root.
            fs::create_dir(place.path("next")).unwrap();
            fs::rename(place.path("fleet"), place.path("next/fleet")).unwrap();
            fleet_elsewhere(&place, round);
        }
        let expected = format!("u{round}@example.com");
        daemon.until(&expected.clone(), || {
            let list = place.json(&["list"]);
            looks += 1;
            let devices = list["devices"].as_array().unwrap();
            let seen: BTreeSet<_> =
                devices.iter().map(|d| d["userEmail"].as_str().unwrap().to_owned()).collect();
            assert!(seen.len() <= 1, "half a pass: {seen:?} of {}", devices.len());
            assert!(matches!(devices.len(), 0 | DEVICES), "half a pass: {}", devices.len());
            users.extend(seen.clone());
            if seen.contains(&expected) { Ok(()) } else { Err(format!("{seen:?}")) }
        });
    }
    assert_eq!(users.len(), 4);
    assert!(looks >= 4);
    let (code, out, _) = place.outcome(&["plan", "--detailed-exitcode"]);
    assert_eq!(code, 0, "{out}");
    daemon.stop();
    assert_eq!(place.outcome(&["audit", "verify"]).0, 0);
}

/// Makes the next fleet beside, and swaps it in.
fn fleet_elsewhere(place: &Fixture, round: usize) {
    let inner = place.path("next");
    let devices: Vec<_> = (0..DEVICES)
        .map(|n| device(&format!("S{n:04}")).replace("ana@", &format!("u{round}@")))
        .collect();
    fs::create_dir(inner.join("new")).unwrap();
    fs::write(inner.join("new/profile.yaml"), PLAIN_PROFILE).unwrap();
    for (n, part) in devices.chunks(1000).enumerate() {
        fs::write(inner.join(format!("new/{n}.yaml")), part.join("---\n")).unwrap();
    }
    fs::rename(inner.join("new"), place.path("fleet")).unwrap();
    fs::remove_dir_all(inner).unwrap();
}

#[test]
fn what_a_dead_writer_left_is_seen() {
    let place = Fixture::of(&["A", "B"]);
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    daemon.signal("KILL");
    daemon.ended();
    // A pass that died in between: the log goes on after the mark and the snapshot.
    fs::remove_file(place.path(".fleetform/state.json")).unwrap();
    let lock = fs::read_to_string(place.path(".fleetform/lock")).unwrap();
    let (pid, _) = lock.split_once('\n').unwrap();
    let early = format!("{pid}\n{0} {0}\n", "00000000000000000000");
    fs::write(place.path(".fleetform/lock"), early).unwrap();
    assert_eq!(place.recorded(), ["A:Pending", "B:Pending"]);
}

/// How many entries `audit log` shows.
fn entries(place: &Fixture) -> usize {
    place.json(&["audit", "log"])["entries"].as_array().unwrap().len()
}

#[test]
fn while_the_writer_lives_the_log_ends_with_its_last_whole_pass() {
    let place = Fixture::of(&["A"]);
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    let log = fs::read_to_string(place.path(".fleetform/audit.jsonl")).unwrap();
    let first = log.find('\n').unwrap() + 1;
    let mark = format!("{:<10}\n{first:020} {first:020}\n", daemon.pid());
    // Again, should the pass have ended only now.
    daemon.until("the log to end with its first entry", || {
        fs::write(place.path(".fleetform/lock"), &mark).unwrap();
        let seen = entries(&place);
        if seen == 1 { Ok(()) } else { Err(format!("{seen} entries")) }
    });
    daemon.signal("KILL");
    daemon.ended();
    assert_eq!(entries(&place), log.lines().count());
}

#[test]
fn a_second_writer_is_told_who_runs() {
    let place = Fixture::of(&["A"]);
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    for args in [&["apply", "--yes"][..], &["daemon"]] {
        let (code, _, err) = place.outcome(args);
        assert_eq!(code, 1);
        assert!(err.contains(&format!("process {} is writing", daemon.pid())), "{err}");
    }
    place.save("fleet/B.yaml", &device("B"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
}
