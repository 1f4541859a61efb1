//! Holds that end by themselves, counted.

use std::collections::BTreeMap;

use super::hold::{Hold, HoldReason};

/// How many holds only wait, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Waiting(BTreeMap<HoldReason, u64>);

impl Waiting {
    /// Those of these that do.
    pub(crate) fn among(holds: &[Hold]) -> Self {
        holds.iter().map(|hold| hold.reason).collect()
    }

    /// Each reason of which there are some, with their number.
    pub(crate) fn by_reason(&self) -> impl Iterator<Item = (HoldReason, u64)> {
        self.0.iter().map(|(reason, n)| (*reason, *n))
    }

    /// All of them.
    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

impl FromIterator<HoldReason> for Waiting {
    fn from_iter<I: IntoIterator<Item = HoldReason>>(reasons: I) -> Self {
        let mut waiting = Self::default();
        for reason in reasons.into_iter().filter(|reason| reason.is_waiting()) {
            *waiting.0.entry(reason).or_default() += 1;
        }
        waiting
    }
}
