//! Episodes, and access to mail: a device, a clock and reports.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::world::World;
use crate::domain::model::ComplianceState;
use crate::domain::model::Exemption;
use crate::domain::plan::HoldReason;
use crate::domain::state::event::{ErrorClass, Event};
use crate::domain::state::{Device, Episode, EpisodeKind};

/// One enrolled, compliant device.
fn world() -> World {
    let mut world = World::enrolled(&["A"]);
    world.settings.unknown_after = TimeDelta::hours(24);
    world
}

fn device(world: &World) -> &Device {
    world.state.by_serial(&"A".parse().unwrap()).unwrap().1
}

fn episode(world: &World) -> &Episode {
    device(world).episode.as_deref().expect("an episode")
}

/// It reports that its disk is encrypted, or not.
fn report(world: &mut World, encrypted: bool) -> Vec<String> {
    world.hear("A", json!({"encryption": {"enabled": encrypted}}));
    world.settle()
}

fn later(world: &mut World, minutes: i64) {
    world.now = world.now + TimeDelta::minutes(minutes);
}

#[test]
fn a_device_that_turns_non_compliant_is_blocked_after_the_time_and_restored_when_it_is_fixed() {
    let mut world = world();
    assert_eq!(report(&mut world, false), ["compliance D001"]);
    assert_eq!(episode(&world).opened, world.state.seq, "its id is the entry that opened it");
    later(&mut world, 24 * 60 - 1);
    assert_eq!(report(&mut world, false), [""; 0]);
    later(&mut world, 1);
    assert_eq!(world.settle(), ["blockAccess D001"]);
    assert!(episode(&world).block.as_ref().unwrap().blocked_since().is_some());
    later(&mut world, 60);
    assert_eq!(report(&mut world, true), ["compliance D001", "restoreAccess D001"]);
    assert!(!episode(&world).is_open());
}

#[test]
fn an_exemption_puts_the_block_off_lifts_one_that_is_there_and_ends_by_itself() {
    let exempt = |world: &mut World, minutes| {
        let exempt_until = world.now + TimeDelta::minutes(minutes);
        let exemption = Exemption { exempt_until, reason: "waits for a new disk".into() };
        world.edit("A", |d| Arc::make_mut(&mut d.spec).access = Some(Box::new(exemption)));
    };
    let mut world = world();
    report(&mut world, false);
    exempt(&mut world, 26 * 60);
    assert_eq!(world.settle(), ["update D001"]);
    later(&mut world, 25 * 60);
    assert_eq!(report(&mut world, false), [""; 0], "it is exempt");
    later(&mut world, 60);
    assert_eq!(world.settle(), ["blockAccess D001"], "to the minute");
    exempt(&mut world, 60);
    assert_eq!(world.settle(), ["update D001", "restoreAccess D001"]);
    later(&mut world, 59);
    assert_eq!(world.settle(), [""; 0]);
    later(&mut world, 1);
    assert_eq!(world.settle(), ["blockAccess D001"]);
    // Back before the end of the exemption: what is blocked stays so.
    later(&mut world, -30);
    assert_eq!(world.settle(), [""; 0]);
}

#[test]
fn a_device_that_fails_again_within_the_settling_time_goes_on_with_its_episode() {
    for (minutes, same) in [(9, true), (10, false)] {
        let mut world = world();
        report(&mut world, false);
        let opened = episode(&world).opened;
        later(&mut world, 60);
        report(&mut world, true);
        later(&mut world, minutes);
        report(&mut world, false);
        assert_eq!(episode(&world).opened == opened, same, "after {minutes} minutes");
        assert!(episode(&world).is_open());
    }
}

#[test]
fn flapping_does_not_put_the_block_off() {
    let mut world = world();
    report(&mut world, false);
    later(&mut world, 23 * 60);
    report(&mut world, true);
    later(&mut world, 5);
    report(&mut world, false);
    later(&mut world, 55);
    assert_eq!(report(&mut world, false), ["blockAccess D001"]);
}

#[test]
fn a_clock_that_was_set_back_when_it_began_blocks_nobody_early() {
    let mut world = world();
    let right = world.now;
    world.now = right + TimeDelta::hours(-48);
    world.heard.clear();
    world.hear("A", json!({"encryption": {"enabled": false}, "at": right}));
    world.pass();
    assert!(episode(&world).is_open());
    world.now = right;
    assert_eq!(report(&mut world, false), [""; 0], "it has not been 24 hours");
}

#[test]
fn a_clock_that_is_set_back_restores_nothing() {
    let mut world = world();
    report(&mut world, false);
    later(&mut world, 25 * 60);
    assert_eq!(report(&mut world, false), ["blockAccess D001"]);
    later(&mut world, -3 * 60);
    assert_eq!(world.settle(), [""; 0]);
}

#[test]
fn an_order_about_access_that_failed_is_given_again_under_its_intent_and_one_that_was_refused_is_held()
 {
    let mut world = world();
    report(&mut world, false);
    later(&mut world, 25 * 60);
    world.hear("A", json!({"encryption": {"enabled": false}}));
    world.refuses = Some(ErrorClass::Transient);
    world.pass();
    let intent = episode(&world).block.as_ref().unwrap().intent;
    world.refuses = None;
    assert_eq!(world.settle(), ["blockAccess D001"]);
    assert_eq!(episode(&world).block.as_ref().unwrap().intent, intent);
    world.refuses = Some(ErrorClass::Permanent);
    later(&mut world, 1);
    world.hear("A", json!({"encryption": {"enabled": true}}));
    world.pass();
    let plan = world.plan();
    assert_eq!(plan.actions, vec![]);
    assert!(plan.holds.iter().any(|hold| hold.reason == HoldReason::ProviderRefused));
}

#[test]
fn evidence_that_is_missing_for_too_long_is_an_episode_of_its_own() {
    let mut world = world();
    later(&mut world, 23 * 60);
    assert_eq!(world.settle(), [""; 0]);
    later(&mut world, 61);
    assert_eq!(world.settle(), ["evidenceMissing D001"]);
    assert_eq!(episode(&world).kind, EpisodeKind::Unknown);
    later(&mut world, 48 * 60);
    assert_eq!(world.settle(), [""; 0], "it blocks nobody");
    assert_eq!(report(&mut world, true), ["evidenceReturned D001"]);
    later(&mut world, 25 * 60);
    assert_eq!(world.settle(), ["evidenceMissing D001"]);
    let unknown = episode(&world).opened;
    assert_eq!(report(&mut world, false), ["compliance D001"]);
    assert!(episode(&world).opened > unknown && episode(&world).kind == EpisodeKind::NonCompliant);
}

#[test]
fn facts_that_are_missing_for_too_long_are_an_episode_of_its_own() {
    let mut world = world();
    world.hear("A", json!({}));
    assert_eq!(world.settle(), ["compliance D001"]);
    for _ in 0..5 {
        later(&mut world, 6 * 60);
        world.hear("A", json!({}));
        world.pass();
    }
    assert_eq!(episode(&world).kind, EpisodeKind::Unknown);
}

#[test]
fn a_device_that_nobody_declares_any_more_stays_blocked_until_it_is_fixed() {
    let mut world = world();
    report(&mut world, false);
    later(&mut world, 25 * 60);
    report(&mut world, false);
    world.take("A");
    world.put(super::world::device("B"));
    assert!(world.settle().contains(&"orphan D001".to_owned()));
    later(&mut world, 1);
    assert!(episode(&world).block.as_ref().unwrap().blocked_since().is_some());
    assert_eq!(report(&mut world, true), ["compliance D001", "restoreAccess D001"]);
}

#[test]
fn a_device_that_was_erased_fails_nothing_any_more_and_is_not_blocked() {
    for hours in [1, 25] {
        let mut world = world();
        report(&mut world, false);
        later(&mut world, hours * 60);
        let blocked = report(&mut world, false) == ["blockAccess D001"];
        later(&mut world, 1);
        world.hear("A", json!({"wiped": true}));
        let done = world.settle();
        assert_eq!(done.contains(&"restoreAccess D001".to_owned()), blocked, "{done:?}");
        assert!(!episode(&world).is_open());
        later(&mut world, 48 * 60);
        assert_eq!(world.settle(), [""; 0]);
    }
}

/// What a random life of a fleet has done to a device, by its log alone.
#[derive(Default)]
struct Tale {
    open: Option<u64>,
    blocked: bool,
    compliant: bool,
}

#[test]
fn whatever_happens_in_whatever_order_episodes_do_not_overlap_and_each_block_is_restored() {
    for seed in 0..60_u64 {
        let mut state = seed * 2 + 1;
        // As good as chance, and the same each time (splitmix64).
        let mut below = |n: u64| {
            state = u64::wrapping_add(state, 0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            ((mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33) % n
        };
        let serials = ["A", "B", "C"];
        let mut world = World::enrolled(&serials);
        world.settings.unknown_after = TimeDelta::hours(24);
        for _ in 0..60 {
            // Now and then the clock is set back.
            let minutes = if below(20) == 0 { -90 } else { below(400) as i64 };
            later(&mut world, minutes);
            let serial = serials[below(3) as usize];
            match below(8) {
                0..5 => {
                    let encrypted = below(2) == 0;
                    world.hear(serial, json!({"encryption": {"enabled": encrypted}}));
                }
                5 => world.take(serial),
                6 => world.put(super::world::device(serial)),
                _ => world.hear(serial, json!({})),
            }
            world.refuses = (below(3) == 0).then_some(ErrorClass::Transient);
            world.pass();
            if below(10) == 0 {
                // A restart without the snapshot: the log does not have telemetry.
                world.forget_telemetry();
            }
            for device in world.state.devices.values() {
                let Some(episode) = device.episode.as_deref() else { continue };
                assert!(episode.ended.is_none_or(|at| at >= episode.since), "seed {seed}");
            }
        }
        // Whatever failed works again, and everybody is fine.
        world.refuses = None;
        for serial in serials {
            world.put(super::world::device(serial));
        }
        later(&mut world, 600);
        world.pass();
        later(&mut world, 600);
        for serial in serials {
            world.hear(serial, json!({"encryption": {"enabled": true}}));
        }
        world.settle();
        let mut tales: std::collections::BTreeMap<_, Tale> = Default::default();
        for entry in &world.entries {
            let Some(id) = entry.device else { continue };
            let tale = tales.entry(id).or_default();
            match &entry.event {
                Event::AccessBlocked(_) => tale.blocked = true,
                Event::AccessRestored(_) => tale.blocked = false,
                Event::EvidenceMissing(_) => {
                    let before = tale.open.replace(entry.seq);
                    assert_eq!(before, None, "seed {seed}: two at a time");
                }
                Event::EvidenceReturned(_) => tale.open = None,
                Event::ComplianceChanged(changed) => {
                    tale.compliant = changed.to == ComplianceState::Compliant;
                    match changed.to {
                        ComplianceState::Compliant => tale.open = None,
                        ComplianceState::NonCompliant => tale.open = Some(entry.seq),
                        ComplianceState::Unknown => {}
                    }
                }
                _ => {}
            }
        }
        for (id, tale) in tales {
            assert!(tale.compliant && !tale.blocked, "seed {seed}: {id} stays blocked");
            assert_eq!(tale.open, None, "seed {seed}: {id}");
        }
    }
}
