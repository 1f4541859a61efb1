//! Backups: made beside a running daemon, restored where there is nothing, and what becomes of wipes.

use std::collections::BTreeMap;
use std::fs;

use fleetform::edges::fs::durable;
use serde_json::{Value, json};

use crate::daemon::client::{address, get};
use crate::invariants::Reading;
use crate::support::{Fixture, WIPE, healthy, needs, signature, text, trusted, wait_until};

/// The sample fleet with every device enrolled, and bob's signature counts.
fn enrolled() -> Fixture {
    let fixture = Fixture::enrolled();
    fixture.write_secret("signers", trusted("bob") + &trusted("carol"));
    fixture.write("fleetform.yaml", "trust: {allowedSigners: signers}\n");
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture
}

/// Makes a backup, loses the data directory, and restores; gives what was said of that.
#[track_caller]
fn lose_and_restore(fixture: &Fixture) -> Value {
    fixture.remove(".fleetform");
    fixture.json(&["restore", "backup.tar"])
}

/// Writes a request for a device, signed by these people; gives its path.
#[track_caller]
fn request(fixture: &Fixture, device: &str, file: &str, who: &[&str]) -> String {
    let path = format!("fleet/wipes/{file}.yaml");
    let args = ["wipe", "new", device, "--reason", "lost", "--requested-by", "bob@example.com"];
    fixture.run(&[&args[..], &["--file", &path]].concat()).exits(0);
    for who in who {
        let signed = signature(who, WIPE, fixture.read(&path).as_bytes());
        fixture.write(&format!("{path}.{who}.sig"), signed);
    }
    path
}

/// Orders to erase that devices can read.
fn orders(fixture: &Fixture) -> usize {
    let outbox = fs::read_dir(fixture.data().join("outbox")).expect("an outbox");
    let files = outbox.map(|entry| entry.expect("an entry").path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    files.filter(|path| fs::read_to_string(path).expect("text").contains("\"wipe\"")).count()
}

#[test]
fn killed_restored_and_nothing_is_left_to_do_and_a_spent_wipe_is_never_issued_again() {
    let fixture = enrolled();
    let mut daemon = fixture.daemon(&[]);
    daemon.until("the daemon to be at work", || match fixture.logged("config.changed") {
        0 => Err("not yet".to_owned()),
        _ => Ok(()),
    });
    let before = fixture.json(&["list"]);
    let made = fixture.json(&["backup", "backup.tar"]);
    assert_eq!(made["ledger"]["lineage"], before["ledger"]["lineage"]);
    // Spent after the backup was made: only the lost ledger knows.
    let spent = request(&fixture, "D001", "spent", &["bob"]);
    wait_until("the wipe is issued", || fixture.logged("wipe.issued") == 1);
    wait_until("the order is given", || orders(&fixture) == 1);
    daemon.signal("KILL");
    daemon.ended();

    let restored = lose_and_restore(&fixture);
    assert_eq!(restored["ledger"]["previous"], before["ledger"]["lineage"]);
    assert_ne!(restored["ledger"]["lineage"], before["ledger"]["lineage"]);
    assert_eq!((&restored["ledger"]["seq"], &restored["ledger"]["head"]), {
        (&made["ledger"]["seq"], &made["ledger"]["head"])
    });
    let mut after = fixture.json(&["list"]);
    after["ledger"] = before["ledger"].clone();
    assert_eq!(after, before, "telemetry, too");
    Reading::check(&fixture.data());
    assert_eq!(fixture.run(&["audit", "verify"]).exits(0).stderr, "");
    assert_eq!(fixture.logged("ledger.restored"), 1);

    // Nothing is left to do but to say no.
    let plan = fixture.json(&["plan"]);
    let refused =
        |entry: &Value| (text(&entry["code"]).to_owned(), text(&entry["standing"]).to_owned());
    let wipes: Vec<_> = plan["wipes"].as_array().expect("wipes").iter().map(refused).collect();
    assert_eq!(wipes, [("otherLedger".to_owned(), "refused".to_owned())], "{plan:#}");
    for _ in 0..2 {
        fixture.run(&["apply", "--yes"]);
        assert_eq!((fixture.logged("wipe.issued"), orders(&fixture)), (0, 0));
    }
    assert_eq!(fixture.json(&["plan"])["actions"], json!([]));
    fixture.remove("fleet/wipes");
    assert_eq!(fixture.run(&["plan", "--detailed-exitcode"]).exits(0).stderr, "");

    // A new request is for the restored ledger; its windows are taken as used, but for the last tier.
    let again = request(&fixture, "D002", "again", &["bob"]);
    let said = fixture.run(&["wipe", "verify", &again]).exits(3);
    let why = "needs signatures of 2 people, has 1 (the ledger was restored, and what it wiped";
    assert!(said.stdout.contains(why), "{said:#?}");
    request(&fixture, "D002", "again2", &["bob", "carol"]);
    fixture.run(&["apply", "--yes"]);
    assert_eq!((fixture.logged("wipe.issued"), orders(&fixture)), (1, 1));
    assert!(!spent.is_empty());
}

#[test]
fn what_was_under_way_is_neither_repeated_nor_taken_back() {
    let fixture = enrolled();
    request(&fixture, "D001", "issued", &["bob"]);
    fixture.run(&["apply", "--yes"]);
    assert_eq!(orders(&fixture), 1);
    fixture.write("fleetform.yaml", "trust: {allowedSigners: signers}\nwipes: {delay: 1h}\n");
    request(&fixture, "D003", "cooling", &["bob"]);
    fixture.run(&["apply", "--yes"]);
    fixture.json(&["backup", "backup.tar"]);
    let restored = lose_and_restore(&fixture);
    assert_eq!(restored["wipesUnderWay"], json!(["D001", "D003"]));
    assert_eq!(orders(&fixture), 0, "an order that comes back could reach a device in use");
    // It is told before the next reconciliation records it.
    let listed = fixture.json(&["wipe", "list"])["requests"].take();
    let of = |id: &str| {
        let mut rows = listed.as_array().expect("requests").iter();
        let row = rows.find(|row| row["device"] == id).unwrap_or_else(|| panic!("{listed:#}"));
        text(&row["state"]).to_owned()
    };
    assert_eq!((of("D001"), of("D003")), ("issued".to_owned(), "refused".to_owned()));
    for command in ["why", "show"] {
        let said = fixture.run(&[command, "D003"]).exits(0).stdout;
        let refused = "is for the ledger before it was restored, and is refused.";
        assert!(said.contains(refused) && !said.contains("WILL BE WIPED"), "{command}: {said}");
    }
    fixture.write("fleetform.yaml", "trust: {allowedSigners: signers}\n");
    for _ in 0..2 {
        fixture.run(&["apply", "--yes"]);
        assert_eq!(orders(&fixture), 0);
    }
    let standing = |id: &str| fixture.json(&["show", id])["wipes"][0]["state"].clone();
    assert_eq!((standing("D001"), standing("D003")), (json!("issued"), json!("refusedForGood")));
    // The device answers after all.
    let wiped = healthy("PF3XK9Q2", 1).replace("2020-01-01T09:00:00Z", "2099-01-01T09:00:00Z");
    let serial = text(&fixture.json(&["show", "D001"])["device"]["serialNumber"]).to_owned();
    let wiped = wiped.replace("PF3XK9Q2", &serial).replace("\"at\"", "\"wiped\":true,\"at\"");
    fixture.report(&wiped);
    fixture.run(&["apply", "--yes"]);
    assert_eq!((fixture.logged("wipe.confirmed"), fixture.logged("wipe.unrequested")), (1, 0));
}

#[test]
fn what_devices_have_yet_to_do_comes_back() {
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    let outbox = || -> BTreeMap<_, _> {
        let files = fs::read_dir(fixture.data().join("outbox")).expect("an outbox");
        let files = files.map(|entry| entry.expect("an entry").path());
        files.map(|path| (path.clone(), fs::read_to_string(path).expect("text"))).collect()
    };
    let before = outbox();
    assert!(before.len() == 12, "{before:?}");
    fixture.json(&["backup", "backup.tar"]);
    lose_and_restore(&fixture);
    assert_eq!(outbox(), before);
    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!(outbox(), before, "nothing is told twice");
}

#[test]
fn nothing_is_restored_over_anything() {
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.json(&["backup", "backup.tar"]);
    let log = fixture.read(".fleetform/audit.jsonl");
    let said = ["is not empty: it holds a ledger", "--data"];
    fixture.run(&["restore", "backup.tar"]).exits(1).complains(&said);
    assert_eq!(fixture.read(".fleetform/audit.jsonl"), log);
    let mut daemon = fixture.daemon(&["--listen", "127.0.0.1:0"]);
    let address = address(&mut daemon);
    wait_until("the daemon holds it", || get(address, "/readyz").status == 200);
    fixture.run(&["restore", "backup.tar"]).exits(1).complains(&["is writing to this ledger"]);
    // Half of one is none.
    for name in ["state.json", "outbox/PF3XK9Q2.json", "thesis.txt"] {
        fixture.write(&format!("other/{name}"), "x");
        let args = ["restore", "backup.tar", "--data", "other"];
        fixture.run(&args).exits(1).complains(&["is not empty"]);
        fixture.remove("other");
    }
    // Reports wait for a ledger.
    fixture.write("new/inbox/a", healthy("PF3XK9Q2", 1));
    fixture.run(&["restore", "backup.tar", "--data", "new"]).exits(0);
    fixture.run(&["apply", "--yes", "--data", "new"]).exits(0);
    assert_eq!(
        fixture.json(&["show", "PF3XK9Q2", "--data", "new"])["device"]["status"],
        "Enrolled"
    );
    for data in [".fleetform", "."] {
        let file = format!("{data}/backup.tar");
        let args = ["backup", &file, "--data", ".fleetform"];
        let said = fixture.run(&args);
        match data {
            "." => drop(said.exits(0)),
            _ => drop(said.exits(1).complains(&["is in the data directory"])),
        }
    }
}

#[test]
fn a_backup_that_was_changed_restores_nothing() {
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    let made = fixture.json(&["backup", "backup.tar"]);
    let (seq, head) = (&made["ledger"]["seq"], text(&made["ledger"]["head"]).to_owned());
    let whole = fs::read(fixture.path("backup.tar")).expect("the backup");
    let restore = |bytes: &[u8], args: &[&str]| {
        fixture.write("changed.tar", bytes);
        let args = [&["restore", "changed.tar", "--data", "new"], args].concat();
        let said = fixture.run(&args);
        if said.code != Some(0) {
            let left = fs::read_dir(fixture.path("new")).map_or(0, Iterator::count);
            assert_eq!(left, 0, "{said:#?}");
        }
        said
    };
    restore(&whole[..whole.len() - 512], &[])
        .exits(1)
        .complains(&["damaged", "use another backup"]);
    let replaced = |from: &str, to: &str| {
        let at = whole.windows(from.len()).position(|bytes| bytes == from.as_bytes());
        let at = at.unwrap_or_else(|| panic!("{from} is not in it"));
        [&whole[..at], to.as_bytes(), &whole[at + from.len()..]].concat()
    };
    let shorter = replaced("ana-ruiz-laptop", "eva-ruiz-laptop");
    restore(&shorter, &[]).exits(1).complains(&["audit.jsonl is not what was put in"]);
    let of_another = replaced("\"seq\": ", "\"seq\":9");
    restore(&of_another, &[]).exits(1);
    let other = format!("{seq}:{}", "0".repeat(64));
    restore(&whole, &["--head", &other]).exits(1).complains(&["and not with", "another backup"]);
    restore(b"", &[]).exits(1).complains(&["damaged"]);
    restore(b"nonsense".repeat(512).as_slice(), &[]).exits(1).complains(&["is not a backup"]);
    fixture.run(&["restore", "nowhere.tar"]).exits(1).complains(&["nowhere.tar"]);
    restore(&whole, &["--head", &format!("{seq}:{head}")]).exits(0);
}

/// The log of a backup in which somebody gave a device an order to erase, with right digests.
#[test]
fn no_order_to_erase_comes_out_of_a_backup_whoever_made_it() {
    needs("tar");
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.json(&["backup", "backup.tar"]);
    // All lengths stay: `profile` becomes `wipe` in the outbox, and blanks fill it up.
    let bytes = fs::read(fixture.path("backup.tar")).expect("the backup");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (before, outbox) = text.split_once("outbox.jsonl\0").expect("its header");
    let start = outbox.find("{\"serialNumber\"").expect("a line");
    let end = outbox.rfind('\n').expect("its end") + 1;
    let lines = &outbox[start..end];
    let forged = lines.replacen("\"command\":\"profile\"", "\"command\":\"wipe\"   ", 1);
    assert_ne!(forged, lines);
    let [was, is] = [lines, &forged].map(crate::support::digest);
    let before = before.replace(&was, &is);
    let changed = format!("{before}outbox.jsonl\0{}{forged}{}", &outbox[..start], &outbox[end..]);
    fixture.write("forged.tar", changed);
    let said = fixture.run(&["restore", "forged.tar", "--data", "new"]).exits(1);
    said.complains(&["what devices have to do", "erases it", "nothing was restored"]);
    assert_eq!(fs::read_dir(fixture.path("new")).expect("a directory").count(), 0);
}

#[test]
fn killed_anywhere_a_restore_leaves_all_or_nothing() {
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    let lineage = fixture.json(&["list"])["ledger"]["lineage"].clone();
    let old = fixture.read(".fleetform/audit.jsonl");
    fixture.json(&["backup", "backup.tar"]);
    let points = durable::CRASH_POINTS.iter();
    let points = points.filter(|point| {
        ["restore", "ledger.append", "ledger.snapshot"].iter().any(|of| point.starts_with(of))
    });
    let mut died = 0;
    for point in points {
        for before in 0..3 {
            let failpoint = format!("{point}={before}*off->return");
            let args = ["restore", "backup.tar", "--data", "new"];
            let crash = fixture.run_with(&args, &[("FAILPOINTS", &failpoint)]);
            if crash.signal != Some(6) {
                crash.exits(0);
                fixture.remove("new");
                break;
            }
            died += 1;
            let log = fs::read_to_string(fixture.path("new/audit.jsonl"));
            if log.is_err() {
                // Nothing is there that a command takes for a ledger.
                fixture.run(&["apply", "--yes", "--data", "new"]).exits(1);
                fixture.run(&args).exits(0);
            }
            let list = fixture.json(&["list", "--data", "new"]);
            assert_ne!(list["ledger"]["lineage"], lineage, "{failpoint}");
            assert!(fixture.path("new/outbox/PF3XK9Q2.json").exists(), "{failpoint}");
            fixture.run(&["apply", "--yes", "--data", "new"]).exits(0);
            let log = fs::read_to_string(fixture.path("new/audit.jsonl")).expect("a log");
            assert!(log.starts_with(&old) && log.contains("ledger.restored"), "{failpoint}");
            fixture.remove("new");
        }
    }
    assert!(died > 20, "{died}");
}

#[test]
fn a_backup_beside_a_busy_daemon_is_of_one_moment() {
    let fixture = Fixture::sample();
    let mut daemon = fixture.daemon(&[]);
    daemon.until("the fleet to be there", || match fixture.logged("profile.pushed") {
        12 => Ok(()),
        n => Err(n.to_string()),
    });
    for round in 1..=10 {
        let from = format!(
            "vpn{}.example.com",
            if round == 1 { String::new() } else { round.to_string() }
        );
        let to = format!("vpn{}.example.com", round + 1);
        fixture.replace("fleet/profiles/standard.yaml", &from, &to);
        fixture.report(&healthy("PF3XK9Q2", round));
        let file = format!("backup{round}.tar");
        fixture.run(&["backup", &file]).exits(0);
        let data = format!("restored{round}");
        fixture.run(&["restore", &file, "--data", &data]).exits(0);
        fixture.run(&["audit", "verify", "--data", &data]).exits(0);
        fixture.run(&["apply", "--yes", "--data", &data]).exits(0);
        assert_eq!(fixture.json(&["plan", "--data", &data])["actions"], json!([]));
    }
    daemon.stop();
}

#[test]
fn a_backup_is_not_written_to_a_file_called_like_standard_output() {
    let fixture = Fixture::of(&["A"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.run(&["backup", "-"]).exits(1).complains(&["standard output", "name a file"]);
    assert!(!fixture.path("-").exists());
}
