//! How many actions of each kind, in words.

use std::collections::BTreeMap;

use crate::domain::guard::ApprovedPlan;
use crate::domain::plan::{Action, ActionKind, Waiting};
use crate::domain::wording::count;

/// One line that says it all.
#[must_use]
pub(crate) fn summary_line(approved: &ApprovedPlan, waiting: &Waiting) -> String {
    let plan = approved.plan();
    let mut parts: Vec<String> =
        counts(&plan.actions).into_iter().filter(|(_, n)| *n > 0).map(to_do).collect();
    let held = plan.holds.iter().filter(|hold| !hold.reason.is_waiting()).count();
    let waiting = waiting.total();
    if parts.is_empty() {
        parts.push("nothing to do; the recorded state matches the manifests".to_owned());
        if waiting > 0 || held > 0 || !plan.findings.is_empty() {
            parts[0] = "nothing to do".to_owned();
        }
    }
    if waiting > 0 {
        parts.push(format!("{waiting} waiting"));
    }
    if held > 0 {
        parts.push(format!("{held} held"));
    }
    if !plan.findings.is_empty() {
        parts.push(count(plan.findings.len() as u64, "finding"));
    }
    format!("Plan: {}.", parts.join(", "))
}

/// `3 to provision`: how many actions of a kind, in a plan.
pub(super) fn to_do((kind, n): (ActionKind, u64)) -> String {
    match kind {
        ActionKind::Freeze => "freeze".to_owned(),
        ActionKind::Thaw => "unfreeze".to_owned(),
        ActionKind::Profile => format!("{} to record", count(n, "profile")),
        ActionKind::Provision => format!("{n} to provision"),
        ActionKind::Adopt => format!("{n} to adopt"),
        ActionKind::Update => format!("{n} to update"),
        ActionKind::Push => format!("{} to push", count(n, "profile")),
        ActionKind::License => format!("{} to assign", count(n, "license")),
        ActionKind::Sync => format!("{n} to sync"),
        ActionKind::Restore => format!("{} to correct", count(n, "drifted profile")),
        ActionKind::Orphan => format!("{n} to orphan"),
        ActionKind::Archive => format!("{n} to archive"),
        ActionKind::Trust => "new trust files".to_owned(),
        ActionKind::Wipe => format!("{n} TO WIPE"),
        ActionKind::AcceptWipe => format!("{} to accept", count(n, "wipe")),
        ActionKind::BlockAccess => format!("{n} to block from mail"),
        ActionKind::RestoreAccess => format!("{n} to restore mail for"),
        ActionKind::Status
        | ActionKind::Compliance
        | ActionKind::EvidenceMissing
        | ActionKind::EvidenceReturned
        | ActionKind::RefuseWipe
        | ActionKind::HoldWipe
        | ActionKind::ExpireWipe
        | ActionKind::VetoWipe
        | ActionKind::LicenseMissing
        | ActionKind::Missing
        | ActionKind::Found
        | ActionKind::WipeProgress
        | ActionKind::DeferWipe
        | ActionKind::FailWipe
        | ActionKind::ConfirmWipe
        | ActionKind::UnrequestedWipe => kind.told(n),
        ActionKind::WithdrawWipe => format!("{} to withdraw", count(n, "wipe")),
    }
}

/// How many actions of each kind, those of which there are none included.
pub(super) fn counts(actions: &[Action]) -> BTreeMap<ActionKind, u64> {
    let mut counts: BTreeMap<ActionKind, u64> =
        ActionKind::ALL.iter().map(|kind| (*kind, 0)).collect();
    for action in actions {
        *counts.entry(action.kind()).or_default() += 1;
    }
    counts
}
