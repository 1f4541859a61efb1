//! When the provider is asked what it has heard, and what came of it the last time.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::alerts::Health;
use crate::domain::backoff::BackoffPolicy;
use crate::edges::provider::{Cadence, Cursor, Error, Observed};

/// Between tries of a provider that failed, if its cadence sets no interval.
const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(60);
/// One that wants to be asked less often is then asked less often still: so many times as long
/// lies between tries at most.
const SLOWER: u32 = 24;
/// A provider that cannot be observed for so long, and again when it was asked a second time, is an alert.
const ALERT_AFTER: Duration = Duration::from_secs(5 * 60);

#[derive(Debug)]
pub(super) struct Observing {
    cadence: Cadence,
    /// Where the last look ended that was acknowledged.
    pub(crate) cursor: Option<Cursor>,
    asked: Option<Instant>,
    failing: Option<Failing>,
}

/// The state after an observation that failed.
#[derive(Debug)]
struct Failing {
    error: Error,
    /// Failed observations in a row.
    times: u32,
    /// When the first of them failed.
    since: Instant,
    again: Instant,
}

impl Observing {
    pub(super) fn new(cadence: Cadence) -> Self {
        Self { cadence, cursor: None, asked: None, failing: None }
    }

    /// Whether to ask now; `woken` where something new is known to be there.
    pub(super) fn is_due(&self, woken: bool, now: Instant) -> bool {
        match (&self.failing, self.cadence.every, self.asked) {
            (Some(failing), ..) => failing.again <= now,
            (None, Some(every), Some(asked)) => woken || asked + every <= now,
            (None, None, _) | (None, _, None) => true,
        }
    }

    /// When to ask next if no event comes before.
    pub(super) fn next(&self) -> Option<Instant> {
        let regular = || Some(self.asked? + self.cadence.every?);
        self.failing.as_ref().map(|failing| failing.again).or_else(regular)
    }

    /// The observation of a pass that does not ask the provider: that there is nothing new, or the
    /// last error.
    pub(super) fn unasked(&self) -> Result<Observed, Error> {
        match &self.failing {
            Some(failing) => Err(failing.error.clone()),
            None => Ok(Observed { complete: true, ..Observed::default() }),
        }
    }

    /// Remembers what came of asking.
    pub(super) fn asked(&mut self, came: &Result<Observed, Error>, now: Instant) {
        self.asked = Some(now);
        self.failing = came.as_ref().err().map(|error| {
            let (times, since) = self.failing.as_ref().map_or((0, now), |it| (it.times, it.since));
            let times = times.saturating_add(1);
            let backoff = match self.cadence.every {
                None => BackoffPolicy { first: FIRST, most: MOST, seed: 0 },
                Some(every) => BackoffPolicy { first: every * 2, most: every * SLOWER, seed: 0 },
            };
            let wait = backoff.wait(std::process::id(), times);
            let wait = wait.max(error.retry_after.unwrap_or_default());
            Failing { error: error.clone(), times, since, again: now + wait }
        });
    }

    /// Whether it can be observed, as far as anybody has seen.
    pub(super) fn health(&self, now: Instant) -> Health {
        match &self.failing {
            Some(failing) if failing.times > 1 && failing.since + ALERT_AFTER <= now => {
                let why = format!(
                    "devices get no commands: the provider cannot be observed: {}",
                    failing.error
                );
                Health::Bad(why)
            }
            // Once is an accident: nobody is told, and nothing that was told is over.
            Some(_) => Health::Unknown,
            None if self.asked.is_some() => Health::Well,
            None => Health::Unknown,
        }
    }

    /// Why the last observation failed, if it did.
    pub(super) fn failed(&self) -> Option<&Error> {
        self.failing.as_ref().map(|failing| &failing.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::state::event::ErrorClass;

    const MINUTE: Duration = Duration::from_secs(60);

    fn failure(retry_after: Option<Duration>) -> Result<Observed, Error> {
        Err(Error { retry_after, ..Error::new(ErrorClass::Transient, "503") })
    }

    #[test]
    fn one_that_costs_nothing_is_asked_in_every_pass() {
        let mut observing = Observing::new(Cadence::default());
        let now = Instant::now();
        for _ in 0..3 {
            assert!(observing.is_due(false, now));
            observing.asked(&Ok(Observed::default()), now);
        }
        assert_eq!(observing.next(), None);
    }

    #[test]
    fn one_that_costs_something_is_asked_when_it_says_or_when_woken() {
        let every = Some(5 * MINUTE);
        let mut observing = Observing::new(Cadence { every, ..Cadence::default() });
        let now = Instant::now();
        assert!(observing.is_due(false, now), "at the start");
        observing.asked(&Ok(Observed::default()), now);
        assert!(!observing.is_due(false, now + 4 * MINUTE));
        assert!(observing.is_due(true, now + MINUTE));
        assert!(observing.is_due(false, now + 5 * MINUTE));
        assert_eq!(observing.next(), Some(now + 5 * MINUTE));
    }

    #[test]
    fn one_that_fails_is_asked_ever_less_often_and_never_before_it_says() {
        for every in [None, Some(5 * MINUTE)] {
            let mut observing = Observing::new(Cadence { every, ..Cadence::default() });
            let mut now = Instant::now();
            let mut waits = Vec::new();
            for _ in 0..20 {
                observing.asked(&failure(None), now);
                assert!(!observing.is_due(true, now) && observing.unasked().is_err());
                let again = observing.next().unwrap();
                waits.push(again - now);
                now = again;
                assert!(observing.is_due(false, now));
            }
            assert!(waits[19] > waits[0] * 2, "{waits:?}");
            assert!(waits[19] <= 120 * MINUTE, "{waits:?}");
            observing.asked(&failure(Some(600 * MINUTE)), now);
            assert!(!observing.is_due(true, now + 599 * MINUTE));
            observing.asked(&Ok(Observed::default()), now);
            assert!(observing.failed().is_none() && observing.unasked().is_ok());
        }
    }

    #[test]
    fn one_that_fails_for_minutes_and_more_than_once_is_bad_until_it_answers() {
        let mut observing = Observing::new(Cadence::default());
        let start = Instant::now();
        assert_eq!(observing.health(start), Health::Unknown, "not asked yet");
        observing.asked(&failure(None), start);
        assert_eq!(observing.health(start + 10 * MINUTE), Health::Unknown, "once");
        observing.asked(&failure(None), start + MINUTE);
        assert_eq!(observing.health(start + 4 * MINUTE), Health::Unknown, "not for long");
        let Health::Bad(why) = observing.health(start + 5 * MINUTE) else { panic!("not bad") };
        assert!(why.contains("503"), "{why}");
        observing.asked(&Ok(Observed::default()), start + 6 * MINUTE);
        assert_eq!(observing.health(start + 6 * MINUTE), Health::Well);
    }
}
