//! From what a decision depends on to a plan that may be carried out.

use std::collections::BTreeSet;

use crate::domain::fleet::Desired;
use crate::domain::guard::{ApprovedPlan, guard};
use crate::domain::manifest::finding::Finding;
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::plan::{Heard, Inputs, News, plan, plan_for};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::wipe::target::LoggedHead;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::requests::Requests;

/// What a decision depends on besides the observation.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The moment of the decision; every deadline is compared with it.
    pub now: Timestamp,
    /// The numbers of the configuration.
    pub settings: &'a Settings,
    /// What the manifests want.
    pub desired: &'a Desired,
    /// What the ledger says.
    pub recorded: &'a State,
    /// What was asked for by command.
    pub requests: &'a Requests,
    /// Whose signatures count for wipes, or why nobody's do.
    pub trust: &'a TrustState,
    /// The number of removals that an operator named.
    pub accept_removals: Option<u64>,
    /// The entries that wipe requests name, as far as the log has them.
    pub heads: &'a [LoggedHead],
    /// The highest time that this ledger has seen.
    pub clock: Option<Timestamp>,
    /// Only these devices, and those that are heard from; `None` is the whole fleet.
    pub only: Option<&'a BTreeSet<DeviceId>>,
}

/// Plans and guards: the one place that puts the two together. `findings` are beside those of the
/// manifests and of the reports.
pub(crate) fn approve(
    basis: Basis<'_>,
    (heard, news): (&[Heard], &News),
    findings: impl IntoIterator<Item = Finding>,
) -> ApprovedPlan {
    let Basis {
        now,
        settings,
        desired,
        recorded,
        requests,
        trust,
        accept_removals,
        heads,
        clock,
        only,
    } = basis;
    let requests = requests.syncs();
    let inputs =
        Inputs { now, settings, desired, recorded, heard, news, requests, trust, heads, clock };
    let mut plan = match only {
        None => plan(&inputs),
        Some(only) => plan_for(&inputs, only),
    };
    plan.findings.extend(findings);
    plan.findings.sort_by(|a, b| a.key().cmp(&b.key()));
    guard(plan, desired, recorded, settings.limits, accept_removals)
}
