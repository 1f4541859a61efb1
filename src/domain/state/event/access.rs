//! What the log says of a device's access to corporate mail, and of evidence that is missing.

use serde::{Deserialize, Serialize};

use super::profile::ErrorClass;
use crate::domain::model::{Timestamp, words};

/// `access.intended`: the provider is about to be asked; `access.blocked` and `access.restored`: it has
/// taken it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessOrder {
    pub(crate) intent: u64,
    /// Whether access is blocked, or restored.
    pub(crate) blocked: bool,
}

/// `access.failed`: the provider did not take it, or nobody knows; it is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessFailed {
    pub(crate) intent: u64,
    pub(crate) class: ErrorClass,
    pub(crate) error: String,
}

words! {
    /// Why nobody can tell whether a device is compliant.
    pub enum EvidenceGap {
        /// It reports, but not all that its profile requires.
        MissingFacts = "missingFacts",
        /// It does not report.
        Silent = "silent",
    }
}

/// `evidence.missing`: nobody could tell for too long whether the device is compliant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceMissing {
    pub(crate) cause: EvidenceGap,
    /// Since when.
    pub(crate) since: Timestamp,
}
