//! From documents to the desired fleet: the rules that need more than one document.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finding::Finding;
use crate::model::{DesiredDevice, Name, Place, Profile, SerialNumber};
use crate::wipe::Request;

/// Validated intent, from all manifests, and what could not be validated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    /// Valid devices, sorted by serial number, each once.
    pub devices: Vec<Arc<DesiredDevice>>,
    /// Valid profiles.
    pub profiles: BTreeMap<Name, Arc<Profile>>,
    /// Valid wipe requests, each content once, with the files beside them; sorted by path.
    pub wipes: Vec<Arc<WipeFile>>,
    /// What may hide an intent; sorted by place.
    pub damaged: Vec<Damaged>,
    /// Sorted by [`Finding::key`].
    pub findings: Vec<Finding>,
    /// Documents that are or may be devices, valid or not, each unreadable file counted once.
    pub device_documents: u64,
    /// Why the root itself could not be read.
    pub missing: Option<String>,
}

/// A wipe request and all that is said about it: read once, and judged as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WipeFile {
    /// As parsed from `bytes`.
    pub request: Request,
    /// Where it is written.
    pub place: Place,
    /// The whole file: what is signed.
    pub bytes: Vec<u8>,
    /// Signature files beside it, by name.
    pub signatures: BTreeMap<String, Vec<u8>>,
    /// Veto files beside it, by name.
    pub vetoes: BTreeMap<String, Vec<u8>>,
}

/// Something in the fleet directory that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damaged {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub what: Damage,
}

/// What could not be used, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// A directory, and so everything below it.
    Directory,
    /// A whole file.
    File,
    /// One document of a file, whose kind is Device or cannot be told.
    Device {
        /// Where it could be read.
        serial: Option<SerialNumber>,
        /// Where it could be read.
        name: Option<Name>,
    },
    /// A valid device whose profile is there, but itself damaged.
    ProfileOf {
        /// Of the device.
        serial: SerialNumber,
        /// Of the device.
        name: Name,
        /// Of the profile.
        profile: Name,
    },
}
