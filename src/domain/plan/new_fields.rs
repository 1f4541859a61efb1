//! The fields of a new device, as they are shown and as they go into a plan's digest.
//!
//! They are borrowed: a first plan of a large fleet has a million of them, and to make each a
//! JSON value, only to write it, is most of the work of a digest.

use std::fmt::Display;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::domain::model::{DesiredDevice, DeviceSpec, Exemption, Hardware, Labels, Status};
use crate::domain::state::event::Change;

/// One field of a new device, which had none before.
pub(super) struct NewField<'a> {
    name: &'static str,
    value: Given<'a>,
}

enum Given<'a> {
    Text(&'a str),
    Shown(&'a dyn Display),
    Number(u32),
    Labels(&'a Labels),
    Hardware(&'a Hardware),
    Exemption(&'a Exemption),
}

/// All that are given, in a fixed order.
pub(super) fn new_fields(to: &DesiredDevice) -> impl Iterator<Item = NewField<'_>> {
    let DeviceSpec {
        name,
        serial_number,
        user_email,
        profile,
        platform,
        os_version,
        ownership,
        labels,
        hardware,
        access,
    } = &*to.spec;
    let all = [
        ("name", Some(Given::Text(name.as_str()))),
        ("serialNumber", Some(Given::Text(serial_number.as_str()))),
        ("userEmail", Some(Given::Text(user_email.as_str()))),
        ("profile", Some(Given::Text(profile.as_str()))),
        ("platform", Some(Given::Text(platform.as_str()))),
        ("osVersion", Some(Given::Shown(os_version))),
        ("ownership", Some(Given::Text(ownership.as_str()))),
        ("labels", Some(Given::Labels(labels)).filter(|_| !labels.is_empty())),
        ("hardware", hardware.as_deref().map(Given::Hardware)),
        ("access", access.as_deref().map(Given::Exemption)),
        ("status", Some(Given::Text(Status::Pending.as_str()))),
        ("enrollment", Some(Given::Number(to.enrollment))),
    ];
    all.into_iter().filter_map(|(name, value)| Some(NewField { name, value: value? }))
}

impl Serialize for Given<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Shown(shown) => serializer.collect_str(shown),
            Self::Number(n) => n.serialize(serializer),
            Self::Labels(labels) => labels.serialize(serializer),
            // By way of a value, which sorts its keys.
            Self::Hardware(hardware) => json!(hardware).serialize(serializer),
            Self::Exemption(exemption) => json!(exemption).serialize(serializer),
        }
    }
}

/// As the [`Change`] that it becomes.
impl Serialize for NewField<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Out<'a> {
            field: &'static str,
            from: (),
            to: &'a Given<'a>,
        }
        Out { field: self.name, from: (), to: &self.value }.serialize(serializer)
    }
}

impl From<NewField<'_>> for Change<&'static str> {
    fn from(new: NewField<'_>) -> Self {
        Self { field: new.name, from: Value::Null, to: json!(new.value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::Digest;

    #[test]
    fn a_field_is_written_as_the_change_that_it_is() {
        let spec = json!({
            "name": "ana", "serialNumber": "PF3", "userEmail": "a@example.com",
            "profile": "Standard", "platform": "windows", "osVersion": "10.0",
            "ownership": "corporate", "labels": {"b": "\u{1}", "a": "\""},
            "hardware": {"model": "m", "manufacturer": "n", "autopilotHash": "aGFzaA=="},
            "access": {"reason": "r", "exemptUntil": "2026-11-22T10:00:00Z"},
        });
        for bare in [false, true] {
            let mut spec: DeviceSpec = serde_json::from_value(spec.clone()).unwrap();
            if bare {
                spec.labels = Labels::default();
                spec.hardware = None;
                spec.access = None;
            }
            let device = DesiredDevice {
                spec: spec.into(),
                status: crate::domain::model::DesiredStatus::Failed,
                enrollment: 3,
                place: crate::domain::model::Place { path: "a.yaml".into(), line: 1 },
                digest: Digest::ZERO,
            };
            let written: Vec<_> =
                new_fields(&device).map(|field| serde_json::to_string(&field).unwrap()).collect();
            let changes: Vec<_> = new_fields(&device)
                .map(|field| serde_json::to_string(&Change::from(field)).unwrap())
                .collect();
            assert_eq!(written, changes);
            assert_eq!(written.len(), if bare { 9 } else { 12 });
            assert_eq!(written[0], r#"{"field":"name","from":null,"to":"ana"}"#);
        }
    }
}
