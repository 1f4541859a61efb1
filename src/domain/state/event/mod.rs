//! What the log says: every kind of entry with exactly the data that the fold needs.
//!
//! The structs are the log's own words, so their serde form is the file format of
//! `audit.jsonl` (keys of `data`). Adding a kind is compatible; changing one is not.

mod access;
mod alert;
mod change;
mod device;
mod entry;
mod freeze;
mod kinds;
mod license;
mod log;
mod mdm;
mod notice;
mod profile;
mod rights;
mod sync;
mod trust;
mod wipe;

pub(crate) use access::{AccessFailed, AccessOrder, EvidenceGap, EvidenceMissing};
pub(crate) use alert::{AlertChanged, AlertKind};
pub use change::{Change, Field};
pub use device::DeviceStatus;
pub(crate) use device::{ComplianceChanged, DeviceProvisioned, DeviceUpdated, Nothing};
pub use entry::Entry;
pub(crate) use entry::Source;
pub(crate) use freeze::{FreezeCause, PassFrozen, PassThawed};
pub use kinds::Event;
pub(crate) use license::{LicenseAssigned, LicenseFailed, LicenseIntended};
pub use log::LedgerCreated;
pub(crate) use log::{LedgerRestored, LogRepaired};
pub(crate) use mdm::{DeviceMissing, ProfileDrifted, ProfilePrepared, WipeProgress, WipeStage};
pub(crate) use notice::{NoticeBegun, NoticeIntended, NoticeSent, NoticeStopped, TicketTold};
pub use profile::ErrorClass;
pub(crate) use profile::{ProfileFailed, ProfilePush};
pub(crate) use rights::{
    AccessRights, ConfigChanged, ConfigRights, QuorumTier, ResourceRights, TenantRights,
};
pub(crate) use sync::{SyncFailed, SyncRequested};
pub(crate) use trust::{TrustChanged, TrustFiles};
pub(crate) use wipe::{
    WipeAccepted, WipeConfirmed, WipeDeferred, WipeFailed, WipeIssued, WipeStopped, WipeSubject,
    WipeUnrequested,
};
