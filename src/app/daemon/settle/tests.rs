//! What waits for what, look after look.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::settling::{Concern, Settling};
use crate::domain::model::Digest;

/// A concern and how it looks.
type Look = (Concern, u8);

/// The looks of a plan at milliseconds, each with the concerns that have to wait after it.
fn looks(table: &[(u64, &[Look], &[Concern])]) {
    let start = Instant::now();
    let mut settling = Settling::new(Duration::ZERO);
    for (millis, looks, waiting) in table {
        let now = start + Duration::from_millis(*millis);
        let looks = looks.iter().map(|(concern, look)| (*concern, Digest::of(&[*look])));
        let unsettled = settling.settle(looks.collect(), now);
        let found: BTreeSet<_> = unsettled.iter().flat_map(|u| u.concerns.clone()).collect();
        let expected: BTreeSet<_> = waiting.iter().copied().collect();
        assert_eq!(found, expected, "at {millis} ms");
        assert!(unsettled.is_none_or(|u| u.again > now), "at {millis} ms: a look that never ends");
    }
}

fn a_wipe() -> Concern {
    Concern::Wipe(Digest::of(b"a"))
}

fn another_wipe() -> Concern {
    Concern::Wipe(Digest::of(b"b"))
}

const GONE: Concern = Concern::Removals;
const MANY: Concern = Concern::Many;

#[test]
fn a_second_look_at_least_300_ms_later_has_to_find_the_same() {
    for concern in [GONE, MANY, a_wipe()] {
        looks(&[
            (0, &[(concern, 1)], &[concern]),
            (299, &[(concern, 1)], &[concern]),
            (300, &[(concern, 1)], &[]),
            // What held it back was something else: it is not made to wait again.
            (9000, &[(concern, 1)], &[]),
            (9100, &[(concern, 2)], &[concern]),
            (9300, &[(concern, 3)], &[concern]),
            (9599, &[(concern, 3)], &[concern]),
            (9600, &[(concern, 3)], &[]),
        ]);
        // A look without it in between.
        looks(&[
            (0, &[(concern, 1)], &[concern]),
            (200, &[], &[]),
            (400, &[(concern, 1)], &[concern]),
            (700, &[(concern, 1)], &[]),
        ]);
    }
}

#[test]
fn each_waits_for_itself_alone() {
    looks(&[
        (0, &[(a_wipe(), 1), (another_wipe(), 1)], &[a_wipe(), another_wipe()]),
        (250, &[(a_wipe(), 1), (another_wipe(), 2)], &[a_wipe(), another_wipe()]),
        (500, &[(a_wipe(), 1), (another_wipe(), 3)], &[another_wipe()]),
        (750, &[(another_wipe(), 3)], &[another_wipe()]),
        (800, &[(another_wipe(), 3)], &[]),
    ]);
}

#[test]
fn what_never_stays_the_same_is_made_after_a_while_but_for_a_wipe() {
    for concern in [GONE, MANY] {
        let start = Instant::now();
        let mut settling = Settling::new(Duration::ZERO);
        for look in 0..=200_u8 {
            let now = start + Duration::from_millis(250) * u32::from(look);
            let seen = BTreeMap::from([(concern, Digest::of(&[look]))]);
            let waits = settling.settle(seen, now).is_some();
            // After ten seconds, and what comes then waits for as long again.
            assert_eq!(waits, look % 41 != 40, "{concern:?}, look {look}");
        }
    }
    let start = Instant::now();
    let mut settling = Settling::new(Duration::ZERO);
    for look in 0..=200_u8 {
        let now = start + Duration::from_millis(250) * u32::from(look);
        let seen = BTreeMap::from([(a_wipe(), Digest::of(&[look]))]);
        assert!(settling.settle(seen, now).is_some(), "look {look}");
    }
}
