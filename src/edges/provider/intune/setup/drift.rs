//! What somebody changed of what Fleetform left in a tenant. Nothing is written here.
//!
//! Only what some device has was left in order, so only that is compared. What cannot be read is told,
//! and nothing is concluded from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::assign::{assignments, configuration};
use super::assignment::{Assignable, Step};
use super::audit::Changes;
use super::block;
use super::policies::{PATH, id_text, rules};
use super::policy_body::WantedPolicy;
use crate::domain::model::{GraphId, IntuneProfile, Name, PolicySource, Profile};
use crate::domain::plan::{Drift, DriftSubject};
use crate::domain::state::{Device, PushState, State};
use crate::edges::provider::intune::graph::{Call, Failure};
use crate::edges::provider::intune::provider::Inner;
use crate::edges::provider::observed::ReadProblem;

/// What is found while looking.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// With the object that changed, where its audit events would say who did it.
    drift: Vec<(Drift, Option<GraphId>)>,
    troubles: Vec<ReadProblem>,
}

impl Found {
    fn profile(&mut self, name: &Name, what: String, object: &GraphId) {
        let subject = DriftSubject::Profile(name.clone());
        let drift = Drift { subject, what, by: None, setting: None };
        self.drift.push((drift, Some(object.clone())));
    }

    /// Of something that follows from a setting.
    fn setting(&mut self, name: &Name, what: String, object: &GraphId, setting: &'static str) {
        let (subject, setting) = (DriftSubject::Profile(name.clone()), Some(setting));
        self.drift.push((Drift { subject, what, by: None, setting }, Some(object.clone())));
    }

    /// Of something that Intune keeps no log of.
    pub(super) fn other(&mut self, subject: DriftSubject, what: String) {
        self.drift.push((Drift { subject, what, by: None, setting: None }, None));
    }

    pub(super) fn trouble(&mut self, what: impl Into<String>, failure: &Failure) {
        self.troubles.push(ReadProblem {
            path: what.into(),
            message: failure.to_string(),
            help: "what somebody changed there is not seen until it can be read".to_owned(),
        });
    }
}

/// A profile that devices have as it is recorded.
#[derive(Debug, Clone, Copy)]
struct Left<'a> {
    profile: &'a Arc<Profile>,
    intune: &'a IntuneProfile,
}

/// Whether a device got its profile as it is recorded now.
pub(super) fn is_settled(device: &Device, recorded: &State) -> bool {
    let profile = recorded.profiles.get(&device.spec.profile);
    device.push.progress.state == PushState::Pushed
        && profile.is_some_and(|profile| profile.digest == *device.push.digest)
}

fn left(recorded: &State) -> BTreeMap<&Name, Left<'_>> {
    let settled = recorded.active().filter(|(_, device)| is_settled(device, recorded));
    let profiles = settled.filter_map(|(_, device)| recorded.profiles.get(&device.spec.profile));
    let of = |profile: &'_ Arc<Profile>| profile.intune.is_some();
    profiles
        .filter(|profile| of(profile))
        .filter_map(|profile| {
            let intune = profile.intune.as_deref()?;
            Some((&profile.name, Left { profile, intune }))
        })
        .collect()
}

impl Inner {
    /// What somebody changed: of the compliance policies, and if `deep`, also of assignments, grace
    /// periods, and members of groups.
    pub(in crate::edges::provider::intune) async fn drift(
        &self,
        recorded: &State,
        deep: bool,
    ) -> (Vec<Drift>, Vec<ReadProblem>) {
        let mut found = Found::default();
        let left = left(recorded);
        self.compare_policies(recorded, &left, deep, &mut found).await;
        if deep {
            for (name, left) in &left {
                self.compare_listed(name, left.intune, &mut found).await;
            }
            self.compare_members(recorded, &mut found).await;
        }
        let Found { mut drift, mut troubles } = found;
        if drift.iter().any(|(_, object)| object.is_some()) {
            self.find_authors(&mut drift, &mut troubles).await;
        }
        (drift.into_iter().map(|(drift, _)| drift).collect(), troubles)
    }

    async fn find_authors(
        &self,
        drift: &mut [(Drift, Option<GraphId>)],
        troubles: &mut Vec<ReadProblem>,
    ) {
        let client_id = &self.settings.app.client_id;
        match Changes::read(&self.connection.everyday, client_id, (self.now)()).await {
            Ok(changes) => {
                for (drift, object) in drift {
                    drift.by = object.as_ref().and_then(|id| changes.by(id.as_str()));
                }
            }
            Err(failure) => troubles.push(ReadProblem {
                path: "the audit log of Intune".to_owned(),
                message: failure.to_string(),
                help: "who changed what is not told; the application permission for it is \
                       DeviceManagementApps.Read.All"
                    .to_owned(),
            }),
        }
    }

    async fn compare_policies(
        &self,
        recorded: &State,
        left: &BTreeMap<&Name, Left<'_>>,
        deep: bool,
        found: &mut Found,
    ) {
        let Some(lineage) = recorded.origin() else { return };
        let mut wanted = Vec::new();
        for (name, left) in left {
            let managed = left.intune.compliance_policy == PolicySource::Managed;
            let known = recorded.policies.get(*name).filter(|_| managed);
            for platform in &left.profile.platforms {
                if let Some(id) = known.and_then(|known| known.get(platform)) {
                    let policy = WantedPolicy::new(lineage, left.profile, *platform);
                    wanted.push((*name, &left.intune.group, policy, id));
                }
            }
        }
        if wanted.is_empty() {
            return;
        }
        let policies = wanted.iter_mut().map(|(_, _, policy, _)| policy);
        let rows = match self.policies_for(policies).await {
            Ok(rows) => rows,
            Err(failure) => return found.trouble("the compliance policies", &failure),
        };
        for (name, group, policy, id) in &wanted {
            let place = format!("the compliance policy for {}", policy.platform);
            let row = match self.row_of(&rows, policy, id).await {
                Ok(row) => row,
                Err(failure) => {
                    found.trouble(place, &failure);
                    continue;
                }
            };
            let Some(row) = row else {
                found.profile(name, format!("{place} is gone"), id);
                continue;
            };
            for difference in policy.differences(&row) {
                found.profile(name, format!("{place}: {difference}"), id);
            }
            if deep {
                self.compare_block(name, policy, id, found).await;
                let kind = Assignable::CompliancePolicy;
                match assignments(&self.connection.everyday, kind, id).await {
                    Ok(seen) => compare_assignment(name, kind, id, group, &seen, found),
                    Err(failure) => found.trouble(place, &failure),
                }
            }
        }
    }

    /// A policy as the list has it, or where the list lags behind, as it is. One that was made a moment
    /// ago may be hidden from both.
    async fn row_of(
        &self,
        rows: &[Value],
        policy: &WantedPolicy,
        id: &GraphId,
    ) -> Result<Option<Value>, Failure> {
        let listed = rows.iter().find(|row| id_text(row) == Some(id.as_str()));
        if let Some(row) = listed {
            return Ok(Some(row.clone()));
        }
        let call = Call::get(format!("{PATH}/{id}")).of(policy.version);
        match self.connection.everyday.read(call).await {
            Ok(answer) => answer.json().map(Some),
            Err(failure) if failure.is_absent() => {
                let hidden = self.recent().may_be_hidden(&policy.marker, (self.now)());
                Ok(hidden.then(|| Value::Object(policy.body.clone())))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn compare_block(
        &self,
        name: &Name,
        policy: &WantedPolicy,
        id: &GraphId,
        found: &mut Found,
    ) {
        let wanted = self.grace_hours();
        match rules(&self.connection.everyday, policy.version, id).await {
            Ok(rules) => {
                let hours = block::hours(&rules);
                if hours != Some(wanted) {
                    let is = hours.map_or("not set".to_owned(), |hours| format!("{hours}h"));
                    let what = format!(
                        "the compliance policy for {}: its grace period is {is}, not {wanted}h",
                        policy.platform
                    );
                    found.setting(name, what, id, "compliance.blockAfter");
                }
            }
            Err(failure) => {
                found.trouble(format!("the compliance policy for {}", policy.platform), &failure);
            }
        }
    }

    async fn compare_listed(&self, name: &Name, intune: &IntuneProfile, found: &mut Found) {
        let IntuneProfile { apps, compliance_policy: _, configuration_policies, group } = intune;
        let everyday = &self.connection.everyday;
        for id in configuration_policies {
            match configuration(everyday, id).await {
                Ok(Some((kind, seen))) => {
                    compare_assignment(name, kind, id, group, &seen, found);
                }
                Ok(None) => {
                    found.profile(name, format!("the configuration policy {id} is gone"), id);
                }
                Err(failure) => found.trouble(format!("the configuration policy {id}"), &failure),
            }
        }
        for id in apps {
            match assignments(everyday, Assignable::App, id).await {
                Ok(seen) => compare_assignment(name, Assignable::App, id, group, &seen, found),
                Err(failure) if failure.is_absent() => {
                    found.profile(name, format!("the app {id} is gone"), id);
                }
                Err(failure) => found.trouble(format!("the app {id}"), &failure),
            }
        }
    }
}

fn compare_assignment(
    name: &Name,
    kind: Assignable,
    id: &GraphId,
    group: &GraphId,
    seen: &[Value],
    found: &mut Found,
) {
    let what = kind.what();
    let what = match kind.step(seen, group) {
        Step::Nothing => return,
        Step::Add(_) => format!("the {what} {id} is not assigned to group {group} any more"),
        Step::Change(_) => format!("the {what} {id} is not required for group {group} any more"),
        Step::Excluded => format!("group {group} is excluded from the {what} {id}"),
    };
    found.profile(name, what, id);
}
