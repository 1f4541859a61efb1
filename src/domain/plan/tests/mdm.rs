//! What an MDM knows of devices: that they are gone, that they cannot enroll, that somebody changed something.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::world::{World, profile};
use crate::domain::model::{ComplianceState, DeviceId, Hardware, Status};
use crate::domain::plan::effect::pushed;
use crate::domain::plan::{Drift, DriftSubject, Op};
use crate::domain::state::event::{ErrorClass, Event, ProfileFailed};

fn mdm(row: &str, verdict: &str, more: &[(&str, Value)]) -> Value {
    let mut facts = json!({"id": "705c-1", "management": "managed", "ownership": "company",
        "row": row, "verdict": verdict});
    for (key, value) in more {
        facts[key] = value.clone();
    }
    facts
}

fn drift(subject: DriftSubject) -> Drift {
    Drift {
        subject,
        what: "its policy was changed".to_owned(),
        by: Some("eve@example.com".to_owned()),
        setting: None,
    }
}

fn serial(text: &str) -> crate::domain::model::SerialNumber {
    text.parse().expect("a serial number")
}

#[test]
fn a_device_that_vanished_is_missing_until_it_is_found_and_nothing_is_done_to_it() {
    let mut world = World::enrolled(&["A1", "B2"]);
    world.news.missing.insert(serial("A1"));
    assert_eq!(world.settle(), ["missing D001"]);
    world.news.missing.insert(serial("A1"));
    assert_eq!(world.settle(), Vec::<String>::new(), "once");
    let device = world.state.by_serial(&serial("A1")).expect("the device").1;
    assert!(device.rare.missing_since.is_some() && device.rare.orphaned_since.is_none());
    assert_eq!(world.status("A1"), Status::Enrolled);
    world.news.found.insert(serial("A1"));
    assert_eq!(world.settle(), ["found D001"]);
    world.news.found.insert(serial("A1"));
    assert_eq!(world.settle(), Vec::<String>::new(), "once");
}

#[test]
fn an_enrollment_error_makes_a_pending_device_failed_and_no_other() {
    let mut world = World::new(&["A1"]);
    world.settle();
    let says = |world: &mut World| {
        world.news.enrollment_errors.insert(serial("A1"), "import failed: 806".to_owned());
    };
    says(&mut world);
    assert_eq!(world.settle(), ["status D001"]);
    let device = world.state.by_serial(&serial("A1")).expect("the device").1;
    assert_eq!(device.status, Status::Failed);
    assert!(device.status_reason.contains("import failed: 806"), "{}", device.status_reason);
    assert_eq!(device.last_sync, None, "it is no sync");
    says(&mut world);
    assert_eq!(world.settle(), Vec::<String>::new());
    let mut enrolled = World::enrolled(&["A1"]);
    says(&mut enrolled);
    assert_eq!(enrolled.settle(), Vec::<String>::new());
}

#[test]
fn a_new_user_is_told_to_a_provider_that_follows_users_and_before_it_is_recorded() {
    for follows in [false, true] {
        let mut world = World::enrolled(&["A1"]);
        world.settings.provider.follows_users = follows;
        world.edit("A1", |device| {
            Arc::make_mut(&mut device.spec).user_email =
                "bo@example.com".parse().expect("an address");
        });
        let expected: &[&str] =
            if follows { &["push D001", "update D001"] } else { &["update D001"] };
        assert_eq!(world.settle(), expected);
        world.edit("A1", |device| {
            let hardware = Hardware { model: Some("X1".into()), ..Hardware::default() };
            Arc::make_mut(&mut device.spec).hardware = Some(Box::new(hardware));
        });
        assert_eq!(world.settle(), expected);
        world.edit("A1", |device| {
            Arc::make_mut(&mut device.spec).name = "other".parse().expect("a name");
        });
        assert_eq!(world.settle(), ["update D001"], "what the provider does not know");
    }
}

/// Otherwise a crash between the two leaves nobody who knows whose the device was.
#[test]
fn a_new_user_is_told_before_it_is_recorded_however_the_last_push_stands() {
    let standard = |world: &World| world.desired.profiles.values().next().expect("it").clone();
    for standing in ["changed", "intended", "transient", "permanent", "enrolls again"] {
        let mut world = World::enrolled(&["A1"]);
        world.settings.provider.follows_users = true;
        match standing {
            "changed" => {
                let changed = profile("Standard", json!({"vpn": "c"}));
                world.desired.profiles.insert(changed.name.clone(), changed);
            }
            "enrolls again" => world.edit("A1", |device| device.enrollment = 2),
            _ => {
                let push = Event::ProfileIntended(pushed(&standard(&world), 77));
                world.log(Some(DeviceId::FIRST), None, push);
                let class = match standing {
                    "transient" => Some(ErrorClass::Transient),
                    "permanent" => Some(ErrorClass::Permanent),
                    _ => None,
                };
                if let Some(class) = class {
                    let failed = ProfileFailed { intent: 77, class, error: "no".to_owned() };
                    world.log(Some(DeviceId::FIRST), None, Event::ProfileFailed(failed));
                }
            }
        }
        world.edit("A1", |device| {
            Arc::make_mut(&mut device.spec).user_email =
                "bo@example.com".parse().expect("an address");
        });
        let done = world.settle();
        let place = |what: &str| done.iter().position(|done| done == what);
        let (push, update) = (place("push D001"), place("update D001"));
        assert!(push.is_some() && push < update, "{standing}: {done:?}");
    }
}

#[test]
fn what_somebody_changed_is_put_right() {
    let mut world = World::enrolled(&["A1", "B2"]);
    let standard = "Standard".parse().expect("a name");
    world.news.drift = vec![drift(DriftSubject::Profile(standard))];
    let plan = world.plan();
    let Op::Restore { what, by, .. } = &plan.actions[0].op else { panic!("{:?}", plan.actions) };
    assert_eq!(*what, ["its policy was changed"]);
    assert_eq!(by.as_deref(), Some("eve@example.com"));
    assert_eq!(world.settle(), ["restore"]);
    world.news.drift = vec![drift(DriftSubject::Device(serial("B2")))];
    let action = &world.plan().actions[0];
    assert!(action.reason.contains("changed by eve@example.com"), "{}", action.reason);
    assert_eq!(world.settle(), ["push D002"]);
    // What the configuration says may have changed as well.
    let standard = "Standard".parse().expect("a name");
    let grace = drift(DriftSubject::Profile(standard));
    world.news.drift = vec![Drift { by: None, setting: Some("compliance.blockAfter"), ..grace }];
    let reason = "it is not as compliance.blockAfter says, or somebody changed it in the MDM: \
                  its policy was changed";
    assert_eq!(world.plan().actions[0].reason, reason);
    let unknown = "Unknown".parse().expect("a name");
    let subjects = [DriftSubject::Profile(unknown), DriftSubject::Device(serial("ZZ"))];
    world.news.drift = subjects.map(drift).to_vec();
    assert_eq!(world.settle(), Vec::<String>::new());
}

#[test]
fn an_mdm_learns_of_a_device_between_two_syncs() {
    let mut world = World::enrolled(&["A1"]);
    let at = (world.now + TimeDelta::minutes(1)).to_string();
    world.now = world.now + TimeDelta::minutes(2);
    let hear = |world: &mut World, row: &str, verdict: &str| {
        let report = json!({"at": at, "encryption": {"enabled": true},
            "mdm": mdm(row, verdict, &[("policies", json!(1))])});
        world.hear("A1", report);
    };
    hear(&mut world, "1", "compliant");
    world.settle();
    let device = world.state.by_serial(&serial("A1")).expect("the device").1;
    assert_eq!(device.compliance.state, ComplianceState::Compliant);
    // The same sync: only the MDM's verdict is another one.
    hear(&mut world, "2", "nonCompliant");
    assert_eq!(world.settle(), ["compliance D001"]);
    let device = world.state.by_serial(&serial("A1")).expect("the device").1;
    assert_eq!(device.compliance.checks.failing, ["mdm"]);
    hear(&mut world, "2", "nonCompliant");
    assert_eq!(world.settle(), Vec::<String>::new());
    assert_eq!(device_passed_over(&world), 0, "the same look again is no old report");
}

fn device_passed_over(world: &World) -> u64 {
    world.state.by_serial(&serial("A1")).expect("the device").1.rare.passed_over
}
