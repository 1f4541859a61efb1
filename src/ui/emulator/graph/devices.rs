//! `managedDevices`: reading them, and asking them to sync or to lock themselves.

use super::call::{Call, Outcome, Ready, Route, text};
use super::device_row::{DEVICE, DeviceRow, POLICY_STATE, PROTECTION};
use super::permissions::{PRIVILEGED, READ_DEVICES, READ_STATES, WRITE_DEVICES};
use super::refusal::Refusal;
use crate::ui::emulator::tenant::{About, ActionResult, Answer, ManagedDevice, Management, Tenant};

macro_rules! device_path {
    ($end:literal) => {
        concat!("deviceManagement/managedDevices/{}", $end)
    };
}

const fn get(
    path: &'static str,
    permissions: &'static [&'static str],
    run: fn(&mut Tenant, &Call<'_>) -> Outcome,
) -> Route {
    Route { method: "GET", path, only_beta: false, permissions, run }
}

const fn post(path: &'static str, run: fn(&mut Tenant, &Call<'_>) -> Outcome) -> Route {
    Route { method: "POST", path, only_beta: false, permissions: PRIVILEGED, run }
}

pub(super) const ROUTES: &[Route] = &[
    get("deviceManagement/managedDevices", READ_DEVICES, list),
    get(device_path!(""), READ_DEVICES, one),
    Route {
        method: "PATCH",
        path: device_path!(""),
        only_beta: false,
        permissions: WRITE_DEVICES,
        run: patch,
    },
    post(device_path!("/syncDevice"), sync),
    post(device_path!("/remoteLock"), lock),
    post(device_path!("/rebootNow"), reboot),
    get(device_path!("/deviceCompliancePolicyStates"), READ_STATES, policy_states),
    get(device_path!("/windowsProtectionState"), READ_DEVICES, protection),
    get("users/{}/managedDevices", READ_DEVICES, of_user),
];

/// The record that a call is about.
pub(super) fn record<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a ManagedDevice, Refusal> {
    tenant.records.get(id).ok_or_else(|| Refusal::not_found("The managed device"))
}

fn list(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&DEVICE)?;
    let records = tenant.records.after(options.after());
    let rows = records.map(|record| DeviceRow::new(record, tenant, false));
    Ok(call.page(tenant, &DEVICE, &options, rows))
}

fn of_user(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&DEVICE)?;
    let user = tenant.directory.seen_user(call.id(), tenant.at());
    let id = user.map(|user| user.id.clone()).ok_or_else(|| Refusal::missing(call.id()))?;
    let records = tenant.records.after(None).filter(|record| record.user_id == id);
    let rows = records.map(|record| DeviceRow::new(record, tenant, false));
    Ok(call.page(tenant, &DEVICE, &options, rows))
}

fn one(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let record = record(tenant, call.id())?;
    call.entity(&DEVICE, &DeviceRow::new(record, tenant, true))
}

fn patch(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let known = ["managedDeviceName", "managedDeviceOwnerType", "notes"];
    let body = call.body("microsoft.graph.managedDevice", &known)?;
    record(tenant, call.id())?;
    let owner = match text(&body, "managedDeviceOwnerType")? {
        None => None,
        Some("company") => Some("company"),
        Some("personal") => Some("personal"),
        Some(other) => return Err(Refusal::bad(format!("Invalid owner type '{other}'."))),
    };
    if let Some(record) = tenant.records.get_mut(call.id()) {
        record.owner = owner.unwrap_or(record.owner);
        if let Some(name) = text(&body, "managedDeviceName")? {
            record.managed_name = Some(name.to_owned());
        }
        if body.contains_key("notes") {
            record.notes = text(&body, "notes")?.map(str::to_owned);
        }
    }
    one(tenant, call)
}

/// Writes into the record that an action was asked for, and into the audit log who did.
pub(super) fn begin(
    tenant: &mut Tenant,
    call: &Call<'_>,
    action: &'static str,
    state: Option<&'static str>,
) -> Result<(), Refusal> {
    let at = tenant.at();
    let actor = call.actor(tenant);
    let record = tenant.records.get_mut(call.id());
    let record = record.ok_or_else(|| Refusal::not_found("The managed device"))?;
    let mut management: Management = record.management_now();
    management.state = state.unwrap_or(management.state);
    management.results.retain(|result| result.name != action);
    let finished = if state.is_some() { "pending" } else { "done" };
    management.results.push(ActionResult {
        name: action,
        state: finished,
        started: at.now,
        updated: at.now,
    });
    record.management.set(Some(management), at);
    let (name, id) = (record.name.clone(), record.id.clone());
    let about = About {
        operation: "Action",
        category: "Device",
        resource_type: action,
        id: &id,
        name: &name,
    };
    tenant.note(actor, about, Vec::new());
    Ok(())
}

fn sync(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    call.no_body()?;
    let hardware = record(tenant, call.id())?.hardware;
    tenant.hurry_check_in(hardware, 15, 90);
    Ok(Answer::nothing())
}

fn lock(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    call.no_body()?;
    begin(tenant, call, "remoteLock", None)?;
    Ok(Answer::nothing())
}

fn reboot(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    call.no_body()?;
    begin(tenant, call, "rebootNow", None)?;
    Ok(Answer::nothing())
}

fn policy_states(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&POLICY_STATE)?;
    let row = DeviceRow::new(record(tenant, call.id())?, tenant, true);
    let mut states: Vec<_> = row.policy_states().into_iter().map(Ready::of).collect();
    states.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(call.page(tenant, &POLICY_STATE, &options, states.into_iter()))
}

fn protection(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let row = DeviceRow::new(record(tenant, call.id())?, tenant, true);
    let state = row.protection().ok_or_else(|| Refusal::not_found("The protection state"))?;
    call.entity(&PROTECTION, &Ready::of(state))
}
