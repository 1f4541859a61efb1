//! Devices as an MDM has them.

use std::collections::HashSet;

use super::field::Field;
use super::problem::Cell;
use super::record::{Draft, Records, platform};
use crate::domain::model::MdmOwnership;
use crate::domain::wording::quote;

/// A device that an MDM has. Texts are strangers'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InventoryDevice {
    /// By which whoever reads of a problem finds it there.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) serial_number: String,
    pub(crate) user: String,
    pub(crate) platform: String,
    pub(crate) os_version: String,
    pub(crate) ownership: MdmOwnership,
    pub(crate) manufacturer: String,
    pub(crate) model: String,
    /// Whether it is being wiped or retired.
    pub(crate) is_leaving: bool,
}

/// Reads them; newest first where several have one serial number. They have no lines: what is said of
/// one names it.
pub(crate) fn read(devices: &[InventoryDevice]) -> Records {
    let mut read = Records::default();
    let mut records = Vec::new();
    let (mut seen, mut older) = (HashSet::new(), 0);
    for device in devices {
        let serial = device.serial_number.trim().to_ascii_uppercase();
        if !serial.is_empty() && !seen.insert(serial) {
            older += 1;
            continue;
        }
        let InventoryDevice { id, name, serial_number, user, ownership, .. } = device;
        let header = match serial_number.trim() {
            "" => format!("device {}, {id}", quote(name)),
            serial => format!("device {}, serial number {}, {id}", quote(name), quote(serial)),
        };
        let at = Cell { header, ..Cell::default() };
        let mut draft = Draft::new(at.clone(), &mut read.problems);
        if device.is_leaving {
            draft.refuse(&at, "it is being wiped or retired", "leave it out with --partial");
        }
        if platform(&device.platform).is_none() {
            let what = format!("{} is not a platform", quote(&device.platform));
            draft.refuse_field(Field::Platform, at.clone(), what, "leave it out with --partial");
        } else {
            draft.put(Field::Platform, &device.platform, at.clone());
        }
        if serial_number.trim().is_empty() {
            let help = "a device is known by its serial number: leave it out with --partial";
            let what = "it has no serial number";
            draft.refuse_field(Field::SerialNumber, at.clone(), what, help);
        } else {
            draft.put(Field::SerialNumber, serial_number, at.clone());
        }
        draft.put(Field::UserEmail, user, at.clone());
        draft.put(Field::OsVersion, &device.os_version, at.clone());
        draft.put(Field::Manufacturer, &device.manufacturer, at.clone());
        draft.put(Field::Model, &device.model, at.clone());
        match ownership {
            MdmOwnership::Company => draft.put(Field::Ownership, "corporate", at),
            MdmOwnership::Personal => draft.put(Field::Ownership, "personal", at),
            // Left to whoever imports it: --ownership, or else it is not taken.
            MdmOwnership::Unknown => {}
        }
        records.push(draft.finish());
    }
    if older > 0 {
        read.notes.push(format!(
            "{older} older records of the same serial numbers are ignored: while a serial number \
             has several records, its device cannot be wiped."
        ));
    }
    read.keep(records);
    read
}
