//! Which devices wait after failures, and for how long: no clock, no randomness of its own.
//!
//! A device whose effect failed waits, twice as long each time, and nobody else waits with it.
//! When effects fail one after the other and none succeeds, it is the provider: all wait, and
//! then one effect goes first to find out. The spread (half of each wait) comes from a seed,
//! so that a fleet that failed together does not come back together.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::Duration;

use crate::domain::model::DeviceId;

/// Failures without a success after which the provider is left alone altogether: more than
/// a few bad devices, less than a fleet.
const BREAKS_AFTER: u32 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BackoffPolicy {
    pub(crate) first: Duration,
    pub(crate) most: Duration,
    pub(crate) seed: u64,
}

impl BackoffPolicy {
    /// The wait after so many failures in a row, from 1: half of it is spread by `key`.
    #[must_use]
    pub(crate) fn wait(&self, key: impl Hash, failures: u32) -> Duration {
        let full = self.full(failures);
        full / 2 + self.spread(full / 2, key, failures)
    }

    /// A wait that is spread over all of its length: for many calls that one server turned away
    /// at the same time.
    #[must_use]
    pub(crate) fn spread_wait(&self, key: impl Hash, failures: u32) -> Duration {
        self.spread(self.full(failures), key, failures)
    }

    fn full(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.most)
    }

    /// A part of it, by `key`.
    fn spread(&self, of: Duration, key: impl Hash, failures: u32) -> Duration {
        let mut hasher = DefaultHasher::new();
        (self.seed, key, failures).hash(&mut hasher);
        // 16 bits of spread are plenty.
        let spread = (hasher.finish() & 0xffff) as u32;
        of.saturating_mul(spread) / 0x1_0000
    }
}

/// What may go to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// All but the devices that wait.
    All,
    /// One effect, to find out whether the provider is back.
    One,
    /// Nothing until then.
    Nothing(Duration),
}

/// What of a device waits by itself: whose user lacks a license is blocked and synced all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Lane {
    Commands,
    Licenses,
}

/// What came of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Went {
    Well,
    /// The provider said no: it is well, and this is tried again later.
    Denied,
    Failed,
}

/// Who waits. Times are since any fixed moment, on a clock that only goes forward.
#[derive(Debug)]
pub(crate) struct Backoff {
    growth: BackoffPolicy,
    devices: BTreeMap<(DeviceId, Lane), Waiting>,
    /// Failures since the last success.
    failures: u32,
    /// How often in a row the provider was left alone, and until when.
    broken: Option<Waiting>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    failures: u32,
    until: Duration,
}

impl Backoff {
    #[must_use]
    pub(crate) fn new(growth: BackoffPolicy) -> Self {
        Self { growth, devices: BTreeMap::new(), failures: 0, broken: None }
    }

    /// What may go to the provider now.
    #[must_use]
    pub(crate) fn admission(&self, now: Duration) -> Admission {
        match self.broken {
            None => Admission::All,
            Some(Waiting { until, .. }) if now < until => Admission::Nothing(until),
            Some(_) => Admission::One,
        }
    }

    /// Whether the last effect failed that was tried.
    #[must_use]
    pub(crate) fn failed_last(&self) -> bool {
        self.failures > 0
    }

    /// Until when this of a device waits, if it does.
    #[must_use]
    pub(crate) fn waits(&self, key: (DeviceId, Lane), now: Duration) -> Option<Duration> {
        self.devices.get(&key).map(|waiting| waiting.until).filter(|until| now < *until)
    }

    /// How many devices wait.
    #[must_use]
    pub(crate) fn waiting(&self, now: Duration) -> usize {
        let waiting = self.devices.iter().filter(|(_, waiting)| now < waiting.until);
        let devices: BTreeSet<DeviceId> = waiting.map(|((device, _), _)| *device).collect();
        devices.len()
    }

    /// What came of an effect.
    pub(crate) fn record(&mut self, key: (DeviceId, Lane), went: Went, now: Duration) {
        if went != Went::Failed {
            (self.failures, self.broken) = (0, None);
        }
        if went == Went::Well {
            self.devices.remove(&key);
            return;
        }
        let waiting = self.devices.entry(key).or_insert(Waiting { failures: 0, until: now });
        waiting.failures = waiting.failures.saturating_add(1);
        waiting.until = now + self.growth.wait(key, waiting.failures);
        if went == Went::Denied {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= BREAKS_AFTER {
            let failures = match self.broken {
                // Others that were under way when it broke make it no worse.
                Some(Waiting { failures, until }) if now < until => failures,
                broken => broken.map_or(0, |broken| broken.failures) + 1,
            };
            let until = now + self.growth.wait("provider", failures);
            self.broken = Some(Waiting { failures, until });
        }
    }

    /// When somebody has waited long enough next.
    #[must_use]
    pub(crate) fn next(&self, now: Duration) -> Option<Duration> {
        if let Some(Waiting { until, .. }) = self.broken.filter(|broken| now < broken.until) {
            return Some(until);
        }
        self.devices.values().map(|waiting| waiting.until).filter(|until| *until > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const GROWTH: BackoffPolicy =
        BackoffPolicy { first: SECOND, most: Duration::from_secs(60), seed: 7 };

    fn id(n: usize) -> DeviceId {
        format!("D{n:03}").parse().unwrap()
    }

    fn device(n: usize) -> (DeviceId, Lane) {
        (id(n), Lane::Commands)
    }

    #[test]
    fn waits_double_to_a_limit_and_are_spread() {
        for (failures, least, most) in
            [(1, 0.5, 1.0), (2, 1.0, 2.0), (5, 8.0, 16.0), (7, 30.0, 60.0), (u32::MAX, 30.0, 60.0)]
        {
            let waits: Vec<f64> =
                (1..200).map(|n| GROWTH.wait(id(n), failures).as_secs_f64()).collect();
            assert!(
                waits.iter().all(|wait| (least..=most).contains(wait)),
                "{failures}: {waits:?}"
            );
            let (min, max) = (
                waits.iter().copied().fold(f64::MAX, f64::min),
                waits.iter().copied().fold(0.0, f64::max),
            );
            assert!(max - min > (most - least) * 0.8, "{failures}: from {min} to {max}");
            let spread: Vec<f64> =
                (1..200).map(|n| GROWTH.spread_wait(n, failures).as_secs_f64()).collect();
            assert!(spread.iter().all(|wait| (0.0..=most).contains(wait)), "{spread:?}");
            assert!(spread.iter().any(|wait| *wait < most * 0.1), "{failures}: {spread:?}");
        }
        assert_eq!(GROWTH.wait(1, 3), GROWTH.wait(1, 3), "the same seed, the same waits");
    }

    #[test]
    fn a_device_that_fails_waits_alone() {
        let mut backoff = Backoff::new(GROWTH);
        backoff.record(device(1), Went::Failed, SECOND);
        let until = backoff.waits(device(1), SECOND).unwrap();
        assert_eq!(backoff.next(SECOND), Some(until));
        assert_eq!(backoff.waits(device(2), SECOND), None);
        assert_eq!(backoff.admission(SECOND), Admission::All);
        assert_eq!(backoff.waits(device(1), until), None);
        backoff.record(device(1), Went::Well, until);
        assert_eq!(backoff.next(Duration::ZERO), None);
        assert_eq!(backoff.waiting(Duration::ZERO), 0);
    }

    #[test]
    fn when_all_fail_the_provider_is_left_alone_and_then_tried_once() {
        let mut backoff = Backoff::new(GROWTH);
        for n in 1..=500 {
            backoff.record(device(n), Went::Failed, SECOND);
        }
        let Admission::Nothing(until) = backoff.admission(SECOND) else { panic!("not broken") };
        assert!(until <= SECOND * 2, "{until:?}: one batch breaks once");
        assert_eq!(backoff.next(SECOND), Some(until));
        assert_eq!(backoff.admission(until), Admission::One);
        backoff.record(device(1), Went::Failed, until);
        let Admission::Nothing(later) = backoff.admission(until) else { panic!("not broken") };
        assert!(later - until >= SECOND, "{:?}: longer than before", later - until);
        backoff.record(device(2), Went::Well, later);
        assert_eq!(backoff.admission(later), Admission::All);
    }

    #[test]
    fn single_failures_between_successes_break_nothing() {
        let mut backoff = Backoff::new(GROWTH);
        for n in 1..1000 {
            backoff.record(device(n), Went::Failed, SECOND);
            let went = if n % 9 == 0 { Went::Failed } else { Went::Well };
            backoff.record(device(n + 1000), went, SECOND);
        }
        assert_eq!(backoff.admission(SECOND), Admission::All);
    }

    #[test]
    fn a_license_that_is_denied_waits_alone_and_speaks_for_the_provider() {
        let mut backoff = Backoff::new(GROWTH);
        for n in 1..=500 {
            backoff.record(device(n), Went::Failed, SECOND);
        }
        assert_ne!(backoff.admission(SECOND), Admission::All);
        backoff.record((id(1), Lane::Licenses), Went::Denied, SECOND);
        assert_eq!(backoff.admission(SECOND), Admission::All, "it answers");
        for n in 501..=600 {
            backoff.record((id(n), Lane::Licenses), Went::Denied, SECOND);
        }
        assert_eq!(backoff.admission(SECOND), Admission::All, "and says no");
        assert!(backoff.waits((id(501), Lane::Licenses), SECOND).is_some());
        assert_eq!(
            backoff.waits(device(501), SECOND),
            None,
            "the rest of the device does not wait"
        );
        assert_eq!(backoff.waiting(SECOND), 600, "devices");
    }
}
