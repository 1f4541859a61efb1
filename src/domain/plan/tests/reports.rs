//! What devices report, and what they do not.

use chrono::TimeDelta;
use serde_json::json;

use super::world::{World, held};
use crate::domain::model::{ComplianceState, DeviceId, Status};
use crate::domain::plan::{HoldReason, Telemetry};

#[test]
fn new_devices_get_ids_in_order_of_serial_and_wait_for_their_report() {
    let mut world = World::new(&["B2", "a1", "C3"]);
    assert_eq!(world.settle(), ["profile", "provision D001", "provision D002", "provision D003"]);
    let serials: Vec<_> =
        world.state.devices.values().map(|d| d.spec.serial_number.as_str()).collect();
    assert_eq!(serials, ["a1", "B2", "C3"]);
    assert_eq!(world.holds()[0], held("B2", HoldReason::AwaitingReport));
}

#[test]
fn a_report_enrols_and_is_judged() {
    let mut world = World::new(&["A1"]);
    world.settle();
    world.hear("A1", json!({"encryption": {"enabled": false}}));
    assert_eq!(world.settle(), ["status D001", "compliance D001"]);
    assert_eq!(world.status("A1"), Status::Enrolled);
    let device = &world.state.devices[&DeviceId::FIRST];
    assert_eq!(device.compliance.checks.failing, ["encryption"]);
    assert_eq!(device.last_sync, Some(world.now));
    assert_eq!(world.holds(), []);
}

#[test]
fn a_report_older_than_the_last_one_changes_nothing() {
    let mut world = World::enrolled(&["A1"]);
    world.hear("A1", json!({"at": "2026-11-22T09:59:59Z", "encryption": {"enabled": false}}));
    world.hear("A1", json!({"at": "2026-11-22T10:00:00Z", "encryption": {"enabled": false}}));
    let (device, last) = (DeviceId::FIRST, None);
    // The second is the very report that was heard last.
    let passed_over = Telemetry { device, last, passed_over: 1 };
    assert_eq!((world.plan().actions, world.plan().telemetry), (vec![], vec![passed_over]));
}

#[test]
fn reports_count_in_order_of_their_dates_whatever_their_order() {
    let mut world = World::new(&["A1"]);
    world.settle();
    world.hear("A1", json!({"at": "2026-11-22T10:02:00Z", "encryption": {"enabled": true}}));
    world.hear("A1", json!({"at": "2026-11-22T10:01:00Z", "enrollmentError": "no license"}));
    assert_eq!(world.settle(), ["status D001", "status D001", "compliance D001"]);
    assert_eq!(world.status("A1"), Status::Enrolled);
}

#[test]
fn reports_that_nobody_can_use_are_rejected_with_the_reason() {
    let mut world = World::new(&["A1"]);
    world.settle();
    world.hear("ZZ", json!({}));
    world.hear("A1", json!({"at": "2026-11-23T10:00:01Z"}));
    let rejected = world.plan().rejected;
    let why = "no device with serial number ZZ is recorded".to_owned();
    assert_eq!(rejected, [(crate::domain::model::ReportId::new("r0"), why)]);
}

#[test]
fn the_deadline_fails_a_pending_device_and_a_late_report_enrols_it() {
    let mut world = World::new(&["A1"]);
    world.settle();
    world.now = world.now + TimeDelta::milliseconds(30 * 60_000 - 1);
    assert_eq!(world.plan().actions, vec![]);
    world.now = world.now + TimeDelta::milliseconds(1);
    assert_eq!(world.settle(), ["status D001"]);
    assert_eq!(world.status("A1"), Status::Failed);
    assert_eq!(world.holds(), [held("A1", HoldReason::EnrollmentFailed)]);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    world.settle();
    assert_eq!(world.status("A1"), Status::Enrolled);
}

#[test]
fn a_report_from_before_the_new_enrollment_does_not_count_for_it() {
    let mut world = World::enrolled(&["A1"]);
    world.edit("A1", |d| d.enrollment = 2);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    // The process dies when the entries are durable: the report is still there, its telemetry lost.
    for action in world.plan().actions {
        let event = action.event(world.state.seq + 1).expect("an event");
        world.log(action.device(), action.source(None), event);
    }
    assert_eq!(world.state.devices[&DeviceId::FIRST].last_sync, Some(world.now));
    assert_eq!(world.settle(), ["push D001"]);
    assert_eq!(world.status("A1"), Status::Pending);
    world.now = world.now + TimeDelta::minutes(1);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    world.settle();
    assert_eq!(world.status("A1"), Status::Enrolled);
}

#[test]
fn lost_telemetry_keeps_the_recorded_verdict() {
    let mut world = World::enrolled(&["A1"]);
    let device = world.state.devices.get_mut(&DeviceId::FIRST).expect("a device");
    device.facts = None;
    device.last_sync = None;
    assert_eq!(world.plan().actions, vec![]);
}

#[test]
fn what_is_reported_in_the_pass_that_enrolls_a_device_anew_says_nothing_of_it_afterwards() {
    for facts in [json!({}), json!({"encryption": {"enabled": true}})] {
        let mut world = World::new(&["A1"]);
        world.settle();
        world.now = world.now + TimeDelta::hours(1);
        world.settle();
        assert_eq!(world.status("A1"), Status::Failed);
        world.hear("A1", facts);
        world.edit("A1", |device| device.enrollment = 2);
        world.settle();
        let device = &world.state.devices[&DeviceId::FIRST];
        assert_eq!(device.status, Status::Pending);
        assert_eq!((&device.facts, device.last_sync), (&None, Some(world.now)));
        assert_eq!(device.compliance.state, ComplianceState::Unknown);
    }
}
