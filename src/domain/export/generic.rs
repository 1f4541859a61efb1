//! All that manifests say of devices, as a table that `import csv` reads again.

use std::collections::BTreeSet;

use super::sheet::{Exported, Sheet};
use crate::domain::import::{Field, HEADERS, is_formula};
use crate::domain::model::{DesiredDevice, HardwareHash};
use crate::domain::wording::quote;

/// A column for each field, and one for each label that any of the devices has.
///
/// # Errors
/// If the table cannot be written.
pub(crate) fn csv<'d>(
    devices: impl Iterator<Item = &'d DesiredDevice> + Clone,
) -> Result<Exported, csv::Error> {
    let mut exported = Exported::default();
    let labels: BTreeSet<&str> =
        devices.clone().flat_map(|device| device.spec.labels.keys()).map(|key| &**key).collect();
    let labels = labels.into_iter().map(|key| Field::Label(key.to_owned()));
    let fields: Vec<Field> = HEADERS.into_iter().chain(labels).collect();
    let mut table =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    table.write_record(fields.iter().map(ToString::to_string))?;
    for device in devices {
        let cells: Vec<String> = fields.iter().map(|field| cell(field, device)).collect();
        let formula = fields.iter().zip(&cells).find(|(_, text)| is_formula(text));
        if let Some((field, text)) = formula {
            let why = format!("{field} {} is a formula to a spreadsheet", quote(text));
            exported.refuse(device, why);
            continue;
        }
        table.write_record(&cells)?;
        exported.devices += 1;
    }
    let bytes = table.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    exported.sheets.push(Sheet { kind: "", text });
    Ok(exported)
}

fn cell(field: &Field, device: &DesiredDevice) -> String {
    let spec = &device.spec;
    let hardware = spec.hardware.as_deref();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    match field {
        Field::Name => spec.name.to_string(),
        Field::SerialNumber => spec.serial_number.to_string(),
        Field::UserEmail => spec.user_email.to_string(),
        Field::Profile => spec.profile.to_string(),
        Field::Platform => spec.platform.to_string(),
        Field::OsVersion => spec.os_version.to_string(),
        Field::Ownership => spec.ownership.to_string(),
        Field::Manufacturer => text(hardware.and_then(|h| h.manufacturer.as_deref())),
        Field::Model => text(hardware.and_then(|h| h.model.as_deref())),
        Field::AutopilotHash => {
            let hash = hardware.and_then(|h| h.autopilot_hash.as_ref());
            text(hash.and_then(HardwareHash::expose))
        }
        Field::Label(key) => text(spec.labels.get(key.as_str()).map(|value| &**value)),
    }
}
