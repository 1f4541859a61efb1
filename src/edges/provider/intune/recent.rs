//! What this process wrote a moment ago, and Graph may not show yet.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::TimeDelta;

use crate::domain::model::{DeviceId, GraphId, Name, Timestamp};

/// Within this time Graph shows what was written, as far as its users report.
const SETTLES: TimeDelta = TimeDelta::minutes(5);

/// What this process wrote a moment ago.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// When policies were made, or may have been, by their markers.
    made: HashMap<String, Timestamp>,
    /// The intent that last changed the objects of a profile, and which of its devices were asked to
    /// come by since.
    changed: BTreeMap<Name, (u64, BTreeSet<DeviceId>)>,
    /// Whether Graph's beta has no compliance policies here.
    without_beta: bool,
    /// Whether a device was last marked as blocked or freed of the mark, and when.
    marked: HashMap<GraphId, (bool, Timestamp)>,
}

impl Recent {
    /// Whether Graph's beta was found to have no compliance policies.
    pub(super) fn is_without_beta(&self) -> bool {
        self.without_beta
    }

    /// Graph's beta has no compliance policies.
    pub(super) fn found_without_beta(&mut self) {
        self.without_beta = true;
    }

    /// A policy is about to be made.
    pub(super) fn making(&mut self, marker: &str, now: Timestamp) {
        self.made.insert(marker.to_owned(), now);
    }

    /// It surely was not made, or is there to be seen.
    pub(super) fn settled(&mut self, marker: &str) {
        self.made.remove(marker);
    }

    /// Whether it may be there, though it is not to be seen.
    pub(super) fn may_be_hidden(&self, marker: &str, now: Timestamp) -> bool {
        self.made.get(marker).is_some_and(|at| now - *at < SETTLES)
    }

    /// A device was marked as blocked in Entra, or freed of the mark.
    pub(super) fn marked(&mut self, device: &GraphId, blocked: bool, now: Timestamp) {
        self.marked.retain(|_, (_, at)| now - *at < SETTLES);
        self.marked.insert(device.clone(), (blocked, now));
    }

    /// Whether what Entra shows of a device may be older than what was written last, which was the
    /// contrary.
    pub(super) fn may_show_the_contrary(
        &self,
        device: &GraphId,
        blocked: bool,
        now: Timestamp,
    ) -> bool {
        let last = self.marked.get(device);
        last.is_some_and(|(last, at)| *last != blocked && now - *at < SETTLES)
    }

    /// Objects of a profile changed: its devices get that sooner if they come by.
    pub(super) fn changed(&mut self, profile: &Name, intent: u64) {
        self.changed.insert(profile.clone(), (intent, BTreeSet::new()));
    }

    /// Whether a device is to be asked to come by for that, which is so once.
    pub(super) fn has_news_for(&mut self, profile: &Name, intent: u64, device: DeviceId) -> bool {
        let changed = self.changed.get_mut(profile).filter(|(changed, _)| *changed == intent);
        changed.is_some_and(|(_, asked)| asked.insert(device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_may_be_hidden_for_a_while_and_not_forever() {
        let mut recent = Recent::default();
        let at = |minutes| Timestamp::EPOCH + TimeDelta::minutes(minutes);
        recent.making("a", at(0));
        assert!(recent.may_be_hidden("a", at(4)));
        assert!(!recent.may_be_hidden("a", at(5)));
        assert!(!recent.may_be_hidden("b", at(0)));
        recent.settled("a");
        assert!(!recent.may_be_hidden("a", at(1)));
    }

    #[test]
    fn a_device_comes_by_once_for_each_change_of_its_profile() {
        let mut recent = Recent::default();
        let (standard, other): (Name, Name) =
            ("Standard".parse().unwrap(), "Other".parse().unwrap());
        assert!(!recent.has_news_for(&standard, 7, DeviceId::FIRST), "nothing changed");
        recent.changed(&standard, 7);
        assert!(!recent.has_news_for(&standard, 8, DeviceId::FIRST), "another intent");
        assert!(!recent.has_news_for(&other, 7, DeviceId::FIRST), "another profile");
        assert!(recent.has_news_for(&standard, 7, DeviceId::FIRST));
        assert!(!recent.has_news_for(&standard, 7, DeviceId::FIRST), "a second time");
        assert!(recent.has_news_for(&standard, 7, DeviceId::FIRST.next()));
        recent.changed(&standard, 9);
        assert!(recent.has_news_for(&standard, 9, DeviceId::FIRST));
    }
}
