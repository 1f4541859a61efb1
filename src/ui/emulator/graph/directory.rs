//! Users, licenses, the directory's devices, the organization and service principals.

use serde_json::{Value, json};

use super::call::{Call, Outcome, Ready, Route, check, objects, text};
use super::filter::Op::{Eq, StartsWith};
use super::permissions::{
    READ_APPLICATIONS, READ_ENTRA_DEVICES, READ_LICENSES, READ_ORGANIZATION, READ_USERS,
    WRITE_ENTRA_DEVICES, WRITE_LICENSES,
};
use super::query::Shape;
use super::refusal::Refusal;
use crate::ui::emulator::tenant::{Answer, EntraDevice, INTUNE_PLAN, License, Sku, Tenant, User};

const fn get(
    path: &'static str,
    permissions: &'static [&'static str],
    run: fn(&mut Tenant, &Call<'_>) -> Outcome,
) -> Route {
    Route { method: "GET", path, only_beta: false, permissions, run }
}

pub(super) const ROUTES: &[Route] = &[
    get("users", READ_USERS, users),
    get("users/{}", READ_USERS, user),
    Route {
        method: "POST",
        path: "users/{}/assignLicense",
        only_beta: false,
        permissions: WRITE_LICENSES,
        run: assign_license,
    },
    get("subscribedSkus", READ_LICENSES, skus),
    get("devices", READ_ENTRA_DEVICES, devices),
    get("devices/{}", READ_ENTRA_DEVICES, device),
    Route {
        method: "PATCH",
        path: "devices/{}",
        only_beta: false,
        permissions: WRITE_ENTRA_DEVICES,
        run: change_device,
    },
    get("organization", READ_ORGANIZATION, organization),
    get("servicePrincipals/{}", READ_APPLICATIONS, service_principal),
];

const USER: Shape = Shape {
    name: "user",
    properties: &[
        "accountEnabled",
        "assignedLicenses",
        "displayName",
        "givenName",
        "id",
        "mail",
        "surname",
        "usageLocation",
        "userPrincipalName",
        "userType",
    ],
    filters: &[],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

fn user_json(user: &User) -> Value {
    let (given, surname) = user.display_name.split_once(' ').unwrap_or((&user.display_name, ""));
    json!({
        "id": user.id,
        "userPrincipalName": user.upn,
        "mail": user.upn,
        "displayName": user.display_name,
        "givenName": given,
        "surname": surname,
        "accountEnabled": user.enabled,
        "usageLocation": user.usage_location,
        "userType": "Member",
        "assignedLicenses": user.licenses.iter().map(License::json).collect::<Vec<_>>(),
    })
}

/// What Graph shows of a user of whom nothing is selected.
const USUAL: [&str; 6] = ["displayName", "givenName", "id", "mail", "surname", "userPrincipalName"];

fn user(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let user = tenant.directory.seen_user(call.id(), tenant.at());
    let user = user.ok_or_else(|| Refusal::missing(call.id()))?;
    let mut shown = Ready::of(user_json(user));
    let options = call.options(&USER)?;
    if options.select.is_none() {
        shown.body.retain(|name, _| USUAL.contains(&name.as_str()));
        return Ok(Answer::ok(call.shown(Value::Object(shown.body))));
    }
    call.entity(&USER, &shown)
}

fn users(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&USER)?;
    let rows = tenant.directory.users.all_seen(tenant.at(), None).map(|user| {
        let mut row = Ready::of(user_json(user));
        if options.select.is_none() {
            row.body.retain(|name, _| USUAL.contains(&name.as_str()));
        }
        row
    });
    Ok(call.page(tenant, &USER, &options, rows))
}

fn assign_license(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let body = call.body("the action assignLicense", &["addLicenses", "removeLicenses"])?;
    let mut added = Vec::new();
    for one in objects(&body, "addLicenses")? {
        check(one, "microsoft.graph.assignedLicense", &["disabledPlans", "skuId"])?;
        let plans = one.get("disabledPlans").and_then(Value::as_array);
        let plans = plans.into_iter().flatten().filter_map(Value::as_str);
        added.push(License {
            sku: one.get("skuId").and_then(Value::as_str).unwrap_or_default().to_owned(),
            disabled_plans: plans.map(str::to_owned).collect(),
        });
    }
    let removed = body.get("removeLicenses").and_then(Value::as_array);
    let removed: Vec<&str> = removed
        .ok_or_else(|| Refusal::bad("The parameter 'removeLicenses' is missing."))?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let user = tenant.directory.user(call.id()).cloned();
    let mut user = user.ok_or_else(|| Refusal::missing(call.id()))?;
    for license in &added {
        may_have(tenant, &user, license)?;
    }
    user.licenses.retain(|license| {
        !removed.contains(&license.sku.as_str()) && added.iter().all(|new| new.sku != license.sku)
    });
    user.licenses.extend(added);
    let at = tenant.at();
    let shown = user_json(&user);
    let (id, upn) = (user.id.clone(), user.upn.clone());
    tenant.directory.users.put(&id, user, at);
    tenant.invite_hardware_of(&upn);
    Ok(Answer::ok(call.shown(shown)))
}

/// Whether the directory lets the user have this license.
fn may_have(tenant: &Tenant, user: &User, license: &License) -> Result<(), Refusal> {
    let Some(sku) = tenant.directory.skus.get(&license.sku) else {
        let id = &license.sku;
        let message = format!("License {id} does not correspond to a valid company License.");
        return Err(Refusal::new(400, "Request_BadRequest", message));
    };
    if user.usage_location.is_none() {
        let message = "License assignment cannot be done for user with invalid usage location.";
        return Err(Refusal::new(400, "Request_BadRequest", message));
    }
    let has = user.licenses.iter().any(|there| there.sku == license.sku);
    if !has && tenant.directory.consumed(&sku.id) >= sku.enabled {
        let message =
            format!("Subscription with SKU {} does not have any available licenses.", sku.id);
        return Err(Refusal::new(400, "Request_BadRequest", message));
    }
    Ok(())
}

const SKU: Shape = Shape {
    name: "subscribedSku",
    properties: &[
        "accountId",
        "accountName",
        "appliesTo",
        "capabilityStatus",
        "consumedUnits",
        "id",
        "prepaidUnits",
        "servicePlans",
        "skuId",
        "skuPartNumber",
        "subscriptionIds",
    ],
    filters: &[],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

fn sku_json(tenant: &Tenant, sku: &Sku) -> Value {
    let (name, plan) = INTUNE_PLAN;
    let plan = json!({
        "servicePlanId": plan, "servicePlanName": name,
        "provisioningStatus": "Success", "appliesTo": "User",
    });
    json!({
        "id": format!("{}_{}", tenant.id, sku.id),
        "accountId": tenant.id,
        "accountName": "contoso",
        "skuId": sku.id,
        "skuPartNumber": sku.part_number,
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": tenant.directory.consumed(&sku.id),
        "prepaidUnits": {"enabled": sku.enabled, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": if sku.with_intune { vec![plan] } else { Vec::new() },
        "subscriptionIds": [],
    })
}

fn skus(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&SKU)?;
    let rows = tenant.directory.skus.values().map(|sku| Ready::of(sku_json(tenant, sku)));
    Ok(call.page(tenant, &SKU, &options, rows))
}

const ENTRA_DEVICE: Shape = Shape {
    name: "device",
    properties: &[
        "accountEnabled",
        "approximateLastSignInDateTime",
        "deviceId",
        "deviceOwnership",
        "displayName",
        "extensionAttributes",
        "id",
        "isCompliant",
        "isManaged",
        "managementType",
        "operatingSystem",
        "operatingSystemVersion",
        "profileType",
        "registrationDateTime",
        "trustType",
    ],
    filters: &[
        ("accountEnabled", &[Eq]),
        ("deviceId", &[Eq]),
        ("displayName", &[Eq, StartsWith]),
        ("isCompliant", &[Eq]),
        ("isManaged", &[Eq]),
        ("operatingSystem", &[Eq]),
    ],
    or_within_a_property: false,
    order: &["displayName"],
    expand: &[],
};

pub(super) fn device_json(tenant: &Tenant, device: &EntraDevice) -> Value {
    let record = device.managed_device_id.as_deref().and_then(|id| tenant.records.get(id));
    let settings = &tenant.settings;
    let compliance = record.map(|record| {
        record.compliance(tenant.now, settings.compliant_without_policy, settings.silent_days)
    });
    let facts = record.and_then(|record| record.reported.as_ref()).map(|one| &one.facts);
    json!({
        "id": device.object_id,
        "deviceId": device.device_id,
        "displayName": device.display_name,
        "accountEnabled": true,
        "extensionAttributes": device.attributes_json(tenant.at()),
        "operatingSystem": device.operating_system,
        "operatingSystemVersion": facts.map(|facts| facts.os_version.clone()),
        "isManaged": record.is_some(),
        "isCompliant": compliance.map(|one| ["compliant", "inGracePeriod"].contains(&one.state)),
        "managementType": record.map(|_| "MDM"),
        "deviceOwnership": if device.company { "Company" } else { "Personal" },
        "profileType": "RegisteredDevice",
        "trustType": "AzureAd",
        "registrationDateTime": device.registered.short(),
        "approximateLastSignInDateTime": record.map(|record| record.last_sync.short()),
    })
}

fn devices(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&ENTRA_DEVICE)?;
    let all = tenant.directory.devices.values();
    let rows = all.map(|device| Ready::of(device_json(tenant, device)));
    Ok(call.page(tenant, &ENTRA_DEVICE, &options, rows))
}

fn device(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let device = tenant.directory.devices.get(call.id());
    let device = device.ok_or_else(|| Refusal::missing(call.id()))?;
    call.entity(&ENTRA_DEVICE, &Ready::of(device_json(tenant, device)))
}

/// The longest value of an extension attribute.
const LONGEST: usize = 1024;

/// Changes the extension attributes that are named; nothing else of a device can be changed here.
fn change_device(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let body = call.body("microsoft.graph.device", &["extensionAttributes"])?;
    let given = body.get("extensionAttributes").and_then(Value::as_object);
    let given =
        given.ok_or_else(|| Refusal::bad("The property 'extensionAttributes' is missing."))?;
    let names: Vec<String> = EntraDevice::attribute_names().collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    check(given, "microsoft.graph.onPremisesExtensionAttributes", &names)?;
    let mut values = Vec::new();
    for name in given.keys().filter(|name| names.contains(&name.as_str())) {
        let value = text(given, name)?.filter(|value| !value.is_empty());
        if value.is_some_and(|value| value.chars().count() > LONGEST) {
            let message =
                format!("Invalid value specified for property '{name}' of resource 'Device'.");
            return Err(Refusal::new(400, "Request_BadRequest", message));
        }
        values.push((name.clone(), value.map(str::to_owned)));
    }
    let actor = call.actor(tenant);
    let changed = tenant.set_attributes(call.id(), &values, actor);
    changed.then(Answer::nothing).ok_or_else(|| Refusal::missing(call.id()))
}

const ORGANIZATION: Shape = Shape {
    name: "organization",
    properties: &[
        "countryLetterCode",
        "displayName",
        "id",
        "mobileDeviceManagementAuthority",
        "tenantType",
        "verifiedDomains",
    ],
    filters: &[],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

fn organization(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&ORGANIZATION)?;
    let domain = "contoso.onmicrosoft.com";
    let row = Ready::of(json!({
        "id": tenant.id,
        "displayName": "Contoso (emulated by Fleetform)",
        "countryLetterCode": "DE",
        "tenantType": "AAD",
        "mobileDeviceManagementAuthority": "intune",
        "verifiedDomains": [{
            "name": domain, "type": "Managed", "isDefault": true, "isInitial": true,
            "capabilities": "Email, OfficeCommunicationsOnline",
        }],
    }));
    Ok(call.page(tenant, &ORGANIZATION, &options, std::iter::once(row)))
}

const SERVICE_PRINCIPAL: Shape = Shape {
    name: "servicePrincipal",
    properties: &["accountEnabled", "appDisplayName", "appId", "displayName", "id"],
    filters: &[],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

/// By the id of the object or, as `servicePrincipals(appId='…')`, by that of the application.
fn service_principal(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let by_app = call.id().strip_prefix("appId=");
    let found = tenant.apps.all.values().find(|app| match by_app {
        Some(id) => app.client_id == id,
        None => app.object_id == call.id(),
    });
    let app = found.ok_or_else(|| Refusal::missing(call.id()))?;
    let shown = json!({
        "id": app.object_id,
        "appId": app.client_id,
        "displayName": app.display_name,
        "appDisplayName": app.display_name,
        "accountEnabled": true,
    });
    call.entity(&SERVICE_PRINCIPAL, &Ready::of(shown))
}
