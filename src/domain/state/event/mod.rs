//! What the log says: every kind of entry with exactly the data that the fold needs.
//!
//! The structs are the log's own words, so their serde form is the file format of
//! `audit.jsonl` (keys of `data`). Adding a kind is compatible; changing one is not.

mod change;
mod device;
mod entry;
mod freeze;
mod kinds;
mod log;
mod profile;
mod rights;
mod trust;
mod wipe;

pub use change::{Change, Field};
pub use device::{ComplianceChanged, DeviceProvisioned, DeviceStatus, DeviceUpdated, Nothing};
pub use entry::{Entry, Source};
pub use freeze::{FreezeCause, PassFrozen, PassThawed};
pub use kinds::Event;
pub use log::{LedgerCreated, LogRepaired};
pub use profile::{ErrorClass, ProfileFailed, ProfilePush};
pub use rights::{ConfigChanged, ConfigRights, QuorumTier};
pub use trust::{TrustChanged, TrustFiles};
pub use wipe::{
    WipeAccepted, WipeConfirmed, WipeDeferred, WipeFailed, WipeIssued, WipeStopped, WipeSubject,
    WipeUnrequested,
};
