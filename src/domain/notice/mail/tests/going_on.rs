//! What is told of an episode that goes on: to another user, once it is blocked again, and when its device
//! is not what it was.

use serde_json::{Value, json};

use super::world::{World, letter, shown};
use crate::domain::notice::{Job, Topic};

fn of(jobs: &[Job], topic: Topic) -> Job {
    jobs.iter().find(|job| job.topic == topic).expect("it follows").clone()
}

fn given_to(world: &mut World, from: &str, to: &str) -> Vec<Job> {
    let change = json!({"field": "userEmail", "from": from, "to": to});
    world.log(Some("D001"), "device.updated", &json!({"changes": [change]}))
}

/// Access is blocked, or restored.
fn access(world: &mut World, blocked: bool) -> Vec<Job> {
    let order = json!({"intent": world.state.seq + 1, "blocked": blocked});
    world.log(Some("D001"), "access.intended", &order);
    let kind = if blocked { "access.blocked" } else { "access.restored" };
    world.log(Some("D001"), kind, &order)
}

fn unknown(world: &mut World) -> Vec<Job> {
    let verdict = json!({"from": "nonCompliant", "to": "unknown", "failing": [],
        "missing": ["encryption"]});
    world.log(Some("D001"), "compliance.changed", &verdict)
}

const ANA: &str = "ana@example.com";
const EVE: &str = "eve@example.com";

#[test]
fn who_uses_the_device_now_is_told_and_reminded_once() {
    let mut world = World::new();
    world.mail.cc = vec!["boss@example.com".parse().unwrap()];
    world.mail.it = vec!["ops@example.com".parse().unwrap()];
    let begun = world.judged("D001", false);
    world.sent(&begun[0]);
    world.wait(60);
    let again = given_to(&mut world, ANA, EVE);
    let expected = [
        "nonCompliant eve@example.com",
        "nonCompliant boss@example.com copy of eve@example.com",
        "reminder eve@example.com at 2026-11-26T05:00:00Z",
        "reminder boss@example.com copy of eve@example.com at 2026-11-26T05:00:00Z",
    ];
    assert_eq!(shown(&again), expected, "IT knows");
    assert!(again.iter().all(|job| job.episode == begun[0].episode));
    assert!(again.iter().all(|job| world.obsolete(job).is_none()));
    assert_eq!(letter(&again[0]).ends, letter(&begun[0]).ends);
    let old = world.obsolete(&of(&begun, Topic::Reminder));
    assert_eq!(old.unwrap(), "the device has another user now");
    world.sent(&again[0]);
    assert_eq!(world.obsolete(&again[0]).unwrap(), "the user knows already");
    assert_eq!(world.obsolete(&again[1]), None, "its copy goes out after it");
    assert_eq!(world.obsolete(&of(&again, Topic::Reminder)), None);
    assert_eq!(shown(&given_to(&mut world, EVE, EVE)), expected[2..], "she was told");
}

#[test]
fn who_gets_copies_hears_of_the_end_after_the_user() {
    let mut world = World::new();
    world.mail.cc = vec!["boss@example.com".parse().unwrap()];
    let begun = world.judged("D001", false);
    world.sent(&begun[0]);
    world.wait(60);
    let good = world.judged("D001", true);
    world.sent(&good[0]);
    assert_eq!(world.obsolete(&good[0]).unwrap(), "the user knows already");
    assert_eq!(world.obsolete(&good[1]), None);
}

#[test]
fn a_first_mail_that_still_waits_goes_to_the_new_user() {
    let mut world = World::new();
    let begun = world.judged("D001", false);
    world.wait(1);
    let again = given_to(&mut world, ANA, EVE);
    assert_eq!(world.obsolete(&begun[0]).unwrap(), "the device has another user now");
    assert_eq!(world.obsolete(&again[0]), None);
    // And on to a third.
    let third = given_to(&mut world, EVE, "bob@example.es");
    assert_eq!(world.obsolete(&again[0]).unwrap(), "the device has another user now");
    assert_eq!(shown(&third)[0], "nonCompliant bob@example.es");
    assert_eq!(world.obsolete(&third[0]), None);
}

#[test]
fn close_to_the_end_a_new_user_is_told_and_not_reminded_and_after_it_of_the_block() {
    let mut world = World::new();
    world.judged("D001", false);
    world.wait(21 * 60);
    assert_eq!(shown(&given_to(&mut world, ANA, EVE)), ["nonCompliant eve@example.com"]);
    world.wait(3 * 60);
    access(&mut world, true);
    assert_eq!(shown(&given_to(&mut world, EVE, ANA)), ["blocked ana@example.com"]);
}

#[test]
fn a_new_user_of_a_device_in_order_hears_nothing() {
    let mut world = World::new();
    assert_eq!(shown(&given_to(&mut world, ANA, EVE)), [""; 0]);
    world.judged("D001", false);
    world.judged("D001", true);
    assert_eq!(shown(&given_to(&mut world, EVE, ANA)), [""; 0]);
}

#[test]
fn whoever_missed_the_first_mail_while_the_device_flapped_is_told_when_it_fails_again() {
    let mut world = World::new();
    let first = world.judged("D001", false).swap_remove(0);
    world.wait(2);
    world.judged("D001", true);
    world.wait(2);
    let again = world.judged("D001", false);
    assert_eq!(shown(&again), ["nonCompliant ana@example.com"]);
    let why = "it was in order in between, and what it fails since is told by itself";
    assert_eq!(world.obsolete(&first).unwrap(), why);
    assert_eq!(world.obsolete(&again[0]), None);
    assert_eq!(again[0].episode, first.episode);
}

#[test]
fn a_block_is_told_once_an_episode_and_again_only_after_another_reminder() {
    let mut world = World::new();
    world.mail.cc = vec!["boss@example.com".parse().unwrap()];
    let begun = world.judged("D001", false);
    world.sent(&begun[0]);
    world.wait(24 * 60);
    let first = access(&mut world, true);
    world.sent(&first[0]);
    assert_eq!(world.obsolete(&first[1]), None, "the copy of it");
    for _ in 0..3 {
        world.wait(2);
        world.judged("D001", true);
        access(&mut world, false);
        world.wait(1);
        world.judged("D001", false);
        let again = access(&mut world, true);
        let why: Vec<_> = again.iter().filter_map(|job| world.obsolete(job)).collect();
        assert_eq!(why, ["the user knows already"; 2]);
    }
    // An exemption restored access, and its end was announced.
    access(&mut world, false);
    world.wait(60);
    world.sent(&of(&begun, Topic::Reminder));
    world.wait(60);
    let again = access(&mut world, true);
    assert_eq!(world.obsolete(&again[0]), None);
}

#[test]
fn of_two_blocks_that_wait_the_last_is_told() {
    let mut world = World::new();
    world.judged("D001", false);
    let first = access(&mut world, true).swap_remove(0);
    world.wait(1);
    access(&mut world, false);
    let second = access(&mut world, true).swap_remove(0);
    let why = "access was blocked again since, and that is told by itself";
    assert_eq!(world.obsolete(&first).unwrap(), why);
    assert_eq!(world.obsolete(&second), None);
}

#[test]
fn of_a_device_that_was_erased_nothing_is_told() {
    let mut world = World::new();
    let begun = world.judged("D001", false);
    let erased: Value =
        json!({"serialNumber": "PF1", "origin": "inbox/r.json", "reportedAt": world.now});
    world.log(Some("D001"), "wipe.unrequested", &erased);
    for job in &begun {
        assert_eq!(world.obsolete(job).unwrap(), "the device was erased");
    }
    let device = &world.state.devices[&"D001".parse().unwrap()];
    assert!(device.open_episode().is_none(), "its episode ended with it");
    assert_eq!(shown(&given_to(&mut world, ANA, EVE)), [""; 0]);
}

#[test]
fn while_nobody_can_tell_what_it_fails_is_not_told_and_the_reminder_is() {
    let mut world = World::new();
    let begun = world.judged("D001", false);
    unknown(&mut world);
    let why = "it is not known any more whether the device is compliant";
    assert_eq!(world.obsolete(&begun[0]).unwrap(), why);
    assert_eq!(world.obsolete(&begun[1]), None, "access ends all the same");
    world.wait(5);
    let again = world.log(
        Some("D001"),
        "compliance.changed",
        &json!({"from": "unknown", "to": "nonCompliant", "failing": ["encryption"]}),
    );
    assert_eq!(shown(&again), ["nonCompliant ana@example.com"]);
    assert_eq!(world.obsolete(&again[0]), None);
}

#[test]
fn a_device_that_nobody_declares_is_not_blocked_and_nobody_is_told_so_until_it_is_adopted() {
    let mut world = World::new();
    let begun = world.judged("D001", false);
    world.log(Some("D001"), "device.orphaned", &json!({}));
    for job in &begun {
        assert_eq!(world.obsolete(job).unwrap(), "the manifest of the device is gone");
    }
    world.wait(60);
    let adopted = world.log(Some("D001"), "device.adopted", &json!({}));
    assert_eq!(shown(&adopted), ["nonCompliant ana@example.com"]);
    assert_eq!(world.obsolete(&begun[1]), None, "its reminder still waits");
    world.sent(&adopted[0]);
    world.log(Some("D001"), "device.orphaned", &json!({}));
    assert_eq!(shown(&world.log(Some("D001"), "device.adopted", &json!({}))), [""; 0]);
}
