//! Values that cannot be wrong: every type here checks its text when it is made,
//! from a manifest, a flag, a log line or a snapshot alike.
//!
//! No value knows of files, clocks or YAML. Texts are bounded, so that whatever is
//! built from them fits a log line (64 KiB).

mod address_range;
mod device;
mod digest;
mod exemption;
mod hardware_hash;
mod ids;
mod intune;
mod macros;
mod mdm;
mod place;
mod placeholder;
mod profile;
mod report;
mod reported_version;
mod sync_request;
mod text;
mod time;
mod version;
mod wipe;

pub(crate) use address_range::AddressRange;
pub(crate) use device::{
    ComplianceState, DesiredStatus, DeviceSpec, Hardware, Labels, Ownership, Platform,
};
pub use device::{DesiredDevice, Status};
pub use digest::Digest;
pub(crate) use digest::Hasher;
pub(crate) use exemption::Exemption;
pub(crate) use hardware_hash::HardwareHash;
pub use ids::{DeviceId, SerialNumber};
pub(crate) use ids::{Email, Name};
pub(crate) use intune::{GraphId, IntuneProfile, PolicySource};
pub(crate) use macros::{as_string, words};
pub(crate) use mdm::{MdmFacts, MdmOwnership, MdmVerdict, Protection};
pub(crate) use place::Place;
pub(crate) use profile::{
    AntivirusRequirement, EncryptionRequirement, MIN_PIN_LENGTH, Profile, Requirements,
    ScreenLockRequirement,
};
pub use report::ReportId;
pub(crate) use report::{AntivirusFact, EncryptionFact, Facts, Report, ScreenLockFact, Unreadable};
pub(crate) use reported_version::ReportedVersion;
pub(crate) use sync_request::Asker;
pub use sync_request::{SyncFile, SyncRequest};
pub use text::is_deceptive;
pub(crate) use text::{Invalid, check_text};
pub use time::Timestamp;
pub(crate) use version::OsVersion;
pub(crate) use wipe::{WipeReason, WipeScope};
