//! What devices say of themselves: telemetry, judged by a profile.

use serde::{Deserialize, Serialize};

use super::{OsVersion, SerialNumber, Timestamp};

/// What a device said of itself, as far as it said it: telemetry, judged by a profile.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    /// Antivirus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub antivirus: Option<AntivirusFact>,
    /// Disk encryption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<EncryptionFact>,
    /// The running version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<OsVersion>,
    /// Screen lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen_lock: Option<ScreenLockFact>,
}

/// Antivirus as reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AntivirusFact {
    /// Whether it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// When its signatures were last updated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures_updated_at: Option<Timestamp>,
}

/// Encryption as reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EncryptionFact {
    /// Whether the disk is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Screen lock as reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScreenLockFact {
    /// Whether the screen locks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Digits of the PIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin_length: Option<u32>,
}

/// One report of one device: a sync (contract §7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Report {
    /// Whose report it is.
    pub serial_number: SerialNumber,
    /// When the device made it.
    pub at: Timestamp,
    /// As [`Facts`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<OsVersion>,
    /// As [`Facts`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub antivirus: Option<AntivirusFact>,
    /// As [`Facts`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<EncryptionFact>,
    /// As [`Facts`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen_lock: Option<ScreenLockFact>,
    /// Why enrolment went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrollment_error: Option<String>,
    /// The device has erased itself.
    #[serde(default)]
    pub wiped: bool,
    /// Commands of the outbox that are done, by id.
    #[serde(default)]
    pub completed: Vec<String>,
}

impl Report {
    /// The raw facts.
    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts {
            antivirus: self.antivirus,
            encryption: self.encryption,
            os_version: self.os_version.clone(),
            screen_lock: self.screen_lock,
        }
    }
}
