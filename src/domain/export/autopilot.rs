//! The list of hardware hashes that Windows Autopilot takes.

use super::sheet::{Exported, Limits, row, sheets};
use crate::domain::model::{DesiredDevice, HardwareHash, Platform};

/// To the letter: Intune compares the case, too.
const HEADER: &str =
    "Device Serial Number,Windows Product ID,Hardware Hash,Group Tag,Assigned User\r\n";
/// What Intune takes at once.
const LIMITS: Limits = Limits { rows: 500, bytes: usize::MAX };

/// Windows devices with a hardware hash; their group tag is their profile, as Fleetform itself
/// registers them.
pub(crate) fn autopilot<'d>(devices: impl Iterator<Item = &'d DesiredDevice>) -> Exported {
    let mut exported = Exported::default();
    let mut rows = Vec::new();
    for device in devices {
        let spec = &device.spec;
        let hardware = spec.hardware.as_deref();
        let hash = hardware.and_then(|h| h.autopilot_hash.as_ref()).and_then(HardwareHash::expose);
        let Some(hash) = hash.filter(|_| spec.platform == Platform::Windows) else {
            exported.others += 1;
            continue;
        };
        match row(&[
            ("serialNumber", spec.serial_number.as_str()),
            ("", ""),
            ("autopilotHash", hash),
            ("profile", spec.profile.as_str()),
            ("userEmail", spec.user_email.as_str()),
        ]) {
            Ok(row) => rows.push(row),
            Err(why) => exported.refuse(device, why),
        }
    }
    exported.devices = rows.len() as u64;
    exported.sheets = sheets("", HEADER, &rows, &LIMITS);
    exported
}
