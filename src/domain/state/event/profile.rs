//! What the log says of pushing a profile.

use serde::{Deserialize, Serialize};

use crate::domain::model::{Digest, Name, words};

/// `profile.intended` (before the push) and `profile.pushed` (after it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfilePush {
    pub(crate) intent: u64,
    pub(crate) profile: Name,
    pub(crate) digest: Digest,
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
