//! What a judgement depends on.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::domain::model::{DeviceId, Ownership, SerialNumber, Timestamp};
use crate::domain::wipe::request::Request;
use crate::domain::wipe::target::{LedgerId, LoggedHead};
use crate::domain::wipe::trust_state::TrustState;

/// What the ledger says of the device that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) id: DeviceId,
    pub(crate) serial: SerialNumber,
    /// Personal where the record or the manifest says so.
    pub(crate) ownership: Ownership,
    /// Whether its life has ended.
    pub(crate) wiped: bool,
    /// Why its manifest does not say reliably whose it is, without a full stop.
    pub(crate) unclear: Option<String>,
}

/// Everything that a judgement depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// As parsed from `bytes`.
    pub(crate) request: &'a Request,
    /// The whole file, read once.
    pub(crate) bytes: &'a [u8],
    /// Signature files by name.
    pub(crate) signatures: &'a BTreeMap<String, Vec<u8>>,
    /// Veto files by name.
    pub(crate) vetoes: &'a BTreeMap<String, Vec<u8>>,
    /// Files that are there and could not be read, or directories that could not be listed: by
    /// name, and why.
    pub(crate) unreadable: &'a BTreeMap<String, String>,
    /// Whose signatures count for wipes, or why nobody's do.
    pub(crate) trust: &'a TrustState,
    /// The lineage of this ledger; none where there is no ledger.
    pub(crate) ledger: Option<LedgerId>,
    /// What the log has under the number that the request's `head` names.
    pub(crate) logged: Option<LoggedHead>,
    /// Whether a request must name an entry of the log.
    pub(crate) require_head: bool,
    /// The device that bears the request's id, if there is one.
    pub(crate) device: Option<&'a Recorded>,
    /// The time of judgement: keys, too, must be valid then, whenever they signed.
    pub(crate) now: Timestamp,
    /// How far `expiresAt` may be from `issuedAt`.
    pub(crate) max_validity: TimeDelta,
}
