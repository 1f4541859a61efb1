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
pub struct WipeSubject {
    /// SHA-256 of the request's file: its identity, whatever the file is called.
    pub request: Digest,
    /// Its `metadata.name`.
    pub name: Name,
    /// The ledger that it names; those that older versions logged name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerId>,
    /// The device that it names, which need not exist.
    pub device_id: DeviceId,
    pub serial_number: SerialNumber,
    pub scope: WipeScope,
    pub reason: WipeReason,
    pub requested_by: Email,
    /// Until when it may be issued.
    pub expires_at: Timestamp,
}

/// `wipe.accepted`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WipeAccepted {
    #[serde(flatten)]
    pub subject: WipeSubject,
    /// Distinct people, sorted.
    pub signers: Vec<Email>,
    /// Not to be issued earlier: the end of cooling off.
    pub issue_at: Timestamp,
    /// Of the trust file that it was judged by.
    pub trust: Digest,
}

/// `wipe.refused`, `wipe.held`, `wipe.expired` and `wipe.vetoed`: why it is not issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WipeStopped {
    #[serde(flatten)]
    pub subject: WipeSubject,
    pub code: CompactString,
    pub detail: String,
    /// Distinct people who signed it, sorted.
    pub signers: Vec<Email>,
    /// In `wipe.refused`: nothing that happens later lets it through.
    #[serde(default, rename = "final", skip_serializing_if = "std::ops::Not::not")]
    pub for_good: bool,
    /// Given where it was issued and expired unconfirmed: number of the intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<u64>,
}

/// `wipe.issued`: the provider is called after this is durable, once for each intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WipeIssued {
    pub request: Digest,
    /// Number of the intent: the sequence number of this entry.
    pub intent: u64,
    pub scope: WipeScope,
    /// Distinct people whose signatures held at this moment, sorted.
    pub signers: Vec<Email>,
    pub needed: u32,
}

/// `wipe.deferred`: the provider surely did not get the command; the request is accepted again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WipeDeferred {
    pub request: Digest,
    /// Number of the intent that ends with this; the next one gets a number of its own.
    pub intent: u64,
    pub reason: String,
    /// Not to be issued again earlier.
    pub until: Timestamp,
    /// What the MDM calls the request for the approval that it needs first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<CompactString>,
}

/// `wipe.confirmed`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WipeConfirmed {
    pub request: Digest,
    pub intent: u64,
    /// When the report that says so counts: its date, or its arrival where that cannot be.
    pub reported_at: Timestamp,
}

/// `wipe.unrequested`: a device reports that it was erased, and no wipe of it was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WipeUnrequested {
    /// Whose report it is.
    pub serial_number: SerialNumber,
    /// Where the report came from: `inbox/NAME` for the local provider.
    pub origin: String,
    /// Date of the report, as the device gives it; absent where that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
}

/// `wipe.failed`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WipeFailed {
    pub request: Digest,
    pub intent: u64,
    pub class: ErrorClass,
    pub error: String,
}
