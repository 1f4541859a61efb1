//! An exemption: for a while a device that is not compliant keeps its access.

use chrono::TimeDelta;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// An exemption ends at most so long after whoever reads its manifest: else it would be no
/// exception, and nobody would look at it again.
pub(crate) const LONGEST_EXEMPTION: TimeDelta = TimeDelta::days(30);

/// `spec.access` of a device. One that has ended is over; it does no harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Exemption {
    /// From then on it is over.
    pub(crate) exempt_until: Timestamp,
    /// Why, for whoever reviews and audits it.
    pub(crate) reason: CompactString,
}

impl Exemption {
    /// Whether the device is exempt.
    #[must_use]
    pub(crate) fn holds(&self, now: Timestamp) -> bool {
        now < self.exempt_until
    }

    /// Before that it would last too long.
    #[must_use]
    pub(crate) fn usable_from(&self) -> Timestamp {
        self.exempt_until + -LONGEST_EXEMPTION
    }

    /// Why a manifest that says so cannot be used now: it would last too long.
    #[must_use]
    pub(crate) fn too_long(&self, now: Timestamp) -> Option<String> {
        (now < self.usable_from()).then(|| {
            let latest = now + LONGEST_EXEMPTION;
            let days = LONGEST_EXEMPTION.num_days();
            format!(
                "an exemption ends at most {days} days from now, so by {}, not at {}",
                latest.short(),
                self.exempt_until.short()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exemption_lasts_thirty_days_at_most_and_is_over_at_its_end() {
        let now: Timestamp = "2026-11-01T10:00:00Z".parse().unwrap();
        let at = |exempt_until| Exemption { exempt_until, reason: "x".into() };
        let latest = at(now + TimeDelta::days(30));
        assert_eq!((latest.too_long(now), latest.holds(now)), (None, true));
        let later = at(now + TimeDelta::days(30) + TimeDelta::milliseconds(1));
        assert!(later.too_long(now).unwrap().contains("by 2026-12-01T10:00:00Z"));
        assert!(!at(now).holds(now) && at(now + TimeDelta::milliseconds(1)).holds(now));
        assert_eq!(at(now + TimeDelta::days(-400)).too_long(now), None, "it is only over");
    }
}
