//! How emulated time goes: from an anchor on, so many times as fast as real time.

use chrono::TimeDelta;

use crate::domain::model::Timestamp;

/// The pace of a tenant's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Emulated and real time of the same moment.
    anchor: (Timestamp, Timestamp),
    /// 0 while time stands still.
    pub(crate) speed: f64,
    /// The latest real time.
    latest: Timestamp,
}

impl Pace {
    pub(crate) fn new(start: Timestamp, real: Timestamp, speed: f64) -> Self {
        Self { anchor: (start, real), speed, latest: real }
    }

    /// Emulated time, at this real time.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "milliseconds of years are far below 2^53"
    )]
    pub(crate) fn at(&mut self, real: Timestamp) -> Timestamp {
        // A clock that goes back does not turn the tenant's back.
        self.latest = self.latest.max(real);
        let passed = (self.latest - self.anchor.1).num_milliseconds() as f64;
        self.anchor.0 + TimeDelta::milliseconds((passed * self.speed) as i64)
    }

    /// Goes on from there, at this speed.
    pub(crate) fn go_on(&mut self, now: Timestamp, speed: f64) {
        self.anchor = (now, self.latest);
        self.speed = speed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_at_its_speed_and_never_back() {
        let at = Timestamp::from_millis;
        let mut pace = Pace::new(at(1_000_000), at(0), 60.0);
        assert_eq!(pace.at(at(1000)), at(1_060_000));
        assert_eq!(pace.at(at(500)), at(1_060_000), "the real clock was set back");
        pace.go_on(at(9_000_000), 0.0);
        assert_eq!(pace.at(at(5000)), at(9_000_000), "it stands still");
        pace.go_on(at(9_000_000), 1.0);
        assert_eq!(pace.at(at(6000)), at(9_001_000));
    }
}
