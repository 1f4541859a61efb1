//! The highest time that a ledger has seen: what a clock that was set back is measured by.

use chrono::TimeDelta;

use crate::domain::model::Timestamp;

/// A clock may be this much behind the highest time seen: another process may have looked later
/// than this one, and says so first.
pub(crate) const TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// Between two times that are kept while nothing depends on them.
const INTERVAL: TimeDelta = TimeDelta::seconds(60);

/// Stands for a highest time that nobody can tell, in milliseconds since 1970: the last second of
/// the year 9999. No clock comes to it, so wipes wait.
pub(crate) const UNKNOWN_MILLIS: i64 = 253_402_300_799_000;

/// The highest time seen, where it can be told: what has expired by it is over.
#[must_use]
pub(crate) fn known(highest: Option<Timestamp>) -> Option<Timestamp> {
    highest.filter(|at| at.millis() < UNKNOWN_MILLIS)
}

/// Whether a pass at `now` has to keep its time, given what is kept and when the last request
/// expires that a clock set back could revive.
///
/// Nothing is issued by a clock more than [`TOLERANCE`] behind the kept time, so a request that
/// expired longer than that before the kept time stays expired, whatever the clock says later. Any
/// other request that a pass knows of, in the log or in the fleet directory, makes that pass keep
/// its time at once: it is as if every pass did. Without such a request the kept time is at most
/// [`INTERVAL`] behind that of the last pass, also after a crash; what a clock set back by so
/// little could revive is a request that expired within that minute and that no pass had seen.
pub(crate) fn must_be_kept(
    kept: Option<Timestamp>,
    now: Timestamp,
    until: Option<Timestamp>,
) -> bool {
    kept.is_none_or(|kept| {
        now >= kept + INTERVAL || until.is_some_and(|until| kept <= until + TOLERANCE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_keeps_its_time_where_a_request_depends_on_it_or_a_minute_has_gone_by() {
        let at = |seconds| Timestamp::from_millis(1_763_800_000_000 + seconds * 1_000);
        let due = |now, until: Option<i64>| must_be_kept(Some(at(0)), at(now), until.map(at));
        assert!(must_be_kept(None, at(0), None), "nothing is kept yet");
        assert!(!due(1, None) && !due(59, None) && due(60, None) && due(61, None));
        // A request that has not expired yet, and one that expired within the tolerance.
        assert!(due(1, Some(3_600)) && due(1, Some(0)) && due(1, Some(-5)));
        assert!(!due(1, Some(-6)), "the kept time is proof enough that it expired");
    }
}
