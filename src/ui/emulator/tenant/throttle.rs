//! How many calls each application has made lately.

use std::collections::{BTreeMap, VecDeque};

use super::settings;
use crate::domain::model::Timestamp;

/// Times of calls by application.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lately {
    writes: BTreeMap<String, VecDeque<Timestamp>>,
    all: BTreeMap<String, VecDeque<Timestamp>>,
}

/// When the oldest of too many calls is forgotten, in seconds.
fn wait(times: &mut VecDeque<Timestamp>, most: usize, now: Timestamp, window: f64) -> Option<f64> {
    let window = settings::seconds(window);
    while times.front().is_some_and(|first| now - *first >= window) {
        times.pop_front();
    }
    if times.len() < most {
        return None;
    }
    let oldest = times.front().copied().unwrap_or(now);
    let left = window - (now - oldest);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a window of seconds")]
    let seconds = left.num_milliseconds() as f64 / 1000.0;
    Some(seconds)
}

impl Lately {
    /// Counts a call, or says in how many seconds it may come again.
    pub(crate) fn admit(
        &mut self,
        app: &str,
        writes: bool,
        now: Timestamp,
        limits: &settings::Throttle,
    ) -> Result<(), f64> {
        if !limits.enabled {
            return Ok(());
        }
        let all = self.all.entry(app.to_owned()).or_default();
        if let Some(wait) = wait(all, limits.requests, now, limits.window_seconds) {
            return Err(wait);
        }
        if writes {
            let written = self.writes.entry(app.to_owned()).or_default();
            if let Some(wait) = wait(written, limits.writes, now, limits.window_seconds) {
                return Err(wait);
            }
            written.push_back(now);
        }
        all.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::emulator::tenant::settings::Settings;

    #[test]
    fn the_hundred_and_first_write_waits_until_the_first_is_forgotten() {
        let limits = Settings::default().throttle;
        let mut lately = Lately::default();
        let at = |millis| Timestamp::from_millis(millis);
        for n in 0..100 {
            assert_eq!(lately.admit("a", true, at(n), &limits), Ok(()));
        }
        assert_eq!(lately.admit("a", true, at(1000), &limits), Err(19.0));
        assert_eq!(lately.admit("a", false, at(1000), &limits), Ok(()), "reads go on");
        assert_eq!(lately.admit("b", true, at(1000), &limits), Ok(()), "and other applications");
        assert_eq!(lately.admit("a", true, at(19_872), &limits), Err(0.128));
        assert_eq!(lately.admit("a", true, at(20_000), &limits), Ok(()));
    }
}
