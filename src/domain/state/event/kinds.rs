//! Every kind of entry: its word in the log, and its data.

use serde::Serialize;

use super::access::{AccessFailed, AccessOrder, EvidenceMissing};
use super::alert::AlertChanged;
use super::device::{ComplianceChanged, DeviceProvisioned, DeviceStatus, DeviceUpdated, Nothing};
use super::freeze::{PassFrozen, PassThawed};
use super::license::{LicenseAssigned, LicenseFailed, LicenseIntended};
use super::log::{LedgerCreated, LedgerRestored, LogRepaired};
use super::mdm::{DeviceMissing, ProfileDrifted, ProfilePrepared, WipeProgress};
use super::notice::{NoticeBegun, NoticeIntended, NoticeSent, NoticeStopped, TicketTold};
use super::profile::{ProfileFailed, ProfilePush};
use super::rights::ConfigChanged;
use super::sync::{SyncFailed, SyncRequested};
use super::trust::TrustChanged;
use super::wipe::{
    WipeAccepted, WipeConfirmed, WipeDeferred, WipeFailed, WipeIssued, WipeStopped, WipeUnrequested,
};
use crate::domain::model::Profile;

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($data:ty) = $kind:literal),+ $(,)?) => {
        /// A kind of entry and its data.
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
            /// Whether what it announces cannot be taken back: a wipe.
            pub(crate) const fn is_irreversible(&self) -> bool {
                matches!(self, Self::WipeAccepted(_) | Self::WipeIssued(_))
            }
            /// From a line of the log: the kind, and the JSON of its data.
            ///
            /// # Errors
            /// If the kind is not known or its data are not what they should be.
            pub fn parse(kind: &str, data: &str) -> Result<Self, String> {
                match kind {
                    $($kind => serde_json::from_str(data).map(Self::$variant).map_err(|e| e.to_string()),)+
                    _ => Err(format!("unknown kind {kind:?}")),
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
    /// It has been wiped or orphaned for long: lists leave it out from now on.
    DeviceArchived(Nothing) = "device.archived",
    /// A complete list of the MDM's devices does not have it any more; nothing is done to it.
    DeviceMissing(DeviceMissing) = "device.missing",
    /// The MDM has it again.
    DeviceFound(Nothing) = "device.found",
    /// A revision of a profile.
    ProfileRecorded(Box<Profile>) = "profile.recorded",
    /// About to push.
    ProfileIntended(ProfilePush) = "profile.intended",
    /// The provider has it.
    ProfilePushed(ProfilePush) = "profile.pushed",
    /// The provider does not have it, or nobody knows.
    ProfileFailed(ProfileFailed) = "profile.failed",
    /// Somebody changed the objects of a profile in the MDM; about to put them right.
    ProfileDrifted(Box<ProfileDrifted>) = "profile.drifted",
    /// The MDM has the objects that a profile is made of.
    ProfilePrepared(Box<ProfilePrepared>) = "profile.prepared",
    /// About to give a license to the user of a device.
    LicenseIntended(Box<LicenseIntended>) = "license.intended",
    /// The user has it.
    LicenseAssigned(Box<LicenseAssigned>) = "license.assigned",
    /// The user does not have it, or nobody knows.
    LicenseFailed(Box<LicenseFailed>) = "license.failed",
    /// Somebody asked for a sync; about to ask the device.
    SyncRequested(Box<SyncRequested>) = "sync.requested",
    /// The provider did not take the request, or nobody knows.
    SyncFailed(Box<SyncFailed>) = "sync.failed",
    /// The verdict over a device changed.
    ComplianceChanged(ComplianceChanged) = "compliance.changed",
    /// Nobody could tell for too long whether a device is compliant.
    EvidenceMissing(EvidenceMissing) = "evidence.missing",
    /// It can be told again.
    EvidenceReturned(Nothing) = "evidence.returned",
    /// About to block a device's access to corporate mail, or to restore it.
    AccessIntended(AccessOrder) = "access.intended",
    /// The provider has the order to block it.
    AccessBlocked(AccessOrder) = "access.blocked",
    /// The provider has the order to restore it.
    AccessRestored(AccessOrder) = "access.restored",
    /// The provider does not have the order, or nobody knows.
    AccessFailed(Box<AccessFailed>) = "access.failed",
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
    /// The MDM tells how far a command has come, or that it is approved.
    WipeProgress(Box<WipeProgress>) = "wipe.progress",
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
    /// From now on a sink tells what happens.
    NoticeBegun(NoticeBegun) = "notice.begun",
    /// About to tell somebody.
    NoticeIntended(Box<NoticeIntended>) = "notice.intended",
    /// They were told.
    NoticeSent(Box<NoticeSent>) = "notice.sent",
    /// They were not told, and it is not tried any more.
    NoticeFailed(Box<NoticeStopped>) = "notice.failed",
    /// They were not told, since it is not true any more.
    NoticeDropped(Box<NoticeStopped>) = "notice.dropped",
    /// The ticket system has a new ticket.
    TicketOpened(Box<TicketTold>) = "ticket.opened",
    /// The ticket system has a note on a ticket.
    TicketNoted(Box<TicketTold>) = "ticket.noted",
    /// Something for the people who run Fleetform begins.
    AlertBegan(Box<AlertChanged>) = "alert.began",
    /// It is over.
    AlertEnded(Box<AlertChanged>) = "alert.ended",
    /// The trust files are not what they were.
    TrustChanged(TrustChanged) = "trust.changed",
    /// The configuration gives other rights than before, or is another file.
    ConfigChanged(Box<ConfigChanged>) = "config.changed",
    /// The guard refused a whole plan.
    PassFrozen(PassFrozen) = "pass.frozen",
    /// It does so no more.
    PassThawed(PassThawed) = "pass.thawed",
    /// The log goes on from a backup, under a new lineage.
    LedgerRestored(LedgerRestored) = "ledger.restored",
    /// An unfinished last line was cut.
    LogRepaired(LogRepaired) = "log.repaired",
}
