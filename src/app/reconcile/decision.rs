//! A decision, and what becomes of the reports that it rests on.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::guard::ApprovedPlan;
use crate::domain::model::{SerialNumber, Timestamp};
use crate::domain::plan::{Action, Hold, HoldReason};
use crate::edges::provider::{self, Acknowledgement, Cursor, ReportOutcome, UnusableReport};
use crate::edges::requests::{self, Requests};

/// A decision, and the observation that it rests on.
#[derive(Debug)]
pub struct Decision {
    /// What may be done.
    pub approved: ApprovedPlan,
    /// The moment for which it was made: what is due later was not decided on.
    pub(crate) made: Timestamp,
    /// Where the look ended, and what becomes of its reports once all is done; nothing where
    /// nothing was heard.
    pub(super) heard: Option<Unacknowledged>,
    /// What was asked for by command, as this decision saw it.
    pub(super) requests: Requests,
    /// Why the provider could not be observed: then nothing is asked of it either.
    pub(super) unobserved: Option<provider::Error>,
    pub(super) unusable: Vec<UnusableReport>,
    pub(super) refused: Vec<RefusedReport>,
    pub(super) unknown_fields: BTreeSet<String>,
    pub(super) unfinished: BTreeSet<String>,
    pub(super) more: bool,
}

/// What was heard, to be acknowledged.
#[derive(Debug)]
pub struct Unacknowledged {
    /// Where the look ended.
    pub(super) cursor: Cursor,
    /// What becomes of its reports.
    pub(super) done: Vec<Acknowledgement>,
}

impl Unacknowledged {
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.cursor
    }
}

/// A report that was refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RefusedReport {
    /// Where it came from.
    pub(crate) origin: Arc<str>,
    pub(crate) serial: SerialNumber,
    /// Why, in a sentence without a full stop.
    pub(crate) why: String,
}

/// What became of reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReportCounts {
    /// Reports of devices that the ledger knows.
    pub(crate) taken: u64,
    /// Of these, reports that change nothing: a later one was heard before.
    pub(crate) passed_over: u64,
    /// Lines and whole files that nobody can use.
    pub(crate) rejected: u64,
}

impl ReportCounts {
    /// Adds those of another pass.
    pub(crate) fn add(&mut self, more: Self) {
        let Self { taken, passed_over, rejected } = more;
        self.taken += taken;
        self.passed_over += passed_over;
        self.rejected += rejected;
    }
}

impl Decision {
    /// Less of the same: actions for which `why` has a reason become holds.
    #[must_use]
    pub(crate) fn holding(self, why: impl FnMut(&Action) -> Option<(HoldReason, String)>) -> Self {
        Self { approved: self.approved.holding(why), ..self }
    }

    /// Why the provider could not be observed.
    #[must_use]
    pub(crate) fn unobserved(&self) -> Option<&provider::Error> {
        self.unobserved.as_ref()
    }

    /// What was said that is no report.
    pub(crate) fn unusable(&self) -> &[UnusableReport] {
        &self.unusable
    }

    /// Requests that nobody can use, and why: what is no request, and what does not fit the ledger.
    pub(crate) fn refused_requests(&self) -> impl Iterator<Item = (&Arc<str>, &str)> {
        let unusable = self.requests.unusable();
        let refused = &self.approved.plan().refused_requests;
        unusable
            .map(|requests::UnusableRequest { origin, why }| (origin, why.as_str()))
            .chain(refused.iter().map(|(origin, why)| (origin, why.as_str())))
    }

    /// Whether more requests wait than one pass takes.
    pub(crate) fn has_more_requests(&self) -> bool {
        self.requests.has_more()
    }

    pub(crate) fn refused(&self) -> &[RefusedReport] {
        &self.refused
    }

    /// Fields of reports that this version does not know.
    pub(crate) fn unknown_fields(&self) -> impl Iterator<Item = &str> {
        self.unknown_fields.iter().map(String::as_str)
    }

    /// Files whose names say that they are still being written.
    pub(crate) fn unfinished(&self) -> &BTreeSet<String> {
        &self.unfinished
    }

    /// Whether more reports wait than one pass takes.
    pub(crate) fn has_more(&self) -> bool {
        self.more
    }

    /// What becomes of the reports, in numbers.
    pub(crate) fn reports(&self) -> ReportCounts {
        let outcomes = self.heard.iter().flat_map(|heard| &heard.done);
        let taken =
            outcomes.filter(|done| matches!(done.outcome, ReportOutcome::Taken { .. })).count();
        let rejected = self.unusable.len() + self.refused.len();
        let telemetry = &self.approved.plan().telemetry;
        ReportCounts {
            taken: taken as u64,
            rejected: rejected as u64,
            passed_over: telemetry.iter().map(|said| said.passed_over).sum(),
        }
    }

    /// Whether there is something to acknowledge.
    #[must_use]
    pub fn has_reports(&self) -> bool {
        self.heard.is_some()
    }

    /// What is held, if that is all there is to this decision.
    #[must_use]
    pub(crate) fn only_holds(&self) -> Option<&[Hold]> {
        let Self {
            approved,
            made: _,
            heard,
            requests,
            unobserved,
            unusable,
            refused,
            unknown_fields,
            unfinished,
            more,
        } = self;
        let quiet = heard.is_none()
            && requests.is_quiet()
            && unobserved.is_none()
            && unusable.is_empty()
            && refused.is_empty()
            && unknown_fields.is_empty()
            && unfinished.is_empty()
            && !more;
        approved.only_holds().filter(|_| quiet)
    }

    /// As [`Decision::only_holds`], given out.
    #[must_use]
    pub(crate) fn into_only_holds(self) -> Option<Vec<Hold>> {
        let only = self.only_holds().is_some();
        only.then(|| self.approved.into_plan().holds)
    }

    /// Whether there is nothing to carry out: no actions, and nothing to acknowledge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let nothing_asked = self.requests.is_empty();
        self.approved.plan().actions.is_empty() && self.heard.is_none() && nothing_asked
    }
}
