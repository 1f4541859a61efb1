//! What was told already, and so what is new.

use std::collections::BTreeSet;
use std::time::Duration;

use super::notice::{Notice, SHOWN, of_reports};
use crate::app::execute::Outcome;
use crate::app::reconcile::{self, Decision};
use crate::domain::model::Timestamp;
use crate::domain::plan::{Op, Subject};
use crate::domain::state::State;
use crate::domain::state::event::FreezeCause;
use crate::domain::wipe::trust_state::TrustState;

/// So many notes about reports are remembered, so that none is told twice.
const NOTES_KEPT: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Notices {
    frozen: Option<FreezeCause>,
    findings: BTreeSet<String>,
    notes: BTreeSet<String>,
    /// Files that were still being written in the last pass.
    unfinished: BTreeSet<String>,
    clock_behind: bool,
    /// Why the trust files cannot be relied on.
    trust: Option<String>,
    /// Why the provider cannot be observed.
    unobserved: Option<String>,
    /// Why the last pass failed.
    failed: Option<String>,
}

impl Notices {
    /// What is wrong with what was loaded and heard; a freeze only once it is `settled`.
    pub(crate) fn of_decision(
        &mut self,
        decision: &Decision,
        recorded: &State,
        settled: bool,
        now: Timestamp,
    ) -> Vec<Notice> {
        let mut new = Vec::new();
        let refusal = decision.approved.refusal().map(|refusal| &refusal.why);
        let frozen = refusal.map(|why| why.cause);
        if settled && frozen != self.frozen {
            new.push(refusal.map_or(Notice::Thawed, |why| Notice::Frozen(why.clone())));
            self.frozen = frozen;
        }
        self.of_findings(decision, &mut new);
        new.extend(of_reports(decision));
        self.of_notes(decision, &mut new);
        let behind = recorded.at.is_some_and(|at| now < at);
        if behind && !self.clock_behind {
            new.push(Notice::ClockBehind);
        }
        self.clock_behind = behind;
        new
    }

    /// That no wipe can be checked though trust files are configured, and that it can be again.
    pub(crate) fn of_trust(&mut self, state: &TrustState) -> Option<Notice> {
        let broken = state.broken().map(str::to_owned);
        let notice = match &broken {
            Some(why) => (self.trust != broken).then(|| Notice::TrustBroken(why.clone())),
            None => self.trust.is_some().then_some(Notice::TrustUsable),
        };
        self.trust = broken;
        notice
    }

    /// Says once that the provider cannot be observed, and once that it can be again.
    pub(crate) fn of_observing(
        &mut self,
        failed: Option<String>,
        again_in: Duration,
    ) -> Option<Notice> {
        let before = std::mem::replace(&mut self.unobserved, failed.clone());
        match (before, failed) {
            (None, Some(why)) => Some(Notice::Unobserved { why, again_in }),
            (Some(_), None) => Some(Notice::ObservedAgain),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// What is odd about reports: each thing once, though devices say it again and again.
    fn of_notes(&mut self, decision: &Decision, new: &mut Vec<Notice>) {
        if self.notes.len() > NOTES_KEPT {
            self.notes.clear();
        }
        let plan = decision.approved.plan();
        for action in &plan.actions {
            if let (Op::Missing { .. }, Subject::Device { id: device, spec }) =
                (&action.op, &action.subject)
            {
                let (device, serial) = (*device, spec.serial_number.clone());
                new.push(Notice::Missing { device, serial });
            }
            if let Op::Restore { profile, what, by } = &action.op {
                let (profile, what) = (profile.name.clone(), what.join("; "));
                new.push(Notice::Drifted { profile, what, by: by.clone() });
            }
            if let (Op::UnrequestedWipe { .. }, Subject::Device { id: device, spec }) =
                (&action.op, &action.subject)
            {
                let device = *device;
                let (serial, reason) = (spec.serial_number.clone(), action.reason.to_string());
                new.push(Notice::Erased { device, serial, reason });
            }
        }
        for note in &plan.notes {
            if self.notes.insert(note.clone()) {
                new.push(Notice::Odd(note.clone()));
            }
        }
        for field in decision.unknown_fields() {
            if self.notes.insert(format!("field {field}")) {
                new.push(Notice::UnknownField(field.to_owned()));
            }
        }
        // Whoever uploads a file is done with it by the next pass; what stays is forgotten there.
        let unfinished = decision.unfinished();
        for file in unfinished.intersection(&self.unfinished) {
            if self.notes.insert(format!("unfinished {file}")) {
                new.push(Notice::Unfinished(file.clone()));
            }
        }
        self.unfinished.clone_from(unfinished);
    }

    fn of_findings(&mut self, decision: &Decision, new: &mut Vec<Notice>) {
        let plan = decision.approved.plan();
        let findings: BTreeSet<String> = plan
            .findings
            .iter()
            .map(|f| format!("{}:{}: {}: {}", f.span.path, f.span.line, f.code, f.message))
            .collect();
        let others: Vec<_> = findings.difference(&self.findings).collect();
        new.extend(others.iter().take(SHOWN).map(|finding| Notice::Finding((*finding).clone())));
        if others.len() > SHOWN {
            new.push(Notice::MoreFindings(others.len() - SHOWN));
        }
        if findings.is_empty() && !self.findings.is_empty() {
            new.push(Notice::NoFindings);
        }
        self.findings = findings;
    }

    /// What was done, where anything was.
    pub(crate) fn of_outcome(&mut self, outcome: &Outcome, took: Duration) -> Vec<Notice> {
        self.failed = None;
        let mut new = Vec::new();
        for (device, class, why) in outcome.failures().take(SHOWN) {
            let why = why.to_owned();
            new.push(Notice::EffectFailed { device, class, why });
        }
        for (profile, class, why) in &outcome.profiles_failed {
            let (profile, class, why) = (profile.clone(), *class, why.clone());
            new.push(Notice::ProfileFailed { profile, class, why });
        }
        for (device, why) in &outcome.awaiting_approval {
            new.push(Notice::AwaitsApproval { device: *device, why: why.clone() });
        }
        for (device, why) in &outcome.not_issued {
            new.push(Notice::WipeNotIssued { device: *device, why: why.clone() });
        }
        let failures = outcome.failures().count();
        if failures > SHOWN {
            new.push(Notice::MoreEffectsFailed(failures - SHOWN));
        }
        let done = outcome.succeeded();
        if !done.is_empty() {
            let done: Vec<_> = done.iter().map(|(kind, n)| kind.told(*n as u64)).collect();
            new.push(Notice::Done { done: done.join(", "), left: outcome.left, took });
        }
        new
    }

    /// That a pass failed as a whole.
    pub(crate) fn of_failure(&mut self, error: &reconcile::Error, again_in: Duration) -> Notice {
        let text = error.to_string();
        let before = self.failed.replace(text.clone());
        if before.as_ref() == Some(&text) {
            Notice::PassStillFails { error: text, again_in }
        } else {
            Notice::PassFailed { error: text, help: error.help(), again_in }
        }
    }
}
