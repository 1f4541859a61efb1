//! The manifest of a new device, in the one layout.

use std::fmt::Write as _;

use super::yaml::{Within, scalar};

/// What is to be written. What cannot be right is written all the same: it gives a finding then.
#[derive(Debug, Clone)]
pub(crate) struct NewDevice<'a> {
    pub(crate) name: &'a str,
    pub(crate) labels: Vec<(&'a str, &'a str)>,
    pub(crate) serial_number: &'a str,
    pub(crate) user_email: &'a str,
    pub(crate) profile: &'a str,
    pub(crate) platform: Option<&'a str>,
    pub(crate) os_version: &'a str,
    pub(crate) ownership: Option<&'a str>,
    pub(crate) manufacturer: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    pub(crate) autopilot_hash: Option<&'a str>,
}

impl NewDevice<'_> {
    /// The file, with a line by which editors find the schema: so many directories up.
    #[must_use]
    pub(crate) fn file(&self, up: usize) -> String {
        let up = "../".repeat(up);
        let schema = format!("# yaml-language-server: $schema={up}.schema/fleetform.json\n");
        schema + &self.document()
    }

    /// The document alone.
    #[must_use]
    pub(crate) fn document(&self) -> String {
        let Self {
            name,
            labels,
            serial_number,
            user_email,
            profile,
            platform,
            os_version,
            ownership,
            manufacturer,
            model,
            autopilot_hash,
        } = self;
        let mut text = format!(
            "apiVersion: fleetform/v1\nkind: Device\nmetadata:\n  name: {}\n",
            scalar(name, Within::Block)
        );
        // Writing to a String cannot fail.
        let braced = |text: &str| scalar(text, Within::Braces);
        let pair = |(key, value): &(&str, &str)| format!("{}: {}", braced(key), braced(value));
        let labels: Vec<String> = labels.iter().map(pair).collect();
        if !labels.is_empty() {
            let _ = writeln!(text, "  labels: {{{}}}", labels.join(", "));
        }
        text.push_str("spec:\n");
        for (field, value) in [
            ("serialNumber", Some(*serial_number)),
            ("userEmail", Some(*user_email)),
            ("profile", Some(*profile)),
            ("platform", *platform),
            ("osVersion", Some(*os_version)),
            ("ownership", *ownership),
        ] {
            if let Some(value) = value {
                let _ = writeln!(text, "  {field}: {}", scalar(value, Within::Block));
            }
        }
        let hardware =
            [("manufacturer", manufacturer), ("model", model), ("autopilotHash", autopilot_hash)];
        if hardware.iter().any(|(_, value)| value.is_some()) {
            text.push_str("  hardware:\n");
        }
        for (field, value) in hardware {
            if let Some(value) = value {
                let _ = writeln!(text, "    {field}: {}", scalar(value, Within::Block));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::manifest::{canonical, parse_file};

    #[test]
    fn what_is_written_is_valid_and_in_the_one_layout() {
        let device = NewDevice {
            name: "ana",
            labels: vec![("site", "Málaga, centro"), ("room", "12")],
            serial_number: "0123",
            user_email: "o'neil@example.com",
            profile: "Standard",
            platform: Some("windows"),
            os_version: "10.0",
            ownership: Some("corporate"),
            manufacturer: Some("Micro-Star Co., Ltd."),
            model: Some("T14: #2"),
            autopilot_hash: Some("aGFyZHdhcmUgaGFzaA=="),
        };
        for text in [device.document(), device.file(2)] {
            let read = parse_file(&"a.yaml".into(), text.as_bytes());
            assert_eq!(read.findings, [], "{text}");
            let [device] = read.devices.as_slice() else { panic!("{text}") };
            let spec = serde_json::to_value(&device.device.spec).unwrap();
            let expected = serde_json::json!({"name": "ana", "serialNumber": "0123",
                "labels": {"room": "12", "site": "Málaga, centro"}, "userEmail": "o'neil@example.com",
                "profile": "Standard", "platform": spec["platform"], "osVersion": "10.0",
                "ownership": "corporate", "hardware": {"manufacturer": "Micro-Star Co., Ltd.",
                "model": "T14: #2", "autopilotHash": spec["hardware"]["autopilotHash"]}});
            assert_eq!(spec, expected, "all of it");
            assert_eq!(canonical::format(text.as_bytes()), Ok(text));
        }
    }
}
