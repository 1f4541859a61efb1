//! Values that cannot be wrong: every type here checks its text when it is made,
//! from a manifest, a flag, a log line or a snapshot alike.
//!
//! No value knows of files, clocks or YAML. Texts are bounded, so that whatever is
//! built from them fits a log line (64 KiB).

mod device;
mod digest;
mod ids;
mod macros;
mod place;
mod placeholder;
mod profile;
mod report;
mod reported_version;
mod text;
mod time;
mod version;
mod wipe;

pub use device::{
    ComplianceState, DesiredDevice, DesiredStatus, DeviceSpec, Hardware, Labels, Ownership,
    Platform, Status,
};
pub use digest::{Digest, Hasher};
pub use ids::{DeviceId, Email, Name, SerialNumber};
pub(crate) use macros::{as_string, words};
pub use place::Place;
pub use profile::{
    AntivirusRequirement, EncryptionRequirement, MIN_PIN_LENGTH, Profile, Requirements,
    ScreenLockRequirement,
};
pub use report::{AntivirusFact, EncryptionFact, Facts, Report, ScreenLockFact, Unreadable};
pub use reported_version::ReportedVersion;
pub use text::{Invalid, check_text, harmless, is_deceptive};
pub use time::Timestamp;
pub use version::OsVersion;
pub use wipe::{WipeReason, WipeScope};
