//! Configurations and applications that are there already, and what somebody changes at the console.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Done, Wrong, read};
use crate::ui::emulator::tenant::{
    About, Actor, Answer, Assignment, Changed, Kind, Policy, Tenant,
};

/// Who does what a test does, unless it says somebody else.
const SOMEBODY: &str = "admin@contoso.com";

/// `POST /emulator/policies`
pub(super) fn add(tenant: &mut Tenant, body: &Value) -> Done {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Given {
        kind: Kind,
        id: Option<String>,
        display_name: String,
        #[serde(default)]
        properties: Map<String, Value>,
    }
    let given: Given = read(body)?;
    let id = given.id.unwrap_or_else(|| tenant.dice.id());
    let policy = new_policy(tenant, given.kind, &id, &given.display_name);
    let policy =
        Policy { body: Map::from_iter(policy.body.into_iter().chain(given.properties)), ..policy };
    let shown = shown(&policy);
    tenant.policies.put_settled(&id, policy);
    Ok(Answer::json(201, shown))
}

fn new_policy(tenant: &Tenant, kind: Kind, id: &str, display_name: &str) -> Policy {
    let (name, odata_type) = match kind {
        Kind::Compliance => ("displayName", "windows10CompliancePolicy"),
        Kind::Catalog => ("name", "deviceManagementConfigurationPolicy"),
        Kind::Configuration => ("displayName", "windows10GeneralConfiguration"),
        Kind::App => ("displayName", "winGetApp"),
    };
    let mut body = Map::new();
    body.insert(name.into(), json!(display_name));
    body.insert("@odata.type".into(), json!(format!("#microsoft.graph.{odata_type}")));
    if kind == Kind::Catalog {
        body.insert("platforms".into(), json!("windows10"));
        body.insert("technologies".into(), json!("mdm"));
        body.insert("settingCount".into(), json!(0));
        body.insert("roleScopeTagIds".into(), json!(["0"]));
    }
    Policy {
        id: id.to_owned(),
        kind,
        body,
        assignments: Vec::new(),
        scheduled: Vec::new(),
        created: tenant.now,
        modified: tenant.now,
        version: 1,
    }
}

/// A configuration or application with this id, made if there is none.
pub(crate) fn ensure_policy(tenant: &mut Tenant, kind: Kind, id: &str) {
    if tenant.policies.current(id).is_none() {
        let policy = new_policy(tenant, kind, id, id);
        tenant.policies.put_settled(id, policy);
    }
}

fn shown(policy: &Policy) -> Value {
    json!({
        "id": policy.id,
        "kind": policy.kind,
        "displayName": policy.name(),
        "version": policy.version,
        "properties": policy.body,
        "scheduledActionsForRule": policy.scheduled,
        "assignments":
            policy.assignments.iter().map(|one| Value::Object(one.body.clone())).collect::<Vec<_>>(),
    })
}

fn find(tenant: &Tenant, id: &str) -> Result<Policy, Wrong> {
    let missing = || Wrong::missing(format!("there is no policy {id}"));
    tenant.policies.current(id).cloned().ok_or_else(missing)
}

/// `GET /emulator/policies`
pub(super) fn list(tenant: &Tenant) -> Done {
    let all: Vec<_> = tenant.policies.all_current().map(shown).collect();
    Ok(Answer::ok(json!({"policies": all})))
}

/// `GET /emulator/policies/{id}`
pub(super) fn one(tenant: &Tenant, id: &str) -> Done {
    Ok(Answer::ok(shown(&find(tenant, id)?)))
}

fn note(
    tenant: &mut Tenant,
    by: String,
    operation: &'static str,
    policy: &Policy,
    changed: Vec<Changed>,
) {
    let (category, resource_type) = match policy.kind {
        Kind::Compliance => ("Compliance", "DeviceCompliancePolicy"),
        Kind::Catalog => ("DeviceConfiguration", "DeviceManagementConfigurationPolicy"),
        Kind::Configuration => ("DeviceConfiguration", "DeviceConfiguration"),
        Kind::App => ("Application", "MobileApp"),
    };
    let name = policy.name();
    let about = About { operation, category, resource_type, id: &policy.id, name };
    tenant.note(Actor::Person(by), about, changed);
}

/// `PATCH /emulator/policies/{id}`: somebody changes it at the console.
pub(super) fn change(tenant: &mut Tenant, id: &str, body: &Value) -> Done {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Change {
        by: Option<String>,
        #[serde(default)]
        properties: Map<String, Value>,
        /// The grace period before the block.
        grace_period_hours: Option<i64>,
        /// Groups that it is assigned to from now on, and no others.
        groups: Option<Vec<String>>,
    }
    let change: Change = read(body)?;
    let mut policy = find(tenant, id)?;
    let mut changed = Vec::new();
    for (name, new) in change.properties {
        let old = policy.body.insert(name.clone(), new.clone()).unwrap_or_default();
        changed.push(Changed { name, old, new });
    }
    if let Some(hours) = change.grace_period_hours {
        let items = policy.scheduled.iter_mut().filter_map(|rule| {
            rule.get_mut("scheduledActionConfigurations").and_then(Value::as_array_mut)
        });
        for item in items.flatten().filter(|item| item["actionType"] == "block") {
            let old = std::mem::replace(&mut item["gracePeriodHours"], json!(hours));
            changed.push(Changed { name: "gracePeriodHours".into(), old, new: json!(hours) });
        }
    }
    if let Some(groups) = change.groups {
        policy.assignments = groups.iter().map(|group| assignment(&policy, group)).collect();
        let new = json!(groups);
        changed.push(Changed { name: "assignments".into(), old: Value::Null, new });
    }
    let at = tenant.at();
    policy.version += 1;
    policy.modified = at.now;
    let by = change.by.unwrap_or_else(|| SOMEBODY.to_owned());
    note(tenant, by, "Patch", &policy, changed);
    tenant.policies.put(id, policy.clone(), at);
    Ok(Answer::ok(shown(&policy)))
}

fn assignment(policy: &Policy, group: &str) -> Assignment {
    let mut body = Map::new();
    let id = if policy.kind == Kind::App {
        body.insert("intent".into(), json!("required"));
        body.insert("settings".into(), Value::Null);
        format!("{group}_1_0")
    } else {
        format!("{}_{group}", policy.id)
    };
    body.insert("id".into(), json!(id));
    let target = json!({
        "@odata.type": "#microsoft.graph.groupAssignmentTarget",
        "groupId": group,
    });
    body.insert("target".into(), target);
    Assignment { id, body }
}

/// `DELETE /emulator/policies/{id}`: somebody deletes it at the console.
pub(super) fn remove(tenant: &mut Tenant, id: &str) -> Done {
    let policy = find(tenant, id)?;
    note(tenant, SOMEBODY.to_owned(), "Delete", &policy, Vec::new());
    let at = tenant.at();
    tenant.policies.remove(id, at);
    Ok(Answer::nothing())
}
