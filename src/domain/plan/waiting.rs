//! Holds that end by themselves, counted.

use std::collections::BTreeMap;

use super::hold::{Hold, HoldReason};
use crate::domain::model::DeviceId;

/// How many devices only wait, by reason; each counts once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Waiting(BTreeMap<HoldReason, u64>);

impl Waiting {
    /// Those of these that do.
    pub(crate) fn among(holds: &[Hold]) -> Self {
        holds.iter().map(Self::of).collect()
    }

    /// What counts of a hold.
    pub(crate) fn of(hold: &Hold) -> (Option<u32>, HoldReason) {
        (hold.device.map(DeviceId::number), hold.reason)
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

/// Numbers of devices, where a hold is about one, with the reason.
impl FromIterator<(Option<u32>, HoldReason)> for Waiting {
    fn from_iter<I: IntoIterator<Item = (Option<u32>, HoldReason)>>(holds: I) -> Self {
        let holds = holds.into_iter().filter(|(_, reason)| reason.is_waiting());
        let mut holds: Vec<_> = holds.collect();
        // Of several reasons the last says most: a device that is being wiped waits for nothing else.
        holds.sort_unstable_by(|a, b| b.cmp(a));
        holds.dedup_by(|(a, _), (b, _)| a.is_some() && a == b);
        let mut waiting = Self::default();
        for (_, reason) in holds {
            *waiting.0.entry(reason).or_default() += 1;
        }
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_counted_once_and_by_what_says_most() {
        let (report, wipe) = (HoldReason::AwaitingReport, HoldReason::WipeUnderWay);
        let counts = |holds: &[(Option<u32>, HoldReason)]| {
            let waiting: Waiting = holds.iter().copied().collect();
            (waiting.by_reason().collect::<Vec<_>>(), waiting.total())
        };
        let (one, two) = (Some(1), Some(2));
        for (holds, expected, total) in [
            // One of the request, one of the device.
            (vec![(one, wipe), (one, wipe)], vec![(wipe, 1)], 1),
            (vec![(one, wipe), (two, report), (one, report)], vec![(report, 1), (wipe, 1)], 2),
            // These are about no device, and each is another.
            (vec![(None, wipe), (None, wipe), (one, wipe)], vec![(wipe, 3)], 3),
            (vec![(one, HoldReason::Frozen)], vec![], 0),
        ] {
            assert_eq!(counts(&holds), (expected, total), "{holds:?}");
        }
    }
}
