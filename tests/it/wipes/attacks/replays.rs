//! What was issued once, offered again; and clocks that go back.

use std::fs;

use chrono::TimeDelta;

use super::attack::{attack, issue, nothing_issued};
use crate::support::{Lab, Request, WIPE, signature, start, time, write};

#[test]
fn replayed_under_another_name() {
    let lab = Lab::new();
    issue(&lab, 1);
    fs::rename(lab.path("fleet/r1.yaml"), lab.path("fleet/new.yaml")).unwrap();
    fs::rename(lab.path("fleet/r1.yaml.bob.sig"), lab.path("fleet/new.yaml.sig")).unwrap();
    assert_eq!(lab.judge("new.yaml"), "issued issued");
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
}

#[test]
fn replayed_as_a_copy_with_fresh_signatures() {
    let lab = Lab::new();
    let text = issue(&lab, 1);
    lab.request("a/copy.yaml", &text, &["carol", "bob"]);
    lab.pass();
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
}

#[test]
fn replayed_after_the_device_enrolled_again() {
    let lab = Lab::new();
    issue(&lab, 1);
    lab.wait(TimeDelta::minutes(1));
    lab.erased(1);
    lab.pass();
    lab.device(1, 2, "corporate");
    lab.pass();
    let again = lab.state().by_serial(&"SN001".parse().unwrap()).unwrap().0.to_string();
    assert_eq!(again, "D006");
    assert_eq!(lab.commands(), 0, "the old command does not wait for the new device");
    lab.wait(TimeDelta::minutes(1));
    assert_eq!(lab.judge("r1.yaml"), "confirmed confirmed");
    // The old request, with the old id, signed anew in other words.
    let other = Request { name: "other".into(), ..Request::of(1) };
    lab.request("r2.yaml", &other.yaml(), &["bob"]);
    assert_eq!(lab.judge("r2.yaml"), "refused alreadyWiped");
    // The new id with the signature of the old request.
    let forged = Request::of(1).yaml().replace("D001", "D006");
    lab.put("r3.yaml", forged.replace("name: r1", "name: r3"));
    lab.put("r3.yaml.sig", signature("bob", WIPE, Request::of(1).yaml().as_bytes()));
    assert_eq!(lab.judge("r3.yaml"), "held notSigned");
    assert_eq!(lab.issued(), 1);
}

#[test]
fn replayed_after_state_json_was_deleted() {
    let lab = Lab::new();
    issue(&lab, 1);
    fs::remove_file(lab.path("data/state.json")).unwrap();
    assert_eq!(lab.judge("r1.yaml"), "issued issued");
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
}

#[test]
fn replayed_after_state_json_was_restored_from_an_old_backup() {
    let lab = Lab::new();
    let old = fs::read(lab.path("data/state.json")).unwrap();
    issue(&lab, 1);
    write(lab.path("data/state.json"), old);
    assert_eq!(lab.judge("r1.yaml"), "issued issued");
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
}

#[test]
fn replayed_after_it_was_deleted_and_put_back() {
    let lab = Lab::new();
    let text = issue(&lab, 1);
    lab.remove("r1.yaml");
    lab.pass();
    lab.put("r1.yaml", text);
    assert_eq!(lab.judge("r1.yaml"), "issued issued");
    assert_eq!(lab.issued(), 1);
}

#[test]
fn a_clock_behind_the_log() {
    attack(
        |lab, _| {
            // An expired request is to be brought back to life.
            lab.at(start() + TimeDelta::hours(48));
            lab.device(2, 1, "personal");
            lab.remove("r1.yaml");
            lab.pass();
            lab.put("r1.yaml", Request::of(1).yaml());
            lab.at(start() + TimeDelta::hours(1));
        },
        "held clockBehind",
    );
}

#[test]
fn a_clock_behind_the_log_stays_behind_it_after_other_entries() {
    let lab = Lab::new();
    let late = time("2026-11-25T00:00:00Z");
    lab.at(late);
    lab.device(2, 1, "personal");
    lab.pass();
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    for hours in 1..4 {
        lab.at(start() + TimeDelta::hours(hours));
        // Each pass logs something with a date that lies behind.
        lab.device(2, 1, if hours % 2 == 1 { "corporate" } else { "personal" });
        assert_eq!(lab.judge("r1.yaml"), "held clockBehind");
    }
    nothing_issued(&lab);
    lab.at(late);
    assert_eq!(lab.judge("r1.yaml"), "expired expired");
}
