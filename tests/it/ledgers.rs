//! Which ledger a command takes for its own: a path that somebody named must hold one, and what
//! lies beside the log must agree with it.

use std::fs;

use crate::support::{Fixture, Output, actions, needs};

/// Commands that look into the ledger, or write beside it.
const READERS: &[&[&str]] = &[
    &["plan"],
    &["list"],
    &["show", "D001"],
    &["report"],
    &["wipe", "new", "D001", "--reason", "lost", "--requested-by", "bob@example.com"],
    &["audit", "verify"],
    &["audit", "log"],
    &["audit", "replay"],
    &["apply", "--yes"],
    &["daemon"],
];

#[test]
fn a_path_that_somebody_named_must_hold_a_ledger() {
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.write("named.yaml", "data: ./mistyped\n");
    fs::create_dir(fixture.path("unmounted")).expect("a directory");
    for how in [["--data", "mistyped"], ["--data", "unmounted"], ["--config", "named.yaml"]] {
        for command in READERS {
            let said = fixture.feed(&[&how, *command].concat(), "{}").exits(1);
            let said = said.complains(&["there is no ledger in"]);
            assert_eq!(said.stdout, "", "{how:?} {command:?}");
        }
    }
    assert!(!fixture.path("mistyped").exists(), "nothing was made");
    assert_eq!(fs::read_dir(fixture.path("unmounted")).expect("a directory").count(), 0);
}

#[test]
fn a_named_ledger_is_begun_once_and_the_default_by_itself() {
    let fixture = Fixture::sample();
    // What the default holds as long as nothing does: nothing.
    assert_eq!(fixture.json(&["list"])["devices"], serde_json::json!([]));
    assert!(!fixture.path(".fleetform").exists());
    for data in ["one", "two/below"] {
        let begin = ["--data", data, "apply", "--yes", "--new-ledger"];
        fixture.run(&begin).exits(0);
        fixture.run(&["--data", data, "apply", "--yes"]).exits(0);
        fixture.run(&begin).exits(1).complains(&["there is already a ledger in", "--new-ledger"]);
        let daemon = ["--data", data, "daemon", "--new-ledger"];
        fixture.run(&daemon).exits(1).complains(&["there is already a ledger in"]);
        // The log is lost: that is no reason to begin anew.
        fs::remove_file(fixture.path(data).join("audit.jsonl")).expect("removed");
        fixture.run(&begin).exits(1);
        fixture.run(&["--data", data, "apply", "--yes"]).exits(1);
    }
}

#[test]
fn reports_are_not_handed_over_where_nobody_would_take_them() {
    let fixture = Fixture::sample();
    let said = fixture.feed(&["report"], "{}").exits(1);
    said.complains(&["there is no ledger in ./.fleetform", "`fleetform apply` creates a ledger"]);
    assert!(!fixture.path(".fleetform").exists());
}

#[test]
fn without_a_ledger_nobody_says_what_is_in_it() {
    let fixture = Fixture::sample();
    let access = "access:\n  resources:\n    SAP: {require: [enrolled]}\n";
    fixture.write("access.yaml", access);
    for command in [
        ["orphans"].as_slice(),
        &["audit", "log", "--follow"],
        &["audit", "log", "--device", "D001"],
        &["audit", "replay"],
        &["audit", "snapshot"],
        &["deliveries"],
        &["licenses"],
        &["profile", "show", "Standard"],
        &["reports", "rejected"],
        &["show", "D001"],
        &["why", "D001"],
        &["wipe", "list"],
        &["--config", "access.yaml", "access", "ana@example.com", "SAP"],
    ] {
        for format in ["text", "json"] {
            let said = fixture.run(&[command, &["-o", format]].concat()).exits(1);
            assert_eq!(said.stdout, "", "{command:?}");
            said.complains(&["there is no ledger in ./.fleetform"]);
        }
    }
    fixture.run(&["audit", "verify"]).exits(1).complains(&["there is no log in"]);
    // All of a log that is yet to begin is nothing, and that is said.
    for (format, nothing) in [("text", ""), ("json", "{\"version\":1,\"entries\":[]}\n")] {
        let said = fixture.run(&["audit", "log", "-o", format]).exits(0);
        assert_eq!(said.stdout, nothing);
        said.complains(&["There is no ledger in ./.fleetform yet", "--server URL"]);
    }
    for command in [&["list"][..], &["get", "devices"], &["profile", "list"]] {
        let said = fixture.run(command).exits(0);
        said.complains(&["There is no ledger in ./.fleetform yet", "--server URL"]);
    }
    assert!(!fixture.path(".fleetform").exists());
}

/// Runs it with the `when`-th and all later calls of `flock` failing.
fn without_flock(fixture: &Fixture, error: &str, when: &str) -> Output {
    needs("strace");
    let inject = format!("inject=flock:error={error}:when={when}");
    let log = fixture.path("strace.log").display().to_string();
    let trace = ["strace", "-f", "-qq", "-o", &log, "-e", "trace=flock", "-e", &inject];
    fixture.run_under(&trace, &["apply", "--yes"])
}

#[test]
fn a_file_system_that_cannot_lock_directories_has_the_lock_file_and_one_without_locks_is_refused() {
    let fixture = Fixture::sample();
    without_flock(&fixture, "EBADF", "1").exits(0);
    let said = without_flock(&fixture, "EOPNOTSUPP", "1+").exits(1);
    said.complains(&["cannot lock", "on a file system that can lock files"]);
}

#[test]
fn an_outbox_with_orders_that_the_log_does_not_have_stops_every_writer() {
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    let log = fixture.read(".fleetform/audit.jsonl");
    // Whoever cuts the log removes what says so, but not what devices are about to do.
    let cut: String = log.split_inclusive('\n').take(4).collect();
    fixture.write(".fleetform/audit.jsonl", &cut);
    fixture.remove(".fleetform/state.json");
    fixture.remove(".fleetform/lock");
    let said =
        ["outbox", "which the log does not have", "ends at entry 4", "delete every wipe request"];
    fixture.run(&["apply", "--yes"]).exits(1).complains(&said);
    fixture.run(&["daemon"]).exits(1).complains(&said);
    assert_eq!(fixture.read(".fleetform/audit.jsonl"), cut, "nothing was changed");
    // An order to erase that no entry issued, under the number of another entry.
    fixture.write(".fleetform/audit.jsonl", &log);
    fixture.run(&["apply", "--yes"]).exits(0);
    let order = r#"{"version":1,"commands":[{"id":"c3","command":"wipe","device":"D001","reason":"lost","request":"x"}]}"#;
    fixture.write(".fleetform/outbox/PF3XK9Q2.json", order);
    fixture
        .run(&["apply", "--yes"])
        .exits(1)
        .complains(&["c3 (wipe)", "which the log does not have"]);
    // What cannot be read is no witness.
    fixture.write(".fleetform/outbox/PF3XK9Q2.json", "nonsense");
    fixture.run(&["apply", "--yes"]).complains(&["cannot be compared with the log"]);
}

#[test]
fn a_request_is_never_written_from_a_snapshot_that_the_log_contradicts() {
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    let devices = fixture.devices();
    let mut serials = devices.keys();
    let (one, two) = (serials.next().expect("one"), serials.next().expect("two"));
    let state = fixture.read(".fleetform/state.json");
    let swapped = state.replace(one.as_str(), "X").replace(two.as_str(), one);
    fixture.write(".fleetform/state.json", swapped.replace("\"X\"", &format!("{two:?}")));
    let new = ["wipe", "new", "D001", "--reason", "lost", "--requested-by", "bob@example.com"];
    fixture.run(&new).exits(1).complains(&["not what the log gives"]);
    assert!(!fixture.path("fleet/wipes").exists());
    fixture.write(".fleetform/state.json", state);
    fixture.run(&new).exits(0);
}

#[test]
fn what_the_configuration_says_about_rights_is_in_the_log() {
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!(fixture.logged("config.changed"), 1, "compared with nothing");
    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!(fixture.logged("config.changed"), 1, "the same as before");
    fixture.write(
        "fleetform.yaml",
        "trust: {allowedSigners: /etc/f/signers, revokedKeys: /etc/f/revoked}\n\
         wipes: {maxValidity: 90m, delay: 5m, quorum: [{upTo: 9, per: 36h, signers: 1}]}\n",
    );
    let plan = fixture.json(&["plan"]);
    assert_eq!(actions(&plan), [] as [&str; 0], "the plan is about the fleet");
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.run(&["apply", "--yes"]).exits(0);
    let log = fixture.log();
    let changes: Vec<_> = log.iter().filter(|entry| entry["kind"] == "config.changed").collect();
    assert_eq!(changes.len(), 2);
    let digest = fleetform::domain::model::Digest::of(fixture.read("fleetform.yaml").as_bytes());
    let expected = serde_json::json!({
        "allowedSigners": "/etc/f/signers",
        "delay": "5m",
        "digest": digest,
        "maxValidity": "1h 30m",
        "provider": "local",
        "quorum": [{"per": "1day 12h", "signers": 1, "upTo": 9}],
        "requireHead": false,
        "revokedKeys": "/etc/f/revoked",
    });
    assert_eq!(changes[1]["data"]["to"], expected);
    assert_eq!(changes[1]["data"]["from"], changes[0]["data"]["to"]);
    assert_eq!(changes[0]["data"].get("from"), None);
    assert_eq!(fixture.state()["config"], expected);
    let replayed = fixture.json(&["audit", "replay"]);
    assert_eq!(replayed["config"], expected);
    let said = fixture.run(&["audit", "log", "--kind", "config.changed"]).exits(0).stdout;
    assert!(said.contains("1 for up to 9 in 1d 12h"), "{said}");
    // A file that says the same in other bytes is another file.
    fixture.write("fleetform.yaml", fixture.read("fleetform.yaml") + "# reviewed\n");
    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!(fixture.logged("config.changed"), 3);
}
