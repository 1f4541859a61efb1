//! What the last look found, for whoever acts on devices afterwards.

use std::collections::HashMap;

use compact_str::CompactString;
use tokio::time::Instant;

use crate::domain::model::{GraphId, SerialNumber, Timestamp};
use crate::edges::provider::unmanaged::Unmanaged;

/// What the last look found.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Records of all devices of the tenant, newest enrollment first.
    pub(super) devices: HashMap<SerialNumber, Vec<KnownDevice>>,
    /// Whether these are all that there are.
    pub(super) complete: bool,
    /// When the objects of profiles and the licenses of users are to be compared; nothing: at once.
    pub(super) compare_at: Option<Instant>,
    /// Devices that the fleet does not declare, until they are written down.
    pub(super) unmanaged: Option<Unmanaged>,
}

/// A record of a device in Intune.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownDevice {
    pub(crate) id: GraphId,
    /// What Entra calls it; nothing until it has joined.
    pub(crate) entra_id: Option<CompactString>,
    pub(crate) enrolled_at: Option<Timestamp>,
}

impl Memory {
    /// Records of a serial number as of the last look, newest enrollment first.
    pub(crate) fn devices_of(&self, serial: &SerialNumber) -> &[KnownDevice] {
        self.devices.get(serial).map_or(&[], Vec::as_slice)
    }
}
