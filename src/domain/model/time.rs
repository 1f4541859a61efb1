//! Moments, as the log spells them.

use std::fmt;
use std::num::NonZeroI64;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::macros::as_string;
use super::text::Invalid;

/// A moment in UTC, whole milliseconds, as the log spells it: `2026-11-22T10:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(
    /// Milliseconds since [`BEFORE`]: never 0, so that an `Option` of it takes no more room.
    NonZeroI64,
);

/// The first millisecond of the year 0, since 1970.
const FIRST: i64 = -62_167_219_200_000;
/// The last one of the year 9999.
const LAST: i64 = 253_402_300_799_999;
/// The millisecond before the first.
const BEFORE: i64 = FIRST - 1;

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z.
    #[cfg(test)]
    pub(crate) const EPOCH: Self = Self::from_millis(0);
    /// Milliseconds since 1970; outside the years 0 to 9999 it saturates.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        let within = if millis < FIRST {
            FIRST
        } else if millis > LAST {
            LAST
        } else {
            millis
        };
        match NonZeroI64::new(within - BEFORE) {
            Some(since) => Self(since),
            None => unreachable!(),
        }
    }
    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.get() + BEFORE
    }
    fn date(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.millis()).unwrap_or_default()
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
        Self::from_millis(self.millis().saturating_add(delta.num_milliseconds()))
    }
}
impl std::ops::Sub for Timestamp {
    type Output = TimeDelta;
    fn sub(self, other: Self) -> TimeDelta {
        TimeDelta::milliseconds(self.millis() - other.millis())
    }
}
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.spelled()).map_err(|_| fmt::Error)?)
    }
}
impl FromStr for Timestamp {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        // Of a million entries each has a time, as this program spells it.
        if let Some(time) = text.as_bytes().try_into().ok().and_then(Self::read) {
            return Ok(time);
        }
        DateTime::parse_from_rfc3339(text)
            .map(|date| Self::from_millis(date.timestamp_millis()))
            .map_err(|_| Invalid::new("is not a time like 2026-11-22T10:00:00Z (RFC 3339)"))
    }
}
as_string!(Timestamp, |this, serializer| {
    let text = this.spelled();
    serializer.serialize_str(std::str::from_utf8(&text).map_err(serde::ser::Error::custom)?)
});

/// What a time looks like, with a 0 for each digit.
const SHAPE: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
/// Where its numbers stand: year, month, day, hour, minute, second and millisecond.
const NUMBERS: [std::ops::Range<usize>; 7] = [0..4, 5..7, 8..10, 11..13, 14..16, 17..19, 20..23];
const DAY: i64 = 86_400_000;

impl Timestamp {
    fn spelled(self) -> [u8; 24] {
        let millis = self.millis();
        let (year, month, day) = civil(millis.div_euclid(DAY));
        let of_day = millis.rem_euclid(DAY);
        let (minutes, in_minute) = (of_day / 60_000, of_day % 60_000);
        let (seconds, millis) = (in_minute / 1000, in_minute % 1000);
        let numbers = [year, month, day, minutes / 60, minutes % 60, seconds, millis];
        let mut text = *SHAPE;
        for (mut number, place) in numbers.into_iter().zip(NUMBERS) {
            for digit in text[place].iter_mut().rev() {
                *digit += (number % 10) as u8;
                number /= 10;
            }
        }
        text
    }

    /// `None` if it is none, or a leap second.
    fn read(text: &[u8; 24]) -> Option<Self> {
        let shaped =
            |(b, like): (&u8, &u8)| if *like == b'0' { b.is_ascii_digit() } else { b == like };
        if !text.iter().zip(SHAPE).all(shaped) {
            return None;
        }
        let number = |place: std::ops::Range<usize>| {
            text[place].iter().fold(0, |number, b| number * 10 + i64::from(b - b'0'))
        };
        let [year, month, day, hour, minute, second, millis] = NUMBERS.map(number);
        let days = days(year, month, day)?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(Self::from_millis(days * DAY + ((hour * 60 + minute) * 60 + second) * 1000 + millis))
    }
}

/// Days of 400 years, and from the first of March of the year 0 to 1970: years that begin in March
/// have their leap day at the end.
const ERA: i64 = 146_097;
const TO_1970: i64 = 719_468;

/// Days since 1970 of a day of the calendar, in a year that is not negative; `None` if there is no such day.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = if month > 2 { year } else { year - 1 };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let in_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(year.div_euclid(400) * ERA + in_era - TO_1970)
}

/// The day of the calendar that is so many days after the first one of 1970: year, month and day.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + TO_1970;
    let in_era = days.rem_euclid(ERA);
    let of_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let of_year = in_era - (365 * of_era + of_era / 4 - of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    (days.div_euclid(ERA) * 400 + of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_spelled_and_read_as_rfc_3339_says(
            millis in -62_167_219_200_000_i64..=253_402_300_799_999,
            at in 0..24_usize,
            to in prop::sample::select(b"0123456789-:.TZtz +".to_vec()),
        ) {
            let time = Timestamp::from_millis(millis);
            let text = time.date().to_rfc3339_opts(SecondsFormat::Millis, true);
            prop_assert_eq!(time.to_string(), text.clone());
            prop_assert_eq!(text.parse(), Ok(time));
            // Whatever stands in it, the quick way never says otherwise than the library.
            let mut other = text.into_bytes();
            other[at] = to;
            let text = String::from_utf8(other.clone()).unwrap();
            let said = DateTime::parse_from_rfc3339(&text).ok().map(|date| Timestamp::from_millis(date.timestamp_millis()));
            if let Some(read) = Timestamp::read(&other.try_into().unwrap()) {
                prop_assert_eq!(Some(read), said);
            }
        }
    }

    #[test]
    fn every_day_of_four_hundred_years_is_that_of_the_calendar() {
        for day in -ERA..ERA {
            let time = Timestamp::from_millis(day * DAY);
            let text = time.date().to_rfc3339_opts(SecondsFormat::Millis, true);
            assert_eq!(time.to_string(), text);
            assert_eq!(Timestamp::read(text.as_bytes().try_into().unwrap()), Some(time));
        }
        for none in
            ["2026-02-29", "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00"]
        {
            assert!(format!("{none}T00:00:00.000Z").parse::<Timestamp>().is_err(), "{none}");
        }
        let leap: Timestamp = "2016-12-31T23:59:60.000Z".parse().unwrap();
        assert_eq!(leap.to_string(), "2017-01-01T00:00:00.000Z");
    }
}
