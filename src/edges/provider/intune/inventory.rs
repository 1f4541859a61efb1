//! All devices of a tenant, for whoever takes them over into a fleet directory.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::connection::again;
use super::graph::Call;
use super::observe;
use super::provider::Intune;
use super::rows::{LISTED, ManagedDevice};
use crate::domain::import::InventoryDevice;
use crate::domain::model::WipeScope;
use crate::edges::provider::error::Error;

impl Intune {
    /// The devices that it manages, newest enrollment first; changes nothing anywhere.
    ///
    /// # Errors
    /// If not all of them could be read: a part of them is no answer.
    pub(crate) async fn inventory(&self) -> Result<Vec<InventoryDevice>, Error> {
        let connection = &self.inner.connection;
        connection.begin_pass();
        let call = Call::get("/deviceManagement/managedDevices").query("$select", LISTED);
        // A page that comes twice has the same rows.
        let mut rows: BTreeMap<CompactString, ManagedDevice> = BTreeMap::new();
        let read = connection.everyday.pages(call, |page: Vec<ManagedDevice>| {
            rows.extend(page.into_iter().map(|row| (row.id.clone(), row)));
        });
        read.await.map_err(|failure| again(&failure))?;
        let mut rows: Vec<ManagedDevice> = rows.into_values().collect();
        // What has only been seen by Intune is not managed by it.
        rows.retain(|row| row.management() != "discovered");
        rows.sort_by_key(|row| std::cmp::Reverse((row.enrolled_date_time.0, row.id.clone())));
        Ok(rows.iter().map(device).collect())
    }
}

fn device(row: &ManagedDevice) -> InventoryDevice {
    let text = |text: &Option<CompactString>| text.as_deref().unwrap_or_default().to_owned();
    let is_leaving =
        WipeScope::ALL.iter().any(|scope| observe::pending(row.management(), *scope).is_some());
    InventoryDevice {
        id: row.id.to_string(),
        name: text(&row.device_name),
        serial_number: text(&row.serial_number),
        user: text(&row.user_principal_name),
        platform: text(&row.operating_system),
        os_version: text(&row.os_version),
        ownership: row.ownership(),
        manufacturer: text(&row.manufacturer),
        model: text(&row.model),
        is_leaving,
    }
}
