//! Why devices do not enroll: imports that failed, and events of enrollments that did.
//!
//! An event names a user and no device, so it counts only where one device alone of that user waits
//! for its enrollment, and began to before the event.

use std::collections::{BTreeMap, HashMap};

use compact_str::CompactString;
use serde::Deserialize;

use crate::domain::model::{Email, Platform, SerialNumber, Status, Timestamp};
use crate::domain::state::State;
use crate::domain::wording::harmless_within;
use crate::edges::provider::intune::connection::Connection;
use crate::edges::provider::intune::graph::{Call, Failure, segment};
use crate::edges::provider::intune::rows::Moment;

/// Bytes of a text of Microsoft's that are kept.
const TEXT: usize = 200;

/// A device that waits for its enrollment, and is not in Intune yet.
#[derive(Debug, Clone)]
pub(super) struct Awaited {
    pub(super) serial: SerialNumber,
    pub(super) user: Email,
    pub(super) platform: Platform,
    pub(super) since: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Import {
    serial_number: Option<CompactString>,
    state: Option<ImportState>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImportState {
    device_import_status: Option<CompactString>,
    device_error_code: Option<i64>,
    device_error_name: Option<CompactString>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnrollmentEvent {
    #[serde(default)]
    event_date_time: Moment,
    user_id: Option<CompactString>,
    failure_category: Option<CompactString>,
    failure_reason: Option<CompactString>,
}

#[derive(Deserialize)]
struct UserId {
    id: CompactString,
}

/// Devices that are Pending by the ledger and have no record in Intune.
pub(super) fn awaited(recorded: &State, is_there: impl Fn(&SerialNumber) -> bool) -> Vec<Awaited> {
    let pending = recorded.active().map(|(_, device)| device);
    let pending = pending.filter(|device| device.status == Status::Pending);
    pending
        .filter(|device| !is_there(&device.spec.serial_number))
        .map(|device| Awaited {
            serial: device.spec.serial_number.clone(),
            user: device.spec.user_email.clone(),
            platform: device.spec.platform,
            since: device.status_since,
        })
        .collect()
}

/// Why some of these do not enroll, and why that is not all there is to know.
pub(super) async fn errors(
    connection: &Connection,
    awaited: &[Awaited],
) -> (BTreeMap<SerialNumber, String>, Vec<Failure>) {
    let mut errors = BTreeMap::new();
    let mut failures = Vec::new();
    if awaited.is_empty() {
        return (errors, failures);
    }
    if let Err(failure) = of_events(connection, awaited, &mut errors).await {
        failures.push(failure);
    }
    // What is wrong with an import goes before what an enrollment said of it.
    if awaited.iter().any(|device| device.platform == Platform::Windows)
        && let Err(failure) = of_imports(connection, awaited, &mut errors).await
    {
        failures.push(failure);
    }
    (errors, failures)
}

async fn of_imports(
    connection: &Connection,
    awaited: &[Awaited],
    errors: &mut BTreeMap<SerialNumber, String>,
) -> Result<(), Failure> {
    let call = Call::get("/deviceManagement/importedWindowsAutopilotDeviceIdentities");
    let mut last: BTreeMap<SerialNumber, Option<String>> = BTreeMap::new();
    connection
        .everyday
        .pages(call, |imports: Vec<Import>| {
            for import in imports {
                let serial = import.serial_number.as_deref().map(str::parse);
                let Some(Ok(serial)) = serial else { continue };
                if awaited.iter().any(|device| device.serial == serial) {
                    // Of several imports one that did not fail is enough.
                    let error = import_error(import.state.as_ref());
                    let known = last.entry(serial).or_insert_with(|| error.clone());
                    if error.is_none() {
                        *known = None;
                    }
                }
            }
        })
        .await?;
    errors.extend(last.into_iter().filter_map(|(serial, error)| Some((serial, error?))));
    Ok(())
}

fn import_error(state: Option<&ImportState>) -> Option<String> {
    let state = state?;
    if state.device_import_status.as_deref() != Some("error") {
        return None;
    }
    let name = state.device_error_name.as_deref().unwrap_or("no name");
    let code = state.device_error_code.unwrap_or_default();
    let advice = match name {
        "ZtdDeviceAlreadyAssigned" => {
            "; the device is registered with Autopilot in this tenant already, or with a group tag of \
             somebody else: remove that registration in the Intune admin center"
        }
        "ZtdDeviceAssignedToOtherTenant" => {
            "; the device is registered with another tenant: have its seller or former owner \
             deregister it"
        }
        "ZtdDeviceDuplicated" => "; the hash was imported twice: remove one registration",
        _ => "; check hardware.autopilotHash, then raise enrollment",
    };
    Some(format!("Autopilot import failed: {} ({code}){advice}", harmless_within(name, TEXT)))
}

async fn of_events(
    connection: &Connection,
    awaited: &[Awaited],
    errors: &mut BTreeMap<SerialNumber, String>,
) -> Result<(), Failure> {
    let mut events: Vec<EnrollmentEvent> = Vec::new();
    let first =
        awaited.iter().map(|device| device.since).min().unwrap_or(Timestamp::from_millis(0));
    let call = Call::get("/deviceManagement/troubleshootingEvents");
    connection
        .everyday
        .pages(call, |page: Vec<EnrollmentEvent>| {
            let recent =
                |event: &EnrollmentEvent| event.event_date_time.0.is_some_and(|at| at >= first);
            events.extend(page.into_iter().filter(recent));
        })
        .await?;
    if events.is_empty() {
        return Ok(());
    }
    let mut of_user: HashMap<&Email, Vec<&Awaited>> = HashMap::new();
    for device in awaited {
        of_user.entry(&device.user).or_default().push(device);
    }
    let alone: Vec<&Awaited> =
        of_user.into_values().filter(|devices| devices.len() == 1).flatten().collect();
    let user = |device: &&Awaited| {
        Call::get(format!("/users/{}", segment(device.user.as_str()))).query("$select", "id")
    };
    let answers = connection.everyday.batch(alone.iter().map(user).collect()).await;
    for (device, answer) in alone.iter().zip(answers) {
        let Ok(user) = answer.and_then(|answer| answer.json::<UserId>()) else { continue };
        let of_device = events.iter().filter(|event| {
            event.user_id.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(&user.id))
                && event.event_date_time.0.is_some_and(|at| at >= device.since)
        });
        if let Some(event) = of_device.max_by_key(|event| event.event_date_time.0) {
            errors.insert(device.serial.clone(), event_error(event));
        }
    }
    Ok(())
}

fn event_error(event: &EnrollmentEvent) -> String {
    let reason = event.failure_reason.as_deref().filter(|reason| !reason.is_empty());
    let category = event.failure_category.as_deref().unwrap_or("unknown");
    let advice = match (reason, category) {
        (Some("UserNotLicensed"), _) => "assign the user a license with Intune",
        (Some("DeviceCapReached"), _) => {
            "the user has as many devices as allowed: remove one, or raise the limit"
        }
        (_, "authentication" | "accountValidation") => "check the user's account and password",
        (_, "authorization" | "userValidation") => {
            "check that the user is licensed and may enroll devices"
        }
        (_, "enrollmentRestrictionsEnforced") => {
            "an enrollment restriction of the tenant refuses it: check platform, version and ownership"
        }
        (_, "deviceNotSupported" | "featureNotSupported") => {
            "the device or its system is not supported"
        }
        (_, "clientDisconnected" | "userAbandonment") => "enroll the device again, to the end",
        (_, "inMaintenance") => "Intune was in maintenance: enroll the device again",
        _ => "look at Troubleshooting + support in the Intune admin center",
    };
    let reason = reason.map(|reason| format!(", {}", harmless_within(reason, TEXT)));
    format!(
        "enrollment failed: {}{}; {advice}",
        harmless_within(category, TEXT),
        reason.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_an_import_that_failed_is_an_error_and_it_says_what_to_do() {
        let of = |status: &str, name: &str| {
            let state = json!({"deviceImportStatus": status, "deviceErrorCode": 806,
                "deviceErrorName": name});
            import_error(Some(&serde_json::from_value(state).unwrap()))
        };
        for status in ["unknown", "pending", "partial", "complete", "tomorrow"] {
            assert_eq!(of(status, "ZtdDeviceAlreadyAssigned"), None, "{status}");
        }
        let known = of("error", "ZtdDeviceAssignedToOtherTenant").unwrap();
        assert!(known.contains("(806)") && known.contains("deregister it"), "{known}");
        let unknown = of("error", "Odd").unwrap();
        assert!(unknown.ends_with("then raise enrollment"), "{unknown}");
        assert_eq!(import_error(None), None);
    }

    #[test]
    fn an_event_says_what_to_do() {
        let of = |category: &str, reason: Option<&str>| {
            let event = json!({"failureCategory": category, "failureReason": reason});
            event_error(&serde_json::from_value(event).unwrap())
        };
        let licensed = of("authorization", Some("UserNotLicensed"));
        assert!(licensed.ends_with("assign the user a license with Intune"), "{licensed}");
        assert!(of("quantum", None).contains("Troubleshooting + support"));
        assert!(of("userAbandonment", Some("")).ends_with("to the end"));
    }
}
