//! Profiles reach their devices.

use std::sync::Arc;

use serde_json::json;

use super::world::{World, held, profile};
use crate::domain::guard::guard;
use crate::domain::model::DeviceId;
use crate::domain::plan::effect::{Effect, pushed};
use crate::domain::plan::{Action, HoldReason, Op};
use crate::domain::state::event::{ErrorClass, Event, ProfileFailed};

#[test]
fn a_changed_profile_reaches_every_device_of_it() {
    let mut world = World::enrolled(&["A1", "B2"]);
    let changed = profile("Standard", json!({"vpn": "c"}));
    world.desired.profiles.insert(changed.name.clone(), changed);
    let plan = world.plan();
    assert_eq!(plan.actions[0].changes()[0].field, "settings");
    assert_eq!(world.settle(), ["profile", "push D001", "push D002"]);
}

#[test]
fn pushes_in_doubt_are_finished_under_their_own_number() {
    let mut world = World::enrolled(&["A1"]);
    let standard = world.desired.profiles.values().next().expect("a profile").clone();
    world.log(Some(DeviceId::FIRST), None, Event::ProfileIntended(pushed(&standard, 77)));
    let plan = world.plan();
    assert!(matches!(plan.actions[0].effect(), Some(Effect::Push { resume: Some(77), .. })));
    assert_eq!(world.settle(), ["push D001"]);
}

#[test]
fn failed_pushes_are_tried_again_unless_the_provider_refuses_for_good() {
    for (class, again) in
        [(ErrorClass::Transient, true), (ErrorClass::Unknown, true), (ErrorClass::Permanent, false)]
    {
        let mut world = World::new(&["A1"]);
        world.refuses = Some(class);
        world.pass();
        assert_eq!(!world.plan().actions.is_empty(), again, "{class}");
        let refused = world.holds().contains(&held("A1", HoldReason::ProviderRefused));
        assert_eq!(refused, !again, "{class}");
    }
}

#[test]
fn a_refused_push_is_tried_again_once_its_device_changes() {
    let mut world = World::new(&["A1"]);
    world.refuses = Some(ErrorClass::Permanent);
    world.pass();
    assert!(world.plan().actions.is_empty());
    world.edit("A1", |device| {
        device.place.path = "elsewhere/A1.yaml".into();
    });
    assert_eq!(world.pass(), ["update D001"], "it only moved");
    world.edit("A1", |device| {
        Arc::make_mut(&mut device.spec).os_version = "11.0".parse().expect("a version");
    });
    world.refuses = None;
    // A crash between the two must not leave a changed device whose push is refused for good.
    assert_eq!(world.settle(), ["push D001", "update D001"]);
}

/// What a plan has left to do, and what the next one has, where nothing goes to the provider.
#[test]
fn a_push_that_waits_stays_due_whatever_it_is_due_to() {
    type Edit = fn(&mut World);
    let another_user: Edit = |world| {
        world.settings.provider.follows_users = true;
        world.edit("A1", |device| {
            Arc::make_mut(&mut device.spec).user_email = "bo@example.com".parse().expect("it");
        });
    };
    let again: Edit = |world| world.edit("A1", |device| device.enrollment = 2);
    let refused: Edit = |world| {
        let standard = world.desired.profiles.values().next().expect("a profile").clone();
        let failed =
            ProfileFailed { intent: 77, class: ErrorClass::Permanent, error: "no".to_owned() };
        let first = Some(DeviceId::FIRST);
        world.log(first, None, Event::ProfileIntended(pushed(&standard, 77)));
        world.log(first, None, Event::ProfileFailed(failed));
        world.edit("A1", |device| {
            Arc::make_mut(&mut device.spec).os_version = "11.0".parse().expect("a version");
        });
    };
    let edits: [&[Edit]; 4] =
        [&[another_user], &[again], &[refused], &[another_user, again, refused]];
    for (at, edits) in edits.into_iter().enumerate() {
        let mut world = World::enrolled(&["A1", "B2"]);
        world.edit("B2", |device| {
            Arc::make_mut(&mut device.spec).name = "other".parse().expect("a name");
        });
        for edit in edits {
            edit(&mut world);
        }
        let due = world.plan().actions;
        assert!(due.iter().any(|action| matches!(action.op, Op::Push { .. })), "{at}");
        let approved =
            guard(world.plan(), &world.desired, &world.state, world.settings.limits, None);
        let held = approved
            .holding(|action| action.effect().map(|_| (HoldReason::BackingOff, "later".into())));
        let left: Vec<_> = held.plan().actions.iter().map(Action::device).collect();
        assert_eq!(left, [Some(DeviceId::FIRST.next())], "{at}: nothing of it is recorded");
        for action in held.into_plan().actions {
            let event = action.event(0).expect("an event");
            world.log(action.device(), action.source(None), event);
        }
        let still: Vec<_> =
            due.into_iter().filter(|due| due.device() == Some(DeviceId::FIRST)).collect();
        assert_eq!(world.plan().actions, still, "{at}");
    }
}
