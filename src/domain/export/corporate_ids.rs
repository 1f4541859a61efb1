//! Corporate identifiers as Intune takes them: no header, one kind a file.

use super::corporate_id::{CorporateId, IdKind};
use super::sheet::{Exported, Limits, row, sheets};
use crate::domain::model::{DesiredDevice, Ownership};

/// What Intune takes at once.
const LIMITS: Limits = Limits { rows: 5_000, bytes: 5_000_000 };

/// Devices of the company: Windows by manufacturer, model and serial number, others by serial number
/// with their name as details.
pub(crate) fn corporate_ids<'d>(devices: impl Iterator<Item = &'d DesiredDevice>) -> Exported {
    let mut exported = Exported::default();
    let (mut windows, mut others) = (Vec::new(), Vec::new());
    for device in devices {
        let spec = &device.spec;
        if spec.ownership == Ownership::Personal {
            exported.others += 1;
            continue;
        }
        let row = CorporateId::of(spec).and_then(|CorporateId { kind, value }| {
            let parts: Vec<(&str, &str)> = match kind {
                IdKind::SerialNumber => {
                    vec![("serialNumber", &value), ("name", spec.name.as_str())]
                }
                IdKind::ManufacturerModelSerial => {
                    let names = ["manufacturer", "model", "serialNumber"];
                    names.into_iter().zip(value.split(',')).collect()
                }
            };
            Ok((kind, row(&parts)?))
        });
        match row {
            Ok((IdKind::SerialNumber, row)) => others.push(row),
            Ok((IdKind::ManufacturerModelSerial, row)) => windows.push(row),
            Err(why) => exported.refuse(device, why),
        }
    }
    exported.devices = (windows.len() + others.len()) as u64;
    let (a, b) = match (windows.is_empty(), others.is_empty()) {
        (false, false) => ("windows", "serial"),
        _ => ("", ""),
    };
    exported.sheets = sheets(a, "", &windows, &LIMITS);
    exported.sheets.extend(sheets(b, "", &others, &LIMITS));
    exported
}
