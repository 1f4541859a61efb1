//! What a device says of a wipe, and which wipe that confirms.

use chrono::TimeDelta;
use serde_json::json;

use super::requests::*;
use crate::domain::model::Status;
use crate::domain::plan::tests::World;
use crate::domain::state::WipeState;

const CONFIRMED: &[&str] = &["confirmWipe D001", "status D001", "compliance D001"];
const UNREQUESTED: &[&str] = &["unrequestedWipe D001", "status D001"];

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

/// What a pass makes of a report that the device is erased.
fn erased(world: &mut World) -> Vec<String> {
    world.hear("A1", json!({"encryption": {"enabled": true}, "wiped": true}));
    world.settle()
}

/// The device reports as on any other day.
fn report(world: &mut World) {
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    assert_eq!(world.settle(), Vec::<String>::new());
}

#[test]
fn only_a_report_that_the_device_is_erased_confirms_its_wipe() {
    let (mut world, request, _) = issued();
    later(&mut world, minutes(1));
    report(&mut world);
    assert_eq!(world.state.wipes[&request].state, WipeState::Issued);
    assert_eq!(world.status("A1"), Status::Enrolled);
    // It had not read the command yet.
    later(&mut world, minutes(1));
    assert_eq!(erased(&mut world), CONFIRMED);
    assert_eq!(world.state.wipes[&request].state, WipeState::Confirmed);
}

#[test]
fn a_report_of_the_moment_of_issue_is_not_after_it() {
    let (mut world, request, _) = issued();
    assert_eq!(erased(&mut world), Vec::<String>::new());
    assert_eq!(world.state.wipes[&request].state, WipeState::Issued);
    world.now = world.now + TimeDelta::milliseconds(1);
    assert_eq!(erased(&mut world), CONFIRMED);
}

#[test]
fn a_command_taken_back_may_have_been_obeyed_until_the_device_reports_again() {
    for (heard_again, expected) in [
        (None, CONFIRMED),
        (Some(TimeDelta::zero()), CONFIRMED),
        (Some(TimeDelta::milliseconds(1)), UNREQUESTED),
    ] {
        let (mut world, request, expires) = issued();
        world.now = expires + minutes(1);
        assert_eq!(world.settle(), ["withdrawWipe D001"]);
        if let Some(after) = heard_again {
            later(&mut world, after);
            report(&mut world);
        }
        later(&mut world, minutes(5));
        assert_eq!(erased(&mut world), expected, "{heard_again:?}");
        let confirmed = world.state.wipes[&request].state == WipeState::Confirmed;
        assert_eq!(confirmed, expected == CONFIRMED, "{heard_again:?}");
    }
}

#[test]
fn an_erasure_before_the_device_began_anew_is_void_and_a_later_one_is_not() {
    let begun_anew = || {
        let mut world = world(&["A1"]);
        report(&mut world);
        world.edit("A1", |device| device.enrollment = 2);
        world.settle();
        let void = world.state.devices.values().next().and_then(|device| device.rare.void_until);
        assert_eq!(void, Some(world.now));
        world
    };
    let wiped = |world: &mut World, at: serde_json::Value| {
        world.hear("A1", json!({"at": at, "wiped": true}));
        world.settle().contains(&"unrequestedWipe D001".to_owned())
    };
    for (at, unrequested) in [(-1, false), (0, false), (1, true)] {
        let mut world = begun_anew();
        let at = world.now + TimeDelta::milliseconds(at);
        later(&mut world, minutes(5));
        assert_eq!(wiped(&mut world, json!(at)), unrequested, "{at}");
    }
    // A date that cannot be counts as of its arrival.
    let mut world = begun_anew();
    later(&mut world, minutes(5));
    assert!(wiped(&mut world, json!("2000-01-01T00:00:00Z")));
}
