//! What assembling gives: the desired fleet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::exemptions::Exempted;
use crate::domain::manifest::Unusable;
use crate::domain::manifest::finding::Finding;
use crate::domain::model::{DesiredDevice, Name, Place, Profile, SerialNumber};
use crate::domain::wipe::WipeFile;

/// Validated intent, and what could not be validated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    /// Valid devices, sorted by serial number, each once.
    pub devices: Vec<DesiredDevice>,
    /// Valid profiles.
    pub profiles: BTreeMap<Name, Arc<Profile>>,
    /// Where the valid profiles are written.
    pub(crate) profile_places: BTreeMap<Name, Place>,
    /// Profiles that are there and cannot be used.
    pub(crate) unusable_profiles: BTreeSet<Name>,
    /// Valid wipe requests, each content once, with the files beside them; sorted by path.
    pub wipes: Vec<Arc<WipeFile>>,
    /// Exemptions of valid devices, over or not.
    pub(crate) exemptions: BTreeMap<SerialNumber, Exempted>,
    /// What may hide an intent; sorted by place.
    pub(crate) unusable: Vec<Unusable>,
    /// Unusable devices that say plainly that they are corporate.
    pub(crate) corporate: BTreeSet<Place>,
    /// Sorted by `Finding::key`.
    pub findings: Vec<Finding>,
    /// Documents that are or may be devices, valid or not, each unreadable file counted once.
    pub(crate) device_documents: u64,
    /// Why the root itself could not be read.
    pub(crate) missing: Option<String>,
}

impl Desired {
    /// The valid device with this serial number.
    #[must_use]
    pub(crate) fn by_serial(&self, serial: &SerialNumber) -> Option<&DesiredDevice> {
        self.find(serial).ok().map(|at| &self.devices[at])
    }

    /// Where among the devices it is, or would be.
    pub(super) fn find(&self, serial: &SerialNumber) -> Result<usize, usize> {
        self.devices.binary_search_by(|device| device.spec.serial_number.cmp(serial))
    }
}
