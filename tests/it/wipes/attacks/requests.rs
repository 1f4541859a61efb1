//! Requests that ask for what may not be, or too often.

use std::fs;

use chrono::TimeDelta;

use super::attack::{attack, issue, nothing_issued};
use crate::support::{Lab, Request, start};

#[test]
fn without_an_attack_it_is_issued_once_and_confirmed_by_the_next_report() {
    let lab = Lab::new();
    issue(&lab, 1);
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
    lab.wait(TimeDelta::minutes(1));
    assert_eq!(lab.judge("r1.yaml"), "issued issued");
    lab.erased(1);
    lab.pass();
    assert_eq!(lab.judge("r1.yaml"), "confirmed confirmed");
    assert_eq!(lab.kinds(), ["wipe.accepted", "wipe.issued", "wipe.confirmed"]);
    assert!(lab.state().devices[&"D001".parse().unwrap()].is_wiped());
    assert_eq!(lab.issued(), 1);
}

/// Another request than the ordinary one, signed as it is.
fn request(change: impl FnOnce(&mut Request), expected: &str) {
    attack(
        |lab, _| {
            let mut request = Request::of(1);
            change(&mut request);
            lab.request("r1.yaml", &request.yaml(), &["bob"]);
        },
        expected,
    );
}

#[test]
fn of_a_device_that_does_not_exist() {
    request(|r| (r.device, r.serial) = ("D099".into(), "SN099".into()), "refused unknownDevice");
}

#[test]
fn of_a_personal_device_in_full() {
    let personal = |r: &mut Request| (r.device, r.serial) = ("D005".into(), "SN005".into());
    request(personal, "refused personalFull");
}

#[test]
fn a_personal_device_declared_corporate_just_now() {
    let lab = Lab::new();
    let request = Request { device: "D005".into(), serial: "SN005".into(), ..Request::of(1) };
    lab.request("r1.yaml", &request.yaml(), &["bob"]);
    lab.device(5, 1, "corporate");
    assert_eq!(lab.judge("r1.yaml"), "refused personalFull");
    // The record has followed by now: it was signed before that, and is refused for good.
    let log = lab.log().len();
    for _ in 0..2 {
        assert_eq!(lab.judge("r1.yaml"), "refused personalFull");
    }
    assert_eq!(lab.log().len(), log, "planning again gives no actions");
    nothing_issued(&lab);
    // A new request is signed for a corporate device, and the log shows since when it is one.
    let again = Request { name: "r2".into(), ..request };
    lab.request("r2.yaml", &again.yaml(), &["bob"]);
    assert_eq!(lab.judge("r2.yaml"), "issue issue");
}

#[test]
fn a_device_that_becomes_personal_in_the_same_pass() {
    let lab = Lab::new();
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    lab.device(1, 1, "personal");
    assert_eq!(lab.judge("r1.yaml"), "refused personalFull");
    assert_eq!(lab.judge("r1.yaml"), "refused personalFull");
    nothing_issued(&lab);
}

#[test]
fn before_it_is_issued() {
    let later = start() + TimeDelta::hours(1);
    request(|r| r.issued = later, "refused notYetIssued");
}

#[test]
fn after_it_has_expired() {
    request(
        |r| {
            r.issued = start() + TimeDelta::hours(-2);
            r.expires = start() + TimeDelta::milliseconds(-1);
        },
        "expired expired",
    );
}

#[test]
fn valid_for_too_long() {
    let most = TimeDelta::hours(72) + TimeDelta::milliseconds(1);
    request(|r| r.expires = r.issued + most, "refused validTooLong");
}

#[test]
fn asked_for_by_somebody_who_did_not_sign() {
    request(|r| r.by = "carol@example.com".into(), "refused requesterNotSigner");
}

#[test]
fn the_edges_of_validity_hold() {
    for wait in [TimeDelta::zero(), TimeDelta::hours(72)] {
        let lab = Lab::new();
        let request = Request { expires: start() + TimeDelta::hours(72), ..Request::of(1) };
        lab.request("r1.yaml", &request.yaml(), &["bob"]);
        lab.wait(wait);
        assert_eq!(lab.judge("r1.yaml"), "issue issue");
    }
}

#[test]
fn too_many_signature_files() {
    attack(
        |lab, _| (0..256).for_each(|n| lab.put(&format!("r1.yaml.{n}.sig"), b"x")),
        "refused tooManyFiles",
    );
}

#[test]
fn two_requests_for_one_device() {
    let lab = Lab::new();
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    let second = Request { name: "again".into(), ..Request::of(1) };
    lab.request("r2.yaml", &second.yaml(), &["bob"]);
    let wipes = lab.pass();
    let codes: Vec<_> =
        wipes.values().map(|(standing, code, _)| format!("{standing} {code}")).collect();
    assert_eq!(codes.len(), 2);
    assert!(codes.contains(&"issue issue".into()) && codes.contains(&"held deviceBusy".into()));
    lab.wait(TimeDelta::hours(1));
    lab.pass();
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
    lab.erased(1);
    lab.pass();
    lab.pass();
    assert_eq!(lab.issued(), 1, "the other one finds the device wiped");
}

#[test]
fn an_issued_wipe_that_is_never_confirmed_can_be_followed_by_another_once_it_has_expired() {
    let lab = Lab::new();
    issue(&lab, 1);
    let second =
        Request { name: "again".into(), expires: start() + TimeDelta::hours(72), ..Request::of(1) };
    lab.request("r2.yaml", &second.yaml(), &["bob"]);
    lab.at(start() + TimeDelta::hours(24));
    assert_eq!(lab.judge("r2.yaml"), "held deviceBusy");
    lab.wait(TimeDelta::milliseconds(1));
    assert_eq!(lab.judge("r2.yaml"), "issue issue");
    assert_eq!((lab.issued(), lab.commands()), (2, 1), "the first command is taken back");
    lab.wait(TimeDelta::minutes(1));
    lab.erased(1);
    lab.pass();
    assert!(lab.state().devices[&"D001".parse().unwrap()].is_wiped());
    assert_eq!(lab.commands(), 0, "neither is left for the next who enrolls with this hardware");
}

#[test]
fn the_first_wipe_is_confirmed_while_the_second_cools_off() {
    let mut lab = Lab::new();
    issue(&lab, 1);
    lab.settings.wipes.delay = TimeDelta::hours(2);
    let second =
        Request { name: "again".into(), expires: start() + TimeDelta::hours(72), ..Request::of(1) };
    lab.request("r2.yaml", &second.yaml(), &["bob"]);
    lab.at(start() + TimeDelta::hours(25));
    assert_eq!(lab.judge("r2.yaml"), "coolingOff coolingOff");
    lab.erased(1);
    lab.pass();
    assert!(lab.state().devices[&"D001".parse().unwrap()].is_wiped());
    lab.wait(TimeDelta::hours(3));
    assert_eq!(lab.judge("r2.yaml"), "refused alreadyWiped");
    assert_eq!(lab.issued(), 1);
}

#[test]
fn two_requests_of_one_name_wait_and_are_not_vetoed() {
    let mut lab = Lab::new();
    lab.settings.wipes.delay = TimeDelta::hours(1);
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    assert_eq!(lab.judge("r1.yaml"), "coolingOff coolingOff");
    let namesake = Request { name: "r1".into(), ..Request::of(2) };
    lab.request("r2.yaml", &namesake.yaml(), &["bob"]);
    lab.wait(TimeDelta::hours(2));
    assert_eq!(lab.judge("r1.yaml"), "held requestUnreadable");
    nothing_issued(&lab);
    lab.remove("r2.yaml");
    assert_eq!(lab.judge("r1.yaml"), "issue issue");
}

#[test]
fn nothing_else_is_done_to_a_device_with_a_wipe_under_way() {
    let lab = Lab::new();
    issue(&lab, 1);
    let before = fs::read_to_string(lab.path("data/outbox/SN001.json")).unwrap();
    lab.put("standard.yaml", "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\nspec: {platforms: [windows], apps: [VPN]}\n");
    lab.device(1, 2, "corporate");
    lab.wait(TimeDelta::hours(1));
    lab.pass();
    assert_eq!(fs::read_to_string(lab.path("data/outbox/SN001.json")).unwrap(), before);
    assert_eq!(lab.state().devices[&"D001".parse().unwrap()].enrollment, 1);
}
