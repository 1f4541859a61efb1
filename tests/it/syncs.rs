//! A sync on demand: from the command to the device, and back.

use std::fs;

use chrono::TimeDelta;
use fleetform::domain::model::{Status, Timestamp};
use fleetform::edges::fs::durable;
use fleetform::edges::provider::local;
use fleetform::edges::requests;
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::invariants::Reading;
use crate::support::{Fixture, Lab, Request, actions, outbox_of, start, text, wait_until};

/// As a device says it now.
fn report(serial: &str, more: &Value) -> String {
    let at = Timestamp::from_millis(chrono::Utc::now().timestamp_millis());
    let mut report = json!({"serialNumber": serial, "at": at});
    report.as_object_mut().expect("an object").extend(more.as_object().expect("more").clone());
    report.to_string()
}

/// What of a kind a device has to do: the ids of the commands.
fn commands(fixture: &Fixture, serial: &str, verb: &str) -> Vec<String> {
    let commands = outbox_of(&fixture.data(), serial).into_iter();
    commands.filter(|c| c["command"] == verb).map(|c| text(&c["id"]).to_owned()).collect()
}

/// Names of files in `requests/`, or below it.
fn waiting(fixture: &Fixture, below: &str) -> Vec<String> {
    let dir = fs::read_dir(fixture.data().join("requests").join(below)).into_iter().flatten();
    let names = dir.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    let mut names: Vec<_> = names.filter(|name| name != "rejected").collect();
    names.sort();
    names
}

fn standing(fixture: &Fixture, device: &str) -> Value {
    fixture.json(&["show", device])["device"]["syncRequested"].clone()
}

#[test]
fn what_is_asked_for_reaches_the_device_and_is_done_when_it_answers() {
    let fixture = Fixture::enrolled();
    let asked = fixture.json(&["sync", "PF3XK9Q2", "id=D001", "D002"]);
    let ids: Vec<_> =
        asked["requested"].as_array().expect("a list").iter().map(|d| &d["id"]).collect();
    assert_eq!(ids.len(), if asked["requested"][0]["serialNumber"] == "PF3XK9Q2" { 2 } else { 3 });
    let file = fixture.read(text(&asked["path"]));
    assert!(file.contains("PF3XK9Q2") && !file.contains("rejected"), "{file}");
    assert_eq!(standing(&fixture, "PF3XK9Q2"), Value::Null, "nobody took it yet");

    let plan = fixture.json(&["plan"]);
    assert!(actions(&plan).contains(&"sync PF3XK9Q2".to_owned()), "{:?}", actions(&plan));
    assert_eq!(plan["summary"]["sync"], ids.len());
    assert_eq!(waiting(&fixture, "").len(), 1, "plan takes nothing");
    let applied = fixture.run(&["apply", "--yes"]).exits(0);
    assert!(applied.stdout.contains("asked to sync"), "{applied:?}");
    assert_eq!(waiting(&fixture, ""), Vec::<String>::new());
    assert_eq!(fixture.logged("sync.requested"), ids.len());
    let uid = rustix::process::getuid().as_raw();
    let entry = fixture.log().into_iter().rfind(|entry| entry["kind"] == "sync.requested");
    let entry = entry.expect("an entry");
    assert_eq!(entry["data"]["by"], format!("uid={uid}"));
    let before = standing(&fixture, "PF3XK9Q2");
    assert_eq!((&before["state"], &before["doneAt"]), (&json!("waiting"), &Value::Null));
    assert_eq!(commands(&fixture, "PF3XK9Q2", "sync"), [format!("c{}", before["intent"])]);
    let list = fixture.run(&["list"]).exits(0).stdout;
    assert_eq!(list.matches("sync requested").count(), ids.len(), "{list}");

    // While it waits, nobody else need ask.
    let again = fixture.run(&["sync", "PF3XK9Q2"]).exits(0);
    assert!(again.stdout.contains("already requested at"), "{again:?}");
    assert!(again.stdout.contains("Nothing is requested"), "{again:?}");
    assert_eq!(waiting(&fixture, ""), Vec::<String>::new());

    // Everything but telemetry is in the log.
    fixture.remove(".fleetform/state.json");
    assert_eq!(standing(&fixture, "PF3XK9Q2"), before);
    fixture.report(&report("PF3XK9Q2", &json!({})));
    fixture.run(&["apply", "--yes"]).exits(0);
    let after = standing(&fixture, "PF3XK9Q2");
    assert_eq!((&after["state"], &after["intent"]), (&json!("done"), &before["intent"]));
    assert!(text(&after["doneAt"]) > text(&after["requestedAt"]), "{after}");
    assert_eq!(commands(&fixture, "PF3XK9Q2", "sync"), Vec::<String>::new());
    let shown = fixture.run(&["show", "PF3XK9Q2"]).exits(0).stdout;
    assert!(
        shown.contains("requested at") && shown.contains("done: the device reported at"),
        "{shown}"
    );
    Reading::check(&fixture.data());
    fixture.run(&["audit", "verify"]).exits(0);
}

#[test]
fn a_report_that_names_the_command_strikes_it_out_whatever_its_date() {
    let fixture = Fixture::enrolled();
    fixture.run(&["sync", "PF3XK9Q2"]).exits(0);
    fixture.run(&["apply", "--yes"]).exits(0);
    let id = commands(&fixture, "PF3XK9Q2", "sync").remove(0);
    // Its clock is behind: it says that it is done before it was asked.
    let behind = json!({"at": "2020-01-02T00:00:00Z", "completed": [id]});
    fixture.report(&report("PF3XK9Q2", &behind));
    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!(commands(&fixture, "PF3XK9Q2", "sync"), Vec::<String>::new());
    assert_eq!(
        standing(&fixture, "PF3XK9Q2")["state"],
        "waiting",
        "it has not been heard from since"
    );
}

#[test]
fn nothing_is_written_unless_every_device_is_right() {
    let fixture = Fixture::enrolled();
    for (args, said) in [
        (&["PF3XK9Q2", "nobody"][..], "no device has the id, serial number or name"),
        (&[], "no device is named, and no filter is given"),
        (&["PF3XK9Q2", "--overdue"], "devices are named, and filters are given too"),
    ] {
        fixture.run(&[&["sync"], args].concat()).exits(1).complains(&[said]);
    }
    assert!(!fixture.data().join("requests").exists());
    let none = fixture.run(&["sync", "--user", "nobody@example.com"]).exits(0);
    assert!(none.stderr.contains("nothing is requested"), "{none:?}");
    assert!(!fixture.data().join("requests").exists());
    // Their reports are years old.
    let all = fixture.json(&["sync", "--overdue", "--profile", "Standard"]);
    let listed = fixture.json(&["list", "--overdue", "--profile", "Standard"]);
    let ids = |list: &Value| -> Vec<Value> {
        list.as_array().expect("a list").iter().map(|d| d["id"].clone()).collect()
    };
    assert_eq!(ids(&all["requested"]), ids(&listed["devices"]));
    assert!(!ids(&all["requested"]).is_empty());
    let empty = Fixture::empty();
    empty.run(&["sync", "D001"]).exits(1).complains(&["there is no ledger in", "--data"]);
}

#[test]
fn a_running_daemon_takes_a_request_at_once() {
    let fixture = Fixture::enrolled();
    let mut daemon = fixture.daemon(&[]);
    daemon.until_said("the daemon runs", 1);
    fixture.run(&["sync", "PF3XK9Q2"]).exits(0);
    daemon.until("the device to be asked", || {
        let asked = commands(&fixture, "PF3XK9Q2", "sync");
        if asked.len() == 1 { Ok(()) } else { Err(format!("{asked:?}")) }
    });
    // The directory is there by now: this one wakes it by itself, and so does the answer.
    fixture.run(&["sync", "D002"]).exits(0);
    fixture.report(&report("PF3XK9Q2", &json!({})));
    daemon.until("both to be seen to", || {
        let states = [standing(&fixture, "PF3XK9Q2"), standing(&fixture, "D002")];
        let states = states.map(|standing| standing["state"].clone());
        if states == ["done", "waiting"] { Ok(()) } else { Err(format!("{states:?}")) }
    });
    wait_until("nothing waits", || waiting(&fixture, "").is_empty());
    daemon.stop();
    Reading::check(&fixture.data());
}

#[test]
fn hostile_files_are_set_aside_and_hold_nobody_up() {
    let fixture = Fixture::enrolled();
    fixture.run(&["sync", "PF3XK9Q2"]).exits(0);
    let request = waiting(&fixture, "").remove(0);
    let good = fixture.read(&format!(".fleetform/requests/{request}"));
    let put = |name: &str, text: &str| fixture.write(&format!(".fleetform/requests/{name}"), text);
    put("0-nonsense", "{\u{1b}[2J");
    put("1-nobody", &good.replace("PF3XK9Q2", "NOBODY"));
    put("2-wipe", &good.replace("\"sync\"", "\"wipe\""));
    // The same request twice is one request.
    put("3-copy", &good);
    std::os::unix::fs::symlink("/dev/zero", fixture.data().join("requests/4-link"))
        .expect("a link");
    let plan = fixture.run(&["plan"]).exits(0);
    assert_eq!(plan.stderr.matches("a sync request is invalid").count(), 4, "{plan:?}");
    assert!(!plan.stderr.contains('\u{1b}'));
    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!(waiting(&fixture, ""), Vec::<String>::new());
    let aside = waiting(&fixture, "rejected");
    assert_eq!(
        aside,
        ["0-nonsense", "1-nobody", "2-wipe", "4-link"]
            .map(|n| [n.to_owned(), format!("{n}.reason")])
            .concat()
    );
    assert_eq!(fixture.read(".fleetform/requests/rejected/0-nonsense"), "{\u{1b}[2J");
    assert_eq!(fixture.logged("sync.requested"), 1);
    assert_eq!(commands(&fixture, "PF3XK9Q2", "sync").len(), 1);
}

#[test]
fn a_crash_at_any_point_asks_once_and_forgets_nobody() {
    let prepared = Fixture::enrolled();
    prepared.run(&["sync", "PF3XK9Q2", "D002"]).exits(0);
    prepared.write(".fleetform/requests/bad", "nonsense");
    let points: Vec<&str> = durable::CRASH_POINTS
        .iter()
        .chain(local::CRASH_POINTS)
        .chain(requests::CRASH_POINTS)
        .copied()
        .filter(|point| {
            ["ledger.append", "ledger.snapshot", "outbox.", "requests.", "refused."]
                .iter()
                .any(|area| point.starts_with(area))
        })
        .collect();
    let died: Vec<&str> = points
        .par_iter()
        .filter(|point| {
            let fixture = prepared.duplicate();
            let armed = [("FAILPOINTS", &*format!("{point}=return"))];
            let crash = fixture.run_with(&["apply", "--yes"], &armed);
            fixture.run(&["apply", "--yes"]).exits(0);
            assert_eq!(fixture.logged("sync.requested"), 2, "{point}");
            for device in ["PF3XK9Q2", "D002"] {
                let serial = fixture.json(&["show", device])["device"]["serialNumber"].clone();
                assert_eq!(commands(&fixture, text(&serial), "sync").len(), 1, "{point}");
            }
            assert_eq!(waiting(&fixture, ""), Vec::<String>::new(), "{point}");
            assert_eq!(waiting(&fixture, "rejected"), ["bad", "bad.reason"], "{point}");
            Reading::check(&fixture.data());
            crash.signal == Some(6)
        })
        .copied()
        .collect();
    for area in [
        "ledger.append.fsync",
        "outbox.rename",
        "requests.unlink",
        "requests.sync",
        "refused.rename",
        "requests.move",
    ] {
        assert!(died.iter().any(|point| point.starts_with(area)), "{area} among {died:?}");
    }
}

#[test]
fn while_a_wipe_is_under_way_a_request_is_held_and_goes_with_the_device() {
    let lab = Lab::new();
    let ask = || {
        let of = |id: &str| {
            let id = id.parse().expect("an id");
            (id, lab.state().devices[&id].spec.serial_number.clone())
        };
        requests::submit(&lab.path("data"), "uid=0(root)", &[of("D001"), of("D002")], lab.now())
            .expect("a request")
    };
    let asked =
        |id: &str| lab.state().devices[&id.parse().expect("an id")].rare.sync_requested.is_some();
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    lab.pass();
    assert_eq!(lab.issued(), 1);
    let file = ask();
    lab.pass();
    assert!(file.exists() && asked("D002") && !asked("D001"), "one of them is held");
    let left = fs::read_to_string(&file).expect("the request");
    assert!(left.contains("D001") && !left.contains("D002"), "{left}");
    // The command is taken back: then the device is asked.
    let other = lab.copy(|_| ());
    lab.wait(TimeDelta::minutes(1));
    lab.erased(1);
    lab.pass();
    lab.pass();
    let left =
        (file.exists(), asked("D001"), lab.state().devices[&"D001".parse().expect("an id")].status);
    assert_eq!(left, (false, false, Status::Wiped), "a wiped device has nothing to sync");
    other.at(start() + TimeDelta::days(4));
    other.pass();
    other.pass();
    let state = other.state();
    let synced = &state.devices[&"D001".parse().expect("an id")].rare.sync_requested;
    assert!(synced.is_some(), "the wipe is over, and the device was not erased");
    assert!(!other.path("data/requests").join(file.file_name().expect("a name")).exists());
}
