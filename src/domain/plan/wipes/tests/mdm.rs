//! Wipes in an MDM that tells how far they have come, wants approvals, and takes so many in a day.

use chrono::TimeDelta;

use super::requests::*;
use crate::domain::model::{Digest, Status, WipeScope};
use crate::domain::plan::tests::World;
use crate::domain::plan::{Op, WipeNews, WipeStep, left_today};
use crate::domain::settings::DailyWipes;
use crate::domain::state::WipeState;
use crate::domain::state::event::{Event, WipeDeferred, WipeStage};

fn news(request: Digest, intent: Option<u64>, step: WipeStep) -> WipeNews {
    let target = Some("705c-1".parse().expect("an id"));
    WipeNews { request, intent, step, target, detail: "Intune says so".to_owned() }
}

/// A wipe of A1 that is issued.
fn issued() -> (World, Digest, Option<u64>) {
    let mut world = world(&["A1", "B2"]);
    let request = ask(&mut world, "lost", "A1", &[ANA]);
    world.settle();
    let intent = world.state.wipes[&request].intent;
    assert!(intent.is_some());
    (world, request, intent)
}

/// A wipe of A1 that waits for approval in the MDM.
fn awaiting() -> (World, Digest) {
    let (mut world, request, intent) = issued();
    let deferred = WipeDeferred {
        request,
        intent: intent.expect("issued"),
        reason: "needs approval".into(),
        until: world.now,
        approval: Some("aabb-1".into()),
    };
    let device = world.state.wipes[&request].subject.device_id;
    world.log(Some(device), None, Event::WipeDeferred(Box::new(deferred)));
    (world, request)
}

#[test]
fn each_stage_is_logged_once_and_none_goes_back() {
    let (mut world, request, intent) = issued();
    for (stage, expected) in [
        (WipeStage::Delivered, &["wipeProgress D001"][..]),
        (WipeStage::Delivered, &[]),
        (WipeStage::Sent, &["wipeProgress D001"]),
        (WipeStage::Delivered, &[]),
        (WipeStage::Sent, &[]),
    ] {
        world.news.wipes = vec![news(request, intent, WipeStep::Stage(stage))];
        assert_eq!(world.settle(), expected, "{stage}");
    }
    let progress = world.state.wipes[&request].progress.clone().expect("progress");
    assert_eq!(progress.stage, WipeStage::Sent);
    assert!(view(&world, "lost").detail.contains("Intune says so"));
}

#[test]
fn what_is_told_of_another_intent_or_of_an_unknown_request_counts_for_nothing() {
    let (mut world, request, intent) = issued();
    let other = intent.map(|intent| intent + 1);
    for (request, intent) in [(request, other), (request, None), (Digest::of(b"x"), intent)] {
        for step in [
            WipeStep::Stage(WipeStage::Sent),
            WipeStep::Done(world.now),
            WipeStep::NotTaken,
            WipeStep::Failed,
        ] {
            world.news.wipes = vec![news(request, intent, step.clone())];
            assert_eq!(world.settle(), Vec::<String>::new(), "{step:?}");
        }
    }
}

#[test]
fn a_device_is_wiped_when_the_mdm_says_that_it_is_done_also_after_expiry() {
    for wait in [TimeDelta::hours(1), TimeDelta::days(3)] {
        let (mut world, request, intent) = issued();
        later(&mut world, wait);
        if wait > TimeDelta::days(1) {
            assert_eq!(world.settle(), ["withdrawWipe D001"]);
        }
        world.news.wipes = vec![news(request, intent, WipeStep::Done(world.now))];
        assert_eq!(world.settle(), ["confirmWipe D001", "status D001", "compliance D001"]);
        assert_eq!(world.status("A1"), Status::Wiped);
        assert_eq!(world.state.wipes[&request].state, WipeState::Confirmed);
        world.news.wipes = vec![news(request, intent, WipeStep::Done(world.now))];
        assert_eq!(world.settle(), Vec::<String>::new(), "once");
    }
}

#[test]
fn a_failure_in_the_mdm_ends_the_wipe_with_its_reason_and_frees_the_device() {
    let (mut world, request, intent) = issued();
    world.news.wipes = vec![news(request, intent, WipeStep::Failed)];
    assert_eq!(world.settle(), ["failWipe D001"]);
    let known = &world.state.wipes[&request];
    assert_eq!((known.state, known.detail.as_str()), (WipeState::Failed, "Intune says so"));
    ask(&mut world, "again", "A1", &[BOB]);
    assert_eq!(world.settle(), ["acceptWipe D001", "wipe D001"]);
}

#[test]
fn what_was_surely_not_taken_is_given_again_under_a_new_intent() {
    let (mut world, request, intent) = issued();
    world.news.wipes = vec![news(request, intent, WipeStep::NotTaken)];
    assert_eq!(world.pass(), ["deferWipe D001"]);
    assert_eq!(world.state.wipes[&request].state, WipeState::Accepted);
    assert_eq!(world.settle(), ["wipe D001"]);
    let again = world.state.wipes[&request].intent;
    assert!(again > intent, "{again:?}");
}

#[test]
fn what_the_mdm_took_once_or_what_expired_is_never_given_again() {
    let (mut world, request, intent) = issued();
    world.news.wipes = vec![news(request, intent, WipeStep::Stage(WipeStage::Delivered))];
    world.settle();
    world.news.wipes = vec![news(request, intent, WipeStep::NotTaken)];
    assert_eq!(world.settle(), Vec::<String>::new());

    let (mut world, request, intent) = issued();
    later(&mut world, TimeDelta::days(2));
    world.news.wipes = vec![news(request, intent, WipeStep::NotTaken)];
    assert_eq!(world.settle(), ["withdrawWipe D001"]);
}

#[test]
fn a_request_waits_for_its_approval_and_burns_no_signature() {
    let (mut world, request) = awaiting();
    let view = view(&world, "lost");
    assert_eq!((view.standing.as_str(), &*view.code), ("awaitingApproval", "awaitingApproval"));
    assert!(view.detail.contains("aabb-1") && view.detail.contains("Multi Admin Approval"));
    assert_eq!(world.settle(), Vec::<String>::new(), "however often it is looked at");
    ask(&mut world, "other", "A1", &[BOB]);
    assert_eq!(world.settle(), ["holdWipe D001"], "it keeps its device");
    delete(&mut world, "other");
    world.settle();
    let approved = news(request, None, WipeStep::Stage(WipeStage::Approved));
    world.news.wipes = vec![approved];
    assert_eq!(world.settle(), ["wipeProgress D001", "wipe D001"]);
    let known = &world.state.wipes[&request];
    assert_eq!(known.state, WipeState::Issued);
    let approval = known.approval.as_ref().expect("an approval");
    assert_eq!((&*approval.code, approval.given), ("aabb-1", true), "the provider sends it along");
}

#[test]
fn an_approval_that_was_given_survives_a_provider_that_is_busy_afterwards() {
    let (mut world, request) = awaiting();
    world.news.wipes = vec![news(request, None, WipeStep::Stage(WipeStage::Approved))];
    world.settle();
    let wipe = &world.state.wipes[&request];
    let (device, intent) = (wipe.subject.device_id, wipe.intent.expect("issued"));
    let busy = WipeDeferred {
        request,
        intent,
        reason: "429".into(),
        until: world.now + TimeDelta::minutes(5),
        approval: None,
    };
    world.log(Some(device), None, Event::WipeDeferred(Box::new(busy)));
    later(&mut world, TimeDelta::minutes(5));
    assert_eq!(world.settle(), ["wipe D001"]);
}

#[test]
fn an_approval_that_is_not_given_ends_the_request_with_its_reason() {
    for code in ["approvalRejected", "approvalCancelled", "approvalExpired"] {
        let (mut world, request) = awaiting();
        world.news.wipes = vec![news(request, None, WipeStep::NotApproved(code))];
        assert_eq!(world.settle(), ["refuseWipe D001"], "{code}");
        let known = &world.state.wipes[&request];
        assert_eq!(known.state, WipeState::RefusedForGood);
        assert_eq!((known.code.as_deref(), &*known.detail), (Some(code), "Intune says so"));
    }
}

#[test]
fn a_veto_stops_what_waits_for_approval() {
    let (mut world, _) = awaiting();
    veto(&mut world, "lost", BOB);
    assert_eq!(world.settle(), ["vetoWipe D001"]);
}

#[test]
fn a_provider_that_cannot_wipe_holds_every_request_with_its_reason() {
    let mut world = world(&["A1"]);
    world.settings.provider.cannot_wipe = Some("no app registration may".to_owned());
    ask(&mut world, "lost", "A1", &[ANA]);
    assert_eq!(world.settle(), ["holdWipe D001"]);
    let view = view(&world, "lost");
    assert_eq!(&*view.code, "providerCannotWipe");
    assert!(view.detail.contains("no app registration may"), "{}", view.detail);
    world.settings.provider.cannot_wipe = None;
    assert_eq!(world.settle(), ["acceptWipe D001", "wipe D001"]);
}

#[test]
fn what_is_beyond_the_caps_of_a_day_waits_for_the_next_one() {
    let mut world = world(&["A1", "B2", "C3", "D4"]);
    world.settings.wipes.quorum = tiers(&[(99, 1)]);
    world.settings.provider.per_day = Some(DailyWipes { full: 2, selective: 1 });
    for (name, serial) in [("a", "A1"), ("b", "B2"), ("c", "C3")] {
        ask(&mut world, name, serial, &[ANA]);
        later(&mut world, TimeDelta::seconds(1));
    }
    let selective =
        |request: &mut crate::domain::wipe::Request| request.scope = WipeScope::Selective;
    ask_for(&mut world, "d", "D4", &[ANA], selective);
    let done = world.settle();
    assert_eq!(done.iter().filter(|kind| kind.starts_with("wipe ")).count(), 3, "{done:?}");
    let view = view(&world, "c");
    assert_eq!(&*view.code, "dailyCap");
    // The world's day ends at midnight UTC.
    let midnight = "2026-11-23T00:00:00Z".parse().expect("a time");
    assert_eq!(view.until, Some(midnight));
    world.now = midnight + TimeDelta::milliseconds(-1);
    assert_eq!(world.settle(), Vec::<String>::new());
    world.now = midnight;
    assert_eq!(world.settle(), ["acceptWipe D003", "wipe D003"]);
}

#[test]
fn a_planned_wipe_carries_what_it_rests_on() {
    let (mut world, request) = awaiting();
    world.news.wipes = vec![news(request, None, WipeStep::Stage(WipeStage::Approved))];
    let wipes =
        world.plan().actions.into_iter().filter(|a| matches!(a.op, Op::Wipe { .. })).count();
    assert_eq!(wipes, 1);
}

#[test]
fn what_was_issued_today_is_not_left_and_tomorrow_all_of_it_is() {
    let (mut world, ..) = issued();
    let most = DailyWipes { full: 3, selective: 3 };
    let left = left_today(most, &world.state, world.now);
    assert_eq!(left.full + left.selective, 5, "{left:?}");
    later(&mut world, TimeDelta::days(1));
    assert_eq!(left_today(most, &world.state, world.now), most);
}
