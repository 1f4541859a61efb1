//! What follows from an entry for one person.

use serde::{Deserialize, Serialize};

use super::device::DeviceText;
use crate::domain::model::{Digest, Email, Name, Timestamp, WipeReason, WipeScope};

/// What follows from an entry for one person: the payload of a job. Made when the entry was read, so
/// that a retry says the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Letter {
    pub(crate) to: Email,
    /// Whom the mail is meant for, where this is a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) copy_of: Option<Email>,
    /// The folder of templates.
    pub(crate) language: String,
    /// Whether it waits for the daily digest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) digest: bool,
    /// When that is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest_at: Option<Timestamp>,
    /// Whether it speaks to the user of the device, rather than to who does something about it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) to_user: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<DeviceText>,
    /// By when access ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends: Option<Timestamp>,
    /// What the log says about why, a clause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wipe: Option<WipeText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alert: Option<AlertText>,
}

/// A request to erase a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WipeText {
    pub(crate) name: Name,
    pub(crate) request: Digest,
    pub(crate) scope: WipeScope,
    pub(crate) reason: WipeReason,
    pub(crate) requested_by: Email,
    pub(crate) signers: Vec<Email>,
    /// Nothing lets it through any more.
    #[serde(default, rename = "final")]
    pub(crate) for_good: bool,
}

/// Something for the people who run Fleetform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertText {
    pub(crate) title: String,
    pub(crate) detail: String,
}

impl Letter {
    /// To somebody, about nothing yet.
    #[must_use]
    pub(crate) fn to(to: Email, language: &str) -> Self {
        Self {
            to,
            copy_of: None,
            language: language.to_owned(),
            digest: false,
            digest_at: None,
            to_user: false,
            device: None,
            ends: None,
            reason: None,
            wipe: None,
            alert: None,
        }
    }
}
