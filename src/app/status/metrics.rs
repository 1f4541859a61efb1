//! What is counted since the start.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::app::reconcile::ReportCounts;
use crate::domain::backoff::Admission;
use crate::domain::model::Timestamp;
use crate::domain::plan::ActionKind;
use crate::domain::wipe::trust_state::TrustWord;

/// Upper ends in seconds: from one changed manifest to a whole fleet.
pub(crate) const BUCKETS: [f64; 10] = [0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

/// How long something took, how often.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Histogram {
    /// By bucket; each alone.
    pub(crate) counts: [u64; BUCKETS.len()],
    pub(crate) count: u64,
    /// Seconds.
    pub(crate) sum: f64,
}

impl Histogram {
    pub(crate) fn observe(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(at) = BUCKETS.iter().position(|end| seconds <= *end) {
            self.counts[at] += 1;
        }
        self.count += 1;
        self.sum += seconds;
    }
}

/// What is counted since the start.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Metrics {
    /// Passes that went through.
    pub(crate) passes: u64,
    /// Passes that failed as a whole.
    pub(crate) failed_passes: u64,
    /// From the beginning of a pass to its end.
    pub(crate) pass: Histogram,
    /// From the first event to the end of the pass that it led to.
    pub(crate) lag: Histogram,
    /// Actions done, by kind.
    pub(crate) done: BTreeMap<ActionKind, u64>,
    /// Of these, actions whose effect did not, or may not have, come about.
    pub(crate) fell_short: BTreeMap<ActionKind, u64>,
    /// What became of reports.
    pub(crate) reports: ReportCounts,
    /// Whether events are relied on.
    pub(crate) watching: bool,
    /// Devices that are left alone for a while.
    pub(crate) backing_off: usize,
    /// Whether the provider is.
    pub(crate) breaker: Option<Admission>,
    /// What there is to check signatures of wipes against.
    pub(crate) trust: Option<TrustWord>,
    /// People whose signatures count.
    pub(crate) signers: usize,
    /// When the commit was made that the last pass over everything saw.
    pub(crate) committed_at: Option<Timestamp>,
}
