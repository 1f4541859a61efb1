//! The one thing that cannot be undone.
//!
//! The device is looked up by serial number, and must be one record; that record is read again right
//! before, and must bear the serial number and belong to the company. Then there is one call. It is
//! never repeated: where nobody answers, later looks find out what became of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::json;

use super::connection::{again, soon, told};
use super::graph::{Answer, Call, Failure, odata_text};
use super::observe;
use super::provider::Inner;
use super::rows::ManagedDevice;
use crate::domain::model::{GraphId, MdmOwnership, SerialNumber, WipeScope};
use crate::domain::plan::IssuableWipe;
use crate::domain::state::event::ErrorClass;
use crate::domain::wipe::Request;
use crate::edges::provider::effect::{Presence, Receipt, Target, WipeOrder};
use crate::edges::provider::error::Error;

#[derive(Deserialize)]
struct Rows {
    value: Vec<ManagedDevice>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Inner {
    /// Wipes or retires a device: see [`crate::edges::provider::Provider::wipe`].
    ///
    /// # Errors
    /// Transient: it surely does not have the command. Permanent: it never will. Unknown: nobody knows.
    pub(super) async fn wipe(
        &self,
        wipe: &IssuableWipe,
        order: WipeOrder<'_>,
    ) -> Result<Receipt, Error> {
        let request = wipe.wipe().request();
        let Some(wiping) = &self.connection.wiping else {
            return Err(later("provider.wipeApp is not configured"));
        };
        let id = self.the_one_record_of(&request.serial).await?;
        // It was there a moment ago: if it is gone now, no signature is used up by that.
        let device = self.record(&id).await.map_err(|failure| soon(&failure))?;
        if let Some(receipt) = is_fit(request, &device, &id)? {
            return Ok(receipt);
        }
        let answer = wiping.write_once(command(request, &id, order)).await;
        understood(answer, id)
    }

    /// The record of a serial number, if there is exactly one.
    async fn the_one_record_of(&self, serial: &SerialNumber) -> Result<GraphId, Error> {
        let filter = format!("serialNumber eq {}", odata_text(serial.as_str()));
        let call = Call::get("/deviceManagement/managedDevices")
            .query("$filter", &filter)
            .query("$select", "id,serialNumber");
        let answer = self.connection.everyday.read(call).await;
        let rows = answer.and_then(|answer| answer.json::<Rows>());
        let Rows { value, next } = rows.map_err(|failure| again(&failure))?;
        let known = self.lock_memory().devices_of(serial).to_vec();
        let mut ids: Vec<GraphId> = value
            .iter()
            .filter(|row| row.serial().as_ref() == Some(serial))
            .filter_map(ManagedDevice::graph_id)
            .collect();
        // What the list of all devices had counts as well: a filter may know less.
        ids.extend(known.into_iter().map(|device| device.id));
        ids.sort();
        ids.dedup();
        match (ids.pop(), ids.is_empty(), next) {
            (Some(id), true, None) => Ok(id),
            (None, _, None) => {
                Err(later(format!("Intune has no device with serial number {serial}")))
            }
            (id, ..) => {
                let ids: Vec<_> = ids.iter().chain(&id).map(ToString::to_string).collect();
                Err(later(format!(
                    "Intune has several records of serial number {serial} ({}); delete those that \
                     are not this device in the Intune admin center, and it continues",
                    ids.join(", ")
                )))
            }
        }
    }

    async fn record(&self, id: &GraphId) -> Result<ManagedDevice, Failure> {
        self.connection.everyday.read(observe::read(id)).await?.json()
    }

    /// Whether Intune has the command of an earlier process. Where it does not say so, nobody knows:
    /// later looks find out.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub(super) async fn has(&self, target: &Target) -> Result<Presence, Error> {
        let id = match self.the_one_record_of(&target.serial).await {
            Ok(id) => id,
            Err(error) if error.class == ErrorClass::Transient => return Ok(Presence::Unknown),
            Err(error) => return Err(error),
        };
        let device = self.record(&id).await.map_err(|failure| again(&failure))?;
        let scopes = [WipeScope::Full, WipeScope::Selective];
        let there =
            scopes.into_iter().any(|scope| observe::pending(device.management(), scope).is_some());
        Ok(if there { Presence::There } else { Presence::Unknown })
    }
}

/// Checks the record that was read just now. A receipt where it has the command already: then nothing
/// is sent.
fn is_fit(
    request: &Request,
    device: &ManagedDevice,
    id: &GraphId,
) -> Result<Option<Receipt>, Error> {
    if device.serial().as_ref() != Some(&request.serial) || device.graph_id().as_ref() != Some(id) {
        let serial = device.serial_number.as_deref().unwrap_or("none");
        return Err(never(format!(
            "the record {id} bears the serial number {serial}, and not {}",
            request.serial
        )));
    }
    let ownership = device.ownership();
    if request.scope == WipeScope::Full && ownership != MdmOwnership::Company {
        return Err(never(format!(
            "Intune has the owner of the device as {ownership}: a full wipe is for company devices only. \
             Sign a selective wipe, or correct the ownership in the Intune admin center and sign a new \
             request"
        )));
    }
    if observe::pending(device.management(), request.scope).is_some() {
        return Ok(Some(Receipt { target: Some(id.clone()), client_request_id: None }));
    }
    Ok(None)
}

/// The one call.
fn command(request: &Request, id: &GraphId, order: WipeOrder<'_>) -> Call {
    let device = format!("/deviceManagement/managedDevices/{id}");
    let call = match request.scope {
        // Without them Intune takes the most destructive choice by default, and may choose another
        // one day.
        WipeScope::Full => Call::post(
            format!("{device}/wipe"),
            json!({"keepEnrollmentData": false, "keepUserData": false}),
        ),
        WipeScope::Selective => Call::post_empty(format!("{device}/retire")),
    };
    let why = format!(
        "Fleetform wipe request {} ({}), device {}, requested by {}, intent {}",
        request.name, request.reason, request.device_id, request.requested_by, order.intent
    );
    let call = call.header("x-msft-approval-justification", BASE64.encode(why));
    match order.approval {
        Some(code) => call.header("x-msft-approval-code", code),
        None => call,
    }
}

/// What the answer means.
fn understood(answer: Result<Answer, Failure>, id: GraphId) -> Result<Receipt, Error> {
    let failure = match answer {
        Ok(answer) => {
            let client_request_id = Some(answer.client_request_id.as_str().into());
            return Ok(Receipt { target: Some(id), client_request_id });
        }
        Err(failure) => failure,
    };
    let Some(refusal) = failure.refusal() else { return Err(told(&failure)) };
    if let Some(code) = &refusal.approval_code {
        return Err(Error {
            approval: Some(code.as_str().into()),
            ..Error::new(
                ErrorClass::Transient,
                format!(
                    "Intune wants another administrator's approval first (code {code}, client-request-id {})",
                    refusal.client_request_id
                ),
            )
        });
    }
    let class = match refusal.status {
        // Whoever answered did not let it through.
        401 | 403 | 409 | 412 | 423 | 429 | 503 => ErrorClass::Transient,
        // It was there a moment ago.
        404 => ErrorClass::Transient,
        400..=499 => ErrorClass::Permanent,
        // What answers may stand before what did it already.
        _ => ErrorClass::Unknown,
    };
    Err(Error { class, ..told(&failure) })
}

fn later(why: impl Into<String>) -> Error {
    Error::new(ErrorClass::Transient, why)
}

fn never(why: impl Into<String>) -> Error {
    Error::new(ErrorClass::Permanent, why)
}
