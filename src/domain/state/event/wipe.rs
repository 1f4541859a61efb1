//! What the log says of wipes: of requests, and of commands that were issued.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::profile::ErrorClass;
use crate::domain::model::{
    DeviceId, Digest, Email, Name, SerialNumber, Timestamp, WipeReason, WipeScope,
};
use crate::domain::wipe::target::LedgerId;

/// A wipe request, as every entry about one not yet issued tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WipeSubject {
    /// SHA-256 of the request's file: its identity, whatever the file is called.
    pub(crate) request: Digest,
    /// Its `metadata.name`.
    pub(crate) name: Name,
    /// The ledger that it names; those that older versions logged name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ledger: Option<LedgerId>,
    /// The device that it names, which need not exist.
    pub(crate) device_id: DeviceId,
    pub(crate) serial_number: SerialNumber,
    pub(crate) scope: WipeScope,
    pub(crate) reason: WipeReason,
    pub(crate) requested_by: Email,
    /// Until when it may be issued.
    pub(crate) expires_at: Timestamp,
}

/// `wipe.accepted`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WipeAccepted {
    #[serde(flatten)]
    pub(crate) subject: WipeSubject,
    /// Distinct people, sorted.
    pub(crate) signers: Vec<Email>,
    /// Not to be issued earlier: the end of cooling off.
    pub(crate) issue_at: Timestamp,
    /// Of the trust file that it was judged by.
    pub(crate) trust: Digest,
}

/// `wipe.refused`, `wipe.held`, `wipe.expired` and `wipe.vetoed`: why it is not issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WipeStopped {
    #[serde(flatten)]
    pub(crate) subject: WipeSubject,
    pub(crate) code: CompactString,
    pub(crate) detail: String,
    /// Distinct people who signed it, sorted.
    pub(crate) signers: Vec<Email>,
    /// In `wipe.refused`: nothing that happens later lets it through.
    #[serde(default, rename = "final", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) for_good: bool,
    /// Given where it was issued and expired unconfirmed: number of the intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) intent: Option<u64>,
}

/// `wipe.issued`: the provider is called after this is durable, once for each intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WipeIssued {
    pub request: Digest,
    /// Number of the intent: the sequence number of this entry.
    pub(crate) intent: u64,
    pub(crate) scope: WipeScope,
    /// Distinct people whose signatures held at this moment, sorted.
    pub signers: Vec<Email>,
    pub(crate) needed: u32,
}

/// `wipe.deferred`: the provider surely did not get the command; the request is accepted again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WipeDeferred {
    pub(crate) request: Digest,
    /// Number of the intent that ends with this; the next one gets a number of its own.
    pub(crate) intent: u64,
    pub(crate) reason: String,
    /// Not to be issued again earlier.
    pub(crate) until: Timestamp,
    /// What the MDM calls the request for the approval that it needs first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) approval: Option<CompactString>,
}

/// `wipe.confirmed`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WipeConfirmed {
    pub(crate) request: Digest,
    pub(crate) intent: u64,
    /// When the report that says so counts: its date, or its arrival where that cannot be.
    pub(crate) reported_at: Timestamp,
}

/// `wipe.unrequested`: a device reports that it was erased, and no wipe of it was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WipeUnrequested {
    /// Whose report it is.
    pub(crate) serial_number: SerialNumber,
    /// Where the report came from: `inbox/NAME` for the local provider.
    pub(crate) origin: String,
    /// Date of the report, as the device gives it; absent where that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reported_at: Option<Timestamp>,
}

/// `wipe.failed`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WipeFailed {
    pub(crate) request: Digest,
    pub(crate) intent: u64,
    pub(crate) class: ErrorClass,
    pub(crate) error: String,
}
