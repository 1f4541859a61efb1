//! What the log says: every kind of entry with exactly the data that the fold needs.
//!
//! The structs are the log's own words, so their serde form is the file format of
//! `audit.jsonl` (keys of `data`). Adding a kind is compatible; changing one is not.

mod rights;

use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::rights::{ConfigChanged, ConfigRights, QuorumTier};
use crate::domain::model::{
    ComplianceState, DeviceId, DeviceSpec, Digest, Email, Name, Platform, Requirements,
    SerialNumber, Status, Timestamp, WipeReason, WipeScope, words,
};
use crate::domain::wipe::target::LedgerId;

/// The manifest behind an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// Relative to the root of the fleet directory.
    pub path: Arc<str>,
    /// Over the document's bytes as written.
    pub digest: Digest,
    /// The Git commit, where the fleet directory is in a work tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Arc<str>>,
}

/// One line of the log, but for `prev`, which only the file knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// Whom it is about.
    pub device: Option<DeviceId>,
    /// Who ran the pass.
    pub actor: Arc<str>,
    /// Where the intent comes from.
    pub source: Option<Source>,
    /// What happened.
    pub event: Event,
}

words! {
    /// A field of a recorded device that a manifest can change.
    Field {
        Name = "name",
        UserEmail = "userEmail",
        Profile = "profile",
        Platform = "platform",
        OsVersion = "osVersion",
        Ownership = "ownership",
        Labels = "labels",
        Hardware = "hardware",
        Enrollment = "enrollment",
        /// The file that the device is written in.
        Manifest = "manifest",
    }
}

/// One field's change; `null` stands for absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change<F = Field> {
    /// Which field.
    pub field: F,
    /// Before.
    pub from: serde_json::Value,
    /// After.
    pub to: serde_json::Value,
}

/// `ledger.created`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerCreated {
    /// Of this data format: 1.
    pub version: u32,
    /// Made once; a snapshot of another lineage is refused.
    pub lineage: uuid::Uuid,
}

/// `device.provisioned`: also the intent of pushing the profile for the first time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceProvisioned {
    /// As recorded from now on.
    #[serde(flatten)]
    pub spec: Arc<DeviceSpec>,
    /// From the manifest.
    pub enrollment: u32,
    /// Number of the intent: the sequence number of the first entry of the effect.
    pub intent: u64,
    /// Of the profile that is about to be pushed.
    pub profile_digest: Digest,
}

/// `device.updated`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceUpdated {
    /// At least one, in the order of [`Field`].
    pub changes: Vec<Change>,
}

/// `device.status`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceStatus {
    /// Before.
    pub from: Status,
    /// After.
    pub to: Status,
    /// For people.
    pub reason: String,
    /// Given when `enrollment` was raised: the device starts afresh, what it reported before is void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrollment: Option<u32>,
    /// Given with `enrollment`: date of the last report by then, void with all older ones, so
    /// that one that is heard again after a crash does not count for the new enrolment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync: Option<Timestamp>,
}

/// An entry that says all by its kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `profile.recorded`: a revision of a profile that devices are about to get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileRecorded {
    /// As [`crate::domain::model::Profile`].
    pub name: Name,
    /// As [`crate::domain::model::Profile`].
    pub description: String,
    /// As [`crate::domain::model::Profile`].
    pub platforms: Vec<Platform>,
    /// As [`crate::domain::model::Profile`].
    pub apps: Vec<String>,
    /// As [`crate::domain::model::Profile`].
    pub settings: serde_json::Value,
    /// As [`crate::domain::model::Profile`].
    pub licenses: Vec<String>,
    /// As [`crate::domain::model::Profile`].
    pub compliance: Requirements,
    /// As [`crate::domain::model::Profile`].
    pub digest: Digest,
}

/// `profile.intended` (before the push) and `profile.pushed` (after it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfilePush {
    /// Number of the intent.
    pub intent: u64,
    /// Name of the profile.
    pub profile: Name,
    /// Its revision.
    pub digest: Digest,
}

words! {
    /// How an effect went wrong.
    ErrorClass {
        /// Try again later.
        Transient = "transient",
        /// Trying again will not help.
        Permanent = "permanent",
        /// It may or may not have happened.
        Unknown = "unknown",
    }
}

/// `profile.failed`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileFailed {
    /// Number of the intent.
    pub intent: u64,
    /// See [`ErrorClass`].
    pub class: ErrorClass,
    /// What the provider said.
    pub error: String,
}

/// `compliance.changed`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplianceChanged {
    /// Before.
    pub from: ComplianceState,
    /// After.
    pub to: ComplianceState,
    /// The checks that fail, sorted.
    pub failing: Vec<String>,
    /// The checks that lack a fact, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

words! {
    /// Why the controller froze.
    FreezeCause {
        /// The fleet directory does not exist or is no directory.
        Missing = "missing",
        /// It holds no device.
        Empty = "empty",
        /// Too many devices are gone at once.
        Shrunken = "shrunken",
    }
}

/// `pass.frozen`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassFrozen {
    /// See [`FreezeCause`].
    pub cause: FreezeCause,
    /// How many devices would have been orphaned.
    pub removed: u64,
    /// Of how many.
    pub of: u64,
}

/// `pass.thawed`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PassThawed {
    /// The number that an operator named, or absent where the directory became plausible again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_removals: Option<u64>,
}

/// `log.repaired`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRepaired {
    /// How many bytes of an unfinished last line were moved to `audit.jsonl.broken`.
    pub bytes: u64,
    /// SHA-256 of those bytes.
    pub digest: Digest,
}

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
    /// The serial that it names.
    pub serial_number: SerialNumber,
    /// How much is erased.
    pub scope: WipeScope,
    /// Why.
    pub reason: WipeReason,
    /// Who asks.
    pub requested_by: Email,
    /// Until when it may be issued.
    pub expires_at: Timestamp,
}

/// `wipe.accepted`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WipeAccepted {
    /// Which.
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
    /// Which.
    #[serde(flatten)]
    pub subject: WipeSubject,
    /// Stable.
    pub code: CompactString,
    /// For people.
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
    /// Which.
    pub request: Digest,
    /// Number of the intent: the sequence number of this entry.
    pub intent: u64,
    /// How much is erased.
    pub scope: WipeScope,
    /// Distinct people whose signatures held at this moment, sorted.
    pub signers: Vec<Email>,
    /// How many were needed.
    pub needed: u32,
}

/// `wipe.deferred`: the provider surely did not get the command; the request is accepted again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WipeDeferred {
    /// Which.
    pub request: Digest,
    /// Number of the intent that ends with this; the next one gets a number of its own.
    pub intent: u64,
    /// Why, for people.
    pub reason: String,
    /// Not to be issued again earlier.
    pub until: Timestamp,
}

/// `wipe.confirmed`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WipeConfirmed {
    /// Which.
    pub request: Digest,
    /// Number of the intent.
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
    /// Where the report came from, as the provider says it.
    pub origin: String,
    /// Date of the report, as the device gives it; absent where that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
}

/// `wipe.failed`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WipeFailed {
    /// Which.
    pub request: Digest,
    /// Number of the intent.
    pub intent: u64,
    /// See [`ErrorClass`].
    pub class: ErrorClass,
    /// What the provider said.
    pub error: String,
}

/// Digests of the trust files' bytes, as `sha256sum` gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustFiles {
    /// Of `trust.allowedSigners`.
    pub allowed_signers: Digest,
    /// Of `trust.revokedKeys`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_keys: Option<Digest>,
}

/// `trust.changed`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustChanged {
    /// As read before; absent the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<TrustFiles>,
    /// As they are.
    pub to: TrustFiles,
}

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($data:ty) = $kind:literal),+ $(,)?) => {
        /// What happened.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event { $($(#[$doc])* $variant($data)),+ }

        impl Event {
            /// Every kind, for `audit log --kind`.
            pub const KINDS: &[&str] = &[$($kind),+];
            /// The word in the log.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind),+ }
            }
            /// From a line of the log.
            ///
            /// # Errors
            /// If the kind is not known or its data are not what they should be.
            pub fn parse(kind: &str, data: &RawValue) -> Result<Self, String> {
                match kind {
                    $($kind => serde_json::from_str(data.get()).map(Self::$variant).map_err(|e| e.to_string()),)+
                    _ => Err(format!("unknown kind {kind:?}: was it written by a newer fleetform?")),
                }
            }
        }

        /// The `data` of an event.
        impl Serialize for Event {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(data) => data.serialize(serializer)),+ }
            }
        }
    };
}

events! {
    /// The first line of every log.
    LedgerCreated(LedgerCreated) = "ledger.created",
    /// A device begins: Pending.
    DeviceProvisioned(Box<DeviceProvisioned>) = "device.provisioned",
    /// Recorded fields follow the manifest.
    DeviceUpdated(DeviceUpdated) = "device.updated",
    /// The status moved.
    DeviceStatus(DeviceStatus) = "device.status",
    /// Its manifest is gone.
    DeviceOrphaned(Nothing) = "device.orphaned",
    /// A manifest with its serial is back.
    DeviceAdopted(Nothing) = "device.adopted",
    /// A revision of a profile.
    ProfileRecorded(Box<ProfileRecorded>) = "profile.recorded",
    /// About to push.
    ProfileIntended(ProfilePush) = "profile.intended",
    /// The provider has it.
    ProfilePushed(ProfilePush) = "profile.pushed",
    /// The provider does not have it, or nobody knows.
    ProfileFailed(ProfileFailed) = "profile.failed",
    /// The verdict over a device changed.
    ComplianceChanged(ComplianceChanged) = "compliance.changed",
    /// A request holds; it is issued after cooling off.
    WipeAccepted(Box<WipeAccepted>) = "wipe.accepted",
    /// A request breaks a rule.
    WipeRefused(Box<WipeStopped>) = "wipe.refused",
    /// A request lacks signatures, or its window is full.
    WipeHeld(Box<WipeStopped>) = "wipe.held",
    /// About to be handed to the provider.
    WipeIssued(Box<WipeIssued>) = "wipe.issued",
    /// The provider surely did not get it; it is issued again later.
    WipeDeferred(Box<WipeDeferred>) = "wipe.deferred",
    /// The device says that it is erased.
    WipeConfirmed(WipeConfirmed) = "wipe.confirmed",
    /// The provider did not take it.
    WipeFailed(WipeFailed) = "wipe.failed",
    /// Its time ran out before it was issued, or before the device confirmed it.
    WipeExpired(Box<WipeStopped>) = "wipe.expired",
    /// Somebody stopped it before it was issued.
    WipeVetoed(Box<WipeStopped>) = "wipe.vetoed",
    /// A device says that it is erased, and nobody asked for it.
    WipeUnrequested(Box<WipeUnrequested>) = "wipe.unrequested",
    /// The trust files are not what they were.
    TrustChanged(TrustChanged) = "trust.changed",
    /// The configuration gives other rights than before, or is another file.
    ConfigChanged(Box<ConfigChanged>) = "config.changed",
    /// The guard refused a whole plan.
    PassFrozen(PassFrozen) = "pass.frozen",
    /// It does so no more.
    PassThawed(PassThawed) = "pass.thawed",
    /// An unfinished last line was cut.
    LogRepaired(LogRepaired) = "log.repaired",
}
