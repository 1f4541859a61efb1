//! `--server`: commands that read, on a machine that has neither a ledger nor a fleet directory.

use serde_json::Value;

use super::client::{get, started};
use crate::support::{Fixture, PLAIN_PROFILE, device, git, key, trusted};

/// Commands that read, and whose JSON says the same wherever they run.
const READING: &[&[&str]] = &[
    &["list"],
    &["list", "--status", "Pending", "--sort-by", "-serialNumber"],
    &["get", "devices"],
    &["show", "A"],
    &["describe", "device", "D002"],
    &["why", "B"],
    &["orphans"],
    &["profile", "list"],
    &["profile", "show", "Standard"],
    &["wipe", "list", "--all"],
    &["audit", "log"],
    &["audit", "log", "--device", "A"],
    &["audit", "replay"],
    &["deliveries"],
    &["reports", "rejected"],
];

#[test]
fn every_command_that_reads_says_the_same_as_beside_the_daemon() {
    let place = Fixture::of(&["A", "B", "C"]);
    let (daemon, address) = started(&place, &[]);
    let (laptop, server) = (Fixture::bare(), format!("http://{address}"));
    for command in READING {
        let here = place.json(command);
        let there = laptop.json(&[*command, &["--server", &server]].concat());
        assert_eq!(there, here, "{command:?}");
        let named = [("FLEETFORM_SERVER", &*server)];
        let again = laptop.run_with(&[*command, &["-o", "json"]].concat(), &named).exits(0);
        assert_eq!(again.json(), here, "{command:?}, by the environment");
        // Without any of the two it says so, and gives no answer of its own.
        let alone = laptop.run(command).exits(1);
        alone.complains(&["no fleet here", "--server URL"]);
    }
    // There is no snapshot to compare the log with.
    let chain = |said: String| said.lines().take(3).map(str::to_owned).collect::<Vec<_>>();
    let verified = laptop.run(&["audit", "verify", "--server", &server]).exits(0).stdout;
    assert_eq!(chain(verified), chain(place.run(&["audit", "verify"]).exits(0).stdout));
    laptop
        .run(&["list", "--server", &server, "--data", "x"])
        .exits(1)
        .complains(&["exclude each other"]);
    assert_eq!(std::fs::read_dir(laptop.path("")).expect("a directory").count(), 0);
    // The lines are those of the log, byte for byte.
    let log = get(address, "/api/v1/log");
    assert_eq!(log.header("content-type"), Some("application/jsonl"));
    assert_eq!(log.body, place.read(".fleetform/audit.jsonl"));
    let of = get(address, "/api/v1/log?device=D002&since=2").body;
    assert!(!of.is_empty() && of.lines().all(|line| line.contains("\"device\":\"D002\"")), "{of}");
    assert_eq!(get(address, "/api/v1/log?sinc=2").status, 400);
    daemon.stop();
    laptop.run(&["list", "--server", &server]).exits(1).complains(&["cannot ask"]);
}

#[test]
fn the_settings_of_the_daemon_count_and_not_those_of_the_laptop() {
    let place = Fixture::of(&["A", "B", "C"]);
    place.write("fleetform.yaml", "wipes: {quorum: [{upTo: 7, per: 24h, signers: 2}]}\n");
    let (_daemon, address) = started(&place, &[]);
    let laptop = Fixture::bare();
    let listed = laptop.json(&["wipe", "list", "--server", &format!("http://{address}")]);
    let tier = &listed["budget"][0];
    assert_eq!((&tier["upTo"], &tier["signers"]), (&7.into(), &2.into()), "{listed}");
}

#[test]
fn trust_access_and_licenses_are_those_of_the_server() {
    let place = Fixture::of(&["A", "B", "C"]);
    place.write("etc/allowed_signers", trusted("bob"));
    let config = "fleet: ../fleet\ndata: ../.fleetform\ntrust: {allowedSigners: allowed_signers}\n\
                  access: {resources: {SAP: {require: [enrolled, fresh]}}}\n";
    place.write("etc/fleetform.yaml", config);
    place.run(&["apply", "--yes"]).exits(0);
    let (_daemon, address) = started(&place, &["--config", "etc/fleetform.yaml"]);
    let server = format!("http://{address}");
    let laptop = Fixture::empty();
    for command in [
        &["trust", "check"][..],
        &["access", "ana@example.com", "SAP"],
        &["access", "nobody@example.com", "SAP"],
        &["list", "--unmanaged"],
    ] {
        let configured = [&["--config", "etc/fleetform.yaml", "-o", "json"], command].concat();
        let afar = [command, &["--server", &server, "-o", "json"]].concat();
        let (here, there) = (place.run(&configured), laptop.run(&afar));
        let (mut here, mut there) = (here.json(), there.json());
        for said in [&mut here, &mut there] {
            // The moments of two questions.
            for moment in ["evaluatedAt", "validUntil"] {
                said.as_object_mut().expect("an object").remove(moment);
            }
        }
        assert_eq!(there, here, "{command:?}");
    }
    laptop.run(&["licenses", "--server", &server]).exits(0);
    // What changes something is not asked of a server, and no verdict of another fleet is given.
    for flag in [&["deliveries", "--retry", "x"][..], &["reports", "rejected", "--retry"]] {
        let said = laptop.run(&[flag, &["--server", &server]].concat()).exits(1);
        said.complains(&["--retry changes something", "is only asked"]);
    }
    let elsewhere = Fixture::bare();
    let said = elsewhere.run(&["plan", "--server", &server]).exits(1);
    said.complains(&["there is no fleet here", "--fleet"]);
    elsewhere.run(&["licenses", "--server", &server]).exits(1).complains(&["--fleet"]);
    let said = laptop.run(&["plan"]).exits(0);
    said.complains(&["There is no ledger in ./.fleetform yet", "--server URL"]);
}

#[test]
fn what_is_signed_on_a_laptop_is_shown_as_the_server_or_the_manifest_has_it() {
    let place = Fixture::of(&["A", "B", "C"]);
    let (_daemon, address) = started(&place, &[]);
    let server = format!("http://{address}");
    let laptop = Fixture::empty();
    laptop.write("fleet/profile.yaml", PLAIN_PROFILE);
    laptop.write("fleet/B.yaml", device("B"));
    let new = ["wipe", "new", "B", "--reason", "lost", "--requested-by", "bob@example.com"];
    let written = laptop.json(&[&new[..], &["--server", &server]].concat());
    let file = written["path"].as_str().expect("a path").to_owned();
    let key = key("bob");
    let sign = ["wipe", "sign", &file, "--key", key.to_str().expect("UTF-8")];
    let alone = laptop.run(&sign).exits(0);
    alone.complains(&["(by its manifest)", "ana@example.com", "there is no ledger here"]);
    let asked = laptop.run(&[&sign[..], &["--server", &server]].concat()).exits(0);
    let asked = asked.complains(&["ana@example.com", "last sync never"]);
    assert!(!asked.stderr.contains("by its manifest"), "{}", asked.stderr);
    let next = format!("fleetform wipe verify {file} --server {server}");
    assert!(asked.stdout.contains(&next), "{}", asked.stdout);
    // Whose signatures count, the server knows.
    let verified = laptop.run(&["wipe", "verify", &file]).exits(1).stdout;
    for rule in ["trust", "signatures", "requestedBy"] {
        assert!(verified.contains(&format!("unknown  {rule} ")), "{rule}: {verified}");
    }
    // The daemon reads this checkout, whichever ledger is asked.
    let fleet = place.path("fleet");
    for args in [
        &["init", "-q", "-b", "main"][..],
        &["remote", "add", "origin", "https://git.example.com/fleet.git"],
    ] {
        git(&fleet, args);
    }
    let said = place.run(&[&new[..], &["--server", &server]].concat()).exits(1);
    said.complains(&["a daemon reads it"]);
}

#[test]
fn a_request_is_written_on_a_laptop_and_only_the_daemon_judges_it() {
    let place = Fixture::of(&["A", "B", "C"]);
    let (mut daemon, address) = started(&place, &[]);
    let server = format!("http://{address}");
    let laptop = Fixture::empty();
    laptop.write("fleet/profile.yaml", PLAIN_PROFILE);
    let new = ["wipe", "new", "B", "--reason", "lost", "--requested-by", "bob@example.com"];
    laptop.run(&new).exits(1).complains(&["there is no ledger in ./.fleetform", "--server URL"]);
    let written = laptop.json(&[&new[..], &["--server", &server]].concat());
    let file = written["path"].as_str().expect("a path").to_owned();
    assert_eq!(written["serialNumber"], "B");
    let verify = ["wipe", "verify", &file, "--server", &server, "-o", "json"];
    laptop.run(&verify).exits(1).complains(&["has not seen this request"]);
    // By itself the laptop gives no verdict at all.
    let alone = laptop.run(&["wipe", "verify", &file]).exits(1).stdout;
    assert!(alone.contains("UNKNOWN: there is no ledger here"), "{alone}");
    assert!(!alone.contains("REFUSED") && !alone.contains("ACCEPTED"), "{alone}");
    place.write("fleet/request.yaml", laptop.read(&file));
    daemon.until("the request is seen", || {
        let said = laptop.run(&verify);
        if said.stdout.is_empty() { Err(said.stderr) } else { Ok(()) }
    });
    let said: Value = laptop.run(&verify).json();
    assert_eq!((&said["judgedBy"], &said["verdict"]), (&"server".into(), &"refused".into()));
    let text = laptop.run(&verify[..5]).exits(1).stdout;
    assert!(text.contains("by its own trust file") && text.contains("REFUSED: "), "{text}");
}
