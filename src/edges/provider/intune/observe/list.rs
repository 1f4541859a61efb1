//! The list of all devices, page by page: those that the ledger knows are kept, the others counted.

use std::collections::{BTreeMap, HashMap};

use compact_str::CompactString;

use super::memory::KnownDevice;
use crate::domain::model::{DeviceId, SerialNumber};
use crate::domain::state::State;
use crate::domain::wording::harmless_within;
use crate::edges::provider::intune::connection::Connection;
use crate::edges::provider::intune::graph::{Call, Failure};
use crate::edges::provider::intune::rows::{LISTED, ManagedDevice};
use crate::edges::provider::unmanaged::{MOST, Unmanaged, UnmanagedDevice};

/// Bytes of a text of somebody else that are kept.
const TEXT: usize = 256;

/// The devices of a tenant.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Rows of devices that the ledger knows and that are not wiped, newest enrollment first.
    pub(super) known: BTreeMap<DeviceId, Vec<ManagedDevice>>,
    /// All others.
    pub(super) unmanaged: Unmanaged,
    /// Records of every serial number, newest enrollment first: also of those that the ledger is about
    /// to know.
    pub(super) records: HashMap<SerialNumber, Vec<KnownDevice>>,
    /// Why it is not all of them.
    pub(super) failed: Option<Failure>,
}

/// Reads the list. What of it could be read is good, whatever became of the rest.
pub(super) async fn list(connection: &Connection, recorded: &State) -> Listed {
    let mut listed = Listed::default();
    let call = Call::get("/deviceManagement/managedDevices").query("$select", LISTED);
    let read = connection.everyday.pages(call, |rows: Vec<ManagedDevice>| {
        rows.into_iter().for_each(|row| listed.take(row, recorded));
    });
    let failed = read.await.err();
    for rows in listed.known.values_mut() {
        // Newest first; where that is no answer, whatever was heard from last, and then any order
        // that stays.
        rows.sort_by(|a, b| {
            let key = |row: &ManagedDevice| {
                (row.enrolled_date_time.0, row.last_sync_date_time.0, row.id.clone())
            };
            key(b).cmp(&key(a))
        });
    }
    for records in listed.records.values_mut().filter(|records| records.len() > 1) {
        records.sort_by(|a, b| (b.enrolled_at, &b.id).cmp(&(a.enrolled_at, &a.id)));
    }
    Listed { failed, ..listed }
}

impl Listed {
    fn take(&mut self, row: ManagedDevice, recorded: &State) {
        let serial = row.serial();
        let known = serial.as_ref().and_then(|serial| recorded.by_serial(serial));
        if let (Some(serial), Some(device)) = (serial.clone(), known_device(&row)) {
            let records = self.records.entry(serial).or_default();
            if records.iter().all(|known| known.id != device.id) {
                records.push(device);
            }
        }
        match known.filter(|(_, device)| !device.is_wiped()) {
            Some((id, _)) => {
                let rows = self.known.entry(id).or_default();
                // A page that comes twice has the same rows.
                if rows.iter().all(|known| known.id != row.id) {
                    rows.push(row);
                }
            }
            None => {
                self.unmanaged.count += 1;
                if self.unmanaged.devices.len() < MOST {
                    self.unmanaged.devices.push(unmanaged(&row));
                }
            }
        }
    }
}

fn unmanaged(row: &ManagedDevice) -> UnmanagedDevice {
    let text = |text: &Option<CompactString>| {
        text.as_deref().map(|text| harmless_within(text, TEXT).into())
    };
    UnmanagedDevice {
        id: harmless_within(&row.id, TEXT).into(),
        last_sync: row.last_sync_date_time.0,
        name: text(&row.device_name),
        os_version: text(&row.os_version),
        ownership: row.ownership(),
        platform: text(&row.operating_system),
        serial_number: text(&row.serial_number),
        user: text(&row.user_principal_name),
    }
}

/// What is remembered of a row.
fn known_device(row: &ManagedDevice) -> Option<KnownDevice> {
    let (id, enrolled_at) = (row.graph_id()?, row.enrolled_date_time.0);
    Some(KnownDevice { id, entra_id: row.entra_id(), enrolled_at })
}
