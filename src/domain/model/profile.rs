//! A profile: a named configuration for many devices, and what it demands of their facts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::device::Platform;
use super::digest::Digest;
use super::ids::Name;
use super::intune::IntuneProfile;
use super::version::OsVersion;

/// A profile's demands on a device's facts (docs/concepts.md); what is absent is not demanded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Requirements {
    /// The oldest acceptable version by platform.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) minimum_os_version: BTreeMap<Platform, OsVersion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) antivirus: Option<AntivirusRequirement>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encryption: Option<EncryptionRequirement>,
    /// The screen must lock with a PIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) screen_lock: Option<ScreenLockRequirement>,
}

/// `compliance.antivirus` of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AntivirusRequirement {
    pub(crate) required: bool,
    /// How old the signatures may be at the time of the report, in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_signature_age_days: Option<u32>,
}

/// `compliance.encryption` of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EncryptionRequirement {
    pub(crate) required: bool,
}

/// `compliance.screenLock` of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ScreenLockRequirement {
    pub(crate) required: bool,
    /// Digits of the PIN; never below [`MIN_PIN_LENGTH`].
    #[serde(default = "min_pin_length")]
    pub(crate) min_pin_length: u32,
}

/// The procedure's least PIN (docs/concepts.md).
pub(crate) const MIN_PIN_LENGTH: u32 = 6;

fn min_pin_length() -> u32 {
    MIN_PIN_LENGTH
}

/// A named configuration for many devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// `metadata.name`.
    pub name: Name,
    pub(crate) description: String,
    /// The platforms that it serves: at least one, sorted, each once.
    pub(crate) platforms: Vec<Platform>,
    /// Apps to install, in the order written.
    pub(crate) apps: Vec<String>,
    /// Free form, pushed as it is.
    pub(crate) settings: serde_json::Value,
    /// Assigned to the user at enrollment (docs/intune.md).
    pub(crate) licenses: Vec<String>,
    /// What its devices are judged by.
    pub(crate) compliance: Requirements,
    /// What it is in Microsoft Intune, where that is the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) intune: Option<Box<IntuneProfile>>,
    /// Over all of the above in canonical form: what has to be pushed anew when it changes.
    /// Comments, order of keys and layout of the manifest do not count.
    pub(crate) digest: Digest,
}
