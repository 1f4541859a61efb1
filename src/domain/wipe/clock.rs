//! The highest time that a ledger has seen: what a clock that was set back is measured by.

use chrono::TimeDelta;

use crate::domain::model::Timestamp;

/// A clock may be this much behind the highest time seen: another process may have looked later
/// than this one, and says so first.
pub const TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// Stands for a highest time that nobody can tell, in milliseconds since 1970: the last second of
/// the year 9999. No clock comes to it, so wipes wait.
pub const UNKNOWN_MILLIS: i64 = 253_402_300_799_000;

/// The highest time seen, where it can be told: what has expired by it is over.
#[must_use]
pub fn known(highest: Option<Timestamp>) -> Option<Timestamp> {
    highest.filter(|at| at.millis() < UNKNOWN_MILLIS)
}
