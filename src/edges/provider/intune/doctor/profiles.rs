//! Whether the tenant has what the profiles of the fleet name: groups, configuration policies, apps.

use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::answers::Reading;
use crate::domain::diagnosis::Check;
use crate::domain::model::{GraphId, Name, Profile};
use crate::domain::wording::quote;
use crate::edges::provider::intune::graph::{Call, Everyday, Failure};
use crate::edges::provider::intune::setup::{Assignable, assignments, configuration};

const PROFILE: &str = "intune.profile";
const GROUP: &str = "intune.group";
const POLICY: &str = "intune.configurationPolicy";
const APPLICATION: &str = "intune.application";

/// Objects that are asked for at the same time.
const AT_ONCE: usize = 8;

/// An object that a profile names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) what: What,
    pub(super) id: GraphId,
    pub(super) profile: Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Group,
    Policy,
    Application,
}

/// A group of Entra, as far as it matters here. What is not said counts as it usually is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    pub(super) display_name: Option<String>,
    #[serde(default)]
    pub(super) group_types: Vec<String>,
    pub(super) on_premises_sync_enabled: Option<bool>,
    pub(super) is_assignable_to_role: Option<bool>,
}

/// Objects that the profiles name, or the check of a profile that names none.
pub(super) fn named<'a>(
    profiles: impl IntoIterator<Item = &'a Profile>,
) -> Vec<Result<Named, Check>> {
    let mut all = Vec::new();
    for profile in profiles {
        let name = &profile.name;
        let Some(intune) = profile.intune.as_deref() else {
            let detail = format!("profile {name} has no `spec.intune`: no device gets it");
            let help =
                "add `spec.intune.group` with the object id of the Entra group of the profile";
            all.push(Err(Check::fails(PROFILE, detail, help).about(name.as_str())));
            continue;
        };
        let one = |what, id: &GraphId| Ok(Named { what, id: id.clone(), profile: name.clone() });
        all.push(one(What::Group, &intune.group));
        all.extend(intune.configuration_policies.iter().map(|id| one(What::Policy, id)));
        all.extend(intune.apps.iter().map(|id| one(What::Application, id)));
    }
    if all.is_empty() {
        all.push(Err(Check::ok(PROFILE, "the fleet has no profile yet")));
    }
    all
}

/// Looks for each of them; in their order.
pub(super) async fn look(reading: &Reading, all: Vec<Result<Named, Check>>) -> Vec<Check> {
    let few = Arc::new(Semaphore::new(AT_ONCE));
    let mut looking = JoinSet::new();
    let mut checks: Vec<Option<Check>> = Vec::new();
    for (at, one) in all.into_iter().enumerate() {
        checks.push(None);
        match one {
            Err(check) => checks[at] = Some(check),
            Ok(named) => {
                let (reading, few) = (reading.clone(), few.clone());
                looking.spawn(async move {
                    // It is never closed.
                    let _turn = few.acquire().await;
                    (at, named.look(&reading).await)
                });
            }
        }
    }
    while let Some(looked) = looking.join_next().await {
        match looked {
            Ok((at, check)) => checks[at] = Some(check),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    checks.into_iter().flatten().collect()
}

impl Named {
    fn name(&self) -> &'static str {
        match self.what {
            What::Group => GROUP,
            What::Policy => POLICY,
            What::Application => APPLICATION,
        }
    }

    fn about(&self, check: Check) -> Check {
        let Self { id, profile, .. } = self;
        let detail = format!("{} (profile {profile})", check.detail);
        Check { detail, ..check }.about(id.as_str())
    }

    async fn look(&self, reading: &Reading) -> Check {
        let Self { id, .. } = self;
        let (everyday, name) = (&reading.everyday, self.name());
        let check = match self.what {
            What::Group => {
                let found = reading.ask(name, group(everyday, id)).await;
                found.map(|found| self.group(found))
            }
            What::Policy => {
                let found = reading.ask(name, configuration(everyday, id)).await;
                found.map(|found| self.object(found.is_some()))
            }
            What::Application => {
                let found = reading.ask(name, app(everyday, id)).await;
                found.map(|found| self.object(found))
            }
        };
        self.about(check.unwrap_or_else(|check| check))
    }

    /// Whether members can be added to it.
    pub(super) fn group(&self, found: Option<Group>) -> Check {
        let id = &self.id;
        let Some(group) = found else {
            return Check::fails(
                GROUP,
                format!("the tenant has no group {id}"),
                "make a security group with assigned members, and write its object id into \
                 `spec.intune.group`",
            );
        };
        let Group { display_name, group_types, on_premises_sync_enabled, is_assignable_to_role } =
            group;
        let shown = format!("group {}", quote(display_name.as_deref().unwrap_or(id.as_str())));
        let other = "name a security group with assigned members in `spec.intune.group`";
        if group_types.iter().any(|kind| kind == "DynamicMembership") {
            let why = format!("{shown} is dynamic: a rule says who its members are");
            return Check::fails(GROUP, why, other);
        }
        if on_premises_sync_enabled == Some(true) {
            let why =
                format!("{shown} is synchronized from on-premises, where alone it can change");
            return Check::fails(GROUP, why, other);
        }
        if is_assignable_to_role == Some(true) {
            let why = format!("{shown} can be assigned to roles, so this app may not change it");
            return Check::fails(GROUP, why, other);
        }
        Check::ok(GROUP, format!("{shown} is there, with assigned members"))
    }

    pub(super) fn object(&self, there: bool) -> Check {
        let (what, field) = match self.what {
            What::Group => ("group", "spec.intune.group"),
            What::Policy => ("configuration policy", "spec.intune.configurationPolicies"),
            What::Application => ("app", "spec.intune.apps"),
        };
        let id = &self.id;
        if there {
            return Check::ok(self.name(), format!("{what} {id} is there"));
        }
        let help = format!("correct its id in `{field}`, or take it out");
        Check::fails(self.name(), format!("the tenant has no {what} {id}"), help)
    }
}

/// A group, if it is there.
async fn group(everyday: &Everyday, id: &GraphId) -> Result<Option<Group>, Failure> {
    let call = Call::get(format!("/groups/{id}"));
    match everyday.read(call).await {
        Ok(answer) => answer.json().map(Some),
        Err(failure) if failure.is_absent() => Ok(None),
        Err(failure) => Err(failure),
    }
}

async fn app(everyday: &Everyday, id: &GraphId) -> Result<bool, Failure> {
    match assignments(everyday, Assignable::App, id).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.is_absent() => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// The check of profiles where the fleet directory cannot be read.
pub(super) fn skipped(because: &str) -> Check {
    Check::skipped(PROFILE, because)
}
