//! The record follows the manifests.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::world::{World, device, held, profile};
use crate::domain::model::{
    ComplianceState, DesiredDevice, DesiredStatus, DeviceId, Exemption, Place, Status,
};
use crate::domain::plan::{HoldReason, digest};

#[test]
fn desired_statuses_are_followed_and_desired_failed_needs_one_pass() {
    let mut world = World::new(&["A1"]);
    world.edit("A1", |d| d.status = DesiredStatus::Failed);
    assert_eq!(world.settle(), ["profile", "provision D001", "status D001"]);
    assert_eq!(world.status("A1"), Status::Failed);
    world.edit("A1", |d| d.status = DesiredStatus::Pending);
    assert_eq!(world.settle(), ["status D001"]);
    world.now = world.now + TimeDelta::days(1);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    assert_eq!(world.settle(), ["compliance D001"], "parked: no deadline, no enrollment");
    assert_eq!(world.status("A1"), Status::Pending);
}

#[test]
fn raising_enrollment_starts_afresh_and_pushes_again() {
    let mut world = World::enrolled(&["A1"]);
    world.edit("A1", |d| d.enrollment = 2);
    assert_eq!(world.settle(), ["status D001", "push D001", "compliance D001"]);
    let device = &world.state.devices[&DeviceId::FIRST];
    assert_eq!((device.status, device.enrollment), (Status::Pending, 2));
    assert_eq!(device.compliance.state, ComplianceState::Unknown);
    world.edit("A1", |d| d.enrollment = 3);
    assert_eq!(world.settle(), ["update D001"], "Pending already: only the number moves");
    world.edit("A1", |d| d.enrollment = 1);
    assert_eq!(world.settle(), Vec::<String>::new());
    assert!(world.holds().contains(&held("A1", HoldReason::EnrollmentLowered)));
}

#[test]
fn fields_follow_the_manifest_and_another_profile_is_pushed() {
    let mut world = World::enrolled(&["A1"]);
    let executive = profile("Executive", json!({"vpn": "b"}));
    world.desired.profiles.insert(executive.name.clone(), executive);
    world.edit("A1", |d| {
        let spec = Arc::make_mut(&mut d.spec);
        spec.profile = "Executive".parse().expect("a name");
        spec.user_email = "bob@example.com".parse().expect("an address");
        spec.labels = Arc::new(BTreeMap::from([("site".into(), "madrid".into())]));
    });
    let fields: Vec<_> = world.plan().actions[1].changes().iter().map(|c| c.field).collect();
    assert_eq!(fields, ["userEmail", "profile", "labels"]);
    assert_eq!(world.settle(), ["profile", "update D001", "push D001"]);
}

fn exempt(world: &World, days: i64) -> impl FnOnce(&mut DesiredDevice) + use<> {
    let exempt_until = world.now + TimeDelta::days(days);
    let exemption = Exemption { exempt_until, reason: "waits for a new disk".into() };
    move |device| Arc::make_mut(&mut device.spec).access = Some(Box::new(exemption))
}

#[test]
fn an_exemption_follows_its_manifest_and_ends_by_itself() {
    let mut world = World::enrolled(&["A1"]);
    let change = exempt(&world, 30);
    world.edit("A1", change);
    assert_eq!(world.plan().actions[0].changes()[0].field, "access");
    assert_eq!(world.settle(), ["update D001"]);
    let recorded = world.state.devices[&DeviceId::FIRST].spec.access.clone().expect("it is exempt");
    assert!(recorded.holds(world.now));
    world.now = world.now + TimeDelta::days(31);
    assert_eq!(world.settle(), Vec::<String>::new(), "what is over needs no change");
    world.edit("A1", |device| Arc::make_mut(&mut device.spec).access = None);
    assert_eq!(world.settle(), ["update D001"]);
    assert_eq!(world.state.devices[&DeviceId::FIRST].spec.access, None);
}

#[test]
fn an_exemption_that_would_last_too_long_holds_its_device_until_it_would_not() {
    let mut world = World::enrolled(&["A1", "B2"]);
    let change = exempt(&world, 31);
    world.edit("A1", change);
    world.edit("A1", |d| Arc::make_mut(&mut d.spec).user_email = "bo@example.com".parse().unwrap());
    let mut new = device("C3");
    exempt(&world, 31)(&mut new);
    world.put(new);
    assert_eq!(world.settle(), Vec::<String>::new());
    for serial in ["A1", "C3"] {
        assert!(world.holds().contains(&held(serial, HoldReason::ManifestInvalid)), "{serial}");
    }
    // Reports are heard all the same, and judged by what is recorded.
    world.hear("A1", json!({"encryption": {"enabled": false}}));
    assert_eq!(world.settle(), ["compliance D001"]);
    world.now = world.now + TimeDelta::days(1);
    assert_eq!(world.settle(), ["update D001", "provision D003"]);
}

#[test]
fn a_serial_that_moves_to_another_file_or_name_is_the_same_device() {
    let mut world = World::enrolled(&["A1"]);
    world.edit("A1", |d| {
        d.place.path = "elsewhere/x.yaml".into();
        Arc::make_mut(&mut d.spec).name = "renamed".parse().expect("a name");
    });
    assert_eq!(world.settle(), ["update D001"]);
    assert_eq!(&*world.state.devices[&DeviceId::FIRST].manifest.path, "elsewhere/x.yaml");
}

#[test]
fn case_of_a_serial_and_spelling_of_a_version_are_no_change() {
    let mut world = World::enrolled(&["a1"]);
    world.take("a1");
    let mut same = device("A1");
    same.place.path = "a1.yaml".into();
    let spec = Arc::make_mut(&mut same.spec);
    spec.name = "dev-a1".parse().expect("a name");
    spec.os_version = "10".parse().expect("a version");
    world.put(same);
    assert_eq!(world.plan().actions, vec![]);
}

#[test]
fn an_absent_manifest_orphans_and_nothing_else_and_its_return_adopts() {
    let mut world = World::enrolled(&["A1", "B2"]);
    world.take("A1");
    assert_eq!(world.settle(), ["orphan D001"]);
    assert_eq!(world.status("A1"), Status::Enrolled);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    assert_eq!(world.settle(), Vec::<String>::new());
    assert_eq!(world.state.devices[&DeviceId::FIRST].last_sync, Some(world.now));
    let mut back = device("A1");
    back.place.path = "other.yaml".into();
    world.put(back);
    assert_eq!(world.settle(), ["adopt D001"]);
    assert_eq!(&*world.state.devices[&DeviceId::FIRST].manifest.path, "other.yaml");
}

#[test]
fn an_orphaned_pending_device_meets_no_deadline() {
    let mut world = World::new(&["A1", "B2"]);
    world.settle();
    world.take("A1");
    world.settle();
    world.now = world.now + TimeDelta::days(3);
    assert_eq!(world.settle(), ["status D002"]);
}

#[test]
fn the_digest_is_over_the_decision_alone() {
    let mut world = World::new(&["A1", "B2"]);
    let of = |world: &World| digest(&world.plan().actions);
    let first = of(&world);
    world.now = world.now + TimeDelta::seconds(5);
    world.edit("A1", |d| d.place = Place { path: "moved.yaml".into(), line: 9 });
    assert_eq!(of(&world), first, "neither the moment nor the place");
    world
        .edit("A1", |d| Arc::make_mut(&mut d.spec).os_version = "11.0".parse().expect("a version"));
    assert_ne!(of(&world), first);
}
