//! Whom an action is about.

use std::sync::Arc;

use crate::domain::model::{DeviceId, DeviceSpec, Digest, Name, SerialNumber};

/// Whom an action is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A device: a new one has the id that it will get.
    Device {
        id: DeviceId,
        /// As desired, where the record follows the manifest, else as recorded.
        spec: Arc<DeviceSpec>,
    },
    /// A profile, by its name.
    Profile(Name),
    Request(Box<RequestSubject>),
    /// The fleet as a whole.
    Fleet,
}

/// A wipe request, as an action names it.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestSubject {
    /// The device that it names, where the ledger knows one.
    pub(crate) device: Option<DeviceId>,
    /// SHA-256 of its file.
    pub(crate) request: Digest,
    /// Its `metadata.name`.
    pub(crate) name: Name,
    /// The serial number that it names.
    pub(crate) serial: SerialNumber,
    /// Where its file is, or was last seen.
    pub(crate) path: Arc<str>,
}

impl Subject {
    /// The device that it is, or that a request names.
    #[must_use]
    pub(crate) fn device(&self) -> Option<DeviceId> {
        match self {
            Self::Device { id, .. } => Some(*id),
            Self::Request(request) => request.device,
            Self::Profile(_) | Self::Fleet => None,
        }
    }

    /// What the manifest calls it.
    #[must_use]
    pub(crate) fn name(&self) -> Option<&Name> {
        match self {
            Self::Device { spec, .. } => Some(&spec.name),
            Self::Profile(name) => Some(name),
            Self::Request(request) => Some(&request.name),
            Self::Fleet => None,
        }
    }

    /// The serial number of the device, or the one that a request names.
    #[must_use]
    pub fn serial(&self) -> Option<&SerialNumber> {
        match self {
            Self::Device { spec, .. } => Some(&spec.serial_number),
            Self::Request(request) => Some(&request.serial),
            Self::Profile(_) | Self::Fleet => None,
        }
    }
}
