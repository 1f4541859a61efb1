//! What a device is to be, what the ledger says it is, and the words for where it stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::exemption::Exemption;
use super::hardware_hash::HardwareHash;
use super::ids::{Email, Name, SerialNumber};
use super::macros::words;
use super::place::Place;
use super::version::OsVersion;

words! {
    /// The operating system family of a device.
    pub(crate) enum Platform { Windows = "windows", Macos = "macos", Ios = "ios", Android = "android" }
}
words! {
    /// Who owns the hardware; personal devices are only ever wiped selectively (docs/wipe-a-device.md).
    pub(crate) enum Ownership { Corporate = "corporate", Personal = "personal" }
}
words! {
    /// Where a device stands in its life (docs/concepts.md).
    pub enum Status {
        /// Enrollment is in progress.
        Pending = "Pending",
        Enrolled = "Enrolled",
        /// Enrollment went wrong, or an operator set it so.
        Failed = "Failed",
        /// Data remotely erased; the end of this device id.
        Wiped = "Wiped",
    }
}
words! {
    /// The status that a manifest may ask for. Wiped is not among them: a wipe needs signatures.
    pub enum DesiredStatus { Enrolled = "Enrolled", Pending = "Pending", Failed = "Failed" }
}
words! {
    /// The verdict over a device's facts.
    pub enum ComplianceState { Compliant = "compliant", NonCompliant = "nonCompliant", Unknown = "unknown" }
}

/// Labels of a device; shared, since thousands of devices bear the same ones.
pub(crate) type Labels = Arc<BTreeMap<CompactString, CompactString>>;

/// What Intune needs to know of the hardware for some platforms.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Hardware {
    /// As the firmware spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) manufacturer: Option<CompactString>,
    /// As the firmware spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<CompactString>,
    /// The Windows Autopilot hardware hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) autopilot_hash: Option<HardwareHash>,
}

/// What a device is to be, and what the ledger says it is: the same words on both sides of a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceSpec {
    /// `metadata.name`.
    pub(crate) name: Name,
    /// The key of a device: a serial that moves to another file or name is the same device.
    pub serial_number: SerialNumber,
    /// The user whom the device is assigned to.
    pub(crate) user_email: Email,
    pub(crate) profile: Name,
    /// From the manifest, or from a profile with just one.
    pub(crate) platform: Platform,
    /// What the device is provisioned with; what it reports later is telemetry.
    pub(crate) os_version: OsVersion,
    /// Corporate unless said otherwise.
    pub(crate) ownership: Ownership,
    /// `metadata.labels`.
    #[serde(default)]
    pub(crate) labels: Labels,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hardware: Option<Box<Hardware>>,
    /// Until when it keeps its access though it is not compliant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access: Option<Box<Exemption>>,
}

impl DeviceSpec {
    /// Whether two are equal letter by letter: serial numbers are equal whatever their case, and
    /// so are 10.0 and 10.0.0.
    #[must_use]
    pub(crate) fn is_spelled_as(&self, other: &Self) -> bool {
        self == other
            && self.os_version.as_str() == other.os_version.as_str()
            && self.serial_number.as_str() == other.serial_number.as_str()
    }
}

/// One valid device manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredDevice {
    /// What it is to be.
    pub spec: Arc<DeviceSpec>,
    /// Enrolled unless said otherwise.
    pub status: DesiredStatus,
    /// From 1; raised to enroll again.
    pub(crate) enrollment: u32,
    /// Where it is written.
    pub place: Place,
    /// Over the document's bytes as written.
    pub(crate) digest: Digest,
}
