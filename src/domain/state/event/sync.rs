//! What the log says of a sync that a person asked for.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::profile::ErrorClass;
use crate::domain::model::{Asker, Timestamp};

/// `sync.requested`: the device is about to be asked to sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncRequested {
    pub intent: u64,
    /// Of the request: the same one asks each device once.
    pub request: uuid::Uuid,
    /// Who asked, as far as the system vouches for it; the entry's actor only carried it out.
    pub by: CompactString,
    /// Who the request says it is of, where the system does not vouch for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<CompactString>,
    /// When the device had last been heard from: a device whose clock is ahead has not synced
    /// since only because that date is later than this entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync: Option<Timestamp>,
}

/// `sync.failed`: the provider did not take it, or nobody knows; it is not tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncFailed {
    pub intent: u64,
    pub class: ErrorClass,
    pub error: String,
}

impl SyncRequested {
    /// Who asked.
    #[must_use]
    pub fn asker(&self) -> Asker {
        Asker { by: self.by.clone(), claims: self.claims.clone() }
    }
}
