//! May this device come in? The daemon's answers, and the commands of the page.

use std::path::Path;
use std::process::Command;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use super::client::{Answer, address, get, send, until_metrics};
use crate::support::{Daemon, Fixture, PROFILE, commands, device, needs, page, text};

const TOKEN: &str = "0123456789abcdef0123";

/// Ana's A1 and Bo's B2, which a profile wants to be encrypted.
fn place() -> Fixture {
    let place = Fixture::bare();
    place.write("fleet/profile.yaml", PROFILE);
    place.write("fleet/A1.yaml", device("A1"));
    place.write("fleet/B2.yaml", device("B2").replace("ana@example.com", "bo@example.com"));
    place.write_secret("access.token", TOKEN);
    place
}

fn configure(place: &Fixture, resources: &str) {
    let text = format!("access: {{tokenFile: access.token, resources: {{{resources}}}}}\n");
    place.write("fleetform.yaml", text);
}

fn report(place: &Fixture, serial: &str, encrypted: bool, ago: TimeDelta) {
    let at = (Utc::now() - ago).to_rfc3339();
    let report = json!({"serialNumber": serial, "at": at, "encryption": {"enabled": encrypted}});
    place.report(&report.to_string());
}

fn evaluate(address: std::net::SocketAddr, token: &str, user: &str, device: &str) -> Answer {
    let body = json!({
        "subject": {"type": "user", "id": user, "properties": {"device_id": device}},
        "action": {"name": "access"}, "resource": {"type": "application", "id": "SAP"},
    })
    .to_string();
    let length = body.len();
    send(
        address,
        &format!(
            "POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    )
}

/// `yes`, or the reason.
fn said(answer: &Answer) -> String {
    let body = answer.json();
    match body["decision"].as_bool() {
        Some(true) => "yes".to_owned(),
        _ => text(&body["context"]["reason"]).to_owned(),
    }
}

#[track_caller]
fn until(daemon: &mut Daemon, address: std::net::SocketAddr, device: &str, expected: &str) {
    daemon.until(&format!("{expected} for {device}"), || {
        let answer = said(&evaluate(address, TOKEN, "ana@example.com", device));
        if answer == expected { Ok(()) } else { Err(answer) }
    });
}

/// What the command says: the reason, or `yes`, and its exit code.
fn explained(place: &Fixture, device: &str) -> (String, Option<i32>) {
    let args = ["access", "ana@example.com", "SAP", "--device", device, "-o", "json"];
    let done = place.run(&args);
    let document: Value = done.json();
    let reason = document["reason"].as_str().unwrap_or("yes").to_owned();
    assert_eq!(document["decision"] == true, reason == "yes", "{document}");
    (reason, done.code)
}

#[test]
fn a_device_comes_in_once_it_is_compliant_and_the_log_says_what_changes() {
    let place = place();
    configure(&place, "SAP: {require: [enrolled, compliant, fresh]}");
    place.run(&["apply", "--yes"]).exits(0);
    let mut daemon = place.daemon(&["--listen", "127.0.0.1:0"]);
    let address = address(&mut daemon);
    until(&mut daemon, address, "D001", "device-not-enrolled");
    assert_eq!(explained(&place, "D001"), ("device-not-enrolled".into(), Some(3)));
    report(&place, "A1", false, TimeDelta::minutes(2));
    until(&mut daemon, address, "D001", "device-noncompliant");
    assert_eq!(explained(&place, "a1"), ("device-noncompliant".into(), Some(3)));
    let shown = place.run(&["access", "ana@example.com", "SAP"]).exits(3).stdout;
    for part in [
        "Denied: ana@example.com may not use SAP [device-noncompliant]",
        "pass  enrolled",
        "FAIL  compliant",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    report(&place, "A1", true, TimeDelta::minutes(1));
    until(&mut daemon, address, "D001", "yes");
    assert_eq!(explained(&place, "dev-A1"), ("yes".into(), Some(0)));
    for _ in 0..3 {
        assert_eq!(said(&evaluate(address, TOKEN, "ana@example.com", "D001")), "yes");
        assert_eq!(
            said(&evaluate(address, TOKEN, "ana@example.com", "D002")),
            "device-of-another-user"
        );
    }
    // Its token, and no other; the rest needs none on loopback.
    assert_eq!(evaluate(address, "another-token-of-20", "ana@example.com", "D001").status, 401);
    assert_eq!(get(address, "/api/v1/devices").status, 200);
    let log = daemon.said();
    assert_eq!(log.matches("reason=\"device-noncompliant\"").count(), 1, "{log}");
    assert_eq!(log.matches("access is allowed again").count(), 1, "{log}");
    assert!(!log.contains("device-of-another-user"), "strangers fill no log: {log}");
    until_metrics(
        &mut daemon,
        address,
        &["access_denials_total{reason=\"device-of-another-user\"} 3"],
    );
    daemon.stop();
}

#[test]
fn rules_are_recorded_and_read_again_and_a_checkout_gives_none() {
    let place = place();
    configure(&place, "SAP: {require: [enrolled]}");
    place.run(&["apply", "--yes"]).exits(0);
    report(&place, "A1", false, TimeDelta::minutes(1));
    let mut daemon = place.daemon(&["--listen", "127.0.0.1:0"]);
    let address = address(&mut daemon);
    until(&mut daemon, address, "D001", "yes");
    configure(&place, "SAP: {require: [enrolled, compliant]}");
    daemon.signal("HUP");
    until(&mut daemon, address, "D001", "device-noncompliant");
    let entries = place.log();
    let changed = entries.iter().filter(|entry| entry["kind"] == "config.changed");
    let access: Vec<_> = changed.map(|entry| &entry["data"]["to"]["access"]).collect();
    assert_eq!(access[0]["resources"]["SAP"]["require"], json!(["enrolled"]));
    assert_eq!(access[1]["resources"]["SAP"]["require"], json!(["enrolled", "compliant"]));
    assert_eq!(access[1]["maxAge"], "16h");
    // The token in its file is read again; another file needs a new start.
    place.write_secret("access.token", "another-token-of-20");
    daemon.signal("HUP");
    daemon.until("the new token", || {
        let status = evaluate(address, TOKEN, "ana@example.com", "D001").status;
        if status == 401 { Ok(()) } else { Err(status.to_string()) }
    });
    place.write("fleetform.yaml", "access: {resources: {SAP: {require: [enrolled]}}}\n");
    daemon.signal("HUP");
    daemon.until_said("access.tokenFile can only be changed by starting again", 1);
    daemon.stop();
    // What a merged change can write lets nobody in, and a token that others can read is none.
    configure(&place, "SAP: {require: [enrolled]}");
    std::fs::create_dir(place.path(".git")).unwrap();
    place.run(&["access", "ana@example.com", "SAP"]).exits(1).complains(&["must not set access"]);
    std::fs::remove_dir(place.path(".git")).unwrap();
    place.write("access.token", TOKEN);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(place.path("access.token"), open).unwrap();
    let refused = place.run(&["daemon", "--listen", "127.0.0.1:0"]).exits(1);
    refused.complains(&["access.token", "can be read by every user"]);
}

#[test]
fn while_the_ledger_cannot_be_opened_nobody_comes_in() {
    let place = place();
    configure(&place, "SAP: {require: [enrolled]}");
    place.run(&["apply", "--yes"]).exits(0);
    report(&place, "A1", true, TimeDelta::minutes(1));
    let mut daemon = place.daemon(&["--listen", "127.0.0.1:0", "--resync", "100ms"]);
    let address = address(&mut daemon);
    until(&mut daemon, address, "D001", "yes");
    let (log, aside) = (place.path(".fleetform/audit.jsonl"), place.path("aside"));
    std::fs::rename(&log, &aside).unwrap();
    until(&mut daemon, address, "D001", "ledger-unreadable");
    std::fs::rename(&aside, &log).unwrap();
    until(&mut daemon, address, "D001", "yes");
    daemon.stop();
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    needs("curl");
    needs("jq");
    let place = place();
    let page = page("access.md");
    let yaml = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let token = place.path("access.token").display().to_string();
    let yaml = yaml.replace("127.0.0.1:8080", "127.0.0.1:0");
    place.write("fleetform.yaml", yaml.replace("/etc/fleetform/access.token", &token));
    place.run(&["apply", "--yes"]).exits(0);
    report(&place, "A1", true, TimeDelta::minutes(1));
    report(&place, "B2", false, TimeDelta::minutes(1));
    let mut daemon = place.daemon(&[]);
    let address = address(&mut daemon);
    until(&mut daemon, address, "D001", "yes");
    let script = commands(&page, "").replace("127.0.0.1:8080", &address.to_string());
    let script = script.replace("/etc/fleetform/access.token", &token);
    assert!(
        script.matches("curl ").count() >= 3 && script.matches("fleetform access").count() >= 4
    );
    let home = Path::new(env!("CARGO_BIN_EXE_fleetform")).parent().unwrap().display();
    let path = format!("{home}:{}", std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(place.path(".")).env("PATH", path);
    let done = shell.output().expect("sh");
    let (said, errors) =
        (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{script}\n{said}\n{errors}");
    // Every reason that there is has a row, and no other.
    for reason in ["device-noncompliant", "evidence-stale", "wipe-under-way", "ledger-unreadable"] {
        assert!(page.contains(&format!("`{reason}`")), "{reason}");
    }
}
