//! What the log says of itself.

use serde::{Deserialize, Serialize};

use crate::domain::model::Digest;

/// `ledger.created`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerCreated {
    /// Of this data format: 1.
    pub version: u32,
    /// Made once; a snapshot of another lineage is refused.
    pub lineage: uuid::Uuid,
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
