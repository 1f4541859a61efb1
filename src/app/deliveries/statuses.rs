//! The status of each sink, for whoever shows it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;

use crate::domain::model::Timestamp;

/// A notice that waits longer than that is late.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// What one sink has told, and what waits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SinkStatus {
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
}

/// All of them, by name.
#[derive(Debug, Default)]
pub(crate) struct SinkStatuses(Mutex<BTreeMap<String, SinkStatus>>);

impl SinkStatuses {
    pub(crate) fn change(&self, sink: &str, change: impl FnOnce(&mut SinkStatus)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(sink.to_owned()).or_default());
    }

    pub(crate) fn keep(&self, names: &[&str]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|name, _| names.contains(&name.as_str()));
    }

    /// What somebody has to look at: who cannot be told, or not for a long time.
    pub(crate) fn stuck(&self, now: Timestamp) -> Vec<String> {
        let stuck = |status: &SinkStatus| status.stuck.is_some() || is_late(status, now, LATE);
        let all = self.all().into_iter().filter(|(_, status)| stuck(status));
        all.map(|(sink, status)| format!("{sink} is not told: {}", why(status))).collect()
    }

    /// Who is not told for longer than that, and why.
    pub(crate) fn late(&self, now: Timestamp, after: TimeDelta) -> Vec<(String, String)> {
        let all = self.all().into_iter().filter(|(_, status)| is_late(status, now, after));
        all.map(|(sink, status)| {
            let why = format!("{sink} is not told: {}", why(status));
            (sink, why)
        })
        .collect()
    }

    pub(crate) fn all(&self) -> BTreeMap<String, SinkStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn is_late(status: &SinkStatus, now: Timestamp, after: TimeDelta) -> bool {
    status.waiting > 0 && status.oldest.is_some_and(|at| now > at + after)
}

fn why(SinkStatus { waiting, oldest, stuck, .. }: SinkStatus) -> String {
    let since = oldest.map(|at| format!(" since {}", at.short())).unwrap_or_default();
    let why = stuck.map(|why| format!(": {why}")).unwrap_or_default();
    format!("{waiting} waiting{since}{why}")
}
