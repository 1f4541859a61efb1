//! From the last look at a request to the provider, and back: nothing that was planned is done
//! unless it still holds, and no signed wipe is lost on the way.

use std::fs;

use chrono::TimeDelta;
use serde_json::Value;

use crate::support::{Lab, Request, VETO, line, outbox, signature, start, write};

type Happens = fn(&Lab);

/// What may happen after a plan said that a wipe is issued; then it must not be. Whether the next
/// pass stops it, too: it judges anew, by all files.
const MEANWHILE: &[(&str, bool, Happens)] = &[
    ("a veto", true, |lab| {
        lab.put("r1.yaml.veto.sig", signature("carol", VETO, Request::of(1).yaml().as_bytes()));
    }),
    ("the request is deleted", true, |lab| lab.remove("r1.yaml")),
    ("the request is changed", true, |lab| {
        lab.put("r1.yaml", Request::of(1).yaml() + "# urgent\n")
    }),
    ("the request is broken", true, |lab| lab.put("r1.yaml", "kind: [")),
    ("the signature is removed", true, |lab| lab.remove("r1.yaml.bob.sig")),
    ("the key is revoked", true, |lab| {
        write(lab.path("etc/revoked_keys"), crate::support::public("bob"))
    }),
    ("the signer loses the right", true, |lab| lab.trust(&line("carol", "", "carol"))),
    ("the trust file breaks", true, |lab| lab.trust("bob@example.com nonsense")),
    ("the trust file is gone", true, |lab| {
        fs::remove_file(lab.path("etc/allowed_signers")).expect("removed");
    }),
    ("the request expires", true, |lab| {
        lab.at(start() + TimeDelta::hours(24) + TimeDelta::milliseconds(1));
    }),
    ("the clock is set back", false, |lab| lab.at(start() + TimeDelta::hours(-1))),
    ("the device becomes personal", true, |lab| lab.device(1, 1, "personal")),
    ("another manifest says that it is personal", true, |lab| {
        let text = fs::read_to_string(lab.path("fleet/dev-1.yaml")).expect("a manifest");
        lab.put("other.yaml", text.replace("corporate", "personal").replace("dev-1", "other"));
    }),
    ("the manifest of the device is gone", false, |lab| lab.remove("dev-1.yaml")),
    ("the fleet directory is gone", true, |lab| {
        fs::rename(lab.path("fleet"), lab.path("elsewhere")).expect("renamed");
    }),
];

fn signed() -> Lab {
    let lab = Lab::new();
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    lab
}

#[test]
fn what_does_not_hold_any_more_when_it_is_to_be_issued_is_not_issued() {
    for (what, for_good, happens) in MEANWHILE {
        let lab = signed();
        lab.meanwhile(happens);
        lab.pass();
        assert_eq!((lab.issued(), lab.commands()), (0, 0), "{what}");
        if !for_good {
            continue;
        }
        lab.wait(TimeDelta::seconds(1));
        lab.pass();
        assert_eq!((lab.issued(), lab.commands()), (0, 0), "{what}, and a pass later");
    }
}

#[test]
fn what_does_not_hold_any_more_once_its_intent_is_durable_does_not_reach_the_provider() {
    for (what, for_good, happens) in MEANWHILE {
        let lab = signed();
        lab.meanwhile(|_| ());
        lab.meanwhile(happens);
        lab.pass();
        assert_eq!(lab.kinds(), ["wipe.accepted", "wipe.issued", "wipe.deferred"], "{what}");
        assert_eq!(lab.commands(), 0, "{what}");
        assert_eq!(lab.state().wipes.values().filter_map(|wipe| wipe.issued_at).count(), 0);
        if !for_good {
            continue;
        }
        lab.wait(TimeDelta::seconds(1));
        lab.pass();
        assert_eq!((lab.issued(), lab.commands()), (1, 0), "{what}, and a pass later");
    }
}

#[test]
fn a_disk_that_takes_its_time_does_not_carry_a_request_beyond_its_end() {
    let lab = signed();
    lab.at(start() + TimeDelta::hours(24));
    lab.meanwhile(|_| ());
    // So long its own fsync takes.
    lab.meanwhile(|lab| lab.wait(TimeDelta::seconds(2)));
    lab.pass();
    assert_eq!(lab.commands(), 0);
    lab.pass();
    let kinds = lab.kinds();
    assert_eq!(kinds, ["wipe.accepted", "wipe.issued", "wipe.deferred", "wipe.expired"]);
}

#[test]
fn another_signature_in_the_meantime_does_no_harm_and_is_logged() {
    let lab = signed();
    lab.meanwhile(|lab| {
        let text = Request::of(1).yaml();
        lab.put("r1.yaml.dave.sig", signature("dave", crate::support::WIPE, text.as_bytes()));
    });
    lab.pass();
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
    let (_, issued) = lab.log().pop().expect("an entry");
    assert_eq!(issued["signers"], serde_json::json!(["bob@example.com", "dave@example.com"]));
}

#[test]
fn a_manifest_that_comes_back_broken_in_the_meantime_holds_the_wipe() {
    let lab = signed();
    lab.remove("dev-1.yaml");
    lab.meanwhile(|lab| lab.put("dev-1.yaml", "kind: ["));
    lab.pass();
    assert_eq!((lab.issued(), lab.commands()), (0, 0), "it may say that it is personal");
}

#[test]
fn a_manifest_that_cannot_be_used_and_says_corporate_is_no_obstacle() {
    let lab = signed();
    let text = fs::read_to_string(lab.path("fleet/dev-1.yaml")).expect("a manifest");
    lab.put("dev-1.yaml", text.replace("profile: Standard", "profile: Unknown"));
    lab.pass();
    assert_eq!((lab.issued(), lab.commands()), (1, 1), "as the plan says");
}

#[test]
fn a_wipe_that_has_cooled_off_is_issued_once() {
    let mut lab = signed();
    lab.settings.wipes.delay = TimeDelta::minutes(10);
    assert_eq!(lab.judge("r1.yaml"), "coolingOff coolingOff");
    lab.wait(TimeDelta::minutes(10));
    lab.pass();
    assert_eq!(lab.kinds(), ["wipe.accepted", "wipe.issued"]);
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
}

#[test]
fn what_is_deferred_at_the_last_moment_is_not_tried_again_at_once() {
    let lab = signed();
    lab.meanwhile(|_| ());
    lab.meanwhile(|lab| lab.at(start() + TimeDelta::hours(-1)));
    lab.pass();
    lab.at(start() + TimeDelta::seconds(1));
    lab.pass();
    assert_eq!((lab.issued(), lab.commands()), (1, 0), "each try leaves two entries");
    lab.wait(TimeDelta::minutes(1));
    lab.pass();
    assert_eq!((lab.issued(), lab.commands()), (2, 1));
}

#[test]
fn wipes_of_one_pass_are_all_issued_though_each_is_judged_again() {
    let lab = Lab::new();
    for n in 1..=4 {
        lab.request(&format!("r{n}.yaml"), &Request::of(n).yaml(), &["bob", "carol"]);
    }
    lab.pass();
    assert_eq!((lab.issued(), lab.commands()), (4, 4));
}

/// The file of commands cannot be used, so that no command gets into it.
fn spoil_outbox(lab: &Lab) -> Vec<u8> {
    let path = lab.path("data/outbox/SN001.json");
    let before = fs::read(&path).expect("the push of the profile");
    write(path, "nonsense");
    before
}

#[test]
fn a_transient_refusal_burns_no_signature_and_no_place_in_the_window() {
    let lab = signed();
    let before = spoil_outbox(&lab);
    lab.pass();
    assert_eq!(lab.kinds(), ["wipe.accepted", "wipe.issued", "wipe.deferred"]);
    let (_, deferred) = lab.log().pop().expect("an entry");
    assert!(deferred["reason"].as_str().expect("text").contains("not a file of commands"));
    let wipes = lab.state().wipes;
    assert_eq!(wipes.values().filter_map(|wipe| wipe.issued_at.or(wipe.issue_at)).count(), 1);
    assert_eq!(wipes.values().filter_map(|wipe| wipe.intent).count(), 0);
    lab.wait(TimeDelta::seconds(59));
    assert_eq!(lab.judge("r1.yaml"), "coolingOff deferred");
    assert_eq!(lab.issued(), 1, "it waits");
    write(lab.path("data/outbox/SN001.json"), before);
    lab.wait(TimeDelta::seconds(1));
    assert_eq!(lab.judge("r1.yaml"), "issue issue");
    assert_eq!((lab.issued(), lab.commands()), (2, 1), "under a new intent");
    lab.wait(TimeDelta::minutes(1));
    lab.erased(1);
    lab.pass();
    assert_eq!(lab.kinds()[3..], ["wipe.issued", "wipe.confirmed"]);
}

#[test]
fn what_is_deferred_can_still_be_stopped() {
    let lab = signed();
    spoil_outbox(&lab);
    lab.pass();
    lab.wait(TimeDelta::minutes(5));
    lab.put("r1.yaml.veto.sig", signature("carol", VETO, Request::of(1).yaml().as_bytes()));
    assert_eq!(lab.judge("r1.yaml"), "vetoed veto");
    lab.wait(TimeDelta::minutes(5));
    lab.pass();
    assert_eq!(lab.issued(), 1);
}

#[test]
fn a_command_that_somebody_removed_by_hand_is_not_given_again() {
    for file in ["outbox/SN001.json", "outbox"] {
        let lab = signed();
        lab.pass();
        assert_eq!(lab.commands(), 1);
        fs::rename(lab.path("data").join(file), lab.path("lost")).expect("renamed");
        lab.wait(TimeDelta::minutes(1));
        lab.pass();
        lab.pass();
        assert_eq!((lab.issued(), lab.commands()), (1, 0), "{file}: in doubt, never repeated");
    }
}

fn expired() -> Lab {
    let lab = signed();
    lab.pass();
    assert_eq!(lab.commands(), 1);
    lab.at(start() + TimeDelta::hours(24));
    lab.pass();
    assert_eq!(lab.commands(), 1, "it still holds at the moment of its expiry");
    lab.wait(TimeDelta::milliseconds(1));
    lab.pass();
    lab
}

#[test]
fn a_command_that_expired_unconfirmed_is_taken_back_and_that_is_said() {
    let lab = expired();
    assert_eq!(lab.commands(), 0);
    let (kind, data) = lab.log().pop().expect("an entry");
    assert_eq!((&*kind, &data["code"]), ("wipe.expired", &Value::from("withdrawn")));
    let issued = lab.log().into_iter().find(|(kind, _)| kind == "wipe.issued").expect("issued").1;
    assert_eq!(data["intent"], issued["intent"]);
    let said = lab.kinds();
    lab.pass();
    assert_eq!(lab.kinds(), said, "once, and it is not issued again");
    let (standing, code, detail) = lab.pass().remove("r1.yaml").expect("the request");
    assert_eq!((&*standing, &*code), ("expired", "expired"));
    assert!(detail.contains("the command was taken back"), "{detail}");
    lab.wait(TimeDelta::hours(-2));
    lab.pass();
    assert_eq!((lab.issued(), lab.commands()), (1, 0), "nor by a clock that was set back");
}

#[test]
fn a_command_is_taken_back_by_the_highest_time_seen() {
    let lab = signed();
    lab.pass();
    write(lab.path("data/clock"), "yesterday");
    lab.pass();
    assert_eq!(lab.commands(), 1, "a time that nobody can tell is no proof that it expired");
    // An earlier process saw it expire, and stopped before it could say so.
    write(lab.path("data/clock"), (start() + TimeDelta::hours(25)).to_string());
    lab.wait(TimeDelta::minutes(1));
    lab.pass();
    assert_eq!(lab.kinds().last().expect("an entry"), "wipe.expired");
    assert_eq!((lab.issued(), lab.commands()), (1, 0));
}

#[test]
fn a_device_that_read_the_command_before_it_was_taken_back_confirms_it() {
    let lab = expired();
    lab.wait(TimeDelta::minutes(1));
    lab.erased(1);
    lab.pass();
    assert_eq!(lab.kinds().last().expect("an entry"), "wipe.confirmed");
    assert!(lab.state().devices[&"D001".parse().expect("an id")].is_wiped());
}

#[test]
fn a_device_that_reported_since_was_not_erased_by_a_command_that_was_taken_back() {
    let lab = expired();
    lab.wait(TimeDelta::minutes(1));
    let report = format!("{{\"serialNumber\":\"SN001\",\"at\":\"{}\"}}", lab.now());
    fleetform::edges::provider::local::submit(&lab.path("data"), "r", report.as_bytes(), lab.now())
        .expect("handed over");
    lab.pass();
    lab.wait(TimeDelta::minutes(1));
    lab.erased(1);
    lab.pass();
    let kinds = lab.kinds();
    assert_eq!(kinds[kinds.len() - 2..], ["wipe.expired", "wipe.unrequested"], "somebody else did");
    assert!(!lab.state().devices[&"D001".parse().expect("an id")].is_wiped());
}

#[test]
fn a_report_in_the_pass_that_would_take_the_command_back_confirms_it() {
    let lab = signed();
    lab.pass();
    lab.at(start() + TimeDelta::hours(24) + TimeDelta::minutes(1));
    lab.erased(1);
    lab.pass();
    assert_eq!(lab.kinds(), ["wipe.accepted", "wipe.issued", "wipe.confirmed"]);
    assert_eq!(outbox(&lab.path("data")).len(), 0);
}

#[test]
fn a_frozen_fleet_does_not_keep_an_expired_command_alive() {
    let lab = signed();
    lab.pass();
    for n in 1..=5 {
        lab.remove(&format!("dev-{n}.yaml"));
    }
    lab.at(start() + TimeDelta::hours(25));
    lab.pass();
    assert!(lab.state().frozen.is_some());
    assert_eq!(lab.commands(), 0);
}
