//! Hardware: what really exists, whether Intune knows it or not.

use serde::{Deserialize, Serialize};

use crate::domain::model::{Platform, Timestamp, words};

words! {
    /// What a device does with a command to wipe or retire it.
    pub(crate) enum WipeBehavior { Obeys = "obeys", Fails = "fails", NotSupported = "notSupported", Cancels = "cancels" }
}

words! {
    /// What hardware that joins by itself waits for.
    pub(crate) enum WaitsFor {
        /// A registration for Windows Autopilot, or its corporate identifier.
        Registration = "registration",
        /// Its corporate identifier.
        Identifier = "identifier",
        /// Only that its user has a license.
        Nothing = "nothing",
    }
}

/// What can be measured on a device.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Facts {
    pub(crate) os_version: String,
    pub(crate) encrypted: bool,
    /// Antivirus is on and looks at files in real time.
    pub(crate) antivirus: bool,
    pub(crate) signatures_current: bool,
    pub(crate) firewall: bool,
    pub(crate) secure_boot: bool,
    pub(crate) jailbroken: bool,
    /// Digits of the PIN that locks the screen; 0 if nothing locks it.
    pub(crate) pin_length: u64,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            os_version: String::new(),
            encrypted: true,
            antivirus: true,
            signatures_current: true,
            firewall: true,
            secure_boot: true,
            jailbroken: false,
            pin_length: 8,
        }
    }
}

/// One piece of hardware.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hardware {
    pub(crate) serial_number: String,
    pub(crate) platform: Platform,
    pub(crate) manufacturer: String,
    pub(crate) model: String,
    /// Whose it is, whatever Intune believes.
    pub(crate) personal: bool,
    /// Who signs in on it.
    pub(crate) user_principal_name: String,
    pub(crate) facts: Facts,
    /// Whether it can reach Intune.
    pub(crate) online: bool,
    /// Whether somebody sets it up once it can join.
    pub(crate) joins: bool,
    pub(crate) waits_for: WaitsFor,
    /// Whether its Autopilot registration is another tenant's.
    pub(crate) elsewhere: bool,
    pub(crate) fate: WipeBehavior,
    /// The id of its record in Intune, while it is enrolled.
    pub(crate) managed_device_id: Option<String>,
    /// When it contacts Intune next.
    pub(crate) next_check_in: Option<Timestamp>,
    /// How often it was wiped.
    pub(crate) erased: u32,
}

/// As `operatingSystem` spells it.
pub(crate) fn operating_system(platform: Platform) -> &'static str {
    match platform {
        Platform::Windows => "Windows",
        Platform::Macos => "macOS",
        Platform::Ios => "iOS",
        Platform::Android => "Android",
    }
}
