//! The first member of a backup: what the others are.

use serde::{Deserialize, Serialize};

use crate::domain::model::{Digest, Timestamp};
use crate::domain::wipe::target::LedgerId;

/// Of this format.
pub(super) const VERSION: u32 = 1;
/// The member that is described here.
pub(super) const CONTENTS: &str = "fleetform-backup.json";
/// Far more than it ever needs.
pub(super) const LIMIT: u64 = 64 * 1024;

/// The audit log, byte for byte.
pub(crate) const LOG: &str = "audit.jsonl";
/// The snapshot at the last entry of that log: it has the telemetry that no entry has.
pub(crate) const STATE: &str = "state.json";
/// What devices have yet to do, without orders to erase; JSON Lines.
pub(crate) const OUTBOX: &str = "outbox.jsonl";
/// Every other member, in order.
pub(super) const MEMBERS: [&str; 3] = [LOG, STATE, OUTBOX];

/// Which ledger it was, and how far it had come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct About {
    /// When the backup was made.
    pub(crate) made_at: Timestamp,
    pub(crate) lineage: LedgerId,
    /// Of the last entry.
    pub(crate) seq: u64,
    /// The hash of its line.
    pub(crate) head: Digest,
}

/// What the backup holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Contents {
    pub(super) version: u32,
    /// The version of the program that wrote it; for people.
    pub(super) program: String,
    pub(crate) about: About,
    pub(super) members: Vec<Measured>,
}

/// A member as it has to be found again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: Digest,
}
