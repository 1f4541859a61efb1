//! Whom policies, configurations and applications are assigned to. The action `assign` replaces all
//! assignments there are.

use serde_json::{Map, Value, json};

use super::call::{Call, Outcome, Ready, Route, check, objects, text};
use super::permissions::{READ_APPS, READ_CONFIGURATION, WRITE_APPS, WRITE_CONFIGURATION};
use super::policies::{about, current, kind, seen};
use super::query::Shape;
use super::refusal::Refusal;
use crate::ui::emulator::tenant::{Answer, Assignment, Changed, Kind, Policy, Tenant};

const fn of(
    method: &'static str,
    path: &'static str,
    only_beta: bool,
    permissions: &'static [&'static str],
    run: fn(&mut Tenant, &Call<'_>) -> Outcome,
) -> Route {
    Route { method, path, only_beta, permissions, run }
}

macro_rules! routes {
    ($path:literal, $only_beta:literal, $read:ident, $write:ident) => {
        [
            of("GET", concat!($path, "/{}/assignments"), $only_beta, $read, list),
            of("POST", concat!($path, "/{}/assignments"), $only_beta, $write, add),
            of("DELETE", concat!($path, "/{}/assignments/{}"), $only_beta, $write, remove),
            of("POST", concat!($path, "/{}/assign"), $only_beta, $write, replace),
        ]
    };
}

pub(super) const COMPLIANCE: [Route; 4] = routes!(
    "deviceManagement/deviceCompliancePolicies",
    false,
    READ_CONFIGURATION,
    WRITE_CONFIGURATION
);
pub(super) const CONFIGURATIONS: [Route; 4] = routes!(
    "deviceManagement/deviceConfigurations",
    false,
    READ_CONFIGURATION,
    WRITE_CONFIGURATION
);
pub(super) const CATALOG: [Route; 4] = routes!(
    "deviceManagement/configurationPolicies",
    true,
    READ_CONFIGURATION,
    WRITE_CONFIGURATION
);
pub(super) const APPS: [Route; 4] =
    routes!("deviceAppManagement/mobileApps", false, READ_APPS, WRITE_APPS);

const ASSIGNMENT: Shape = Shape {
    name: "assignment",
    properties: &["id", "intent", "settings", "source", "sourceId", "target"],
    filters: &[],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

const TARGETS: [&str; 4] = [
    "groupAssignmentTarget",
    "exclusionGroupAssignmentTarget",
    "allDevicesAssignmentTarget",
    "allLicensedUsersAssignmentTarget",
];
const INTENTS: [&str; 4] = ["available", "required", "uninstall", "availableWithoutEnrollment"];

/// Reads an assignment of this policy, and gives it the id that Intune gives.
fn read(
    tenant: &Tenant,
    policy: &Policy,
    given: &Map<String, Value>,
) -> Result<Assignment, Refusal> {
    let is_app = policy.kind == Kind::App;
    let known: &[&str] = match policy.kind {
        Kind::App => &["id", "intent", "settings", "source", "sourceId", "target"],
        _ => &["id", "source", "sourceId", "target"],
    };
    check(given, "the assignment", known)?;
    let target = given.get("target").and_then(Value::as_object);
    let target = target.ok_or_else(|| Refusal::bad("The property 'target' is missing."))?;
    let fields = [
        "deviceAndAppManagementAssignmentFilterId",
        "deviceAndAppManagementAssignmentFilterType",
        "groupId",
    ];
    check(target, "microsoft.graph.deviceAndAppManagementAssignmentTarget", &fields)?;
    let name = text(target, "@odata.type")?.unwrap_or_default();
    let plain = name.strip_prefix('#').unwrap_or(name);
    let plain = plain.strip_prefix("microsoft.graph.").unwrap_or_default();
    if !TARGETS.contains(&plain) {
        return Err(Refusal::bad(format!("Invalid assignment target type '{name}'.")));
    }
    let group = text(target, "groupId")?;
    if plain.contains("roup")
        && group.is_none_or(|id| tenant.directory.groups.current(id).is_none())
    {
        let id = group.unwrap_or_default();
        return Err(Refusal::bad(format!("The group '{id}' of the assignment does not exist.")));
    }
    let mut body = Map::new();
    let whom = group.unwrap_or(plain);
    let id = if is_app {
        let intent = text(given, "intent")?.unwrap_or_default();
        if !INTENTS.contains(&intent) {
            return Err(Refusal::bad(format!("Invalid value '{intent}' for intent.")));
        }
        body.insert("intent".into(), json!(intent));
        body.insert("settings".into(), given.get("settings").cloned().unwrap_or_default());
        format!("{whom}_{}_0", INTENTS.iter().position(|one| *one == intent).unwrap_or_default())
    } else {
        format!("{}_{whom}", policy.id)
    };
    let mut target = target.clone();
    target.insert("@odata.type".into(), json!(format!("#microsoft.graph.{plain}")));
    body.insert("id".into(), json!(id));
    body.insert("target".into(), Value::Object(target));
    if policy.kind == Kind::Catalog {
        body.insert("source".into(), json!("direct"));
        body.insert("sourceId".into(), json!(policy.id));
    }
    Ok(Assignment { id, body })
}

fn list(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&ASSIGNMENT)?;
    let policy = seen(tenant, call)?;
    let mut all: Vec<&Assignment> = policy.assignments.iter().collect();
    all.sort_by(|left, right| left.id.cmp(&right.id));
    let rows = all.into_iter().map(|one| Ready::of(Value::Object(one.body.clone())));
    let mut answer = call.page(tenant, &ASSIGNMENT, &options, rows);
    let entries = answer.body.as_mut().and_then(|body| body.get_mut("value"));
    for entry in entries.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(entry) = entry.as_object_mut().filter(|_| options.select.is_none()) {
            // Not every kind of assignment has all of these.
            let kept = |name: &str| name == "settings" && kind(call) == Kind::App;
            entry.retain(|name, value| !value.is_null() || kept(name));
        }
    }
    Ok(answer)
}

/// Puts other assignments in the place of those that are there.
fn put(tenant: &mut Tenant, call: &Call<'_>, mut policy: Policy, assignments: Vec<Assignment>) {
    let shown = |all: &[Assignment]| {
        json!(all.iter().map(|one| Value::Object(one.body.clone())).collect::<Vec<_>>())
    };
    let changed = Changed {
        name: "assignments".into(),
        old: shown(&policy.assignments),
        new: shown(&assignments),
    };
    let at = tenant.at();
    policy.assignments = assignments;
    policy.modified = at.now;
    let actor = call.actor(tenant);
    tenant.note(actor, about("Action", &policy), vec![changed]);
    tenant.policies.put(call.id(), policy, at);
}

fn replace(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let name = if kind(call) == Kind::App { "mobileAppAssignments" } else { "assignments" };
    let body = call.body("the action assign", &[name])?;
    let policy = current(tenant, call)?.clone();
    let mut assignments: Vec<Assignment> = Vec::new();
    for given in objects(&body, name)? {
        let one = read(tenant, &policy, given)?;
        if assignments.iter().any(|there| there.id == one.id) {
            return Err(Refusal::bad("The same target is assigned twice."));
        }
        assignments.push(one);
    }
    let shown = assignments.iter().map(|one| Value::Object(one.body.clone())).collect();
    let is_app = policy.kind == Kind::App;
    put(tenant, call, policy, assignments);
    if is_app {
        return Ok(Answer::nothing());
    }
    Ok(Answer::ok(call.collection(shown)))
}

fn add(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let body = call.any_body()?;
    let policy = current(tenant, call)?.clone();
    let one = read(tenant, &policy, &body)?;
    if policy.assignments.iter().any(|there| there.id == one.id) {
        return Err(Refusal::new(409, "Conflict", "This assignment is there already."));
    }
    let shown = Value::Object(one.body.clone());
    let all = [policy.assignments.clone(), vec![one]].concat();
    put(tenant, call, policy, all);
    Ok(Answer::json(201, call.shown(shown)))
}

fn remove(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let policy = current(tenant, call)?.clone();
    let all: Vec<_> =
        policy.assignments.iter().filter(|one| one.id != call.second()).cloned().collect();
    if all.len() == policy.assignments.len() {
        return Err(Refusal::not_found("The assignment"));
    }
    put(tenant, call, policy, all);
    Ok(Answer::nothing())
}
