//! The system's clock. Everything else gets the time as an argument.

use crate::domain::model::Timestamp;

/// What time it is, to the millisecond; the only reader of the system's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the module that owns the clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(chrono::Utc::now().timestamp_millis())
}
