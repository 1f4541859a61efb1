//! Groups and their members.

use serde_json::{Value, json};

use super::call::{Call, Outcome, Ready, Route, text};
use super::directory::device_json;
use super::filter::Op::{Eq, StartsWith};
use super::permissions::{READ_GROUPS, WRITE_MEMBERS};
use super::query::Shape;
use super::refusal::Refusal;
use crate::ui::emulator::tenant::{Answer, Group, Tenant};

pub(super) const ROUTES: &[Route] = &[
    Route { method: "GET", path: "groups", only_beta: false, permissions: READ_GROUPS, run: list },
    Route {
        method: "GET",
        path: "groups/{}",
        only_beta: false,
        permissions: READ_GROUPS,
        run: one,
    },
    Route {
        method: "GET",
        path: "groups/{}/members",
        only_beta: false,
        permissions: READ_GROUPS,
        run: members,
    },
    Route {
        method: "POST",
        path: "groups/{}/members/$ref",
        only_beta: false,
        permissions: WRITE_MEMBERS,
        run: add,
    },
    Route {
        method: "DELETE",
        path: "groups/{}/members/{}/$ref",
        only_beta: false,
        permissions: WRITE_MEMBERS,
        run: remove,
    },
];

const GROUP: Shape = Shape {
    name: "group",
    properties: &[
        "description",
        "displayName",
        "groupTypes",
        "id",
        "mailEnabled",
        "mailNickname",
        "membershipRule",
        "membershipRuleProcessingState",
        "securityEnabled",
    ],
    filters: &[
        ("displayName", &[Eq, StartsWith]),
        ("mailEnabled", &[Eq]),
        ("securityEnabled", &[Eq]),
    ],
    or_within_a_property: false,
    order: &["displayName"],
    expand: &[],
};

fn shown(group: &Group) -> Value {
    json!({
        "id": group.id,
        "displayName": group.display_name,
        "description": group.description,
        "groupTypes": [],
        "mailEnabled": false,
        "mailNickname": group.id,
        "membershipRule": Value::Null,
        "membershipRuleProcessingState": Value::Null,
        "securityEnabled": true,
    })
}

fn list(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&GROUP)?;
    let groups = tenant.directory.groups.all_seen(tenant.at(), options.after());
    let rows = groups.map(|group| Ready::of(shown(group)));
    Ok(call.page(tenant, &GROUP, &options, rows))
}

fn group<'a>(tenant: &'a Tenant, call: &Call<'_>) -> Result<&'a Group, Refusal> {
    let group = tenant.directory.groups.seen(call.id(), tenant.at());
    group.ok_or_else(|| Refusal::missing(call.id()))
}

fn one(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    call.entity(&GROUP, &Ready::of(shown(group(tenant, call)?)))
}

/// Of users and devices alike.
const MEMBER: Shape = Shape {
    name: "directoryObject",
    properties: &[
        "accountEnabled",
        "deviceId",
        "displayName",
        "id",
        "isCompliant",
        "isManaged",
        "mail",
        "operatingSystem",
        "userPrincipalName",
    ],
    filters: &[],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

fn member(tenant: &Tenant, id: &str) -> Option<Value> {
    if let Some(user) = tenant.directory.users.current(id) {
        return Some(json!({
            "@odata.type": "#microsoft.graph.user",
            "id": user.id,
            "displayName": user.display_name,
            "userPrincipalName": user.upn,
            "mail": user.upn,
        }));
    }
    let mut device = device_json(tenant, tenant.directory.devices.get(id)?);
    device["@odata.type"] = json!("#microsoft.graph.device");
    Some(device)
}

fn members(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    group(tenant, call)?;
    let options = call.options(&MEMBER)?;
    let ids = tenant.directory.members_seen(call.id(), tenant.at());
    let rows = ids.filter_map(|id| Some(Ready::of(member(tenant, id)?)));
    let mut answer = call.page(tenant, &MEMBER, &options, rows);
    let entries = answer.body.as_mut().and_then(|body| body.get_mut("value"));
    for entry in entries.and_then(Value::as_array_mut).into_iter().flatten() {
        restore(tenant, entry, options.select.is_some());
    }
    Ok(answer)
}

/// Gives an entry its type back, and takes what its type does not have.
fn restore(tenant: &Tenant, entry: &mut Value, selected: bool) {
    let id = entry.get("id").and_then(Value::as_str);
    let Some(whole) = id.and_then(|id| member(tenant, id)) else { return };
    if !selected {
        *entry = whole;
    } else if let (Some(entry), Some(kind)) = (entry.as_object_mut(), whole.get("@odata.type")) {
        entry.retain(|name, _| whole.get(name).is_some());
        entry.insert("@odata.type".into(), kind.clone());
    }
}

/// The id at the end of `@odata.id`, which must be one of Graph's own addresses.
fn referred(address: &str) -> Option<&str> {
    let (rest, id) = address.trim_end_matches('/').rsplit_once('/')?;
    let collection = rest.rsplit('/').next()?;
    let known = ["directoryObjects", "users", "devices"];
    known.contains(&collection).then_some(id)
}

fn add(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let body = call.body("microsoft.graph.ReferenceCreate", &["@odata.id"])?;
    let address = text(&body, "@odata.id")?.unwrap_or_default();
    let object = referred(address).ok_or_else(|| {
        Refusal::new(400, "Request_BadRequest", "Invalid URL format specified in @odata.id.")
    })?;
    if tenant.directory.groups.current(call.id()).is_none() {
        return Err(Refusal::missing(call.id()));
    }
    if !tenant.directory.has_object(object) {
        return Err(Refusal::missing(object));
    }
    if tenant.directory.is_member(call.id(), object) {
        let message = "One or more added object references already exist for the following \
                       modified properties: 'members'.";
        return Err(Refusal::new(400, "Request_BadRequest", message));
    }
    let at = tenant.at();
    tenant.directory.add_member(call.id(), object, at);
    Ok(Answer::nothing())
}

fn remove(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    if !tenant.directory.is_member(call.id(), call.second()) {
        return Err(Refusal::missing(call.second()));
    }
    let at = tenant.at();
    tenant.directory.remove_member(call.id(), call.second(), at);
    Ok(Answer::nothing())
}
