//! Anything in any order, with `kill -9` at any moment: in the end it is as one `apply` has it.

#![expect(clippy::print_stdout, reason = "who repeats a tale needs its seed")]

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use crate::support::{Dice, Fixture, PLAIN_PROFILE, device, number};

/// How long it goes on in a run of all tests; `SOAK_SECONDS` overrides it.
const SECONDS: u64 = 10;
/// Few enough that changes meet, too many for the guard to take a single one for a purge.
const DEVICES: u64 = 30;

#[test]
fn soak() {
    let clock = UNIX_EPOCH.elapsed().unwrap();
    let seed = number("SOAK_SEED").unwrap_or(clock.as_millis() as u64);
    println!("SOAK_SEED={seed}");
    let mut dice = Dice(seed);
    let place = Fixture::bare();
    place.write("fleet/profile.yaml", PLAIN_PROFILE);
    for n in 0..DEVICES {
        place.write(&format!("fleet/{n}.yaml"), device(&format!("S{n:02}")));
    }
    let mut daemon = place.daemon(&[]);
    // A daemon begins no ledger beside a fleet that is just being swapped.
    daemon.until_it_listens();
    let end = Instant::now() + Duration::from_secs(number("SOAK_SECONDS").unwrap_or(SECONDS));
    let mut kills = 0;
    while Instant::now() < end {
        step(&place, &mut dice);
        thread::sleep(Duration::from_millis(dice.below(60)));
        match dice.below(40) {
            0..=2 => {
                daemon.signal("KILL");
                daemon.ended();
                daemon = place.daemon(&[]);
                kills += 1;
            }
            3 => {
                daemon.until_it_listens();
                daemon.stop();
                daemon = place.daemon(&[]);
            }
            4 => {
                daemon.until_it_listens();
                daemon.signal("HUP");
            }
            _ => {}
        }
    }
    println!("{kills} kills");
    whole(&place);
    daemon.until("nothing left to do", || {
        let plan = place.json(&["plan"]);
        if plan["actions"] == serde_json::json!([]) {
            Ok(())
        } else {
            Err(plan["summary"].to_string())
        }
    });
    daemon.stop();
    let (code, out, _) = place.outcome(&["audit", "verify"]);
    assert_eq!(code, 0, "{out}");
    assert_eq!(fleet_of(&place.json(&["audit", "replay"])), fleet_of(&snapshot(&place)));
    // A fresh ledger over the same directory has the same fleet, but for its history.
    let (code, _, err) = place.outcome(&["--data", "fresh", "apply", "--yes", "--new-ledger"]);
    assert_eq!(code, 0, "{err}");
    let fresh = place.json(&["--data", "fresh", "list"]);
    assert_eq!(specs(&fresh), specs(&place.json(&["list"])));
    // And devices have the same to do.
    assert_eq!(profiles(&place, "fresh"), profiles(&place, ".fleetform"));
}

/// One thing that people, programs and devices do.
fn step(place: &Fixture, dice: &mut Dice) {
    let n = dice.below(DEVICES);
    let path = format!("fleet/{n}.yaml");
    let manifest = device(&format!("S{n:02}"));
    match dice.below(9) {
        0 | 1 => place.save(&path, &manifest.replace("ana@", &format!("u{}@", dice.below(9)))),
        2 => drop(fs::remove_file(place.path(&path))),
        3 => place.write(&path, "kind: [broken"),
        4 => place.write(&path, &manifest),
        5 => {
            let name = if dice.below(2) == 0 { ".out-of-sight" } else { "moved" };
            fs::create_dir_all(place.path("fleet").join(name)).unwrap();
            let _ = fs::rename(place.path(&path), place.path(&format!("fleet/{name}/{n}.yaml")));
        }
        6 => {
            let apps = format!("spec: {{apps: [V{}], ", dice.below(9));
            place.save("fleet/profile.yaml", &PLAIN_PROFILE.replace("spec: {", &apps));
        }
        7 => {
            // The whole directory, swapped for what is in it, as git-sync does.
            let _ = fs::rename(place.path("fleet"), place.path("old"));
            thread::sleep(Duration::from_millis(dice.below(30)));
            let _ = fs::rename(place.path("old"), place.path("fleet"));
        }
        _ => {
            let at = humantime::format_rfc3339_millis(UNIX_EPOCH + UNIX_EPOCH.elapsed().unwrap());
            let report = format!(r#"{{"serialNumber":"S{n:02}","at":"{at}"}}"#);
            place.write("r.json", &report);
            place.outcome(&["report", "r.json"]);
        }
    }
}

/// All manifests are there and right again.
fn whole(place: &Fixture) {
    for name in ["moved", ".out-of-sight"] {
        let _ = fs::remove_dir_all(place.path("fleet").join(name));
    }
    place.save("fleet/profile.yaml", PLAIN_PROFILE);
    for n in 0..DEVICES {
        place.save(&format!("fleet/{n}.yaml"), &device(&format!("S{n:02}")));
    }
}

fn snapshot(place: &Fixture) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(place.path(".fleetform/state.json")).unwrap()).unwrap()
}

/// A snapshot without telemetry, which no log has.
fn fleet_of(state: &serde_json::Value) -> serde_json::Value {
    let mut state = state.clone();
    for device in state["devices"].as_object_mut().unwrap().values_mut() {
        let device = device.as_object_mut().unwrap();
        for key in ["lastSync", "facts"] {
            device.remove(key);
        }
    }
    state
}

/// What the manifests say of each device.
fn specs(list: &serde_json::Value) -> Vec<String> {
    let keys =
        ["serialNumber", "name", "userEmail", "profile", "platform", "osVersion", "ownership"];
    let devices = list["devices"].as_array().unwrap().iter();
    let mut all: Vec<_> = devices.map(|d| keys.map(|key| d[key].to_string()).join(" ")).collect();
    all.sort();
    all
}

/// Which profiles each device is to take on, by file of the outbox.
fn profiles(place: &Fixture, data: &str) -> BTreeMap<String, Vec<String>> {
    let files = fs::read_dir(place.path(data).join("outbox")).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let document: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let commands = document["commands"].as_array().unwrap().iter();
        let digests = commands.map(|command| command["digest"].to_string()).collect();
        (path.file_name().unwrap().to_string_lossy().into_owned(), digests)
    });
    files.collect()
}
