//! What the log says of a device and of its compliance.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::change::Change;
use crate::domain::model::{ComplianceState, DeviceSpec, Digest, Status, Timestamp};

/// `device.provisioned`: also the intent of pushing the profile for the first time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceProvisioned {
    /// As recorded from now on.
    #[serde(flatten)]
    pub(crate) spec: Arc<DeviceSpec>,
    /// From the manifest.
    pub(crate) enrollment: u32,
    /// Number of the intent: the sequence number of the first entry of the effect.
    pub(crate) intent: u64,
    /// Of the profile that is about to be pushed.
    pub(crate) profile_digest: Digest,
}

/// `device.updated`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceUpdated {
    /// At least one, in the order of the fields of a device.
    pub(crate) changes: Vec<Change>,
}

/// `device.status`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceStatus {
    /// The status until this entry.
    pub from: Status,
    /// The status from this entry on.
    pub to: Status,
    /// For people: a clause without a full stop.
    pub reason: String,
    /// Given when `enrollment` was raised: the device starts afresh, what it reported before is void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrollment: Option<u32>,
    /// Given with `enrollment`: date of the last report by then, void with all older ones, so
    /// that one that is heard again after a crash does not count for the new enrollment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync: Option<Timestamp>,
}

/// An entry that says all by its kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `compliance.changed`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplianceChanged {
    pub(crate) from: ComplianceState,
    pub(crate) to: ComplianceState,
    /// The checks that fail, sorted.
    pub(crate) failing: Vec<String>,
    /// The checks that lack a fact, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) missing: Vec<String>,
    /// The episode that goes on, by the number of the entry that opened it: the device was compliant only
    /// for a short time. Nothing where a new one begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) episode: Option<u64>,
}
