//! The status of each sink, for whoever shows it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;

use super::sink::Sink;
use crate::domain::alerts::Health;
use crate::domain::model::Timestamp;
use crate::domain::wording::count;

/// A notice that waits longer than that is late.
pub(crate) const LATE: TimeDelta = TimeDelta::minutes(10);

/// What one sink has told, and what waits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SinkStatus {
    /// Whether it is known since the start what waits.
    pub(crate) known: bool,
    /// Jobs that are not settled.
    pub(crate) waiting: usize,
    /// Since when the oldest of those could have gone out.
    pub(crate) oldest: Option<Timestamp>,
    /// Jobs told since the start.
    pub(crate) delivered: u64,
    /// Tries that failed since the start.
    pub(crate) failed: u64,
    /// Jobs given up since the start.
    pub(crate) given_up: u64,
    /// Jobs that were not true any more, since the start.
    pub(crate) dropped: u64,
    /// Why it is left alone, or cannot go on.
    pub(crate) stuck: Option<String>,
    /// Why the last try failed, unless one went well since.
    pub(crate) failing: Option<String>,
    /// Whether it waits for an answer.
    pub(crate) telling: bool,
}

/// All of them, by name.
#[derive(Debug, Default)]
pub(crate) struct SinkStatuses(Mutex<BTreeMap<String, SinkStatus>>);

impl SinkStatuses {
    /// Of these, as nobody knows yet.
    pub(crate) fn of(sinks: &[Arc<dyn Sink>]) -> Self {
        let statuses = Self::default();
        statuses.keep(&sinks.iter().map(|sink| sink.name()).collect::<Vec<_>>());
        statuses
    }

    pub(crate) fn change(&self, sink: &str, change: impl FnOnce(&mut SinkStatus)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(sink.to_owned()).or_default());
    }

    /// That these are all that there are.
    pub(crate) fn keep(&self, names: &[&str]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|name, _| names.contains(&name.as_str()));
        for name in names {
            all.entry((*name).to_owned()).or_default();
        }
    }

    /// What somebody has to look at: who cannot be told, or not for a long time.
    pub(crate) fn stuck(&self, now: Timestamp) -> Vec<String> {
        let stuck = |status: &SinkStatus| status.stuck.is_some() || is_late(status, now, LATE);
        let all = self.all().into_iter().filter(|(_, status)| stuck(status));
        all.map(|(sink, status)| format!("{sink} is not told: {}", why(status))).collect()
    }

    /// Whether each can be told: one is not that has not been told something for longer than `after`.
    pub(crate) fn health(&self, now: Timestamp, after: TimeDelta) -> BTreeMap<String, Health> {
        let health = |sink: &str, status: SinkStatus| match status {
            status if is_late(&status, now, after) => {
                Health::Bad(format!("{sink} is not told: {}", why(status)))
            }
            SinkStatus { known: true, .. } => Health::Well,
            SinkStatus { .. } => Health::Unknown,
        };
        let all = self.all().into_iter();
        all.map(|(sink, status)| (sink.clone(), health(&sink, status))).collect()
    }

    /// What did not go out, as far as somebody should hear of it at the end of a run.
    pub(crate) fn left(&self, now: Timestamp) -> Vec<String> {
        let failing = |status: &SinkStatus| {
            let failed = status.stuck.is_some() || status.failing.is_some() || status.telling;
            (status.waiting > 0 && failed) || is_late(status, now, LATE)
        };
        let all = self.all();
        let given_up = all.iter().filter(|(_, status)| status.given_up > 0);
        let given_up = given_up.map(|(sink, status)| {
            let what = count(status.given_up, "notification");
            format!("{sink}: {what} given up; `fleetform deliveries --failed` says why")
        });
        let left = all.iter().filter(|(_, status)| failing(status)).map(|(sink, status)| {
            format!(
                "{sink} is not told: {}; the next run tries again, and `fleetform deliveries` lists them",
                why(status.clone())
            )
        });
        given_up.chain(left).collect()
    }

    pub(crate) fn all(&self) -> BTreeMap<String, SinkStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn is_late(status: &SinkStatus, now: Timestamp, after: TimeDelta) -> bool {
    status.waiting > 0 && status.oldest.is_some_and(|at| now > at + after)
}

fn why(SinkStatus { waiting, oldest, stuck, failing, telling, .. }: SinkStatus) -> String {
    let no_answer = telling.then(|| "there was no answer in time".to_owned());
    let stuck = stuck.or(failing).or(no_answer);
    let since = oldest.map(|at| format!(" since {}", at.short())).unwrap_or_default();
    let why = stuck.map(|why| format!(": {why}")).unwrap_or_default();
    format!("{waiting} waiting{since}{why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_sink_that_has_not_looked_yet_nobody_says_how_it_is() {
        let at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let (hour, statuses) = (TimeDelta::hours(1), SinkStatuses::default());
        statuses.keep(&["mail"]);
        let health = |now| statuses.health(now, hour).remove("mail");
        assert_eq!(health(at), Some(Health::Unknown));
        statuses.change("mail", |status| status.known = true);
        assert_eq!(health(at), Some(Health::Well));
        statuses.change("mail", |status| (status.waiting, status.oldest) = (1, Some(at)));
        assert_eq!(health(at + hour), Some(Health::Well));
        assert!(matches!(health(at + hour * 2), Some(Health::Bad(_))));
        statuses.keep(&[]);
        assert_eq!(health(at), None);
    }

    fn left(change: impl FnOnce(&mut SinkStatus)) -> String {
        let statuses = SinkStatuses::default();
        let began: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        statuses.change("mail", |status| (status.waiting, status.oldest) = (2, Some(began)));
        statuses.change("mail", change);
        statuses.left(began + TimeDelta::minutes(1)).join("\n")
    }

    #[test]
    fn what_did_not_go_out_is_said_with_its_reason_at_the_first_failure() {
        assert_eq!(left(|_| {}), "", "it has to wait, and has not failed");
        let said = left(|status| status.failing = Some("451 try again later".into()));
        assert_eq!(
            said,
            "mail is not told: 2 waiting since 2026-11-22T10:00:00Z: 451 try again later; the next \
             run tries again, and `fleetform deliveries` lists them"
        );
        let said = left(|status| status.telling = true);
        assert!(said.contains("there was no answer in time"), "{said}");
        let said = left(|status| (status.waiting, status.oldest, status.given_up) = (0, None, 1));
        assert_eq!(said, "mail: 1 notification given up; `fleetform deliveries --failed` says why");
    }
}
