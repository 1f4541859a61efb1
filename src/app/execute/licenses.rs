//! Licenses, given: many users get the same, and what came of it is logged.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use compact_str::CompactString;

use super::calls::{CallResult, in_parts, one_call};
use super::control::Patience;
use super::outcome::{Outcome, Unlicensed};
use crate::domain::model::{DeviceId, Email};
use crate::domain::plan::ActionKind;
use crate::domain::state::event::{ErrorClass, Event, LicenseAssigned, LicenseFailed};
use crate::domain::state::{LicenseState, State};
use crate::edges::ledger::{Draft, Proof};
use crate::edges::provider::{Error as ProviderError, LicenseTarget, Licensed, Provider};

/// One license for the users of many devices, under one intent.
#[derive(Debug)]
pub(super) struct Licensing {
    pub intent: u64,
    pub sku: CompactString,
    pub targets: Vec<LicenseTarget>,
}

impl Licensing {
    /// Looks up which of the users were given it before, with whatever device: it is never taken away.
    pub(super) fn look_up(&mut self, recorded: &State) {
        let users: HashSet<&Email> = self.targets.iter().map(|target| &target.user).collect();
        let licenses = recorded.devices.values().flat_map(|device| device.licenses.iter());
        let of_them = licenses.filter(|license| {
            license.sku == self.sku && license.is_given() && users.contains(&license.user)
        });
        let given: HashSet<&Email> = of_them.map(|license| &license.user).collect();
        for target in &mut self.targets {
            target.given = given.contains(&target.user);
        }
    }

    pub(super) async fn carry_out(
        &self,
        _: &Proof,
        provider: &Arc<dyn Provider>,
        patience: &Patience<'_>,
    ) -> Vec<CallResult<Licensed>> {
        let (limits, intent, sku) = (provider.limits(), self.intent, &self.sku);
        let call = |targets: Vec<LicenseTarget>| {
            let (provider, sku) = (provider.clone(), sku.clone());
            async move {
                let ids = targets.iter().map(|target| target.id).collect();
                one_call(ids, limits, provider.assign_license(&sku, targets, intent)).await
            }
        };
        // A user with several devices is given it once.
        let mut firsts: Vec<LicenseTarget> = Vec::new();
        let mut first_of: HashMap<&Email, DeviceId> = HashMap::new();
        for target in &self.targets {
            first_of.entry(&target.user).or_insert_with(|| {
                firsts.push(target.clone());
                target.id
            });
        }
        let told: HashMap<DeviceId, _> =
            in_parts(&firsts, limits, patience, call).await.into_iter().collect();
        let result = |target: &LicenseTarget| {
            Some((target.id, told.get(first_of.get(&target.user)?)?.clone()))
        };
        self.targets.iter().filter_map(result).collect()
    }

    /// What the log says of the users afterwards. That somebody still lacks a license for the reason that
    /// the log has already is not said again: it may be so for weeks.
    pub(super) fn told(
        &self,
        told: Vec<CallResult<Licensed>>,
        recorded: &State,
        outcome: &mut Outcome,
    ) -> Vec<Draft> {
        let mut drafts = Vec::with_capacity(told.len());
        let mut targets = self.targets.iter();
        for (id, result) in told {
            // Both are in the same order, and of some nothing is told.
            let Some(target) = targets.find(|target| target.id == id) else { break };
            let (intent, sku, user) = (self.intent, self.sku.clone(), target.user.clone());
            let has = |had| {
                let (sku, user) = (sku.clone(), user.clone());
                let assigned = LicenseAssigned { intent, sku, user, had };
                draft(id, Event::LicenseAssigned(Box::new(assigned)))
            };
            let (class, error, answered) = match result {
                Ok(Licensed::Assigned) => {
                    drafts.push(has(false));
                    continue;
                }
                Ok(Licensed::Had) => {
                    drafts.push(has(true));
                    continue;
                }
                Ok(Licensed::Lacks(why)) => (ErrorClass::Transient, why, true),
                Err(ProviderError { class, message, .. }) => (class, message, false),
            };
            *outcome.fell_short.entry(ActionKind::License).or_default() += 1;
            let state = LicenseState::Failed(class, error.as_str().into());
            let last =
                recorded.devices.get(&id).and_then(|device| device.licenses.get(&sku, &user));
            if last.is_none_or(|last| last.state != state) {
                let failed = LicenseFailed { intent, sku, user, class, error: error.clone() };
                drafts.push(draft(id, Event::LicenseFailed(Box::new(failed))));
            }
            outcome.unlicensed.push(Unlicensed { device: id, class, why: error, answered });
        }
        drafts
    }
}

fn draft(device: DeviceId, event: Event) -> Draft {
    Draft { device: Some(device), source: None, event }
}
