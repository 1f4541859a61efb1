//! What the daemon says in its own log: each thing once, not at every pass.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::app::execute::Outcome;
use crate::app::reconcile::{self, Decision};
use crate::domain::plan::Op;
use crate::domain::state::State;
use crate::domain::state::event::FreezeCause;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::provider::Refused;

/// Findings beyond this many are only counted.
const SHOWN: usize = 20;

/// So much of what was said of reports is remembered.
const NOTES_KEPT: usize = 10_000;

/// What to do where a pass failed as a whole.
pub(super) fn help(error: &reconcile::Error) -> &'static str {
    match error {
        reconcile::Error::Ledger(_) => {
            "nothing is done until the ledger can be opened and written again; look at the disk"
        }
        reconcile::Error::Provider(_) => "it is asked again later",
    }
}

/// What was said already.
#[derive(Debug, Default)]
pub(super) struct Told {
    frozen: Option<FreezeCause>,
    findings: BTreeSet<String>,
    notes: BTreeSet<String>,
    held: bool,
    /// Why the trust files cannot be relied on.
    trust: Option<String>,
    trouble: Option<String>,
}

impl Told {
    /// What is wrong with what was loaded; a freeze only once it is `settled`.
    pub(super) fn decision(&mut self, decision: &Decision, recorded: &State, settled: bool) {
        let refusal = decision.approved.refusal().map(|refusal| &refusal.why);
        let frozen = refusal.map(|why| why.cause);
        if settled && frozen != self.frozen {
            match refusal {
                Some(why) => tracing::warn!(
                    cause = %why.cause, removed = why.removed, of = why.of, help = why.cause.help(),
                    "frozen: {}; nothing but reports is taken in", why.cause.explain()
                ),
                None => tracing::info!("no longer frozen: the fleet directory is plausible again"),
            }
            self.frozen = frozen;
        }
        self.findings(decision);
        for (name, why) in decision.unusable() {
            tracing::warn!(file = ?name, ?why, "a file of the inbox cannot be used");
        }
        for (name, why) in decision.bad().take(SHOWN) {
            tracing::warn!(file = ?name, ?why, "this is no report; it goes to inbox/rejected");
        }
        for (name, refused) in decision.refused().take(SHOWN) {
            let Refused { serial, why, .. } = refused;
            tracing::warn!(file = ?name, %serial, ?why, "a report is refused");
        }
        self.notes(decision);
        let behind = recorded.at.is_some_and(|at| crate::edges::clock::now() < at);
        if behind && !self.held {
            tracing::warn!(
                "this machine's clock is behind the log's last entry: no wipe is issued; mend the clock"
            );
        }
        self.held = behind;
    }

    /// That no wipe can be checked though trust files are configured, and that it can be again.
    pub(super) fn trust(&mut self, state: TrustState<'_>) {
        let broken = state.broken();
        match broken {
            Some(why) if self.trust.as_deref() != Some(why) => tracing::error!(
                ?why,
                "the trust files cannot be relied on: every wipe is refused until they can"
            ),
            None if self.trust.is_some() => {
                tracing::info!("the trust files can be relied on again")
            }
            Some(_) | None => {}
        }
        self.trust = broken.map(str::to_owned);
    }

    /// What is odd about reports: each thing once, though devices say it again and again.
    fn notes(&mut self, decision: &Decision) {
        if self.notes.len() > NOTES_KEPT {
            self.notes.clear();
        }
        let plan = decision.approved.plan();
        for action in &plan.actions {
            if let (Op::UnrequestedWipe { spec, .. }, Some(device)) = (&action.op, action.device) {
                let serial = &spec.serial_number;
                tracing::error!(%device, %serial, "the device {}", action.reason);
            }
        }
        for note in &plan.notes {
            if self.notes.insert(note.clone()) {
                tracing::warn!("{note}");
            }
        }
        for field in decision.unknown_fields() {
            if self.notes.insert(format!("field {field}")) {
                tracing::warn!(?field, "a field of reports is not known, and is passed over");
            }
        }
    }

    fn findings(&mut self, decision: &Decision) {
        let plan = decision.approved.plan();
        let findings: BTreeSet<String> = plan
            .findings
            .iter()
            .map(|f| format!("{}:{}: {}: {}", f.span.path, f.span.line, f.code, f.message))
            .collect();
        let new: Vec<_> = findings.difference(&self.findings).collect();
        for finding in new.iter().take(SHOWN) {
            tracing::warn!(?finding, "a finding");
        }
        if new.len() > SHOWN {
            tracing::warn!(more = new.len() - SHOWN, "more findings: see `fleetform check`");
        }
        if findings.is_empty() && !self.findings.is_empty() {
            tracing::info!("no findings any more");
        }
        self.findings = findings;
    }

    /// What was done, where anything was.
    pub(super) fn outcome(&mut self, outcome: &Outcome, took: Duration) {
        self.trouble = None;
        for (device, class, why) in outcome.failed.iter().take(SHOWN) {
            tracing::warn!(%device, %class, ?why, "the provider failed");
        }
        for (device, why) in &outcome.not_issued {
            tracing::warn!(%device, ?why, "a wipe was planned and is not issued");
        }
        if outcome.failed.len() > SHOWN {
            tracing::warn!(more = outcome.failed.len() - SHOWN, "the provider failed for others");
        }
        if !outcome.done.is_empty() {
            let done: Vec<_> = outcome.done.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
            tracing::info!(done = done.join(", "), left = outcome.left, ?took, "a pass");
        }
    }

    /// That a pass failed as a whole.
    pub(super) fn trouble(&mut self, error: &reconcile::Error, wait: Duration) {
        let text = error.to_string();
        if self.trouble.as_ref() == Some(&text) {
            tracing::debug!(error = %text, ?wait, "still the same");
        } else {
            tracing::error!(error = %text, again_in = ?wait, help = help(error), "the pass failed");
        }
        self.trouble = Some(text);
    }
}
