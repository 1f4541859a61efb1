//! Licenses: a user, the profile of a device, and a provider that has units or none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::world::{World, held};
use crate::domain::licensing::{LicenseStanding, licenses};
use crate::domain::model::{DesiredStatus, Name, Status};
use crate::domain::plan::{HoldReason, News, plan_for};
use crate::domain::settings::LicenseStart;
use crate::domain::state::event::{ErrorClass, Event, LicenseAssigned};

fn gives(world: &mut World, skus: &[&str]) {
    let standard: Name = "Standard".parse().unwrap();
    let profile = Arc::make_mut(world.desired.profiles.get_mut(&standard).unwrap());
    profile.licenses = skus.iter().map(|sku| (*sku).to_owned()).collect();
    profile.digest = crate::domain::model::Digest::of(skus.join(" ").as_bytes());
}

fn world(start: LicenseStart, serials: &[&str]) -> World {
    let mut world = World::new(serials);
    world.settings.provider.licenses = Some(start);
    gives(&mut world, &["SPE_E3", "MTD_P2"]);
    world
}

/// They report, and so enroll.
fn report(world: &mut World, serials: &[&str]) -> Vec<String> {
    for serial in serials {
        world.hear(serial, json!({"encryption": {"enabled": true}}));
    }
    world.settle()
}

/// Each license of `fleetform licenses`, as `standing sku user devices`.
fn shown(world: &World) -> Vec<String> {
    let all = licenses(&world.state, &world.desired, &world.settings);
    let one = |license: &crate::domain::licensing::UserLicense| {
        let user = license.user.as_str().split('@').next().unwrap().to_owned();
        let devices: Vec<_> = license.devices.iter().map(ToString::to_string).collect();
        format!("{} {} {user} {}", license.standing, license.sku, devices.join(" "))
    };
    all.iter().map(one).collect()
}

#[test]
fn a_user_gets_the_licenses_of_the_profile_once_the_device_is_enrolled() {
    let mut world = world(LicenseStart::Enrolled, &["A"]);
    assert_eq!(world.settle(), ["profile", "provision D001"]);
    assert_eq!(shown(&world), ["missing MTD_P2 ana D001", "missing SPE_E3 ana D001"]);
    let done = report(&mut world, &["A"]);
    assert_eq!(done, ["status D001", "license D001", "license D001", "compliance D001"]);
    assert_eq!(shown(&world), ["assigned MTD_P2 ana D001", "assigned SPE_E3 ana D001"]);
    assert_eq!(report(&mut world, &["A"]), [""; 0]);
}

#[test]
fn where_nobody_enrolls_without_one_it_comes_with_the_declaration() {
    let mut world = world(LicenseStart::Declared, &["A"]);
    assert_eq!(world.settle(), ["profile", "provision D001", "license D001", "license D001"]);
    assert_eq!(report(&mut world, &["A"]), ["status D001", "compliance D001"]);
    let mut waiting = self::world(LicenseStart::Declared, &["A"]);
    waiting.edit("A", |device| device.status = DesiredStatus::Pending);
    assert_eq!(waiting.settle(), ["profile", "provision D001"], "it is not to enroll yet");
}

#[test]
fn a_device_that_failed_for_want_of_one_is_still_given_it_and_then_enrolls() {
    let mut world = world(LicenseStart::Declared, &["A"]);
    world.refuses = Some(ErrorClass::Transient);
    world.pass();
    world.hear("A", json!({"enrollmentError": "UserNotLicensed"}));
    world.pass();
    assert_eq!(world.status("A"), Status::Failed);
    world.pass();
    world.refuses = None;
    assert_eq!(world.settle(), ["push D001", "license D001", "license D001"]);
    assert_eq!(shown(&world), ["assigned MTD_P2 ana D001", "assigned SPE_E3 ana D001"]);
    world.now = world.now + TimeDelta::hours(1);
    assert_eq!(report(&mut world, &["A"]), ["status D001", "compliance D001"]);
    assert_eq!(world.status("A"), Status::Enrolled);
}

#[test]
fn nobody_gets_one_for_a_device_that_somebody_erased() {
    let mut world = world(LicenseStart::Declared, &["A"]);
    world.settle();
    report(&mut world, &["A"]);
    world.now = world.now + TimeDelta::hours(1);
    world.hear("A", json!({"wiped": true}));
    world.settle();
    gives(&mut world, &["SPE_E5"]);
    assert_eq!(world.settle(), ["profile", "push D001"]);
}

#[test]
fn where_somebody_else_assigns_them_none_is_ordered_or_missing() {
    let mut world = world(LicenseStart::Enrolled, &["A"]);
    world.settings.provider.licenses = None;
    world.settle();
    assert_eq!(report(&mut world, &["A"]), ["status D001", "compliance D001"]);
    assert_eq!(shown(&world), [""; 0]);
}

#[test]
fn a_license_that_is_not_to_be_had_leaves_the_device_enrolled_and_is_tried_again() {
    let mut world = world(LicenseStart::Enrolled, &["A"]);
    world.settle();
    world.refuses = Some(ErrorClass::Transient);
    world.hear("A", json!({"encryption": {"enabled": true}}));
    world.pass();
    assert_eq!(world.status("A"), Status::Enrolled);
    let all = licenses(&world.state, &world.desired, &world.settings);
    assert_eq!(all[0].standing, LicenseStanding::Missing);
    assert_eq!(all[0].reason.as_deref(), Some("no"));
    let plan = world.plan();
    let reasons: Vec<_> = plan.actions.iter().map(|action| &*action.reason).collect();
    assert_eq!(reasons, ["ana@example.com does not have it: no"; 2]);
    let before = world.state.seq;
    world.pass();
    assert_eq!(world.state.seq, before + 2, "under the same intent");
    world.refuses = None;
    assert_eq!(world.settle(), ["license D001", "license D001"]);
    assert_eq!(shown(&world), ["assigned MTD_P2 ana D001", "assigned SPE_E3 ana D001"]);
}

#[test]
fn a_refusal_for_good_is_held_and_whatever_failed_is_forgotten_with_the_profile_that_wanted_it() {
    let mut world = world(LicenseStart::Enrolled, &["A"]);
    world.settle();
    world.refuses = Some(ErrorClass::Permanent);
    report(&mut world, &["A"]);
    let refused = || held("A", HoldReason::ProviderRefused);
    assert_eq!(world.holds(), [refused(), refused()]);
    world.refuses = None;
    gives(&mut world, &["SPE_E3"]);
    assert_eq!(world.settle(), ["profile", "push D001", "license D001"], "it is asked anew");
    let device = world.state.by_serial(&"A".parse().unwrap()).unwrap().1;
    assert_eq!(device.licenses.failed(&device.spec.user_email).count(), 0);
}

#[test]
fn an_order_in_doubt_is_repeated_under_its_intent() {
    let mut world = world(LicenseStart::Enrolled, &["A"]);
    gives(&mut world, &["SPE_E3"]);
    world.settle();
    world.hear("A", json!({"encryption": {"enabled": true}}));
    // The pass dies before the provider is asked.
    let plan = world.plan();
    for action in &plan.actions {
        let event = action.event(world.state.seq + 1).unwrap();
        world.log(action.device(), action.source(None), event);
    }
    world.heard.clear();
    let again = world.plan();
    let reasons: Vec<_> = again.actions.iter().map(|action| &*action.reason).collect();
    assert_eq!(reasons, ["it is not known whether it was assigned"]);
    assert_eq!(world.settle(), ["license D001"]);
}

#[test]
fn what_was_assigned_and_is_not_needed_any_more_is_said_and_never_taken_away() {
    let mut world = world(LicenseStart::Enrolled, &["A", "B"]);
    gives(&mut world, &["SPE_E3"]);
    world.settle();
    report(&mut world, &["A", "B"]);
    assert_eq!(shown(&world), ["assigned SPE_E3 ana D001 D002"]);
    world.edit("A", |device| {
        Arc::make_mut(&mut device.spec).user_email = "ben@example.com".parse().unwrap();
    });
    assert_eq!(world.settle(), ["update D001", "license D001"]);
    assert_eq!(shown(&world), ["assigned SPE_E3 ana D002", "assigned SPE_E3 ben D001"]);
    gives(&mut world, &["MTD_P2"]);
    let done = world.settle();
    assert_eq!(done, ["profile", "push D001", "license D001", "push D002", "license D002"]);
    let expected = [
        "notNeeded SPE_E3 ana D001 D002",
        "notNeeded SPE_E3 ben D001",
        "assigned MTD_P2 ana D002",
        "assigned MTD_P2 ben D001",
    ];
    assert_eq!(shown(&world), expected);
    // Its manifest is gone: whether anybody uses it nobody knows.
    world.take("B");
    world.settle();
    assert_eq!(shown(&world)[2], expected[2]);
    world.settings.archive_after = Some(TimeDelta::days(1));
    world.now = world.now + TimeDelta::days(2);
    world.settle();
    assert_eq!(shown(&world)[0], "notNeeded MTD_P2 ana D002");
}

#[test]
fn what_a_user_had_before_is_not_ours_to_speak_of() {
    let mut world = world(LicenseStart::Enrolled, &["A"]);
    gives(&mut world, &["SPE_E3"]);
    world.settle();
    report(&mut world, &["A"]);
    let id = crate::domain::model::DeviceId::FIRST;
    let assigned = LicenseAssigned {
        intent: 1,
        sku: "SPE_E3".into(),
        user: "ana@example.com".parse().unwrap(),
        had: true,
    };
    world.log(Some(id), None, Event::LicenseAssigned(Box::new(assigned)));
    assert_eq!(shown(&world), [""; 0]);
    assert_eq!(world.settle(), [""; 0]);
}

/// A look did not find the license of Ana's that is recorded as given.
fn lost(world: &mut World) {
    let why = BTreeMap::from([("SPE_E3".into(), "somebody removed it".to_owned())]);
    world.news.unlicensed = [("ana@example.com".parse().unwrap(), why)].into();
}

/// Two devices of Ana's have one license, since a day.
fn licensed(start: LicenseStart) -> World {
    let mut world = world(start, &["A", "B"]);
    gives(&mut world, &["SPE_E3"]);
    world.settle();
    report(&mut world, &["A", "B"]);
    world.now = world.now + TimeDelta::days(1);
    world
}

#[test]
fn a_license_that_somebody_removed_is_recorded_as_missing_and_ordered_again() {
    type Change = fn(&mut World);
    let both = ["licenseMissing D001", "license D001", "licenseMissing D002", "license D002"];
    let cases: [(&str, Change, &[&str]); 8] = [
        ("nobody looked", |world| world.news.unlicensed.clear(), &[]),
        ("removed", |_| {}, &both),
        ("assigned an hour ago", |world| world.now = world.now + TimeDelta::hours(-23), &both),
        ("just assigned", |world| world.now = world.now + TimeDelta::minutes(-(23 * 60 + 1)), &[]),
        (
            "of another user",
            |world| {
                let all = std::mem::take(&mut world.news.unlicensed).into_values();
                world.news.unlicensed = all.map(|why| ("x@y.z".parse().unwrap(), why)).collect();
            },
            &[],
        ),
        ("not wanted any more", |world| gives(world, &[]), &["profile", "push D001", "push D002"]),
        (
            "given up",
            |world| {
                for serial in ["A", "B"] {
                    world.edit(serial, |device| device.status = DesiredStatus::Failed);
                }
            },
            &["status D001", "status D002"],
        ),
        ("somebody else assigns them", |world| world.settings.provider.licenses = None, &[]),
    ];
    for start in [LicenseStart::Declared, LicenseStart::Enrolled] {
        for (name, change, expected) in &cases {
            let mut world = licensed(start);
            lost(&mut world);
            change(&mut world);
            assert_eq!(world.settle(), *expected, "{name}");
            let missing = shown(&world).iter().any(|one| one.starts_with("missing"));
            assert!(!missing, "{name}: {:?}", shown(&world));
        }
    }
}

#[test]
fn it_is_missing_with_its_reason_until_the_order_is_carried_out_and_no_longer() {
    let mut world = licensed(LicenseStart::Enrolled);
    lost(&mut world);
    let plan = world.plan();
    let reasons: Vec<_> = plan.actions.iter().map(|action| &*action.reason).collect();
    let expected = ["somebody removed it", "ana@example.com does not have it: somebody removed it"];
    assert_eq!(reasons, [expected, expected].concat());
    let few = plan_for(&world.inputs(), &BTreeSet::new());
    assert_eq!(few.actions, plan.actions, "also where no manifest was touched");
    // The pass dies before the provider is asked.
    for action in &plan.actions {
        if let Some(event) = action.event(world.state.seq + 1) {
            world.log(action.device(), action.source(None), event);
        }
    }
    world.news = News::default();
    let all = licenses(&world.state, &world.desired, &world.settings);
    assert_eq!(shown(&world), ["missing SPE_E3 ana D001 D002"]);
    assert_eq!(all[0].reason.as_deref(), Some("somebody removed it"));
    assert_eq!(world.status("A"), Status::Enrolled);
    // Nothing was observed since, and it is not forgotten.
    assert_eq!(world.settle(), ["license D001", "license D002"]);
    assert_eq!(shown(&world), ["assigned SPE_E3 ana D001 D002"]);
    // A look whose data center lags behind changes nothing.
    lost(&mut world);
    assert_eq!(world.settle(), [""; 0]);
}

#[test]
fn where_it_cannot_be_given_again_each_look_orders_it_once() {
    let mut world = licensed(LicenseStart::Enrolled);
    world.refuses = Some(ErrorClass::Transient);
    lost(&mut world);
    assert_eq!(world.pass().len(), 4);
    for _ in 0..3 {
        world.now = world.now + TimeDelta::hours(2);
        lost(&mut world);
        assert_eq!(world.pass(), ["license D001", "license D002"], "it is known to be missing");
    }
}
