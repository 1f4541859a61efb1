//! Commands that no device confirmed in time are taken back.

use chrono::TimeDelta;
use serde_json::json;

use super::requests::*;
use crate::domain::model::Timestamp;
use crate::domain::plan::{Cause, Op};
use crate::domain::state::WipeState;
use crate::domain::wipe::clock::UNKNOWN_MILLIS;

#[test]
fn a_command_is_taken_back_when_it_has_expired_and_not_before() {
    let (mut world, request, expires) = issued();
    world.now = expires;
    assert_eq!(world.settle(), Vec::<String>::new(), "it still holds");
    world.now = expires + TimeDelta::milliseconds(1);
    let withdrawn = world.plan().actions.remove(0);
    assert_eq!(withdrawn.cause, Cause::Fact, "a freeze keeps no command alive");
    assert!(matches!(&withdrawn.op, Op::WithdrawWipe { path, .. } if &**path == "wipes/lost.yaml"));
    // The device is free again, in the same pass.
    move_device(&mut world, "A1", BOB);
    assert_eq!(world.settle(), ["update D001", "withdrawWipe D001"]);
    let known = &world.state.wipes[&request];
    assert_eq!((known.state, known.code.as_deref()), (WipeState::Expired, Some("withdrawn")));
    let detail = view(&world, "lost").detail;
    assert!(detail.starts_with("expired unconfirmed; the command was taken back"), "{detail}");
    later(&mut world, TimeDelta::days(9));
    assert_eq!(world.settle(), Vec::<String>::new(), "once");
}

#[test]
fn a_clock_that_was_set_back_keeps_no_command_alive() {
    let after = TimeDelta::milliseconds(1);
    let (mut world, _, expires) = issued();
    world.clock = Some(expires);
    assert_eq!(world.settle(), Vec::<String>::new());
    world.clock = Some(expires + after);
    assert_eq!(world.settle(), ["withdrawWipe D001"]);
    let (mut world, _, expires) = issued();
    world.state.at = Some(expires + after);
    assert_eq!(world.settle(), ["withdrawWipe D001"]);
    // That nobody can tell the highest time is no proof that a command has expired.
    let (mut world, _, _) = issued();
    world.clock = Some(Timestamp::from_millis(UNKNOWN_MILLIS));
    assert_eq!(world.settle(), Vec::<String>::new());
}

#[test]
fn only_what_is_issued_is_taken_back() {
    let mut world = world(&["A1"]);
    world.settings.wipes.delay = TimeDelta::days(2);
    ask(&mut world, "lost", "A1", &[ANA]);
    assert_eq!(world.settle(), ["acceptWipe D001"]);
    later(&mut world, TimeDelta::days(3));
    assert_eq!(world.settle(), ["expireWipe D001"]);
}

#[test]
fn a_report_of_the_same_pass_goes_before_time() {
    let (mut world, request, expires) = issued();
    ask(&mut world, "other", "B2", &[ANA]);
    assert_eq!(world.settle(), ["acceptWipe D002", "wipe D002"]);
    world.now = expires + TimeDelta::hours(1);
    world.hear("A1", json!({"wiped": true}));
    let kinds = world.settle();
    assert_eq!(kinds, ["confirmWipe D001", "status D001", "compliance D001", "withdrawWipe D002"]);
    assert_eq!(world.state.wipes[&request].state, WipeState::Confirmed);
}
