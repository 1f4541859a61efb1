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

impl PassFrozen {
    /// What an operator can do about it, most likely first; clauses without a full stop.
    #[must_use]
    pub(crate) fn steps(&self) -> Vec<String> {
        match (self.cause, self.removed) {
            (FreezeCause::Missing, _) => {
                vec!["check --fleet and that the checkout is there".to_owned()]
            }
            // Nothing is removed, so there is nothing to accept.
            (FreezeCause::Empty | FreezeCause::Shrunken, 0) => {
                vec!["add the manifests of your devices, or check --fleet".to_owned()]
            }
            (FreezeCause::Empty | FreezeCause::Shrunken, removed) => {
                let these = match removed {
                    1 => "this removal is".to_owned(),
                    n => format!("these {n} removals are"),
                };
                vec![
                    "restore the manifests".to_owned(),
                    format!(
                        "if {these} intended, stop the daemon and run: \
                         fleetform apply --accept-removals {removed}"
                    ),
                ]
            }
        }
    }

    /// The steps in one line.
    #[must_use]
    pub(crate) fn help(&self) -> String {
        self.steps().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_the_number_or_speaks_of_none() {
        let help = |cause, removed, of| PassFrozen { cause, removed, of }.help();
        for (cause, removed, of, expected) in [
            (FreezeCause::Missing, 0, 0, "check --fleet and that the checkout is there"),
            (FreezeCause::Missing, 9, 12, "check --fleet and that the checkout is there"),
            (FreezeCause::Empty, 0, 0, "add the manifests of your devices, or check --fleet"),
            (
                FreezeCause::Empty,
                1,
                1,
                "restore the manifests; if this removal is intended, stop the daemon and run: \
                 fleetform apply --accept-removals 1",
            ),
            (
                FreezeCause::Shrunken,
                9,
                12,
                "restore the manifests; if these 9 removals are intended, stop the daemon and run: \
                 fleetform apply --accept-removals 9",
            ),
        ] {
            assert_eq!(help(cause, removed, of), expected);
        }
    }
}

/// `pass.thawed`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PassThawed {
    /// The number that an operator named, or absent where the directory became plausible again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) accepted_removals: Option<u64>,
}
