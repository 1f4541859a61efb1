//! Profiles, carried out: the provider gets the objects that a profile is made of, then its devices.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::outcome::Outcome;
use crate::domain::model::{DeviceSpec, Email, GraphId, Name, Profile};
use crate::domain::plan::Action;
use crate::domain::state::State;
use crate::domain::state::event::{Event, ProfilePrepared};
use crate::edges::ledger::{self, Draft, Ledger, Proof};
use crate::edges::provider::{
    Error as ProviderError, FormerUser, Left, Prepared, ProfileSetup, Provider,
};

/// Has the provider make what a profile is made of, and logs what came of it.
///
/// # Errors
/// If the log cannot be written. The inner error says why the provider did not.
pub(super) async fn prepare(
    intent: u64,
    profile: &Arc<Profile>,
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
) -> Result<Result<(), ProviderError>, ledger::Error> {
    let proof = ledger.prove()?;
    let recorded = ledger.state();
    let policies = recorded.policies.get(&profile.name).cloned().unwrap_or_default();
    let setup = ProfileSetup {
        intent,
        ledger: recorded.origin(),
        profile: profile.clone(),
        policies: policies.clone(),
    };
    let prepared = match ask(&setup, proof, provider).await {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Err(error)),
    };
    let Prepared { policies: now, written, failed } = prepared;
    if now != policies || !written.is_empty() {
        let event = Event::ProfilePrepared(Box::new(ProfilePrepared {
            intent,
            profile: profile.name.clone(),
            digest: profile.digest,
            policies: now,
            written,
        }));
        ledger.append(vec![event.into()])?;
        ledger.sync()?;
    }
    Ok(failed.map_or(Ok(()), Err))
}

async fn ask(
    setup: &ProfileSetup,
    _: Proof,
    provider: &Arc<dyn Provider>,
) -> Result<Prepared, ProviderError> {
    let limit = provider.limits().timeout;
    let asked = tokio::time::timeout(limit, provider.prepare(setup)).await;
    asked.unwrap_or_else(|_| Err(ProviderError::timed_out(limit)))
}

/// Puts right what somebody changed in a profile's objects.
///
/// # Errors
/// If the log cannot be written.
pub(super) async fn restore(
    action: &Action,
    profile: &Arc<Profile>,
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
    outcome: &mut Outcome,
) -> Result<(), ledger::Error> {
    let intent = ledger.next_seq();
    let drafts = action.event(intent).map(Draft::from);
    ledger.append(drafts.into_iter().collect())?;
    ledger.sync()?;
    let restored = prepare(intent, profile, ledger, provider).await?;
    *outcome.done.entry(action.kind()).or_default() += 1;
    if let Err(ProviderError { class, message, .. }) = restored {
        *outcome.fell_short.entry(action.kind()).or_default() += 1;
        outcome.profiles_failed.push((profile.name.clone(), class, message));
    }
    Ok(())
}

/// Which other profiles a device leaves behind that takes one on: those that neither it nor another
/// device of its user has. Two profiles of one group are one here.
pub(super) struct Leaving<'a> {
    recorded: &'a State,
    /// By addresses in small letters: an MDM does not tell them apart otherwise.
    kept: HashMap<String, BTreeSet<&'a GraphId>>,
}

impl<'a> Leaving<'a> {
    pub(super) fn new(recorded: &'a State) -> Self {
        let mut kept: HashMap<String, BTreeSet<&GraphId>> = HashMap::new();
        // Without objects in an MDM there is nothing to leave.
        let group = |(name, profile): (&'a Name, &'a Arc<Profile>)| {
            Some((name, &profile.intune.as_deref()?.group))
        };
        let groups: HashMap<&Name, &GraphId> = recorded.profiles.iter().filter_map(group).collect();
        // Asked for each batch: most fleets have none at all.
        let devices = recorded.active().take_while(|_| !groups.is_empty());
        for (_, device) in devices {
            if let Some(group) = groups.get(&device.spec.profile) {
                kept.entry(key(&device.spec.user_email)).or_default().insert(*group);
            }
        }
        Self { recorded, kept }
    }

    /// Those that a device of this specification leaves.
    pub(super) fn of(&self, spec: &DeviceSpec) -> Vec<Left> {
        let other = |(name, profile): (&Name, &Arc<Profile>)| {
            let group = &profile.intune.as_ref().filter(|_| *name != spec.profile)?.group;
            let user = !self.keeps(&spec.user_email, group);
            Some(Left { profile: profile.clone(), user })
        };
        self.recorded.profiles.iter().filter_map(other).collect()
    }

    /// What somebody leaves who has a device no more.
    pub(super) fn former(&self, email: &Email) -> FormerUser {
        let left = |profile: &&Arc<Profile>| {
            let intune = profile.intune.as_deref();
            intune.is_some_and(|intune| !self.keeps(email, &intune.group))
        };
        let leaves = self.recorded.profiles.values().filter(left).cloned().collect();
        FormerUser { email: email.clone(), leaves }
    }

    fn keeps(&self, email: &Email, group: &GraphId) -> bool {
        self.kept.get(&key(email)).is_some_and(|kept| kept.contains(group))
    }
}

fn key(email: &Email) -> String {
    email.as_str().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::model::{ComplianceState, DeviceId, Digest, Status, Timestamp};
    use crate::domain::state::{Compliance, Device, LastPush, Manifest, Sparse};

    fn device(user: &str, profile: &str) -> Device {
        let spec = json!({"name": "x", "serialNumber": "x", "userEmail": user, "profile": profile,
            "platform": "windows", "osVersion": "10", "ownership": "corporate"});
        Device {
            spec: Arc::new(serde_json::from_value(spec).unwrap()),
            status: Status::Enrolled,
            status_since: Timestamp::EPOCH,
            status_reason: "".into(),
            enrollment: 1,
            manifest: Manifest { path: "x.yaml".into(), digest: Digest::ZERO },
            compliance: Compliance {
                state: ComplianceState::Unknown,
                since: Timestamp::EPOCH,
                checks: Sparse::default(),
            },
            push: LastPush {
                intent: 1,
                digest: Arc::new(Digest::ZERO),
                progress: Sparse::default(),
            },
            rare: Sparse::default(),
            licenses: Sparse::default(),
            last_sync: None,
            facts: None,
            episode: None,
        }
    }

    /// Profiles with their groups, and devices with their users.
    fn state(profiles: &[(&str, &str)], devices: &[(&str, &str)]) -> State {
        let mut state = State::default();
        for (name, group) in profiles {
            let profile: Profile = serde_json::from_value(json!({
                "name": name, "description": "", "platforms": ["windows"], "apps": [],
                "settings": {}, "licenses": [], "compliance": {}, "digest": Digest::ZERO,
                "intune": {"group": group, "compliancePolicy": "none"},
            }))
            .unwrap();
            state.profiles.insert(profile.name.clone(), Arc::new(profile));
        }
        let mut next = DeviceId::FIRST;
        for (user, profile) in devices {
            state.devices.insert(next, device(user, profile));
            next = next.next();
        }
        state
    }

    #[test]
    fn a_user_keeps_the_groups_that_any_of_their_devices_needs() {
        let profiles = [("A", "g-a"), ("B", "g-b"), ("C", "g-c"), ("Twin", "g-b")];
        let devices =
            [("ana@example.com", "A"), ("Ana@Example.com", "B"), ("bob@example.com", "C")];
        let state = state(&profiles, &devices);
        let leaving = Leaving::new(&state);
        let left: Vec<_> = leaving
            .of(&state.devices[&DeviceId::FIRST].spec)
            .into_iter()
            .map(|Left { profile, user }| (profile.name.to_string(), user))
            .collect();
        let expected = [("B", false), ("C", true), ("Twin", false)];
        assert_eq!(left, expected.map(|(name, user)| (name.to_owned(), user)));
        for (email, expected) in [
            ("ANA@example.com", &["C"][..]),
            ("bob@example.com", &["A", "B", "Twin"]),
            ("eve@example.com", &["A", "B", "C", "Twin"]),
        ] {
            let FormerUser { leaves, .. } = leaving.former(&email.parse().unwrap());
            let names: Vec<_> = leaves.iter().map(|profile| profile.name.as_str()).collect();
            assert_eq!(names, expected, "{email}");
        }
    }
}
