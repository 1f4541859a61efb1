//! An attack on a wipe that is in order, and what must not come of it.

use chrono::TimeDelta;

use crate::support::{Lab, Request};

/// Everything is as it should be; `spoil` is the attack. Nothing is issued, and the request
/// stands as expected.
pub fn attack(spoil: impl FnOnce(&mut Lab, &str), expected: &str) {
    let mut lab = Lab::new();
    let text = Request::of(1).yaml();
    lab.request("r1.yaml", &text, &["bob"]);
    spoil(&mut lab, &text);
    assert_eq!(lab.judge("r1.yaml"), expected);
    nothing_issued(&lab);
    let said = lab.kinds();
    lab.wait(TimeDelta::minutes(1));
    lab.pass();
    assert_eq!(lab.kinds(), said, "it is logged once, not at every pass");
}

pub fn nothing_issued(lab: &Lab) {
    assert_eq!((lab.issued(), lab.commands()), (0, 0));
}

/// The file cannot be used at all: a finding, and no request.
pub fn unusable(spoil: impl FnOnce(&Lab, &str)) {
    let lab = Lab::new();
    let text = Request::of(1).yaml();
    lab.request("r1.yaml", &text, &["bob"]);
    spoil(&lab, &text);
    assert!(lab.pass().is_empty());
    assert_ne!(fleetform::edges::source::load(&lab.path("fleet")).findings, vec![]);
    nothing_issued(&lab);
}

pub fn issue(lab: &Lab, n: u32) -> String {
    let text = Request::of(n).yaml();
    let file = format!("r{n}.yaml");
    lab.request(&file, &text, &["bob"]);
    assert_eq!(lab.judge(&file), "issue issue");
    text
}
