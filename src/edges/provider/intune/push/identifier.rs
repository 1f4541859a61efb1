//! Corporate identifiers: by them Intune knows that a device is the company's before it enrolls.

use serde_json::{Value, json};

use crate::domain::export::CorporateId;
use crate::domain::model::DeviceSpec;
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::error::Error;

/// A corporate identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identifier {
    kind: &'static str,
    pub(super) value: String,
}

impl Identifier {
    /// Of a device that the company owns.
    ///
    /// # Errors
    /// If its manifest does not say enough.
    pub(super) fn of(spec: &DeviceSpec) -> Result<Self, Error> {
        let CorporateId { kind, value } =
            CorporateId::of(spec).map_err(|why| Error::new(ErrorClass::Permanent, why))?;
        Ok(Self { kind: kind.as_str(), value })
    }

    /// As Graph takes it.
    pub(super) fn body(&self) -> Value {
        let Self { kind, value } = self;
        json!({"importedDeviceIdentityType": kind, "importedDeviceIdentifier": value})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(platform: &str, serial: &str, hardware: Value) -> Result<(&'static str, String), String> {
        let spec: DeviceSpec = serde_json::from_value(json!({
            "name": "x", "serialNumber": serial, "userEmail": "ana@example.com",
            "profile": "Standard", "platform": platform, "osVersion": "10",
            "ownership": "corporate", "hardware": hardware,
        }))
        .unwrap();
        let identifier = Identifier::of(&spec).map_err(|error| {
            assert_eq!(error.class, ErrorClass::Permanent);
            error.message
        })?;
        Ok((identifier.kind, identifier.value))
    }

    #[test]
    fn each_platform_has_the_identifier_that_intune_knows_it_by() {
        let surface = json!({"manufacturer": "Microsoft", "model": "surface 5"});
        for (platform, serial, hardware, expected) in [
            ("ios", "F9FXK0ABCDE1", Value::Null, ("serialNumber", "F9FXK0ABCDE1")),
            ("android", "R58.M12.X", Value::Null, ("serialNumber", "R58M12X")),
            ("macos", "C02ABC", surface.clone(), ("serialNumber", "C02ABC")),
            (
                "windows",
                "0123.45",
                surface.clone(),
                ("manufacturerModelSerial", "Microsoft,surface 5,012345"),
            ),
        ] {
            let expected = (expected.0, expected.1.to_owned());
            assert_eq!(of(platform, serial, hardware), Ok(expected), "{platform}");
        }
    }

    #[test]
    fn what_cannot_be_identified_says_which_fields_to_add() {
        for hardware in [Value::Null, json!({"manufacturer": "HP"}), json!({"model": "x"})] {
            let why = of("windows", "1", hardware).unwrap_err();
            for field in ["hardware.autopilotHash", "hardware.manufacturer", "hardware.model"] {
                assert!(why.contains(field), "{why}");
            }
        }
        let comma = json!({"manufacturer": "Dell, Inc.", "model": "x"});
        assert!(of("windows", "1", comma).unwrap_err().contains("comma"));
        assert!(of("ios", "...", Value::Null).unwrap_err().contains("no letters"));
    }
}
