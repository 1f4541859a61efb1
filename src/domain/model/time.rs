//! Moments, as the log spells them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::macros::as_string;
use super::text::Invalid;

/// A moment in UTC, whole milliseconds, as the log spells it: `2026-11-22T10:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z.
    #[cfg(test)]
    pub(crate) const EPOCH: Self = Self(0);
    /// Milliseconds since 1970; outside the years 0 to 9999 it saturates.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(-62_167_219_200_000, 253_402_300_799_999))
    }
    /// As [`Timestamp::from_millis`], of a number within these years.
    #[must_use]
    pub(crate) const fn at_millis(millis: i64) -> Self {
        Self(millis)
    }
    /// Milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }
    fn date(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
    /// To the second, for people.
    #[must_use]
    pub(crate) fn short(self) -> String {
        self.date().to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}
impl std::ops::Add<TimeDelta> for Timestamp {
    type Output = Self;
    fn add(self, delta: TimeDelta) -> Self {
        Self::from_millis(self.0.saturating_add(delta.num_milliseconds()))
    }
}
impl std::ops::Sub for Timestamp {
    type Output = TimeDelta;
    fn sub(self, other: Self) -> TimeDelta {
        TimeDelta::milliseconds(self.0 - other.0)
    }
}
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.date().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}
impl FromStr for Timestamp {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        DateTime::parse_from_rfc3339(text)
            .map(|date| Self::from_millis(date.timestamp_millis()))
            .map_err(|_| Invalid::new("is not a time like 2026-11-22T10:00:00Z (RFC 3339)"))
    }
}
as_string!(Timestamp);
