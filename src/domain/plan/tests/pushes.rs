//! Profiles reach their devices.

use serde_json::json;

use super::world::{World, held, profile};
use crate::domain::model::DeviceId;
use crate::domain::plan::HoldReason;
use crate::domain::plan::effect::{Effect, pushed};
use crate::domain::state::event::{ErrorClass, Event};

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
