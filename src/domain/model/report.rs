//! What devices say of themselves: telemetry, judged by a profile.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::ids::SerialNumber;
use super::mdm::MdmFacts;
use super::reported_version::ReportedVersion;
use super::time::Timestamp;

/// Facts that were given and could not be read: the field, like `antivirus.enabled`, and its
/// text as reported, harmless and at most 100 bytes.
pub(crate) type Unreadable = BTreeMap<CompactString, CompactString>;

/// A provider's own name for one report: it means nothing to anybody else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportId(Arc<str>);

impl ReportId {
    /// As the provider spells it.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }
}

/// What a device said of itself, as far as it said it: telemetry, judged by a profile.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) antivirus: Option<AntivirusFact>,
    /// The date that the report bears, where it is not believed: the report then counts as of
    /// its arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dated: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encryption: Option<EncryptionFact>,
    /// What the MDM knows beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mdm: Option<Box<MdmFacts>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) os_version: Option<ReportedVersion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) screen_lock: Option<ScreenLockFact>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) unreadable: Unreadable,
}

impl Facts {
    /// Whether the report that they come from bears a date that is not believed.
    #[must_use]
    pub(crate) fn clock_is_off(&self) -> bool {
        self.dated.is_some() || self.unreadable.contains_key("at")
    }
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AntivirusFact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enabled: Option<bool>,
    /// When its signatures were last updated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signatures_updated_at: Option<Timestamp>,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EncryptionFact {
    /// Whether the disk is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enabled: Option<bool>,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ScreenLockFact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enabled: Option<bool>,
    /// Digits of the PIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pin_length: Option<u32>,
}

/// One report of one device: a sync (docs/concepts.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Report {
    pub(crate) serial_number: SerialNumber,
    /// When the device made it; absent where that could not be read.
    #[serde(default)]
    pub(crate) at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) os_version: Option<ReportedVersion>,
    #[serde(default)]
    pub(crate) antivirus: Option<AntivirusFact>,
    #[serde(default)]
    pub(crate) encryption: Option<EncryptionFact>,
    #[serde(default)]
    pub(crate) screen_lock: Option<ScreenLockFact>,
    #[serde(default)]
    pub(crate) enrollment_error: Option<String>,
    /// The device has erased itself.
    #[serde(default)]
    pub(crate) wiped: bool,
    /// Commands of the outbox that are done, by id.
    #[serde(default)]
    pub(crate) completed: Vec<String>,
    #[serde(default)]
    pub(crate) unreadable: Unreadable,
    /// What the MDM knows beside, where it is one that knows something.
    #[serde(default)]
    pub(crate) mdm: Option<Box<MdmFacts>>,
}

impl Report {
    /// The raw facts; `believed` says whether its date counts.
    #[must_use]
    pub(crate) fn facts(&self, believed: bool) -> Facts {
        Facts {
            antivirus: self.antivirus,
            dated: self.at.filter(|_| !believed),
            encryption: self.encryption,
            mdm: self.mdm.clone(),
            os_version: self.os_version.clone(),
            screen_lock: self.screen_lock,
            unreadable: self.unreadable.clone(),
        }
    }
}
