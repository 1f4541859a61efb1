//! Clocks that were set back, and when an accepted request may be issued.

use chrono::TimeDelta;

use super::requests::*;
use crate::domain::model::Timestamp;
use crate::domain::plan::wipes::clock::{clock_behind, issue_at, time_ahead_of};
use crate::domain::state::{DEFERRED, WipeState};

#[test]
fn nothing_is_issued_by_a_clock_behind_the_log_or_more_than_five_seconds_behind_another() {
    let millis = TimeDelta::milliseconds;
    for (logged, seen, behind) in [
        (millis(0), None, None),
        (millis(-1), None, None),
        (millis(1), None, Some(millis(1))),
        (millis(0), Some(millis(-1)), None),
        (millis(0), Some(millis(5_000)), None),
        (millis(0), Some(millis(5_001)), Some(millis(5_001))),
        (millis(7_000), Some(millis(6_000)), Some(millis(7_000))),
        (millis(6_000), Some(millis(7_000)), Some(millis(7_000))),
    ] {
        let mut world = world(&["A1"]);
        ask(&mut world, "lost", "A1", &[ANA]);
        world.state.at = Some(world.now + logged);
        world.clock = seen.map(|seen| world.now + seen);
        let behind = behind.map(|behind| world.now + behind);
        assert_eq!(time_ahead_of(&world.inputs()), behind, "{logged} {seen:?}");
        let standing =
            if behind.is_some() { told("held", "clockBehind") } else { told("issue", "issue") };
        assert_eq!(stands(&world, "lost"), standing, "{logged} {seen:?}");
        if let Some(at) = behind {
            assert_eq!(world.settle(), Vec::<String>::new(), "nothing is logged by it");
            assert_eq!(view(&world, "lost").detail, clock_behind(at));
        }
    }
}

#[test]
fn a_clock_that_is_behind_is_told_with_the_time_and_the_remedy() {
    let at: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
    let said = clock_behind(at);
    assert!(said.contains(&at.short().to_string()) && said.ends_with("fix the clock"), "{said}");
}

#[test]
fn a_veto_and_what_is_final_count_by_any_clock() {
    for (signer, serial, code, kinds) in [
        (Some(BOB), "A1", "veto", &["vetoWipe D001"]),
        (None, "B2", "serialMismatch", &["refuseWipe D001"]),
    ] {
        let mut world = world(&["A1"]);
        ask_for(&mut world, "lost", "A1", &[ANA], |request| {
            request.serial = serial.parse().expect("a serial");
        });
        signer.into_iter().for_each(|signer| veto(&mut world, "lost", signer));
        later(&mut world, TimeDelta::hours(-3));
        assert_eq!(stands(&world, "lost").1, code);
        assert_eq!(world.settle(), kinds);
    }
}

#[test]
fn a_raised_delay_counts_for_those_accepted_before_and_not_for_those_issued_or_deferred() {
    let mut world = world(&["A1"]);
    world.settings.wipes.delay = TimeDelta::hours(1);
    let request = ask(&mut world, "lost", "A1", &[ANA]);
    world.settle();
    let accepted = world.state.wipes[&request].clone();
    let hours = |hours| accepted.since + TimeDelta::hours(hours);
    for (state, code, delay, expected) in [
        (WipeState::Accepted, None, 0, 1),
        (WipeState::Accepted, None, 1, 1),
        (WipeState::Accepted, None, 3, 3),
        (WipeState::Accepted, Some("else"), 3, 3),
        (WipeState::Accepted, Some(DEFERRED), 3, 1),
        (WipeState::Issued, None, 3, 1),
        (WipeState::Issued, Some(DEFERRED), 3, 1),
    ] {
        let mut wipe = accepted.clone();
        (wipe.state, wipe.code) = (state, code.map(Into::into));
        let at = issue_at(&wipe, TimeDelta::hours(delay));
        assert_eq!(at, Some(hours(expected)), "{state} {code:?} {delay}");
    }
    world.settings.wipes.delay = TimeDelta::hours(3);
    assert_eq!(view(&world, "lost").until, Some(hours(3)));
    world.settings.wipes.delay = TimeDelta::zero();
    assert_eq!(view(&world, "lost").until, Some(hours(1)));
}
