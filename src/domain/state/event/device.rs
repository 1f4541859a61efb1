//! What the log says of a device and of its compliance.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::change::Change;
use crate::domain::model::{
    ComplianceState, DeviceSpec, Digest, Email, Exemption, Hardware, Labels, Name, OsVersion,
    Ownership, Platform, SerialNumber, Status, Timestamp,
};

/// `device.provisioned`: also the intent of pushing the profile for the first time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Provisioned<Labels>")]
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

/// As it stands in a line. The fields of [`DeviceSpec`] are named once more: read through it, each would
/// be kept aside first, and nothing would notice one that a newer version wrote.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Provisioned<L: Default> {
    name: Name,
    serial_number: SerialNumber,
    user_email: Email,
    profile: Name,
    platform: Platform,
    os_version: OsVersion,
    ownership: Ownership,
    #[serde(default)]
    labels: L,
    #[serde(default)]
    hardware: Option<Box<Hardware>>,
    #[serde(default)]
    access: Option<Box<Exemption>>,
    enrollment: u32,
    intent: u64,
    profile_digest: Digest,
}

impl From<Provisioned<Labels>> for DeviceProvisioned {
    fn from(mut line: Provisioned<Labels>) -> Self {
        let labels = std::mem::take(&mut line.labels);
        line.with(labels)
    }
}

impl DeviceProvisioned {
    /// From its JSON; `labels` makes something of the text of the labels, if there is one. `None` if anything
    /// is wrong with it.
    pub(crate) fn read(data: &str, labels: impl FnOnce(&str) -> Option<Labels>) -> Option<Self> {
        let line: Provisioned<Text<'_>> = serde_json::from_str(data).ok()?;
        let labels =
            line.labels.0.map_or_else(|| Some(Labels::default()), |text| labels(text.get()))?;
        Some(line.with(labels))
    }
}

/// A value as it is written, if there is one; also `null`, which is not the same as none.
#[derive(Default)]
struct Text<'a>(Option<&'a RawValue>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer).map(|text| Self(Some(text)))
    }
}

impl<L: Default> Provisioned<L> {
    fn with(self, labels: Labels) -> DeviceProvisioned {
        let line = self;
        DeviceProvisioned {
            spec: Arc::new(DeviceSpec {
                name: line.name,
                serial_number: line.serial_number,
                user_email: line.user_email,
                profile: line.profile,
                platform: line.platform,
                os_version: line.os_version,
                ownership: line.ownership,
                labels,
                hardware: line.hardware,
                access: line.access,
            }),
            enrollment: line.enrollment,
            intent: line.intent,
            profile_digest: line.profile_digest,
        }
    }
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
