//! A daemon whose data directory, log or lock is taken away: nothing is done without a log, no new
//! ledger is begun, and once everything is back it goes on by itself.

use std::fs;
use std::path::Path;
use std::thread;

use super::client::{address, metric, until_ready};
use crate::support::{Fixture, device};

/// As [`metric`] finds it.
const FAILED: &str = "passes_total{outcome=\"failed\"}";

type Step = fn(&Path);

/// What is done to the data directory, what `/readyz` says then, and how it is undone.
const LOSSES: &[(&str, Step, &[&str], Step)] = &[
    (
        "audit.jsonl is removed",
        |data| {
            fs::hard_link(data.join("audit.jsonl"), data.join("kept")).unwrap();
            fs::remove_file(data.join("audit.jsonl")).unwrap();
        },
        &["audit.jsonl", "logrotate"],
        |data| fs::rename(data.join("kept"), data.join("audit.jsonl")).unwrap(),
    ),
    (
        "audit.jsonl is rotated, with a new one made",
        |data| {
            fs::rename(data.join("audit.jsonl"), data.join("audit.jsonl.1")).unwrap();
            fs::write(data.join("audit.jsonl"), "").unwrap();
        },
        &["audit.jsonl", "logrotate"],
        |data| fs::rename(data.join("audit.jsonl.1"), data.join("audit.jsonl")).unwrap(),
    ),
    (
        "the data directory is moved away",
        |data| fs::rename(data, data.with_extension("moved")).unwrap(),
        &["the data directory no longer exists", "unmounted"],
        |data| fs::rename(data.with_extension("moved"), data).unwrap(),
    ),
    (
        "an empty directory is in its place, as after an unmount",
        |data| {
            fs::rename(data, data.with_extension("moved")).unwrap();
            fs::create_dir(data).unwrap();
        },
        &["data directory", "unmounted"],
        |data| {
            fs::remove_dir(data).unwrap();
            fs::rename(data.with_extension("moved"), data).unwrap();
        },
    ),
];

/// Files of this name below a directory.
fn named(dir: &Path, name: &str) -> usize {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let count = |path: std::path::PathBuf| {
        usize::from(path.ends_with(name)) + if path.is_dir() { named(&path, name) } else { 0 }
    };
    entries.map(count).sum()
}

#[test]
fn without_its_ledger_a_daemon_does_nothing_and_begins_no_other() {
    thread::scope(|scope| {
        for (what, lose, said, restore) in LOSSES {
            scope.spawn(move || {
                let place = Fixture::of(&["A"]);
                let mut daemon = place.daemon(&["--listen", "127.0.0.1:0", "--resync", "100ms"]);
                place.until_recorded(&mut daemon, &["A:Pending"]);
                let address = address(&mut daemon);
                until_ready(&mut daemon, address, None);
                let data = place.path(".fleetform");
                lose(&data);
                for part in *said {
                    until_ready(&mut daemon, address, Some(part));
                }
                place.save("fleet/B.yaml", &device("B"));
                let failed = metric(address, FAILED);
                daemon.until("another try", || {
                    let now = metric(address, FAILED);
                    if now > failed { Ok(()) } else { Err(now.to_string()) }
                });
                assert_eq!(named(&place.path(""), "B.json"), 0, "{what}: no effect without a log");
                assert!(daemon.said().contains("reconciliation failed"), "{what}");
                restore(&data);
                place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
                until_ready(&mut daemon, address, None);
                daemon.stop();
                let (code, out, err) = place.outcome(&["audit", "verify"]);
                assert_eq!(code, 0, "{what}: {out}{err}");
            });
        }
    });
}

#[test]
fn what_a_sink_keeps_is_put_into_no_other_directory() {
    let place = Fixture::of(&["A"]);
    place.write_secret("secret", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    // Nobody listens there, so that there is something to keep after each try.
    let hook = "{name: siem, url: 'http://127.0.0.1:9/', secretFile: secret}";
    place.write("fleetform.yaml", format!("notify: {{webhooks: [{hook}]}}\n"));
    let mut daemon = place.daemon(&[]);
    let mut logged = |kind: &str| {
        daemon.until(kind, || match place.logged(kind) {
            0 => Err("none".into()),
            _ => Ok(()),
        });
    };
    logged("notice.begun");
    place.save("fleet/B.yaml", &device("B"));
    logged("notice.intended");
    let data = place.path(".fleetform");
    fs::rename(&data, data.with_extension("moved")).unwrap();
    daemon.until_said("a checkpoint is not kept", 1);
    assert!(!data.exists());
    fs::create_dir(&data).unwrap();
    daemon.until_said("a checkpoint is not kept", 2);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 0, "as after an unmount");
    daemon.signal("KILL");
    daemon.ended();
}

#[test]
fn a_second_writer_stays_out_though_the_lock_was_removed() {
    let place = Fixture::of(&["A"]);
    let mut daemon = place.daemon(&["--resync", "100ms"]);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    let lock = place.path(".fleetform/lock");
    for times in 1..4 {
        fs::remove_file(&lock).unwrap();
        let (code, _, err) = place.outcome(&["apply", "--yes"]);
        assert_eq!(code, 1, "{err}");
        assert!(err.contains(&format!("process {} is writing", daemon.pid())), "{err}");
        daemon.until_said("the lock file was removed or replaced", times);
        daemon.until_said("recovered: reconciliation succeeds again", times);
        assert!(lock.exists(), "it was made anew");
    }
    place.save("fleet/B.yaml", &device("B"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    daemon.stop();
}

#[test]
fn a_reload_with_other_rights_is_in_the_log() {
    let place = Fixture::of(&["A"]);
    place.write("daemon.yaml", "wipes: {delay: 1h}\n");
    let mut daemon = place.daemon(&["--config", "daemon.yaml"]);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    place.write("daemon.yaml", "wipes: {delay: 0s}\n");
    daemon.signal("HUP");
    let mut changes = Vec::new();
    daemon.until("the change to be logged", || {
        changes = place.log();
        changes.retain(|entry| entry["kind"] == "config.changed");
        if changes.len() == 2 { Ok(()) } else { Err(format!("{changes:?}")) }
    });
    assert_eq!(changes[0]["data"]["to"], changes[1]["data"]["from"]);
    assert_eq!(changes[1]["data"]["from"]["delay"], "1h");
    assert_eq!(changes[1]["data"]["to"]["delay"], "0s");
    daemon.stop();
}
