//! Corporate identifiers: by them Intune knows that a device is the company's before it enrolls.

use crate::domain::model::{DeviceSpec, Platform, words};

words! {
    /// What a corporate identifier is made of, as Graph calls it.
    pub(crate) enum IdKind {
        SerialNumber = "serialNumber",
        ManufacturerModelSerial = "manufacturerModelSerial",
    }
}

/// The corporate identifier of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CorporateId {
    pub(crate) kind: IdKind,
    /// Its parts with commas between them.
    pub(crate) value: String,
}

impl CorporateId {
    /// Of a device that the company owns.
    ///
    /// # Errors
    /// If its manifest does not say enough.
    pub(crate) fn of(spec: &DeviceSpec) -> Result<Self, String> {
        // Intune takes no periods in serial numbers, and compares without them.
        let serial = spec.serial_number.as_str().replace('.', "");
        if serial.is_empty() {
            return Err(format!(
                "serial number {} has no letters and no digits",
                spec.serial_number
            ));
        }
        if spec.platform != Platform::Windows {
            return Ok(Self { kind: IdKind::SerialNumber, value: serial });
        }
        let hardware = spec.hardware.as_deref();
        let manufacturer = hardware.and_then(|hardware| hardware.manufacturer.as_deref());
        let model = hardware.and_then(|hardware| hardware.model.as_deref());
        let (Some(manufacturer), Some(model)) = (manufacturer, model) else {
            return Err(
                "Intune does not know this computer, and needs more than its serial number: add \
                 `hardware.autopilotHash` (Windows Autopilot), or `hardware.manufacturer` and \
                 `hardware.model` (corporate identifier) to its manifest"
                    .to_owned(),
            );
        };
        if let Some(text) = [manufacturer, model].into_iter().find(|text| text.contains(',')) {
            return Err(format!(
                "{text:?} has a comma, which no corporate identifier may have: add \
                 `hardware.autopilotHash` to the manifest instead"
            ));
        }
        let value = format!("{manufacturer},{model},{serial}");
        Ok(Self { kind: IdKind::ManufacturerModelSerial, value })
    }
}
