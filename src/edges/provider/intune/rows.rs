//! What Graph tells of devices: only what is used of it. Words that this version does not know are kept
//! as they are, and mean unknown.

use std::fmt;

use chrono::{DateTime, Datelike as _, Utc};
use compact_str::CompactString;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use crate::domain::model::{Digest, GraphId, MdmOwnership, MdmVerdict, SerialNumber, Timestamp};

/// The properties of a device that a list is asked for.
pub(super) const LISTED: &str = "id,serialNumber,userPrincipalName,deviceName,operatingSystem,\
    osVersion,enrolledDateTime,lastSyncDateTime,complianceState,\
    complianceGracePeriodExpirationDateTime,managementState,managedDeviceOwnerType,isEncrypted,\
    azureADDeviceId,manufacturer,model";
/// Those that only a single device is asked for: in lists they are empty.
pub(super) const DETAILED: &str =
    "id,serialNumber,managementState,managedDeviceOwnerType,lastSyncDateTime,deviceActionResults";

/// A managed device.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ManagedDevice {
    pub(super) id: CompactString,
    pub(super) serial_number: Option<CompactString>,
    pub(super) user_principal_name: Option<CompactString>,
    pub(super) device_name: Option<CompactString>,
    pub(super) operating_system: Option<CompactString>,
    pub(super) os_version: Option<CompactString>,
    #[serde(default)]
    pub(super) enrolled_date_time: Moment,
    #[serde(default)]
    pub(super) last_sync_date_time: Moment,
    pub(super) compliance_state: Option<CompactString>,
    #[serde(default)]
    pub(super) compliance_grace_period_expiration_date_time: Moment,
    pub(super) management_state: Option<CompactString>,
    pub(super) managed_device_owner_type: Option<CompactString>,
    pub(super) is_encrypted: Option<bool>,
    #[serde(rename = "azureADDeviceId")]
    pub(super) entra_device_id: Option<CompactString>,
    pub(super) manufacturer: Option<CompactString>,
    pub(super) model: Option<CompactString>,
    pub(super) device_action_results: Option<Vec<ActionResult>>,
}

/// What became of an action on a device.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActionResult {
    pub(super) action_name: Option<CompactString>,
    pub(super) action_state: Option<CompactString>,
    #[serde(default)]
    pub(super) start_date_time: Moment,
    #[serde(default)]
    pub(super) last_updated_date_time: Moment,
}

/// A policy's verdict over a device.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyState {
    pub(super) state: Option<CompactString>,
    #[serde(default)]
    pub(super) setting_states: Vec<SettingState>,
}

/// One setting of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SettingState {
    pub(super) setting: Option<CompactString>,
    pub(super) state: Option<CompactString>,
}

/// What Windows says of its antivirus.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProtectionState {
    pub(super) malware_protection_enabled: Option<bool>,
    pub(super) real_time_protection_enabled: Option<bool>,
    pub(super) signature_update_overdue: Option<bool>,
    #[serde(default)]
    pub(super) last_reported_date_time: Moment,
}

/// A request for approval.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApprovalRequest {
    pub(super) id: Option<CompactString>,
    pub(super) request_id: Option<CompactString>,
    pub(super) status: Option<CompactString>,
    pub(super) approval_justification: Option<String>,
}

/// A date, or none: Graph writes the first and the last day of its calendar where there is none, and
/// what cannot be read is none either.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Moment(pub(super) Option<Timestamp>);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Date;
        impl Visitor<'_> for Date {
            type Value = Moment;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date")
            }
            fn visit_str<E>(self, text: &str) -> Result<Moment, E> {
                let date = DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc));
                let date = date.filter(|at| (1971..9000).contains(&at.year()));
                Ok(Moment(date.map(|at| Timestamp::from_millis(at.timestamp_millis()))))
            }
            fn visit_unit<E>(self) -> Result<Moment, E> {
                Ok(Moment(None))
            }
        }
        deserializer.deserialize_any(Date)
    }
}

impl ManagedDevice {
    /// Its serial number, if it has one of its own. Some vendors write one for thousands.
    pub(super) fn serial(&self) -> Option<SerialNumber> {
        let text = self.serial_number.as_deref()?.trim();
        let serial: SerialNumber = text.parse().ok()?;
        (!serial.is_placeholder()).then_some(serial)
    }

    pub(super) fn graph_id(&self) -> Option<GraphId> {
        self.id.parse().ok()
    }

    /// What Entra calls it; nothing until it has joined: Graph writes zeros then.
    pub(super) fn entra_id(&self) -> Option<CompactString> {
        let id = self.entra_device_id.clone()?;
        id.chars().any(|c| c.is_ascii_alphanumeric() && c != '0').then_some(id)
    }

    pub(super) fn ownership(&self) -> MdmOwnership {
        match self.managed_device_owner_type.as_deref() {
            Some("company") => MdmOwnership::Company,
            Some("personal") => MdmOwnership::Personal,
            _ => MdmOwnership::Unknown,
        }
    }

    pub(super) fn verdict(&self) -> MdmVerdict {
        match self.compliance_state.as_deref() {
            Some("compliant") => MdmVerdict::Compliant,
            Some("noncompliant" | "conflict" | "error") => MdmVerdict::NonCompliant,
            Some("inGracePeriod") => MdmVerdict::InGracePeriod,
            _ => MdmVerdict::Unknown,
        }
    }

    /// The word for the state of its management; `unknown` where there is none.
    pub(super) fn management(&self) -> &str {
        self.management_state.as_deref().unwrap_or("unknown")
    }

    /// Stands for all that the list says of it.
    pub(super) fn fingerprint(&self) -> CompactString {
        let Self {
            id,
            serial_number: _,
            user_principal_name,
            device_name,
            operating_system,
            os_version,
            enrolled_date_time,
            last_sync_date_time,
            compliance_state,
            compliance_grace_period_expiration_date_time,
            management_state,
            managed_device_owner_type,
            is_encrypted,
            entra_device_id,
            manufacturer,
            model,
            device_action_results: _,
        } = self;
        let texts = [
            Some(id),
            user_principal_name.as_ref(),
            device_name.as_ref(),
            operating_system.as_ref(),
            os_version.as_ref(),
            compliance_state.as_ref(),
            management_state.as_ref(),
            managed_device_owner_type.as_ref(),
            entra_device_id.as_ref(),
            manufacturer.as_ref(),
            model.as_ref(),
        ];
        let dates =
            [enrolled_date_time, last_sync_date_time, compliance_grace_period_expiration_date_time];
        let text = format!("{texts:?}{dates:?}{is_encrypted:?}");
        // Of 64 digits; a dozen tell rows of one device apart.
        Digest::of(text.as_bytes()).to_string()[..16].into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn device(json: serde_json::Value) -> ManagedDevice {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn dates_that_stand_for_none_are_none() {
        for (text, expected) in [
            (json!("0001-01-01T00:00:00Z"), None),
            (json!("9999-12-31T23:59:59Z"), None),
            (json!("9999-12-31T23:59:59.9999999Z"), None),
            (json!("1970-01-01T00:00:00Z"), None),
            (json!(null), None),
            (json!("yesterday"), None),
            (json!("2026-08-20T06:31:07Z"), Some("2026-08-20T06:31:07Z")),
            (json!("2026-08-20T06:31:07.1234567Z"), Some("2026-08-20T06:31:07.123Z")),
        ] {
            let Moment(at) = serde_json::from_value(text.clone()).unwrap();
            assert_eq!(at, expected.map(|at| at.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn words_of_tomorrow_mean_unknown() {
        let odd = device(json!({"id": "1", "complianceState": "quantum",
            "managedDeviceOwnerType": "unknownFutureValue", "managementState": "levitating"}));
        assert_eq!((odd.verdict(), odd.ownership()), (MdmVerdict::Unknown, MdmOwnership::Unknown));
        assert_eq!(odd.management(), "levitating");
        assert_eq!(device(json!({"id": "1"})).management(), "unknown");
    }

    #[test]
    fn a_serial_number_that_thousands_have_is_none() {
        for (text, has) in [
            ("PF3XK9Q2", true),
            (" PF3XK9Q2 ", true),
            ("", false),
            ("0", false),
            ("Default string", false),
            ("To be filled by O.E.M.", false),
        ] {
            let serial = device(json!({"id": "1", "serialNumber": text})).serial();
            assert_eq!(serial.is_some(), has, "{text:?}");
        }
    }

    #[test]
    fn any_change_of_the_row_changes_its_fingerprint() {
        let row = json!({"id": "1", "userPrincipalName": "a", "deviceName": "a",
            "operatingSystem": "a", "osVersion": "1", "enrolledDateTime": "2026-08-20T06:31:07Z",
            "lastSyncDateTime": "2026-08-20T06:31:07Z", "complianceState": "a",
            "complianceGracePeriodExpirationDateTime": "2026-08-20T06:31:07Z",
            "managementState": "a", "managedDeviceOwnerType": "a", "isEncrypted": false,
            "azureADDeviceId": "a", "manufacturer": "a", "model": "a"});
        let before = device(row.clone()).fingerprint();
        for key in row.as_object().unwrap().keys() {
            let mut other = row.clone();
            other[key] = match &row[key] {
                serde_json::Value::Bool(_) => json!(true),
                text if text.as_str().unwrap().ends_with('Z') => json!("2026-08-21T06:31:07Z"),
                _ => json!("b"),
            };
            assert_ne!(device(other).fingerprint(), before, "{key}");
        }
    }
}
