//! What is registered before a device comes: Autopilot and corporate identifiers.

use crate::domain::model::Timestamp;

/// `importedWindowsAutopilotDeviceIdentity`.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub(crate) id: String,
    pub(crate) import_id: String,
    pub(crate) serial: String,
    pub(crate) product_key: String,
    pub(crate) hash: String,
    pub(crate) group_tag: String,
    pub(crate) upn: String,
    /// `unknown`, `pending`, `complete` or `error`.
    pub(crate) status: &'static str,
    pub(crate) registration: String,
    /// Number and name of the error, where there is one.
    pub(crate) error: Option<(i64, &'static str)>,
}

/// `windowsAutopilotDeviceIdentity`.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) id: String,
    pub(crate) serial: String,
    pub(crate) manufacturer: String,
    pub(crate) model: String,
    pub(crate) product_key: String,
    pub(crate) group_tag: String,
    pub(crate) upn: String,
    pub(crate) addressable_name: String,
    pub(crate) display_name: String,
    pub(crate) entra_device_id: String,
    pub(crate) state: &'static str,
    pub(crate) contacted: Option<Timestamp>,
    pub(crate) managed_device_id: Option<String>,
}

/// `importedDeviceIdentity`.
#[derive(Debug, Clone)]
pub(crate) struct Identifier {
    pub(crate) id: String,
    /// `serialNumber`, `imei` or `manufacturerModelSerial`.
    pub(crate) kind: String,
    pub(crate) value: String,
    pub(crate) description: String,
    pub(crate) platform: &'static str,
    pub(crate) state: &'static str,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) contacted: Option<Timestamp>,
}
