//! The guard refuses whole plans.

use std::sync::Arc;

use serde_json::json;

use super::world::{World, device};
use crate::domain::fleet::Desired;
use crate::domain::guard::{Refusal, guard};
use crate::domain::plan::{Action, HoldReason, digest};
use crate::domain::settings::FreezeLimits;
use crate::domain::state::event::{FreezeCause, PassFrozen};

#[test]
fn an_empty_missing_or_shrunken_directory_freezes_and_facts_still_count() {
    let serials: Vec<String> = (10..20).map(|n| format!("S{n}")).collect();
    let serials: Vec<&str> = serials.iter().map(String::as_str).collect();
    type Harm = fn(&mut World);
    let harms: [(Harm, FreezeCause); 3] = [
        (
            |w| {
                w.desired = Desired { missing: Some("gone".into()), ..Desired::default() };
            },
            FreezeCause::Missing,
        ),
        (|w| (10..20).for_each(|n| w.take(&format!("S{n}"))), FreezeCause::Empty),
        (|w| (10..14).for_each(|n| w.take(&format!("S{n}"))), FreezeCause::Shrunken),
    ];
    for (harm, cause) in harms {
        let mut world = World::enrolled(&serials);
        let whole = world.desired.clone();
        harm(&mut world);
        world.put_new_unless_missing(cause);
        world.hear("S10", json!({"encryption": {"enabled": false}}));
        assert_eq!(world.settle(), ["freeze", "compliance D001"], "{cause}");
        assert_eq!(world.state.frozen.as_ref().expect("frozen").why.cause, cause);
        assert!(world.holds().iter().any(|h| h.1 == HoldReason::Frozen));
        assert!(world.state.devices.values().all(|d| d.rare.orphaned_since.is_none()));
        world.desired = whole;
        assert_eq!(world.settle(), ["thaw"]);
    }
}

#[test]
fn a_refusal_says_why_and_how_much_it_withheld() {
    let mut world = World::enrolled(&["A1", "B2"]);
    let judged = |world: &World, accepted| {
        guard(world.plan(), &world.desired, &world.state, world.settings.limits, accepted)
    };
    assert_eq!(judged(&world, None).refusal(), None);
    world.take("A1");
    world.take("B2");
    let why = PassFrozen { cause: FreezeCause::Empty, removed: 2, of: 2 };
    let refusal = Refusal { why, missing: None, withheld: 2, named: Some(1) };
    assert_eq!(judged(&world, Some(1)).refusal(), Some(&refusal));
    assert_eq!(judged(&world, Some(2)).refusal(), None);
    // What is still done does not count.
    world.hear("A1", json!({"encryption": {"enabled": false}}));
    let facts = judged(&world, Some(1));
    assert_eq!(facts.plan().actions.len(), 2, "the freeze itself, and a fact");
    assert_eq!(facts.refusal(), Some(&refusal));
}

/// A frozen fleet of a million has not a million copies of one sentence.
#[test]
fn devices_that_are_frozen_share_its_sentence() {
    let mut world = World::enrolled(&["A1", "B2", "C3"]);
    for serial in ["A1", "B2", "C3"] {
        world.take(serial);
    }
    let frozen = guard(world.plan(), &world.desired, &world.state, world.settings.limits, None);
    let [first, others @ ..] = frozen.plan().holds.as_slice() else { panic!("no holds") };
    assert_eq!(others.len(), 2);
    assert!(others.iter().all(|hold| Arc::ptr_eq(&hold.detail, &first.detail)));
}

#[test]
fn what_is_held_back_is_not_what_was_agreed_to() {
    let world = World::new(&["A1", "B2"]);
    let approved =
        || guard(world.plan(), &world.desired, &world.state, world.settings.limits, None);
    let reason = |action: &Action| Some((HoldReason::BackingOff, action.kind().to_string()));
    let whole = approved();
    let same = approved().holding(|_| None);
    assert_eq!(same, whole);
    let less = approved().holding(|action| action.device().and_then(|_| reason(action)));
    assert_eq!(less.digest(), digest(&less.plan().actions));
    assert_ne!(less.digest(), whole.digest());
    assert!(less.plan().actions.iter().all(|action| action.device().is_none()));
    assert!(less.plan().holds.is_sorted());
    assert_eq!(less.plan().holds.iter().filter(|h| &*h.detail == "provision").count(), 2);
}

impl World {
    /// Intents of a frozen plan are withheld, a new device included.
    fn put_new_unless_missing(&mut self, cause: FreezeCause) {
        if cause == FreezeCause::Shrunken {
            self.put(device("NEW"));
        }
    }
}

#[test]
fn the_freeze_has_its_edges() {
    let serials: Vec<String> = (10..20).map(|n| format!("S{n}")).collect();
    let serials: Vec<&str> = serials.iter().map(String::as_str).collect();
    let frozen = |fleet: &[&str], gone: usize, limits: FreezeLimits| {
        let mut world = World::enrolled(fleet);
        world.settings.limits = limits;
        fleet[..gone].iter().for_each(|serial| world.take(serial));
        world.pass().contains(&"freeze".to_owned())
    };
    let limits = FreezeLimits { max_removed_percent: 30, min_fleet: 10 };
    assert!(!frozen(&serials, 3, limits), "30 % is not more than 30 %");
    assert!(frozen(&serials, 4, limits));
    assert!(!frozen(&serials[..9], 8, limits), "below minFleet it is off");
    assert!(frozen(&serials[..9], 9, limits), "but empty always freezes");
    assert!(frozen(&serials[..1], 1, limits), "but empty always freezes");
}

#[test]
fn only_the_right_number_lifts_the_freeze_and_the_log_keeps_it() {
    let mut world = World::enrolled(&["A1", "B2"]);
    world.take("A1");
    world.take("B2");
    assert_eq!(world.pass_accepting(Some(1)), ["freeze"]);
    assert_eq!(world.pass_accepting(Some(2)), ["thaw", "orphan D001", "orphan D002"]);
    assert_eq!(world.settle(), Vec::<String>::new(), "accepted for good");

    let mut world = World::enrolled(&["A1"]);
    world.take("A1");
    assert_eq!(world.pass_accepting(Some(1)), ["freeze", "thaw", "orphan D001"]);

    let mut world = World::enrolled(&["A1"]);
    world.desired = Desired { missing: Some("gone".into()), ..Desired::default() };
    assert_eq!(world.pass_accepting(Some(1)), ["freeze"], "what is unseen cannot be accepted");
}

#[test]
fn nothing_recorded_and_nothing_there_freezes_too() {
    let mut world = World::new(&[]);
    world.desired.profiles.clear();
    assert_eq!(world.settle(), ["freeze"]);
    let mut world = World::new(&[]);
    assert_eq!(world.settle(), Vec::<String>::new(), "profiles alone are a beginning");
}
