//! What came of a pass.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use super::trust::TrustJson;
use crate::app::execute::Outcome;
use crate::domain::model::{DeviceId, Digest, Name};
use crate::domain::plan::ActionKind;
use crate::domain::state::event::ErrorClass;
use crate::domain::wipe::trust_state::TrustState;
use crate::domain::wording::count;

/// A pass that is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Applied<'a> {
    pub(crate) digest: Digest,
    pub(crate) outcome: &'a Outcome,
    /// Of the log's last entry now.
    pub(crate) seq: u64,
    /// Hash of its line.
    pub(crate) head: Digest,
    /// Findings of the plan.
    pub(crate) findings: usize,
    /// What signatures were checked against.
    pub(crate) trust: &'a TrustState,
}

/// Failures beyond this many are only counted, in text.
const FAILURES_SHOWN: usize = 20;

impl Applied<'_> {
    /// For people: failures, what is left, and a line that says it all.
    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let Outcome {
            done: _,
            fell_short,
            failed: _,
            unlicensed: _,
            profiles_failed,
            awaiting_approval,
            not_issued,
            left,
        } = self.outcome;
        let mut say = |tone, label: &str, why: &str, end: &str| {
            writeln!(out, "{} {}{end}", out.paint(tone, label), out.paint(Tone::Plain, why))
        };
        for (id, why) in not_issued {
            say(Tone::Changed, &format!("not issued: {id}:"), why, "")?;
        }
        for (id, why) in awaiting_approval {
            say(Tone::Changed, &format!("awaits approval: {id}:"), why, "")?;
        }
        for (id, class, why) in self.outcome.failures().take(FAILURES_SHOWN) {
            say(Tone::Removed, &format!("failed: {id}:"), why, &format!(" ({class})"))?;
        }
        for (name, class, why) in profiles_failed {
            say(Tone::Removed, &format!("failed: profile {name}:"), why, &format!(" ({class})"))?;
        }
        let failed = self.outcome.failures().count();
        if let Some(more) = failed.checked_sub(FAILURES_SHOWN).filter(|more| *more > 0) {
            writeln!(
                out,
                "… and {more} more that failed (fleetform audit log --kind profile.failed)"
            )?;
        }
        let done = self.outcome.succeeded();
        let mut parts: Vec<String> = done.iter().map(|(kind, n)| kind.told(*n as u64)).collect();
        // A sync was asked for now: whoever still wants it asks again.
        let syncs = fell_short.get(&ActionKind::Sync).copied().unwrap_or(0);
        if syncs > 0 {
            parts.push(format!("{} not accepted by the provider", count(syncs as u64, "sync")));
        }
        let fell_short = (failed + profiles_failed.len()).saturating_sub(syncs);
        if fell_short > 0 {
            parts.push(format!("{fell_short} failed (retried at the next reconciliation)"));
        }
        if parts.is_empty() {
            parts.push("nothing".to_owned());
        }
        let line = format!("Applied: {}. The log is at entry {}.", parts.join(", "), self.seq);
        writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
        if *left > 0 {
            let what = count(*left as u64, "action");
            let line = format!("Stopped: {what} left; run apply again to continue.");
            writeln!(out, "{}", out.paint(Tone::Changed, &line))?;
        }
        Ok(())
    }

    /// `{"version": 1, "digest", "done": {kind: n}, "failed": […], "notIssued": […], "left", "ledger": {…}, …}`.
    pub(crate) fn json(&self, out: &mut Out) -> io::Result<()> {
        #[derive(Serialize)]
        struct Document<'a> {
            version: u32,
            digest: Digest,
            done: BTreeMap<&'static str, usize>,
            failed: Vec<Failed<'a>>,
            #[serde(rename = "failedProfiles", skip_serializing_if = "Vec::is_empty")]
            failed_profiles: Vec<FailedProfile<'a>>,
            #[serde(rename = "notIssued")]
            not_issued: Vec<NotIssued<'a>>,
            #[serde(rename = "awaitingApproval", skip_serializing_if = "Vec::is_empty")]
            awaiting_approval: Vec<NotIssued<'a>>,
            left: usize,
            findings: usize,
            ledger: Ledger,
            trust: TrustJson<'a>,
        }
        #[derive(Serialize)]
        struct Failed<'a> {
            device: DeviceId,
            class: ErrorClass,
            error: &'a str,
        }
        #[derive(Serialize)]
        struct FailedProfile<'a> {
            profile: &'a Name,
            class: ErrorClass,
            error: &'a str,
        }
        #[derive(Serialize)]
        struct NotIssued<'a> {
            device: DeviceId,
            reason: &'a str,
        }
        #[derive(Serialize)]
        struct Ledger {
            seq: u64,
            head: Digest,
        }
        let Outcome {
            done: _,
            fell_short: _,
            failed: _,
            unlicensed: _,
            profiles_failed,
            awaiting_approval,
            not_issued,
            left,
        } = self.outcome;
        let failed = self.outcome.failures();
        let failed = failed.map(|(device, class, error)| Failed { device, class, error });
        fn waiting((device, reason): &(DeviceId, String)) -> NotIssued<'_> {
            NotIssued { device: *device, reason }
        }
        json::pretty(
            out,
            &Document {
                version: 1,
                digest: self.digest,
                done: self
                    .outcome
                    .succeeded()
                    .into_iter()
                    .map(|(kind, n)| (kind.as_str(), n))
                    .collect(),
                failed: failed.collect(),
                failed_profiles: profiles_failed
                    .iter()
                    .map(|(profile, class, error)| FailedProfile { profile, class: *class, error })
                    .collect(),
                not_issued: not_issued.iter().map(waiting).collect(),
                awaiting_approval: awaiting_approval.iter().map(waiting).collect(),
                left: *left,
                findings: self.findings,
                ledger: Ledger { seq: self.seq, head: self.head },
                trust: self.trust.into(),
            },
        )
    }
}
