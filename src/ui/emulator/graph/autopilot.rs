//! Windows Autopilot: imports, registrations, and whom they are assigned to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::call::{Call, Outcome, Ready, Route, check, objects, text};
use super::device_row::{id_or_none, time_or_never};
use super::filter::Op::{Contains, Eq};
use super::permissions::{READ_SERVICE, WRITE_SERVICE};
use super::query::Shape;
use super::refusal::Refusal;
use crate::ui::emulator::tenant::{About, Actor, Answer, Event, Import, Registration, Tenant};

const fn route(
    method: &'static str,
    path: &'static str,
    run: fn(&mut Tenant, &Call<'_>) -> Outcome,
) -> Route {
    let permissions =
        if matches!(method.as_bytes(), b"GET") { READ_SERVICE } else { WRITE_SERVICE };
    Route { method, path, only_beta: false, permissions, run }
}

pub(super) const ROUTES: &[Route] = &[
    route("GET", "deviceManagement/importedWindowsAutopilotDeviceIdentities", imports),
    route("POST", "deviceManagement/importedWindowsAutopilotDeviceIdentities", import_one),
    route("POST", "deviceManagement/importedWindowsAutopilotDeviceIdentities/import", import_list),
    route("GET", "deviceManagement/importedWindowsAutopilotDeviceIdentities/{}", one_import),
    route("DELETE", "deviceManagement/importedWindowsAutopilotDeviceIdentities/{}", forget_import),
    route("GET", "deviceManagement/windowsAutopilotDeviceIdentities", registrations),
    route("GET", "deviceManagement/windowsAutopilotDeviceIdentities/{}", one_registration),
    route("DELETE", "deviceManagement/windowsAutopilotDeviceIdentities/{}", forget_registration),
    route(
        "POST",
        "deviceManagement/windowsAutopilotDeviceIdentities/{}/assignUserToDevice",
        assign_user,
    ),
    route(
        "POST",
        "deviceManagement/windowsAutopilotDeviceIdentities/{}/unassignUserFromDevice",
        unassign_user,
    ),
    route(
        "POST",
        "deviceManagement/windowsAutopilotDeviceIdentities/{}/updateDeviceProperties",
        update,
    ),
    Route {
        method: "POST",
        path: "deviceManagement/windowsAutopilotSettings/sync",
        only_beta: true,
        permissions: WRITE_SERVICE,
        run: sync,
    },
];

const IMPORT: Shape = Shape {
    name: "importedWindowsAutopilotDeviceIdentity",
    properties: &[
        "assignedUserPrincipalName",
        "groupTag",
        "hardwareIdentifier",
        "id",
        "importId",
        "productKey",
        "serialNumber",
        "state",
    ],
    filters: &[("importId", &[Eq]), ("serialNumber", &[Eq])],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

const REGISTRATION: Shape = Shape {
    name: "windowsAutopilotDeviceIdentity",
    properties: &[
        "addressableUserName",
        "azureActiveDirectoryDeviceId",
        "displayName",
        "enrollmentState",
        "groupTag",
        "id",
        "lastContactedDateTime",
        "managedDeviceId",
        "manufacturer",
        "model",
        "productKey",
        "purchaseOrderIdentifier",
        "resourceName",
        "serialNumber",
        "skuNumber",
        "systemFamily",
        "userPrincipalName",
    ],
    filters: &[("groupTag", &[Eq, Contains]), ("serialNumber", &[Eq, Contains])],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

fn import_json(import: &Import) -> Value {
    let (code, name) = import.error.unwrap_or_default();
    json!({
        "id": import.id,
        "importId": import.import_id,
        "serialNumber": import.serial,
        "productKey": import.product_key,
        "hardwareIdentifier": import.hash,
        "groupTag": import.group_tag,
        "assignedUserPrincipalName": import.upn,
        "state": {
            "deviceImportStatus": import.status,
            "deviceRegistrationId": import.registration,
            "deviceErrorCode": code,
            "deviceErrorName": name,
        },
    })
}

fn registration_json(one: &Registration) -> Value {
    json!({
        "id": one.id,
        "serialNumber": one.serial,
        "manufacturer": one.manufacturer,
        "model": one.model,
        "productKey": one.product_key,
        "groupTag": one.group_tag,
        "userPrincipalName": one.upn,
        "addressableUserName": one.addressable_name,
        "displayName": one.display_name,
        "purchaseOrderIdentifier": "",
        "resourceName": "",
        "skuNumber": "",
        "systemFamily": "",
        "azureActiveDirectoryDeviceId": one.entra_device_id,
        "enrollmentState": one.state,
        "lastContactedDateTime": time_or_never(one.contacted),
        "managedDeviceId": id_or_none(one.managed_device_id.as_deref()),
    })
}

/// Reads what is to be imported.
fn read(
    tenant: &mut Tenant,
    body: &Map<String, Value>,
    import_id: &str,
) -> Result<Import, Refusal> {
    check(body, "microsoft.graph.importedWindowsAutopilotDeviceIdentity", IMPORT.properties)?;
    let word = |name| Ok::<_, Refusal>(text(body, name)?.unwrap_or_default().to_owned());
    let hash = word("hardwareIdentifier")?;
    if STANDARD.decode(&hash).is_err() {
        return Err(Refusal::bad("Cannot convert 'hardwareIdentifier' to the type 'Edm.Binary'."));
    }
    let serial = word("serialNumber")?;
    if serial.is_empty() {
        return Err(Refusal::bad("The property 'serialNumber' must not be empty."));
    }
    Ok(Import {
        id: tenant.dice.id(),
        import_id: import_id.to_owned(),
        serial,
        product_key: word("productKey")?,
        hash,
        group_tag: word("groupTag")?,
        upn: word("assignedUserPrincipalName")?,
        status: "unknown",
        registration: String::new(),
        error: None,
    })
}

/// Takes imports in: Intune looks at them a little later.
fn take(tenant: &mut Tenant, call: &Call<'_>, imports: Vec<Import>) -> Vec<Value> {
    let at = tenant.at();
    let mut shown = Vec::new();
    for import in imports {
        let actor = call.actor(tenant);
        note(tenant, actor, "Create", &import.id, &import.serial);
        shown.push(import_json(&import));
        let after = tenant.dice.seconds(30, 90);
        tenant.agenda.plan(at.now + after, Event::ImportSeen(import.id.clone()));
        tenant.imports.put(&import.id.clone(), import, at);
    }
    shown
}

fn note(tenant: &mut Tenant, actor: Actor, operation: &'static str, id: &str, name: &str) {
    let about = About {
        operation,
        category: "Enrollment",
        resource_type: "WindowsAutopilotDeviceIdentity",
        id,
        name,
    };
    tenant.note(actor, about, Vec::new());
}

fn import_one(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let body = call.any_body()?;
    let import_id = tenant.dice.id();
    let import = read(tenant, &body, &import_id)?;
    let shown = take(tenant, call, vec![import]).remove(0);
    Ok(Answer::json(201, call.shown(shown)))
}

fn import_list(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let name = "importedWindowsAutopilotDeviceIdentities";
    let body = call.body("the action import", &[name])?;
    let import_id = tenant.dice.id();
    let mut imports = Vec::new();
    for one in objects(&body, name)? {
        imports.push(read(tenant, one, &import_id)?);
    }
    let shown = take(tenant, call, imports);
    Ok(Answer::ok(call.collection(shown)))
}

fn imports(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&IMPORT)?;
    let all = tenant.imports.all_seen(tenant.at(), options.after());
    let rows = all.map(|import| Ready::of(import_json(import)));
    Ok(call.page(tenant, &IMPORT, &options, rows))
}

fn one_import(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let import = tenant.imports.seen(call.id(), tenant.at());
    let import = import.ok_or_else(|| Refusal::not_found("The imported device identity"))?;
    call.entity(&IMPORT, &Ready::of(import_json(import)))
}

fn forget_import(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let at = tenant.at();
    let gone = tenant.imports.remove(call.id(), at);
    gone.map(|_| Answer::nothing())
        .ok_or_else(|| Refusal::not_found("The imported device identity"))
}

fn registrations(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&REGISTRATION)?;
    let all = tenant.registrations.all_seen(tenant.at(), options.after());
    let rows = all.map(|one| Ready::of(registration_json(one)));
    Ok(call.page(tenant, &REGISTRATION, &options, rows))
}

fn missing() -> Refusal {
    Refusal::not_found("The Autopilot device identity")
}

fn one_registration(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let one = tenant.registrations.seen(call.id(), tenant.at()).ok_or_else(missing)?;
    call.entity(&REGISTRATION, &Ready::of(registration_json(one)))
}

fn forget_registration(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let at = tenant.at();
    let one = tenant.registrations.current(call.id()).cloned().ok_or_else(missing)?;
    if one.managed_device_id.is_some() {
        return Err(Refusal::bad("The device is enrolled: delete it from Intune first."));
    }
    tenant.registrations.remove(call.id(), at);
    let actor = call.actor(tenant);
    note(tenant, actor, "Delete", &one.id, &one.serial);
    Ok(Answer::nothing())
}

/// Changes a registration.
fn change(tenant: &mut Tenant, call: &Call<'_>, change: impl FnOnce(&mut Registration)) -> Outcome {
    let at = tenant.at();
    let mut one = tenant.registrations.current(call.id()).cloned().ok_or_else(missing)?;
    change(&mut one);
    let actor = call.actor(tenant);
    note(tenant, actor, "Patch", &one.id, &one.serial);
    tenant.registrations.put(call.id(), one, at);
    Ok(Answer::nothing())
}

fn known_user(tenant: &Tenant, upn: Option<&str>) -> Result<(), Refusal> {
    match upn {
        Some(upn) if !upn.is_empty() && tenant.directory.user(upn).is_none() => {
            Err(Refusal::bad(format!("The user '{upn}' does not exist.")))
        }
        _ => Ok(()),
    }
}

fn assign_user(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let known = ["addressableUserName", "userPrincipalName"];
    let body = call.body("the action assignUserToDevice", &known)?;
    let (upn, name) = (text(&body, "userPrincipalName")?, text(&body, "addressableUserName")?);
    known_user(tenant, upn)?;
    change(tenant, call, |one| {
        one.upn = upn.unwrap_or_default().to_owned();
        one.addressable_name = name.unwrap_or_default().to_owned();
    })
}

fn unassign_user(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    call.no_body()?;
    change(tenant, call, |one| {
        one.upn.clear();
        one.addressable_name.clear();
    })
}

fn update(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let known = ["addressableUserName", "displayName", "groupTag", "userPrincipalName"];
    let body = call.body("the action updateDeviceProperties", &known)?;
    let word = |name| text(&body, name);
    let (upn, tag) = (word("userPrincipalName")?, word("groupTag")?);
    let (name, display) = (word("addressableUserName")?, word("displayName")?);
    known_user(tenant, upn)?;
    change(tenant, call, |one| {
        let set = |field: &mut String, given: Option<&str>| {
            if let Some(given) = given {
                given.clone_into(field);
            }
        };
        set(&mut one.upn, upn);
        set(&mut one.group_tag, tag);
        set(&mut one.addressable_name, name);
        set(&mut one.display_name, display);
    })
}

/// How long a sync takes, and how long none is taken after one, in minutes.
const SYNC: (i64, i64) = (2, 10);

fn sync(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    call.no_body()?;
    let age = tenant.autopilot_synced.map(|at| (tenant.now - at).num_minutes());
    match age {
        Some(age) if age < SYNC.0 => {
            return Err(Refusal::new(409, "Conflict", "A sync is in progress already."));
        }
        Some(age) if age < SYNC.1 => {
            let message = "A sync was made within the last 10 minutes.";
            return Err(Refusal::new(429, "TooManyRequests", message));
        }
        _ => tenant.autopilot_synced = Some(tenant.now),
    }
    Ok(Answer::nothing())
}
