//! What a profile needs in a tenant before devices get it.

use serde::Deserialize;

use super::assign::{Assigning, assignments, configuration};
use super::assignment::Assignable;
use super::policies::Ensured;
use super::policy_body::WantedPolicy;
use super::problems::Problems;
use crate::domain::model::{GraphId, IntuneProfile, Name, PolicySource};
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::effect::{Prepared, ProfileSetup};
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::connection::{again, soon};
use crate::edges::provider::intune::graph::Call;
use crate::edges::provider::intune::provider::Inner;

/// That a profile does not say what it is in Intune.
pub(in crate::edges::provider::intune) fn no_group(profile: &Name) -> Error {
    let why = format!(
        "profile {profile} does not say which Entra group its devices get it by: add \
         `spec.intune.group` with the object id of the group"
    );
    Error::new(ErrorClass::Permanent, why)
}

impl Inner {
    /// Makes what a profile needs, and puts right what somebody changed.
    ///
    /// # Errors
    /// If nothing of it could be done.
    pub(in crate::edges::provider::intune) async fn prepare(
        &self,
        setup: &ProfileSetup,
    ) -> Result<Prepared, Error> {
        let ProfileSetup { intent, ledger, profile, policies } = setup;
        let intune = profile.intune.as_deref().ok_or_else(|| no_group(&profile.name))?;
        self.check_group(&intune.group).await?;
        // A policy of a platform that the profile does not serve any more stays known: it is taken up
        // again if the platform comes back.
        let mut prepared = Prepared { policies: policies.clone(), ..Prepared::default() };
        let mut problems = Problems::default();
        if intune.compliance_policy == PolicySource::Managed {
            let lineage = ledger.ok_or_else(|| {
                Error::new(
                    ErrorClass::Permanent,
                    "the ledger has no id that objects could be marked with",
                )
            })?;
            let wanted = profile.platforms.iter();
            let wanted: Vec<_> =
                wanted.map(|platform| WantedPolicy::new(lineage, profile, *platform)).collect();
            self.ensure_policies(wanted, &intune.group, &mut prepared, &mut problems).await;
        }
        self.ensure_listed(intune, &mut prepared, &mut problems).await;
        if !prepared.written.is_empty() {
            self.recent().changed(&profile.name, *intent);
        }
        prepared.failed = problems.into_error();
        Ok(prepared)
    }

    async fn ensure_policies(
        &self,
        mut wanted: Vec<WantedPolicy>,
        group: &GraphId,
        prepared: &mut Prepared,
        problems: &mut Problems,
    ) {
        let everyday = &self.connection.everyday;
        let rows = self.policies_for(&mut wanted).await;
        let Some(rows) = problems.note(rows.map_err(|why| again(&why))) else { return };
        let Prepared { policies, written, failed: _ } = prepared;
        for wanted in &wanted {
            let known: Option<GraphId> = policies.get(&wanted.platform).cloned();
            let ensured = self.ensure_policy(wanted, known.as_ref(), &rows, written).await;
            let Some(Ensured { id, is_new }) = problems.note(ensured) else { continue };
            policies.insert(wanted.platform, id.clone());
            let kind = Assignable::CompliancePolicy;
            let seen = if is_new { Ok(Vec::new()) } else { assignments(everyday, kind, &id).await };
            let Some(seen) = problems.note(seen.map_err(|why| soon(&why))) else { continue };
            let ensured = Assigning { kind, id: &id, group }.ensure(everyday, seen).await;
            written.extend(problems.note(ensured).flatten());
        }
    }

    /// Assigns what the profile lists.
    async fn ensure_listed(
        &self,
        intune: &IntuneProfile,
        prepared: &mut Prepared,
        problems: &mut Problems,
    ) {
        let IntuneProfile { apps, compliance_policy: _, configuration_policies, group } = intune;
        let everyday = &self.connection.everyday;
        let mut found = Vec::new();
        for id in configuration_policies {
            let read = configuration(everyday, id).await.map_err(|why| again(&why));
            let read = read.and_then(|read| {
                read.ok_or_else(|| {
                    absent("configuration policy", id, "spec.intune.configurationPolicies")
                })
            });
            found.extend(problems.note(read).map(|(kind, seen)| (kind, id, seen)));
        }
        for id in apps {
            let read = assignments(everyday, Assignable::App, id).await;
            let read = read.map_err(|why| match why.is_absent() {
                true => absent("app", id, "spec.intune.apps"),
                false => again(&why),
            });
            found.extend(problems.note(read).map(|seen| (Assignable::App, id, seen)));
        }
        for (kind, id, seen) in found {
            let ensured = Assigning { kind, id, group }.ensure(everyday, seen).await;
            prepared.written.extend(problems.note(ensured).flatten());
        }
    }

    /// Whether the group is one that members can be added to.
    async fn check_group(&self, group: &GraphId) -> Result<(), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Group {
            #[serde(default)]
            group_types: Vec<String>,
        }
        let call = Call::get(format!("/groups/{group}")).query("$select", "id,groupTypes");
        let answer = self.connection.everyday.read(call).await;
        let answer = answer.map_err(|why| match why.is_absent() {
            true => absent("group", group, "spec.intune.group"),
            false => again(&why),
        })?;
        let Group { group_types } = answer.json().map_err(|why| again(&why))?;
        if group_types.iter().any(|kind| kind == "DynamicMembership") {
            let why = format!(
                "group {group} has a rule that says who is a member: `spec.intune.group` must name \
                 a group with assigned members"
            );
            return Err(Error::new(ErrorClass::Permanent, why));
        }
        Ok(())
    }
}

/// That something is not there which the profile names.
fn absent(what: &str, id: &GraphId, field: &str) -> Error {
    let why = format!("the tenant has no {what} {id}: make one, and write its id into `{field}`");
    Error::new(ErrorClass::Permanent, why)
}
