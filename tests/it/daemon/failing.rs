//! A disk that fails and is mended: effects stop at once, readers go on, and nothing is lost.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;

use super::client::{address, get, until_metrics, until_ready};
use crate::support::{Answer, Daemon, Fixture, PLAIN_PROFILE, Received, Receiver, device, needs};

const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// As it has to be while the log cannot be written: B, which was asked for, is not there.
fn only_readers(place: &Fixture, daemon: &mut Daemon, address: SocketAddr) {
    until_ready(daemon, address, Some("look at the disk"));
    assert_eq!(get(address, "/healthz").status, 200);
    let devices = get(address, "/api/v1/devices").json();
    assert_eq!(devices["devices"].as_array().unwrap().len(), 1, "{devices}");
    assert_eq!(get(address, "/api/v1/devices/A").status, 200);
    until_metrics(daemon, address, &["ready 0", "devices{status=\"Pending\"} 1"]);
    assert!(place.recorded().contains(&"A:Pending".to_owned()), "readers go on");
    assert!(!place.path(".fleetform/outbox/B.json").exists(), "without a log, no effect");
}

/// As it has to be once it is mended, with no other hand.
fn recovered(place: &Fixture, mut daemon: Daemon, address: SocketAddr) {
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    daemon.until_said("recovered: reconciliation succeeds again", 1);
    until_ready(&mut daemon, address, None);
    assert!(place.path(".fleetform/outbox/B.json").exists());
    daemon.stop();
    let (code, out, _) = place.outcome(&["audit", "verify"]);
    assert_eq!(code, 0, "{out}");
    let provisioned = |entry: &&serde_json::Value| entry["kind"] == "device.provisioned";
    assert_eq!(place.log().iter().filter(provisioned).count(), 2, "each device once");
}

/// The log's own calls fail, one way or another, from the first entry after the start on.
#[test]
fn a_log_that_cannot_be_written_or_made_durable_is_read_anew_once_it_can() {
    let log = ".fleetform/audit.jsonl";
    thread::scope(|scope| {
        for fault in [
            "write,pwrite64,writev:error=EIO",
            "write,pwrite64,writev:error=ENOSPC",
            // The first is at the start.
            "fsync,fdatasync:error=EIO:when=2+",
        ] {
            scope.spawn(move || {
                let place = Fixture::of(&["A"]);
                assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
                let mut daemon = place.daemon_with_fault(log, fault, &LISTEN);
                let address = address(&mut daemon);
                until_ready(&mut daemon, address, None);
                place.save("fleet/B.yaml", &device("B"));
                only_readers(&place, &mut daemon, address);
                daemon.mended();
                recovered(&place, daemon, address);
            });
        }
    });
}

/// Lets the daemon's log grow by so many bytes at most, so that a write goes only half through, as on a full
/// disk; by any number without one.
fn log_grows_by(place: &Fixture, daemon: &Daemon, bytes: Option<u64>) {
    let size = fs::metadata(place.path(".fleetform/audit.jsonl")).unwrap().len();
    let most = bytes.map_or("unlimited".to_owned(), |bytes| (size + bytes).to_string());
    let args = ["--pid", &daemon.pid(), &format!("--fsize={most}:unlimited")];
    assert!(Command::new("prlimit").args(args).status().unwrap().success());
}

#[test]
fn a_file_that_may_not_grow_is_as_a_full_disk() {
    needs("prlimit");
    let place = Fixture::of(&["A"]);
    let mut daemon = place.daemon(&LISTEN);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    let address = address(&mut daemon);
    log_grows_by(&place, &daemon, Some(100));
    place.save("fleet/B.yaml", &device("B"));
    only_readers(&place, &mut daemon, address);
    log_grows_by(&place, &daemon, None);
    recovered(&place, daemon, address);
}

#[test]
fn who_hears_alerts_hears_at_once_that_the_log_cannot_be_written_and_by_the_log_once_it_can() {
    needs("prlimit");
    let receiver = Receiver::start(|_, _| Answer::Status(204));
    let url = receiver.url();
    let place = Fixture::of(&["A"]);
    place.write_secret("secret", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    place.write(
        "fleetform.yaml",
        format!(
            "notify:\n  webhooks: [{{name: ops, url: '{url}', secretFile: secret, kinds: [pass.frozen]}}]\n  \
             alerts: {{webhooks: [ops]}}\n"
        ),
    );
    let mut daemon = place.daemon(&LISTEN);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    let address = address(&mut daemon);
    log_grows_by(&place, &daemon, Some(100));
    place.save("fleet/B.yaml", &device("B"));
    until_ready(&mut daemon, address, Some("look at the disk"));
    let heard = || -> Vec<(String, u64, String)> {
        let of = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let received = receiver.received();
        let bodies = received.iter().map(Received::json);
        bodies
            .filter(|body| body["data"]["data"]["alert"] == "unwritable")
            .map(|body| {
                let seq = body["data"]["seq"].as_u64().unwrap();
                (of(&body["type"]), seq, of(&body["data"]["data"]["detail"]))
            })
            .collect()
    };
    daemon.until("an alert past the log", || match heard().as_slice() {
        [(kind, 0, _)] if kind == "alert.began" => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(place.logged("alert.began"), 0, "the log does not have it");
    log_grows_by(&place, &daemon, None);
    recovered(&place, daemon, address);
    let logged = heard().into_iter().filter(|(_, seq, _)| *seq > 0).count();
    assert_eq!(logged, place.logged("notice.sent"), "what the log tells is in the log");
    assert!(place.logged("alert.began") > 0, "and it says so later");
}

/// In a file system of its own that is too small, mounted where nobody else sees it.
#[test]
fn a_full_disk_is_said_and_survived() {
    needs("unshare");
    let place = Fixture::of(&["A"]);
    fs::create_dir(place.path(".fleetform")).unwrap();
    let script = "mount -t tmpfs -o size=256k tmpfs .fleetform && exec \"$@\"";
    let wrapper = ["unshare", "-Urm", "sh", "-c", script, "sh"];
    let mut daemon = place.daemon_under(&wrapper, &LISTEN);
    let address = address(&mut daemon);
    until_ready(&mut daemon, address, None);
    // What the daemon sees under that name.
    let data = format!("/proc/{}/root{}", daemon.pid(), place.path(".fleetform").display());
    let filler = format!("{data}/filler");
    let mut size = 256 * 1024;
    // Down to the last page.
    while size > 0 && fs::write(&filler, vec![0; size]).is_err() {
        size -= 4096;
    }
    fs::write(format!("{data}/rest"), "x").unwrap_err();
    // More than fits the last page of the log.
    let apps: Vec<_> = (0..40).map(|n| format!("{n}{}", "x".repeat(200))).collect();
    let profile =
        PLAIN_PROFILE.replace("platforms:", &format!("apps: [{}], platforms:", apps.join(",")));
    place.save("fleet/profile.yaml", &profile);
    until_ready(&mut daemon, address, Some("No space left on device"));
    until_ready(&mut daemon, address, Some("look at the disk"));
    assert_eq!(get(address, "/healthz").status, 200);
    let list = place.json(&["--data", &data, "list"]);
    assert_eq!(list["devices"].as_array().unwrap().len(), 1, "{list}");
    fs::remove_file(&filler).unwrap();
    until_ready(&mut daemon, address, None);
    daemon.until("the new profile", || {
        let log = fs::read_to_string(format!("{data}/audit.jsonl")).unwrap();
        let pushed = log.matches("\"profile.pushed\"").count();
        if pushed == 2 { Ok(()) } else { Err(pushed.to_string()) }
    });
    let (code, out, _) = place.outcome(&["--data", &data, "audit", "verify"]);
    assert_eq!(code, 0, "{out}");
    daemon.stop();
}

/// One device's commands cannot be written: it waits alone.
#[test]
fn a_provider_that_fails_for_a_device_holds_nobody_else_up() {
    let place = Fixture::of(&[]);
    let mut daemon = place.daemon_with_fault("A.json", "linkat:error=EIO", &LISTEN);
    let address = address(&mut daemon);
    for serial in ["A", "B", "C"] {
        place.save(&format!("fleet/{serial}.yaml"), &device(serial));
    }
    let outbox = |serial: &str| place.path(&format!(".fleetform/outbox/{serial}.json"));
    daemon.until("the others", || {
        if outbox("B").exists() && outbox("C").exists() { Ok(()) } else { Err("none".into()) }
    });
    let lines = [
        "devices_backing_off 1",
        "breaker_open 0",
        "ready 1",
        "actions_total{kind=\"provision\",outcome=\"done\"} 2",
        "actions_total{kind=\"provision\",outcome=\"failed\"} 1",
    ];
    until_metrics(&mut daemon, address, &lines);
    daemon.until_said("check the disk", 1);
    // Others come and go meanwhile, and nobody tries A again.
    place.save("fleet/D.yaml", &device("D"));
    daemon.until("D", || if outbox("D").exists() { Ok(()) } else { Err("none".into()) });
    until_metrics(&mut daemon, address, &["holds{reason=\"backingOff\"} 1"]);
    assert_eq!(daemon.said().matches("the provider failed").count(), 1, "{}", daemon.said());
    daemon.mended();
    daemon.until("A by itself", || if outbox("A").exists() { Ok(()) } else { Err("none".into()) });
    until_metrics(&mut daemon, address, &["devices_backing_off 0"]);
    daemon.stop();
}

/// No device's commands can be written: all wait, and then one goes first.
#[test]
fn a_provider_that_fails_for_all_is_left_alone_until_it_is_mended() {
    let serials: Vec<_> = (0..12).map(|n| format!("S{n:02}")).collect();
    let serials: Vec<_> = serials.iter().map(String::as_str).collect();
    let place = Fixture::of(&serials);
    place.write(".fleetform/outbox", "in the way");
    let mut daemon = place.daemon(&LISTEN);
    let address = address(&mut daemon);
    until_metrics(&mut daemon, address, &["breaker_open 1", "devices_backing_off 12"]);
    daemon.until_said("move away what is in its place", 1);
    assert_eq!(get(address, "/healthz").status, 200);
    // What needs no provider goes on.
    place.write("r.json", r#"{"serialNumber":"S00","at":"2026-01-01T00:00:00Z"}"#);
    assert_eq!(place.outcome(&["report", "r.json"]).0, 0);
    until_metrics(&mut daemon, address, &["devices{status=\"Enrolled\"} 1", "breaker_open 1"]);
    fs::remove_file(place.path(".fleetform/outbox")).unwrap();
    until_metrics(&mut daemon, address, &["breaker_open 0", "devices_backing_off 0"]);
    // The numbers are those after the first one went through; the others follow at once.
    for serial in serials {
        let file = place.path(&format!(".fleetform/outbox/{serial}.json"));
        daemon.until(serial, || if file.exists() { Ok(()) } else { Err("none".into()) });
    }
    daemon.stop();
}
