//! What is said of requests whose life has ended, and of those that wait.

use chrono::TimeDelta;

use super::requests::*;
use crate::domain::model::Timestamp;
use crate::domain::plan::HoldReason;
use crate::domain::plan::wipes::WipeStanding;
use crate::domain::plan::wipes::quorum::{people, short_of};
use crate::domain::state::WipeState;
use crate::domain::wipe::quorum::{Lacks, QuorumHold, Tier};

#[test]
fn a_request_whose_life_has_ended_says_how_and_what_to_do() {
    let (over, under_way) = (HoldReason::WipeOver, HoldReason::WipeUnderWay);
    for (state, intent, standing, code, reason, says) in [
        (WipeState::Issued, Some(7), "issued", "issued", under_way, "issued at "),
        (WipeState::Confirmed, Some(7), "confirmed", "confirmed", over, "; the file can go"),
        (
            WipeState::Failed,
            Some(7),
            "failed",
            "failed",
            over,
            "is never repeated: why; write a new",
        ),
        (WipeState::Expired, Some(7), "expired", "expired", over, "why; write a new request"),
        (WipeState::Expired, None, "expired", "expired", over, "expired; write a new request"),
        (WipeState::Vetoed, None, "vetoed", "vetoed", over, "stopped for good at "),
        (
            WipeState::RefusedForGood,
            None,
            "refused",
            "why",
            HoldReason::WipeRefused,
            "refused for good at ",
        ),
    ] {
        let mut world = world(&["A1"]);
        let request = ask(&mut world, "lost", "A1", &[ANA]);
        world.settle();
        let wipe = world.state.wipes.get_mut(&request).expect("a wipe");
        (wipe.state, wipe.intent, wipe.detail) = (state, intent, "why".to_owned());
        wipe.code = Some("why".into());
        let shown = view(&world, "lost");
        assert_eq!(stands(&world, "lost"), told(standing, code), "{state}");
        assert!(shown.detail.contains(says), "{state}: {}", shown.detail);
        assert_eq!((shown.new, shown.signers.len()), (false, 1), "{state}");
        let holds = world.plan().holds;
        let held = holds.iter().find(|hold| *hold.detail == *shown.detail).expect("a hold");
        assert_eq!((held.reason, held.device), (reason, Some(shown.subject.device_id)), "{state}");
    }
}

#[test]
fn the_exit_code_speaks_of_what_waits_and_of_what_stopped_just_now() {
    let mut world = world(&["A1"]);
    ask(&mut world, "lost", "A1", &[ANA]);
    let mut shown = view(&world, "lost");
    for standing in WipeStanding::ALL {
        for new in [false, true] {
            (shown.standing, shown.new) = (*standing, new);
            let expected = match standing.as_str() {
                "held" | "coolingOff" | "awaitingApproval" | "refused" => true,
                "vetoed" | "expired" => new,
                _ => false,
            };
            assert_eq!(shown.is_withheld(), expected, "{standing} {new}");
        }
    }
}

#[test]
fn what_a_request_lacks_is_said_in_numbers() {
    let until: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
    let tier = Tier { up_to: 3, per: TimeDelta::hours(24), signers: 1 };
    let hold = QuorumHold {
        reason: Lacks::Signatures,
        needs: Some(2),
        has: 1,
        until: Some(until),
        tier: Some(tier),
        count: 3,
    };
    let from = until.short();
    for (hold, text) in [
        (
            hold,
            format!(
                "needs signatures of 2 people, has 1 (3 wipes within 1d already); accepted as it \
                 is from {from}"
            ),
        ),
        (
            QuorumHold { until: None, tier: None, has: 0, ..hold },
            "needs signatures of 2 people, has 0".to_owned(),
        ),
        (
            QuorumHold { reason: Lacks::Room, needs: None, ..hold },
            format!(
                "wipe limit reached (3 wipes within 1d already); no number of signatures raises it; accepted as it is \
                 from {from}"
            ),
        ),
    ] {
        assert_eq!(short_of(&hold), text);
    }
    let email = |text: &str| text.parse().expect("an address");
    assert_eq!((people(&[]), people(&[email(ANA), email(BOB)])), (0, 2));
}
