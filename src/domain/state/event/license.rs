//! What the log says of licenses that users get with the profiles of their devices.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::profile::ErrorClass;
use crate::domain::model::Email;

/// `license.intended`: the provider is about to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenseIntended {
    pub(crate) intent: u64,
    /// The part number of the product.
    pub(crate) sku: CompactString,
    pub(crate) user: Email,
}

/// `license.assigned`: the user has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenseAssigned {
    pub(crate) intent: u64,
    pub(crate) sku: CompactString,
    pub(crate) user: Email,
    /// Whether the user had it before, from whomever.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) had: bool,
}

/// `license.failed`: the user does not have it, or nobody knows; it is tried again. Also where the user
/// had it, and does not have it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenseFailed {
    pub(crate) intent: u64,
    pub(crate) sku: CompactString,
    pub(crate) user: Email,
    pub(crate) class: ErrorClass,
    pub(crate) error: String,
}
