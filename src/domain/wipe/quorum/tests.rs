//! The edges of every window, and a seeded storm of requests that never breaks a cap.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;

fn t(minutes: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000) + TimeDelta::minutes(minutes)
}

fn tier(up_to: u32, minutes: i64, signers: u32) -> Tier {
    Tier { up_to, per: TimeDelta::minutes(minutes), signers }
}

fn tiers(list: &[Tier]) -> Tiers {
    Tiers::new(list.to_vec()).unwrap()
}

fn now_with(tiers: &Tiers, issued: &[Timestamp], ahead: usize, now: i64, has: u32) -> Ruling {
    decide(tiers, History { issued, ahead, restored: None }, t(now), has)
}

fn held(ruling: Ruling) -> QuorumHold {
    match ruling {
        Ruling::Held(hold) => hold,
        Ruling::Issue { .. } => panic!("issued"),
    }
}

const ISSUE_1: Ruling = Ruling::Issue { needs: 1 };
const ISSUE_2: Ruling = Ruling::Issue { needs: 2 };
const DAY: i64 = 24 * 60;

#[test]
fn the_default_tiers_are_those_of_the_contract() {
    let tiers = Tiers::default();
    assert_eq!(tiers.as_slice(), [tier(3, DAY, 1), tier(25, DAY, 2)]);
    assert_eq!(Tiers::new(tiers.as_slice().to_vec()), Ok(tiers.clone()));
    for count in 0..30 {
        let issued = vec![t(-1); count];
        let one = now_with(&tiers, &issued, 0, 0, 1);
        let two = now_with(&tiers, &issued, 0, 0, 2);
        match count {
            0..=2 => assert_eq!((one, two), (ISSUE_1, ISSUE_1)),
            3..=24 => {
                let hold = held(one);
                assert_eq!((hold.reason, hold.needs, hold.has), (Lacks::Signatures, Some(2), 1));
                assert_eq!((hold.tier, hold.count), (Some(tier(3, DAY, 1)), count));
                assert_eq!(hold.until, Some(t(DAY - 1)));
                assert_eq!(two, ISSUE_2);
            }
            _ => {
                let hold = held(two);
                assert_eq!((hold.reason, hold.needs), (Lacks::Room, None));
                assert_eq!((hold.tier, hold.count), (Some(tier(25, DAY, 2)), count));
                assert_eq!(hold.until, Some(t(DAY - 1)));
                assert_eq!(held(one).reason, Lacks::Room);
                assert_eq!(held(now_with(&tiers, &issued, 0, 0, 1000)).reason, Lacks::Room);
            }
        }
    }
}

#[test]
fn a_wipe_exactly_one_window_ago_no_longer_counts() {
    let tiers = tiers(&[tier(1, 60, 1), tier(2, 60, 2)]);
    let just = |millis| t(-60) + TimeDelta::milliseconds(millis);
    assert_eq!(now_with(&tiers, &[just(0)], 0, 0, 1), ISSUE_1);
    assert_eq!(held(now_with(&tiers, &[just(1)], 0, 0, 1)).needs, Some(2));
    assert_eq!(now_with(&tiers, &[just(0), just(1)], 0, 0, 2), ISSUE_2);
    assert_eq!(held(now_with(&tiers, &[just(1), just(1)], 0, 0, 2)).needs, None);
    // The edge of each tier's own window.
    let two = self::tiers(&[tier(1, 60, 1), tier(2, 120, 2)]);
    let far = |millis| t(-120) + TimeDelta::milliseconds(millis);
    assert_eq!(now_with(&two, &[far(0), far(1)], 0, 0, 1), ISSUE_1);
    assert_eq!(held(now_with(&two, &[far(1), far(1)], 0, 0, 2)).reason, Lacks::Room);
}

#[test]
fn without_signatures_time_does_not_help() {
    let tiers = tiers(&[tier(1, 60, 2), tier(2, 60, 3)]);
    for issued in [&[][..], &[t(-1)], &[t(-1), t(-1)]] {
        let hold = held(now_with(&tiers, issued, 0, 0, 1));
        assert_eq!((hold.has, hold.until), (1, None));
    }
    let hold = held(now_with(&tiers, &[], 0, 0, 0));
    assert_eq!((hold.needs, hold.tier, hold.count), (Some(2), None, 0));
}

#[test]
fn what_is_ahead_in_the_pass_counts() {
    let tiers = Tiers::default();
    assert_eq!(now_with(&tiers, &[], 2, 0, 1), ISSUE_1);
    let hold = held(now_with(&tiers, &[], 3, 0, 1));
    assert_eq!((hold.needs, hold.count, hold.until), (Some(2), 3, Some(t(DAY))));
    assert_eq!(held(now_with(&tiers, &[t(-1)], 2, 0, 1)).until, Some(t(DAY - 1)));
    assert_eq!(held(now_with(&tiers, &[t(-1)], 1000, 0, 2)).reason, Lacks::Room);
}

#[test]
fn a_clock_that_went_back_gives_nothing_away() {
    let tiers = Tiers::default();
    let hold = held(now_with(&tiers, &[t(600); 3], 0, 0, 1));
    assert_eq!((hold.needs, hold.until), (Some(2), Some(t(600 + DAY))));
}

#[test]
fn windows_of_different_lengths_are_all_kept() {
    // A longer second window is no way around: 3 an hour with one signature would be 72 a day.
    let longer = tiers(&[tier(3, 60, 1), tier(5, DAY, 2)]);
    let spread: Vec<_> = (1..=5).map(|i| t(-60 * i)).collect();
    assert_eq!(held(now_with(&longer, &spread, 0, 0, 9)).reason, Lacks::Room);
    assert_eq!(now_with(&longer, &spread[..4], 0, 0, 1), ISSUE_1);
    // Nor is a shorter one.
    let shorter = tiers(&[tier(3, DAY, 1), tier(5, 60, 2)]);
    assert_eq!(held(now_with(&shorter, &spread, 0, 0, 1)).needs, Some(2));
    assert_eq!(now_with(&shorter, &spread, 0, 0, 2), ISSUE_2);
    let burst = vec![t(-1); 5];
    assert_eq!(held(now_with(&shorter, &burst, 0, 0, 2)).until, Some(t(59)));
    assert_eq!(held(now_with(&shorter, &burst, 0, 0, 1)).until, Some(t(DAY - 1)));
}

#[test]
fn tiers_that_limit_nothing_are_refused() {
    for list in [
        vec![],
        vec![tier(0, 60, 1)],
        vec![tier(1, 0, 1)],
        vec![tier(1, -60, 1)],
        vec![tier(1, 60, 0)],
        vec![tier(3, 60, 1), tier(3, 60, 2)],
        vec![tier(3, 60, 1), tier(2, 60, 2)],
        vec![tier(3, 60, 2), tier(9, 60, 2)],
        vec![tier(3, 60, 2), tier(9, 60, 1)],
    ] {
        assert!(Tiers::new(list.clone()).is_err(), "{list:?}");
    }
}

#[test]
fn the_checker_knows_a_broken_cap() {
    let tiers = tiers(&[tier(1, 60, 1), tier(2, 60, 2)]);
    assert!(allows(&[], &tiers));
    assert!(allows(&[(t(0), 1), (t(60), 1)], &tiers));
    assert!(!allows(&[(t(0), 1), (t(59), 1)], &tiers));
    assert!(!allows(&[(t(59), 1), (t(0), 1)], &tiers));
    assert!(allows(&[(t(0), 1), (t(59), 2)], &tiers));
    assert!(!allows(&[(t(0), 1), (t(58), 2), (t(59), 2)], &tiers));
    assert!(allows(&[(t(0), 1), (t(58), 2), (t(60), 2)], &tiers));
    assert!(!allows(&[(t(0), 0)], &tiers));
}

/// Tiers that make sense, their windows in any order of length.
fn any_tiers() -> impl Strategy<Value = Tiers> {
    prop::collection::vec((1_u32..4, 1_i64..200, 1_u32..3), 1..4).prop_map(|steps| {
        let (mut up_to, mut signers) = (0, 0);
        let rising = steps.into_iter().map(|(wipes, minutes, people)| {
            up_to += wipes;
            signers += people;
            tier(up_to, minutes, signers)
        });
        Tiers::new(rising.collect()).unwrap()
    })
}

/// Passes: minutes since the last one, and how many people signed each request in it.
fn any_passes() -> impl Strategy<Value = Vec<(i64, Vec<u32>)>> {
    prop::collection::vec((0_i64..60, prop::collection::vec(0_u32..8, 0..6)), 1..40)
}

fn seeded(cases: u32) -> TestRunner {
    let seed = [7; 32];
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    TestRunner::new_with_rng(Config { cases, failure_persistence: None, ..Config::default() }, rng)
}

#[test]
fn no_window_ever_holds_more_than_its_tiers_allow() {
    let storm = (any_tiers(), any_passes(), 0_i64..90, any::<bool>());
    let result = seeded(2000).run(&storm, |(tiers, passes, delay, persistent)| {
        let (mut now, mut waiting) = (0, Vec::new());
        // Accepted wipes cool off for `delay` and are issued by the first pass after that.
        let (mut cooling, mut issued) = (Vec::<(i64, u32)>::new(), Vec::new());
        for (gap, requests) in passes {
            now += gap;
            issued.extend(cooling.extract_if(.., |(due, _)| *due <= now).map(|(_, s)| (t(now), s)));
            waiting.extend(requests);
            for has in std::mem::take(&mut waiting) {
                let times: Vec<_> = issued.iter().map(|(at, _)| *at).collect();
                match now_with(&tiers, &times, cooling.len(), now, has) {
                    Ruling::Issue { .. } if delay == 0 => issued.push((t(now), has)),
                    Ruling::Issue { .. } => cooling.push((now + delay, has)),
                    Ruling::Held(_) if persistent => waiting.push(has),
                    Ruling::Held(_) => {}
                }
            }
            prop_assert!(allows(&issued, &tiers), "{tiers:?} {issued:?}");
        }
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("seed [7; 32]: {e}"));
}

#[test]
fn after_a_restore_every_tier_but_the_last_counts_as_exceeded_until_its_window_has_moved_on() {
    let tiers = tiers(&[tier(1, 60, 1), tier(5, DAY, 2), tier(9, DAY, 3)]);
    let judge = |now, has| {
        decide(&tiers, History { issued: &[], ahead: 0, restored: Some(t(0)) }, t(now), has)
    };
    for (now, has, needs) in [(0, 3, 3), (59, 3, 3), (DAY - 1, 3, 3), (DAY, 1, 1)] {
        assert_eq!(judge(now, has), Ruling::Issue { needs }, "{now}");
    }
    let Ruling::Held(hold) = judge(60, 2) else { panic!("it needs 3") };
    assert_eq!((hold.needs, hold.until, hold.forgets()), (Some(3), Some(t(DAY)), true));
    let only = super::Tiers::new(vec![tier(2, DAY, 1)]).unwrap();
    let history = History { issued: &[], ahead: 0, restored: Some(t(0)) };
    assert_eq!(decide(&only, history, t(1), 1), Ruling::Issue { needs: 1 }, "there is no other");
}

#[test]
fn more_wipes_never_need_fewer_signers_and_until_is_exact() {
    let input = (
        any_tiers(),
        prop::collection::vec(-250_i64..20, 0..12),
        0_usize..4,
        -250_i64..20,
        0_u32..8,
        prop::option::of(-250_i64..0),
    );
    let result = seeded(5000).run(&input, |(tiers, issued, ahead, more, has, restored)| {
        let restored = restored.map(t);
        let issued: Vec<_> = issued.into_iter().map(t).collect();
        let with: Vec<_> = issued.iter().copied().chain([t(more)]).collect();
        let needs = |ruling| match ruling {
            Ruling::Issue { needs } => needs,
            Ruling::Held(hold) => hold.needs.unwrap_or(u32::MAX),
        };
        let judge = |issued: &[Timestamp], ahead, restored| {
            decide(&tiers, History { issued, ahead, restored }, t(0), has)
        };
        let before = needs(judge(&issued, ahead, restored));
        prop_assert!(needs(judge(&issued, ahead, None)) <= before, "a restore asks for no less");
        prop_assert!(before <= needs(judge(&with, ahead, restored)));
        prop_assert!(before <= needs(judge(&issued, ahead + 1, restored)));
        if let Ruling::Held(hold) = judge(&issued, ahead, restored) {
            prop_assert!(hold.needs.is_none_or(|needs| needs > has));
            prop_assert_eq!(hold.until.is_some(), has >= tiers.as_slice()[0].signers);
            // Those ahead are issued now, in the best case.
            let mut all = issued.clone();
            all.extend(std::iter::repeat_n(t(0), ahead));
            if let Some(until) = hold.until {
                let at =
                    |time| decide(&tiers, History { issued: &all, ahead: 0, restored }, time, has);
                prop_assert!(matches!(at(until), Ruling::Issue { .. }), "{hold:?}");
                let just_before = until + TimeDelta::milliseconds(-1);
                prop_assert!(matches!(at(just_before), Ruling::Held(_)), "{hold:?}");
            }
        }
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("seed [7; 32]: {e}"));
}
