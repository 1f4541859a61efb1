//! How long Graph wants to be left alone: RFC 9110 §10.2.3, and fractions, which it sends too.

use std::time::Duration;

use chrono::DateTime;

use crate::domain::model::Timestamp;

/// Nobody is left alone longer because a header says so.
const MOST: Duration = Duration::from_secs(3600);

/// Seconds, perhaps with a fraction, or a date, which is compared with the server's own, where it
/// says that.
pub(crate) fn retry_after(value: &str, server: Option<Timestamp>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        let fine = seconds.is_finite() && seconds >= 0.0;
        return fine.then(|| Duration::from_secs_f64(seconds.min(MOST.as_secs_f64())));
    }
    let wait = date(value)? - server?;
    Some(wait.to_std().unwrap_or_default().min(MOST))
}

/// A date of HTTP.
pub(crate) fn date(value: &str) -> Option<Timestamp> {
    let date = DateTime::parse_from_rfc2822(value.trim()).ok()?;
    Some(Timestamp::from_millis(date.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_fractions_and_dates() {
        let now = date("Thu, 26 Nov 2026 10:00:00 GMT");
        assert_eq!(now, "2026-11-26T10:00:00Z".parse().ok());
        for (value, server, millis) in [
            ("17", now, Some(17_000)),
            (" 2.128 ", now, Some(2_128)),
            ("0", None, Some(0)),
            ("99999999999", None, Some(3_600_000)),
            ("Thu, 26 Nov 2026 10:00:30 GMT", now, Some(30_000)),
            ("Thu, 26 Nov 2026 09:00:00 GMT", now, Some(0)),
            ("Fri, 26 Nov 2027 10:00:00 GMT", now, Some(3_600_000)),
            ("Thu, 26 Nov 2026 10:00:30 GMT", None, None),
            ("-1", now, None),
            ("NaN", now, None),
            ("inf", now, None),
            ("soon", now, None),
            ("", now, None),
        ] {
            let expected = millis.map(Duration::from_millis);
            assert_eq!(retry_after(value, server), expected, "{value}");
        }
    }
}
