//! Requests that hold: accepted, cooling off, issued, and in which order.

use chrono::TimeDelta;

use super::requests::*;
use crate::domain::model::{Digest, Status};
use crate::domain::plan::HoldReason;
use crate::domain::state::event::{Event, WipeDeferred};
use crate::domain::state::{DEFERRED, WipeState};
use crate::domain::wipe::target::{LogHead, LoggedHead};

#[test]
fn a_request_that_holds_is_accepted_and_issued_and_nothing_else_is_done_to_its_device() {
    let mut world = world(&["A1", "B2"]);
    let request = ask(&mut world, "lost", "A1", &[ANA]);
    let shown = view(&world, "lost");
    assert_eq!(stands(&world, "lost"), told("issue", "issue"));
    assert_eq!((shown.new, shown.needs, shown.until), (true, Some(1), None));
    assert_eq!(shown.user.map(|user| user.to_string()), Some(ANA.to_owned()));
    assert_eq!(world.settle(), ["acceptWipe D001", "wipe D001"]);
    assert_eq!(world.state.wipes[&request].state, WipeState::Issued);
    assert_eq!(stands(&world, "lost"), told("issued", "issued"));
    move_device(&mut world, "A1", BOB);
    move_device(&mut world, "B2", BOB);
    assert_eq!(world.settle(), ["update D002"]);
    assert!(world.holds().iter().all(|held| held.1 == HoldReason::WipeUnderWay));
    assert_eq!(world.status("A1"), Status::Enrolled, "until the device says that it is erased");
}

#[test]
fn an_accepted_request_is_issued_at_the_very_end_of_its_cooling_off() {
    let mut world = world(&["A1"]);
    world.settings.wipes.delay = TimeDelta::hours(1);
    ask(&mut world, "lost", "A1", &[ANA]);
    let end = world.now + TimeDelta::hours(1);
    assert_eq!(world.settle(), ["acceptWipe D001"]);
    move_device(&mut world, "A1", BOB);
    for (millis, standing) in [(0, "coolingOff"), (3_599_999, "coolingOff"), (3_600_000, "issue")] {
        world.now = end + TimeDelta::milliseconds(millis - 3_600_000);
        let shown = view(&world, "lost");
        assert_eq!(stands(&world, "lost"), told(standing, standing), "{millis}");
        assert!(!shown.new, "{millis}");
        assert_eq!(shown.until, Some(end).filter(|_| standing == "coolingOff"), "{millis}");
        let expected: &[&str] = if standing == "issue" { &["wipe D001"] } else { &[] };
        assert_eq!(world.settle(), expected, "{millis}");
    }
}

#[test]
fn each_request_of_a_pass_counts_for_the_next_one() {
    let mut world = world(&["A1", "B2", "C3"]);
    world.settings.wipes.quorum = tiers(&[(1, 1), (2, 2)]);
    ask(&mut world, "one", "A1", &[ANA]);
    ask_for(&mut world, "two", "B2", &[ANA], |request| {
        request.issued_at = request.issued_at + TimeDelta::seconds(-1);
    });
    ask(&mut world, "three", "C3", &[ANA]);
    // By `issuedAt`: the second goes first.
    let kinds = world.settle();
    assert_eq!(kinds, ["holdWipe D001", "holdWipe D003", "acceptWipe D002", "wipe D002"]);
    for name in ["one", "three"] {
        let shown = view(&world, name);
        assert_eq!(stands(&world, name), told("held", "needsSignatures"));
        assert_eq!((shown.needs, shown.until), (Some(2), Some(world.now + TimeDelta::days(1))));
    }
    sign(&mut world, "one", BOB);
    sign(&mut world, "three", BOB);
    let kinds = world.settle();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert!(kinds[0].starts_with("holdWipe"), "one of both has no place: {kinds:?}");
    assert!(kinds[2].starts_with("wipe"), "{kinds:?}");
}

#[test]
fn who_was_accepted_first_keeps_the_place() {
    let mut world = world(&["A1", "B2"]);
    world.settings.wipes.quorum = tiers(&[(1, 1)]);
    world.settings.wipes.delay = TimeDelta::hours(1);
    ask(&mut world, "first", "A1", &[ANA]);
    assert_eq!(world.settle(), ["acceptWipe D001"]);
    // Dated before it, and seen after it.
    ask_for(&mut world, "second", "B2", &[ANA], |request| {
        request.issued_at = request.issued_at + TimeDelta::hours(-1);
    });
    assert_eq!(world.settle(), ["holdWipe D002"]);
    assert_eq!(stands(&world, "first"), told("coolingOff", "coolingOff"));
    assert_eq!(stands(&world, "second"), told("held", "overEveryTier"));
}

#[test]
fn a_held_request_that_lacks_nothing_any_more_is_accepted() {
    let mut world = world(&["A1"]);
    world.settings.wipes.quorum = tiers(&[(1, 2)]);
    ask(&mut world, "lost", "A1", &[ANA]);
    assert!(view(&world, "lost").new);
    assert_eq!(world.settle(), ["holdWipe D001"]);
    assert!(!view(&world, "lost").new, "it is said once");
    sign(&mut world, "lost", BOB);
    assert_eq!(view(&world, "lost").needs, Some(2));
    assert_eq!(world.settle(), ["acceptWipe D001", "wipe D001"]);
}

#[test]
fn one_device_has_one_wipe_under_way() {
    let mut world = world(&["A1"]);
    world.settings.wipes.delay = TimeDelta::hours(1);
    ask(&mut world, "one", "A1", &[ANA]);
    assert_eq!(world.settle(), ["acceptWipe D001"]);
    ask(&mut world, "two", "A1", &[ANA]);
    assert_eq!(world.settle(), ["holdWipe D001"]);
    assert_eq!(stands(&world, "two"), told("held", "deviceBusy"));
    assert_eq!(view(&world, "two").detail, "another wipe of D001 is in progress");
    assert_eq!(stands(&world, "one"), told("coolingOff", "coolingOff"));
    let until = world.now + TimeDelta::days(1);
    later(&mut world, TimeDelta::hours(1));
    assert_eq!(world.settle(), ["wipe D001"]);
    let detail = view(&world, "two").detail;
    assert!(detail.contains("is issued and not confirmed"), "{detail}");
    assert!(detail.ends_with(&format!("until {}", until.short())), "{detail}");
}

#[test]
fn a_wipe_that_the_provider_did_not_get_is_tried_again_when_that_is_said() {
    let mut world = world(&["A1"]);
    let request = ask(&mut world, "lost", "A1", &[ANA]);
    world.settle();
    let (intent, until) = (world.state.wipes[&request].intent, world.now + TimeDelta::minutes(5));
    let deferred = WipeDeferred {
        request,
        intent: intent.expect("issued"),
        reason: "busy".into(),
        until,
        approval: None,
    };
    let device = world.state.wipes[&request].subject.device_id;
    world.log(Some(device), None, Event::WipeDeferred(Box::new(deferred)));
    let shown = view(&world, "lost");
    assert_eq!(stands(&world, "lost"), told("coolingOff", DEFERRED));
    assert_eq!(shown.detail, format!("not issued yet: busy; tried again from {}", until.short()));
    assert_eq!((shown.until, shown.new), (Some(until), false));
    assert_eq!(world.settle(), Vec::<String>::new());
    world.now = until;
    assert_eq!(world.settle(), ["wipe D001"]);
}

#[test]
fn an_entry_that_a_request_names_is_looked_up_by_its_number() {
    let head = |seq| LogHead { seq, hash: Digest::of(&[u8::try_from(seq).expect("small")]) };
    for (named, expected) in [
        (1, told("issue", "issue")),
        (2, told("issue", "issue")),
        (3, told("refused", "headUnknown")),
    ] {
        let mut world = world(&["A1"]);
        world.heads = [1, 2].map(|seq| LoggedHead { head: head(seq), at: world.now }).to_vec();
        ask_for(&mut world, "lost", "A1", &[ANA], |request| request.head = Some(head(named)));
        assert_eq!(stands(&world, "lost"), expected, "{named}");
    }
}
