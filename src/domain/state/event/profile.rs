//! What the log says of pushing a profile.

use serde::{Deserialize, Serialize};

use crate::domain::model::{Digest, Email, Name, words};

/// `profile.intended` (before the push) and `profile.pushed` (after it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfilePush {
    pub(crate) intent: u64,
    pub(crate) profile: Name,
    pub(crate) digest: Digest,
    /// Whose the device was: they have to leave what came with the profile. With the intent, since the
    /// push may fail and be repeated.
    #[serde(default, rename = "formerUsers", skip_serializing_if = "Vec::is_empty")]
    pub(crate) former_users: Vec<Email>,
}

words! {
    /// How an effect went wrong.
    pub enum ErrorClass {
        /// Try again later.
        Transient = "transient",
        /// Trying again will not help.
        Permanent = "permanent",
        /// It may or may not have happened.
        Unknown = "unknown",
    }
}

/// `profile.failed`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileFailed {
    pub(crate) intent: u64,
    pub(crate) class: ErrorClass,
    pub(crate) error: String,
}
