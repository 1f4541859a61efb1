//! What the log says when the guard refuses whole plans.

use serde::{Deserialize, Serialize};

use crate::domain::model::words;

words! {
    /// Why the controller froze.
    pub(crate) enum FreezeCause {
        /// The fleet directory does not exist or is no directory.
        Missing = "missing",
        /// It holds no device.
        Empty = "empty",
        /// Too many devices are gone at once.
        Shrunken = "shrunken",
    }
}

impl FreezeCause {
    /// A sentence without a full stop, for people.
    #[must_use]
    pub(crate) const fn explain(self) -> &'static str {
        match self {
            Self::Missing => "the fleet directory cannot be read",
            Self::Empty => "the fleet directory holds no device",
            Self::Shrunken => "too many devices are gone from the fleet directory at once",
        }
    }

    /// What an operator can do about it.
    #[must_use]
    pub(crate) const fn help(self) -> &'static str {
        match self {
            Self::Missing => "check --fleet and that the checkout is there",
            Self::Empty | Self::Shrunken => {
                "restore the manifests; if these N removals are intended, stop the daemon and run \
                 `fleetform apply --accept-removals N`"
            }
        }
    }
}

/// `pass.frozen`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassFrozen {
    pub(crate) cause: FreezeCause,
    /// How many devices would have been orphaned.
    pub(crate) removed: u64,
    /// Of how many.
    pub(crate) of: u64,
}

/// `pass.thawed`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PassThawed {
    /// The number that an operator named, or absent where the directory became plausible again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) accepted_removals: Option<u64>,
}
