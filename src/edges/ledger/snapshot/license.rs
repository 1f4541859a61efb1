//! Licenses of a device's users, as they stand in the snapshot.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::domain::model::{Email, Timestamp, words};
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{License, LicenseState};

words! {
    /// How an order for a license stands.
    pub(crate) enum LicenseWord {
        Intended = "intended",
        Assigned = "assigned",
        Found = "found",
        Failed = "failed",
    }
}

#[derive(Serialize)]
pub(super) struct LicenseOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<ErrorClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    intent: u64,
    since: Timestamp,
    sku: &'a str,
    state: LicenseWord,
    user: &'a Email,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LicenseIn {
    #[serde(default)]
    class: Option<ErrorClass>,
    #[serde(default)]
    error: Option<Box<str>>,
    intent: u64,
    since: Timestamp,
    sku: CompactString,
    state: LicenseWord,
    user: Email,
}

impl<'a> From<&'a License> for LicenseOut<'a> {
    fn from(license: &'a License) -> Self {
        let License { sku, user, intent, since, state } = license;
        let (state, class, error) = match state {
            LicenseState::Intended => (LicenseWord::Intended, None, None),
            LicenseState::Assigned => (LicenseWord::Assigned, None, None),
            LicenseState::Found => (LicenseWord::Found, None, None),
            LicenseState::Failed(class, error) => {
                (LicenseWord::Failed, Some(*class), Some(&**error))
            }
        };
        Self { class, error, intent: *intent, since: *since, sku, state, user }
    }
}

impl LicenseIn {
    pub(super) fn license(self) -> Result<License, &'static str> {
        let Self { class, error, intent, since, sku, state, user } = self;
        let state = match (state, class, error) {
            (LicenseWord::Intended, None, None) => LicenseState::Intended,
            (LicenseWord::Assigned, None, None) => LicenseState::Assigned,
            (LicenseWord::Found, None, None) => LicenseState::Found,
            (LicenseWord::Failed, Some(class), Some(error)) => LicenseState::Failed(class, error),
            _ => return Err("a license has `class` and `error` if and only if it failed"),
        };
        Ok(License { sku, user, intent, since, state })
    }
}
