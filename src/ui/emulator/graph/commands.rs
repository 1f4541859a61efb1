//! What ends a device: wipe, retire, and the DELETE that nobody should call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::call::{Call, Outcome, Route, flag, text};
use super::devices::{begin, record};
use super::permissions::{PRIVILEGED, WRITE_DEVICES};
use super::refusal::Refusal;
use crate::domain::model::Platform;
use crate::ui::emulator::tenant::{
    About, Accepted, Answer, ApprovalAsked, ApprovalStatus, Command, Pending, Protected, Ruling,
    Tenant,
};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "deviceManagement/managedDevices/{}/wipe",
        only_beta: false,
        permissions: PRIVILEGED,
        run: wipe,
    },
    Route {
        method: "POST",
        path: "deviceManagement/managedDevices/{}/retire",
        only_beta: false,
        permissions: PRIVILEGED,
        run: retire,
    },
    Route {
        method: "DELETE",
        path: "deviceManagement/managedDevices/{}",
        only_beta: false,
        permissions: WRITE_DEVICES,
        run: delete,
    },
];

const WIPE: [&str; 4] =
    ["keepEnrollmentData", "keepUserData", "macOsUnlockCode", "persistEsimDataPlan"];
const WIPE_BETA: [&str; 6] = [
    "keepEnrollmentData",
    "keepUserData",
    "macOsUnlockCode",
    "obliterationBehavior",
    "persistEsimDataPlan",
    "useProtectedWipe",
];

fn wipe(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let known: &[&str] = if call.beta { &WIPE_BETA } else { &WIPE };
    let body = call.body("microsoft.graph.managedDevice.wipe", known)?;
    let keeps_enrollment = flag(&body, "keepEnrollmentData")?.unwrap_or(false);
    for name in ["keepUserData", "persistEsimDataPlan", "useProtectedWipe"] {
        flag(&body, name)?;
    }
    for name in ["macOsUnlockCode", "obliterationBehavior"] {
        text(&body, name)?;
    }
    let stays = keeps_enrollment && record(tenant, call.id())?.platform == Platform::Windows;
    let state = ("wipePending", stays);
    command(tenant, call, Command::Wipe, Protected::Wipe, state, body)
}

fn retire(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    call.no_body()?;
    let state = ("retirePending", false);
    command(tenant, call, Command::Retire, Protected::Retire, state, Map::new())
}

fn command(
    tenant: &mut Tenant,
    call: &Call<'_>,
    command: Command,
    protected: Protected,
    (state, stays): (&'static str, bool),
    body: Map<String, Value>,
) -> Outcome {
    record(tenant, call.id())?;
    let code = approve(tenant, call, protected)?;
    count(tenant, command)?;
    begin(tenant, call, command.as_str(), Some(state))?;
    let entry = accept(tenant, call, command.as_str(), body, code);
    let Some(record) = tenant.records.get_mut(call.id()) else { return Ok(Answer::nothing()) };
    let hardware = record.hardware;
    if let Some(before) = record.pending.replace(Pending { command, stays, entry }) {
        tenant.accepted[before.entry].outcome = "replaced";
    }
    tenant.hurry_check_in(hardware, 60, 300);
    Ok(Answer::nothing())
}

/// Takes the command into the list that tests count.
fn accept(
    tenant: &mut Tenant,
    call: &Call<'_>,
    command: &'static str,
    body: Map<String, Value>,
    approval_code: Option<String>,
) -> usize {
    let serial = tenant.records.get(call.id()).map(|record| record.serial.clone());
    tenant.accepted.push(Accepted {
        command,
        device_id: call.id().to_owned(),
        serial_number: serial.unwrap_or_default(),
        at: tenant.now,
        app_id: call.client_id.to_owned(),
        body: Value::Object(body),
        approval_code,
        outcome: "pending",
    });
    tenant.accepted.len() - 1
}

/// Counts it for today, unless that would be more than a tenant may in a day.
fn count(tenant: &mut Tenant, command: Command) -> Result<(), Refusal> {
    let caps = &tenant.settings.caps;
    let (most, status) = match command {
        Command::Wipe => (caps.wipe, caps.status),
        Command::Retire => (caps.retire, caps.status),
    };
    let day = tenant.day();
    let counted = tenant.counted.entry((day, command)).or_default();
    if *counted >= most {
        let message = format!(
            "The limit of {most} {command} actions in a day is reached for this tenant. Try again \
             tomorrow."
        );
        return Err(Refusal::new(status, Refusal::usual_code(status), message));
    }
    *counted += 1;
    Ok(())
}

/// Asks for Multi Admin Approval, or finds that it was given: then gives its code.
fn approve(
    tenant: &mut Tenant,
    call: &Call<'_>,
    about: Protected,
) -> Result<Option<String>, Refusal> {
    let asked = ApprovalAsked {
        about,
        path: call.request.path.split_once("/device").map_or("", |(_, rest)| rest),
        body: &call.request.body,
        app: call.client_id,
        code: call.request.header("x-msft-approval-code"),
    };
    let now = tenant.now;
    let settings = tenant.settings.approvals.clone();
    match tenant.approvals.rule(asked, now) {
        Ruling::Free => Ok(None),
        Ruling::Approved(code) => {
            if let Some(request) = tenant.approvals.requests.get_mut(&code) {
                request.decide(ApprovalStatus::Completed, now);
            }
            Ok(Some(code))
        }
        Ruling::Needed => {
            let given = call.request.header("x-msft-approval-justification");
            if given.is_none() && settings.justification_required {
                return Err(Refusal::bad("The x-msft-approval-justification header is required."));
            }
            let bytes = given.and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
            let justification = String::from_utf8_lossy(&bytes).into_owned();
            let code = tenant.dice.id();
            tenant.approvals.ask(code.clone(), asked, justification, now);
            Err(needs_approval(settings.status, &code))
        }
        Ruling::Waits(_) if settings.pending_status == 409 => {
            let message = "An approval request for this resource is pending already.";
            Err(Refusal::new(409, "Conflict", message))
        }
        Ruling::Waits(code) => Err(needs_approval(settings.pending_status, &code)),
        Ruling::Useless(code, why) => {
            let message = format!("{why}. x-msft-approval-code: {code}");
            let refusal = Refusal::new(settings.status, "ApprovalRequired", message);
            Err(refusal.header("x-msft-approval-code", code))
        }
    }
}

fn needs_approval(status: u16, code: &str) -> Refusal {
    let message = format!(
        "Approval Required. Request Approval using the request ID returned as part of the \
         x-msft-approval-code response header. x-msft-approval-code: {code}"
    );
    Refusal::new(status, "ApprovalRequired", message).header("x-msft-approval-code", code)
}

/// Retires the device, or wipes it where it is an Android device of the company. The record goes at
/// once.
fn delete(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    record(tenant, call.id())?;
    let code = approve(tenant, call, Protected::Delete)?;
    let entry = accept(tenant, call, "delete", Map::new(), code);
    tracing::warn!(
        id = call.id(),
        app = call.client_id,
        "DELETE of a managed device: this retires or even wipes it"
    );
    let Some(gone) = tenant.records.remove(call.id()) else { return Ok(Answer::nothing()) };
    let wipes = gone.platform == Platform::Android && gone.owner == "company";
    tenant.accepted[entry].outcome = if wipes { "wiped" } else { "retired" };
    let hardware = &mut tenant.hardware[gone.hardware];
    if hardware.managed_device_id.as_deref() == Some(call.id()) {
        hardware.joins = false;
        hardware.erased += u32::from(wipes);
        tenant.release(gone.hardware, &gone.serial, &gone.entra_device_id);
    }
    let about = About {
        operation: "Delete",
        category: "Device",
        resource_type: "ManagedDevice",
        id: &gone.id,
        name: &gone.name,
    };
    let actor = call.actor(tenant);
    tenant.note(actor, about, Vec::new());
    Ok(Answer::nothing())
}
