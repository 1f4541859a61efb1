//! Wipes that somebody stops while they cool off.

use chrono::TimeDelta;
use serde_json::Value;

use super::attack::{issue, nothing_issued};
use crate::support::{Lab, Request, VETO, WIPE, digest, public, signature, trusted};

fn cooling() -> (Lab, String) {
    let mut lab = Lab::new();
    lab.settings.wipes.delay = TimeDelta::hours(2);
    let text = Request::of(1).yaml();
    lab.request("r1.yaml", &text, &["bob"]);
    assert_eq!(lab.judge("r1.yaml"), "coolingOff coolingOff");
    (lab, text)
}

fn stays_stopped(lab: &Lab, code: &str) {
    lab.wait(TimeDelta::hours(3));
    assert_eq!(lab.judge("r1.yaml"), format!("vetoed {code}"));
    nothing_issued(lab);
    let request = digest(&Request::of(1).yaml());
    let vetoes =
        |(kind, data): &(String, Value)| kind == "wipe.vetoed" && data["request"] == request;
    let vetoed = lab.log().into_iter().filter(vetoes).count();
    assert_eq!(vetoed, 1, "logged once");
}

#[test]
fn vetoed_while_cooling_off_even_if_the_veto_is_deleted_again() {
    let (lab, text) = cooling();
    lab.put("r1.yaml.veto.sig", signature("dave", VETO, text.as_bytes()));
    assert_eq!(lab.judge("r1.yaml"), "vetoed veto");
    lab.remove("r1.yaml.veto.sig");
    stays_stopped(&lab, "vetoed");
}

#[test]
fn vetoed_while_the_controller_is_frozen() {
    let (lab, text) = cooling();
    let devices: Vec<_> = (1..=5).map(|n| format!("dev-{n}.yaml")).collect();
    devices.iter().for_each(|name| lab.remove(name));
    lab.put("r1.yaml.veto.sig", signature("dave", VETO, text.as_bytes()));
    assert_eq!(lab.judge("r1.yaml"), "vetoed veto");
    lab.remove("r1.yaml.veto.sig");
    (1..=4).for_each(|n| lab.device(n, 1, "corporate"));
    lab.device(5, 1, "personal");
    stays_stopped(&lab, "vetoed");
}

#[test]
fn nothing_is_issued_while_frozen() {
    let (lab, _) = cooling();
    (1..=5).for_each(|n| lab.remove(&format!("dev-{n}.yaml")));
    lab.wait(TimeDelta::hours(3));
    lab.pass();
    nothing_issued(&lab);
}

#[test]
fn a_veto_beside_a_copy_counts_wherever_the_copy_lies() {
    for (first, second) in [("a/x.yaml", "r1.yaml"), ("r1.yaml", "z/x.yaml")] {
        let (lab, text) = cooling();
        lab.remove("r1.yaml");
        lab.remove("r1.yaml.bob.sig");
        lab.request(first, &text, &["bob"]);
        lab.request(second, &text, &[]);
        lab.put(&format!("{second}.veto.sig"), signature("dave", VETO, text.as_bytes()));
        assert_eq!(lab.judge(first), "vetoed veto");
        nothing_issued(&lab);
    }
}

#[test]
fn deleted_while_cooling_off_and_put_back() {
    let (lab, text) = cooling();
    lab.remove("r1.yaml");
    assert_eq!(lab.judge("r1.yaml"), "vetoed requestDeleted");
    lab.put("r1.yaml", text);
    stays_stopped(&lab, "vetoed");
}

#[test]
fn changed_while_cooling_off() {
    let (lab, text) = cooling();
    lab.put("r1.yaml", format!("{text}# no\n"));
    let wipes = lab.pass();
    assert!(wipes.values().all(|(standing, ..)| standing != "issue"), "{wipes:?}");
    lab.put("r1.yaml", text);
    stays_stopped(&lab, "vetoed");
}

#[test]
fn a_key_revoked_while_cooling_off_stops_it() {
    let (lab, _) = cooling();
    lab.trust(&trusted("carol"));
    lab.wait(TimeDelta::hours(3));
    assert_eq!(lab.judge("r1.yaml"), "held notSigned");
    // Once more trusted, it cools off from the beginning.
    lab.trust(&trusted("bob"));
    assert_eq!(lab.judge("r1.yaml"), "coolingOff coolingOff");
    nothing_issued(&lab);
}

#[test]
fn it_expires_while_cooling_off() {
    let (lab, _) = cooling();
    lab.wait(TimeDelta::hours(25));
    assert_eq!(lab.judge("r1.yaml"), "expired expired");
    nothing_issued(&lab);
}

#[test]
fn a_strangers_veto_stops_nothing() {
    let (lab, text) = cooling();
    lab.put("r1.yaml.veto.sig", signature("eve", VETO, text.as_bytes()));
    // Nor does a signature for the wipe, called a veto.
    lab.put("r1.yaml.dave.veto.sig", signature("dave", WIPE, text.as_bytes()));
    lab.wait(TimeDelta::hours(2));
    assert_eq!(lab.judge("r1.yaml"), "issue issue");
}

#[test]
fn a_veto_after_issue_comes_too_late_and_says_so() {
    let lab = Lab::new();
    let text = issue(&lab, 1);
    lab.put("r1.yaml.veto.sig", signature("dave", VETO, text.as_bytes()));
    assert_eq!(lab.judge("r1.yaml"), "issued issued");
    assert_eq!(lab.kinds(), ["wipe.accepted", "wipe.issued"]);
}

#[test]
fn a_veto_by_a_key_for_vetoes_only_counts_and_its_signature_does_not() {
    let lab = Lab::new();
    let guard = format!("dave@example.com namespaces=\"{VETO}\" {}\n", public("dave"));
    lab.trust(&(trusted("bob") + &guard));
    let request = Request { by: "dave@example.com".into(), ..Request::of(1) };
    lab.request("r1.yaml", &request.yaml(), &["dave"]);
    assert_eq!(lab.judge("r1.yaml"), "held notSigned");
    let text = Request::of(2).yaml();
    lab.request("r2.yaml", &text, &["bob"]);
    lab.put("r2.yaml.veto.sig", signature("dave", VETO, text.as_bytes()));
    assert_eq!(lab.judge("r2.yaml"), "vetoed veto");
    nothing_issued(&lab);
}
