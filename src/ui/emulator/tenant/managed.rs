//! Records of managed devices: what Intune believes of hardware that is enrolled.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use chrono::TimeDelta;

use super::facts::Facts;
use super::settling::Settling;
use crate::domain::model::{Platform, Timestamp, words};

words! {
    /// A command that ends the life of a record.
    pub(crate) enum Command { Wipe = "wipe", Retire = "retire" }
}

/// One entry of `deviceActionResults`.
#[derive(Debug, Clone)]
pub(crate) struct ActionResult {
    pub(crate) name: &'static str,
    pub(crate) state: &'static str,
    pub(crate) started: Timestamp,
    pub(crate) updated: Timestamp,
}

/// `managementState` and what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Management {
    pub(crate) state: &'static str,
    pub(crate) results: Vec<ActionResult>,
}

/// A command that the device has yet to carry out.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) command: Command,
    /// The record stays, as `keepEnrollmentData` asks.
    pub(crate) stays: bool,
    /// Where it stands in the tenant's list of commands.
    pub(crate) entry: usize,
}

/// What a policy said of a device when it last contacted Intune.
#[derive(Debug, Clone)]
pub(crate) struct PolicyState {
    pub(crate) policy: String,
    pub(crate) display_name: String,
    pub(crate) platform: &'static str,
    pub(crate) version: u32,
    /// Each setting, and whether the device does as it says.
    pub(crate) settings: Vec<(&'static str, bool)>,
}

impl PolicyState {
    pub(crate) fn holds(&self) -> bool {
        self.settings.iter().all(|(_, holds)| *holds)
    }
}

/// What a device reported when it last contacted Intune.
#[derive(Debug, Clone)]
pub(crate) struct Reported {
    pub(crate) facts: Facts,
    pub(crate) policies: Vec<PolicyState>,
    /// Policies, configurations and applications that it has by now.
    pub(crate) applied: BTreeSet<String>,
}

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct ManagedDevice {
    pub(crate) id: String,
    /// Which hardware it is about.
    pub(crate) hardware: usize,
    pub(crate) serial: String,
    pub(crate) platform: Platform,
    pub(crate) manufacturer: String,
    pub(crate) model: String,
    pub(crate) name: String,
    pub(crate) managed_name: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) user_id: String,
    pub(crate) upn: String,
    pub(crate) user_name: String,
    /// `azureADDeviceId`, which is not the id of the directory's object.
    pub(crate) entra_device_id: String,
    pub(crate) owner: &'static str,
    pub(crate) enrollment_type: &'static str,
    pub(crate) enrolled: Timestamp,
    pub(crate) last_sync: Timestamp,
    pub(crate) management: Settling<Management>,
    pub(crate) pending: Option<Pending>,
    /// Nothing until its first contact after enrollment.
    pub(crate) reported: Option<Reported>,
    /// Since when it fails which policy.
    pub(crate) failing: BTreeMap<String, Timestamp>,
    /// When the first of these policies blocks it.
    pub(crate) blocked: Option<Timestamp>,
}

/// `complianceState` and the end of its grace period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compliance {
    pub(crate) state: &'static str,
    pub(crate) grace_ends: Option<Timestamp>,
}

impl ManagedDevice {
    pub(crate) fn compliance(
        &self,
        now: Timestamp,
        compliant_without_policy: bool,
        silent_days: u32,
    ) -> Compliance {
        let plain = |state| Compliance { state, grace_ends: None };
        let Some(reported) = &self.reported else { return plain("unknown") };
        if now - self.last_sync > TimeDelta::days(i64::from(silent_days)) {
            return plain("noncompliant");
        }
        match self.blocked {
            Some(blocked) if now < blocked => {
                Compliance { state: "inGracePeriod", grace_ends: Some(blocked) }
            }
            Some(blocked) => Compliance { state: "noncompliant", grace_ends: Some(blocked) },
            None if reported.policies.is_empty() && !compliant_without_policy => {
                plain("noncompliant")
            }
            None => plain("compliant"),
        }
    }

    /// The command that comes first, as the tenant knows it.
    pub(crate) fn management_now(&self) -> Management {
        let managed = Management { state: "managed", results: Vec::new() };
        self.management.current().cloned().unwrap_or(managed)
    }
}

/// All records, by their id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records(BTreeMap<String, ManagedDevice>);

impl Records {
    pub(crate) fn get(&self, id: &str) -> Option<&ManagedDevice> {
        self.0.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut ManagedDevice> {
        self.0.get_mut(id)
    }

    pub(crate) fn insert(&mut self, device: ManagedDevice) {
        self.0.insert(device.id.clone(), device);
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<ManagedDevice> {
        self.0.remove(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// By id, after this one.
    pub(crate) fn after(&self, id: Option<&str>) -> impl Iterator<Item = &ManagedDevice> {
        let from = id.map_or(Bound::Unbounded, Bound::Excluded);
        self.0.range::<str, _>((from, Bound::Unbounded)).map(|(_, device)| device)
    }
}
