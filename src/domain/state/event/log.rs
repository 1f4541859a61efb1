//! What the log says of itself.

use serde::{Deserialize, Serialize};

use crate::domain::model::{Digest, Timestamp};

/// `ledger.created`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerCreated {
    /// Of this data format: 1.
    pub version: u32,
    /// Made once; a snapshot of another lineage is refused.
    pub lineage: uuid::Uuid,
}

/// `ledger.restored`
///
/// What happened after the backup is forgotten, wipes among it. Requests name the lineage, and a
/// restored ledger has a new one: so none that was written before is ever accepted again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LedgerRestored {
    /// When the backup was made.
    pub(crate) backup_at: Timestamp,
    /// What requests have to name from now on.
    pub(crate) lineage: uuid::Uuid,
    /// What they had to name until now.
    pub(crate) previous: uuid::Uuid,
}

/// `log.repaired`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRepaired {
    /// How many bytes of an unfinished last line were moved to `audit.jsonl.broken`.
    pub(crate) bytes: u64,
    /// SHA-256 of those bytes.
    pub(crate) digest: Digest,
}
