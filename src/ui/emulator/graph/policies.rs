//! Compliance policies, configurations and applications: create, read, change, delete.

use serde_json::{Map, Value, json};

use super::call::{Call, Outcome, Ready, Route, check, objects, text};
use super::filter::Op::{Contains, Eq, StartsWith};
use super::permissions::{READ_APPS, READ_CONFIGURATION, WRITE_CONFIGURATION};
use super::policy_types::{COMPLIANCE, PolicyType, common, expects};
use super::query::{Row, Shape};
use super::refusal::Refusal;
use super::scheduled::{read_rules, show_rules};
use crate::ui::emulator::tenant::{About, Answer, Changed, Kind, Policy, Tenant};

const fn route(
    method: &'static str,
    path: &'static str,
    run: fn(&mut Tenant, &Call<'_>) -> Outcome,
) -> Route {
    let reads = matches!(method.as_bytes(), b"GET");
    let permissions = if reads { READ_CONFIGURATION } else { WRITE_CONFIGURATION };
    Route { method, path, only_beta: false, permissions, run }
}

const fn beta(path: &'static str, run: fn(&mut Tenant, &Call<'_>) -> Outcome) -> Route {
    Route { method: "GET", path, only_beta: true, permissions: READ_CONFIGURATION, run }
}

const fn app(path: &'static str, run: fn(&mut Tenant, &Call<'_>) -> Outcome) -> Route {
    Route { method: "GET", path, only_beta: false, permissions: READ_APPS, run }
}

pub(super) const ROUTES: &[Route] = &[
    route("GET", "deviceManagement/deviceCompliancePolicies", list),
    route("POST", "deviceManagement/deviceCompliancePolicies", create),
    route("GET", "deviceManagement/deviceCompliancePolicies/{}", one),
    route("PATCH", "deviceManagement/deviceCompliancePolicies/{}", patch),
    route("DELETE", "deviceManagement/deviceCompliancePolicies/{}", delete),
    route("GET", "deviceManagement/deviceCompliancePolicies/{}/scheduledActionsForRule", rules),
    route("POST", "deviceManagement/deviceCompliancePolicies/{}/scheduleActionsForRules", schedule),
    route("GET", "deviceManagement/deviceConfigurations", list),
    route("GET", "deviceManagement/deviceConfigurations/{}", one),
    beta("deviceManagement/configurationPolicies", list),
    beta("deviceManagement/configurationPolicies/{}", one),
    app("deviceAppManagement/mobileApps", list),
    app("deviceAppManagement/mobileApps/{}", one),
];

macro_rules! shape {
    ($name:literal, [$($property:literal),*], $label:literal, [$($expand:literal),*]) => {
        Shape {
            name: $name,
            properties: &["@odata.type", $($property),*],
            filters: &[($label, &[Eq, StartsWith, Contains]), ("id", &[Eq])],
            or_within_a_property: false,
            order: &[$label],
            expand: &[$($expand),*],
        }
    };
}

const COMPLIANCE_POLICY: Shape = shape!(
    "deviceCompliancePolicy",
    ["createdDateTime", "description", "displayName", "id", "lastModifiedDateTime", "version"],
    "displayName",
    ["assignments", "scheduledActionsForRule"]
);
const CONFIGURATION: Shape = shape!(
    "deviceConfiguration",
    ["createdDateTime", "description", "displayName", "id", "lastModifiedDateTime", "version"],
    "displayName",
    ["assignments"]
);
const CATALOG: Shape = shape!(
    "deviceManagementConfigurationPolicy",
    [
        "createdDateTime",
        "creationSource",
        "description",
        "id",
        "isAssigned",
        "lastModifiedDateTime",
        "name",
        "platforms",
        "priorityMetaData",
        "roleScopeTagIds",
        "settingCount",
        "technologies",
        "templateReference"
    ],
    "name",
    ["assignments", "settings"]
);
const APP: Shape = shape!(
    "mobileApp",
    [
        "createdDateTime",
        "description",
        "developer",
        "displayName",
        "id",
        "informationUrl",
        "isFeatured",
        "largeIcon",
        "lastModifiedDateTime",
        "notes",
        "owner",
        "privacyInformationUrl",
        "publisher",
        "publishingState"
    ],
    "displayName",
    ["assignments"]
);

fn shape(kind: Kind) -> &'static Shape {
    match kind {
        Kind::Compliance => &COMPLIANCE_POLICY,
        Kind::Catalog => &CATALOG,
        Kind::Configuration => &CONFIGURATION,
        Kind::App => &APP,
    }
}

/// Which kind a call is about, by its address.
pub(super) fn kind(call: &Call<'_>) -> Kind {
    let kinds = Kind::ALL.iter().copied();
    let path = call.request.path.to_ascii_lowercase();
    let mut found =
        kinds.filter(|kind| path.contains(&format!("/{}", kind.as_str().to_ascii_lowercase())));
    found.next().unwrap_or(Kind::Compliance)
}

/// The policy that a call is about, as the tenant knows it.
pub(super) fn current<'a>(tenant: &'a Tenant, call: &Call<'_>) -> Result<&'a Policy, Refusal> {
    let policy = tenant.policies.current(call.id()).filter(|policy| policy.kind == kind(call));
    policy.ok_or_else(missing)
}

/// As readers see it.
pub(super) fn seen<'a>(tenant: &'a Tenant, call: &Call<'_>) -> Result<&'a Policy, Refusal> {
    let policy = tenant.policies.seen(call.id(), tenant.at());
    policy.filter(|policy| policy.kind == kind(call)).ok_or_else(missing)
}

fn missing() -> Refusal {
    Refusal::not_found("The resource with this id")
}

/// A policy as Graph shows it in one of its versions.
struct PolicyRow<'a> {
    policy: &'a Policy,
    beta: bool,
}

impl PolicyRow<'_> {
    fn known_type(&self) -> Option<&'static PolicyType> {
        COMPLIANCE.iter().find(|one| one.name == self.policy.odata_type())
    }

    /// Of types that are only in beta, v1.0 shows what every policy has.
    fn is_hidden(&self) -> bool {
        !self.beta && self.known_type().is_some_and(|one| one.only_beta)
    }
}

impl Row for PolicyRow<'_> {
    fn id(&self) -> &str {
        &self.policy.id
    }

    fn get(&self, property: &str) -> Value {
        let policy = self.policy;
        match property {
            "id" => json!(policy.id),
            "@odata.type" if self.is_hidden() => json!("#microsoft.graph.deviceCompliancePolicy"),
            "createdDateTime" => json!(policy.created.short()),
            "lastModifiedDateTime" => json!(policy.modified.short()),
            "version" => json!(policy.version),
            "isAssigned" => json!(!policy.assignments.is_empty()),
            "publishingState" => json!("published"),
            "assignments" => {
                let all = policy.assignments.iter().map(|one| Value::Object(one.body.clone()));
                Value::Array(all.collect())
            }
            "scheduledActionsForRule" => Value::Array(show_rules(policy, false)),
            "scheduledActionsForRule/scheduledactionconfigurations" => {
                Value::Array(show_rules(policy, true))
            }
            other => policy.body.get(other).cloned().unwrap_or_default(),
        }
    }

    fn more(&self) -> Map<String, Value> {
        if self.is_hidden() || self.policy.kind != Kind::Compliance {
            return Map::new();
        }
        let beta = self.known_type().map_or(&[][..], |one| one.beta_properties);
        let shown = |name: &str| self.beta || !beta.contains(&name);
        let all = self.policy.body.iter().filter(|(name, _)| shown(name));
        all.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

fn list(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let kind = kind(call);
    let options = call.options(shape(kind))?;
    let all = tenant.policies.all_seen(tenant.at(), options.after());
    let rows = all.filter(|policy| policy.kind == kind);
    let rows = rows.map(|policy| PolicyRow { policy, beta: call.beta });
    Ok(call.page(tenant, shape(kind), &options, rows))
}

fn one(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let policy = seen(tenant, call)?;
    call.entity(shape(policy.kind), &PolicyRow { policy, beta: call.beta })
}

/// The type that a body names.
fn named_type(body: &Map<String, Value>, beta: bool) -> Result<&'static PolicyType, Refusal> {
    let name = text(body, "@odata.type")?.unwrap_or_default();
    let plain = name.strip_prefix('#').unwrap_or(name);
    let plain = plain.strip_prefix("microsoft.graph.").unwrap_or_default();
    let found = COMPLIANCE.iter().find(|one| one.name == plain && (beta || !one.only_beta));
    found.ok_or_else(|| {
        Refusal::bad(format!(
            "A type named '{name}' could not be resolved by the model, or the property \
             '@odata.type' is missing."
        ))
    })
}

/// Refuses properties that the type does not have, and values that are of another type.
fn check_properties(
    body: &Map<String, Value>,
    of: Option<&PolicyType>,
    beta: bool,
    besides: &[&str],
) -> Result<(), Refusal> {
    let mut known = [common(Kind::Compliance), besides].concat();
    if let Some(of) = of {
        known.extend(of.properties);
        known.extend(of.beta_properties.iter().filter(|_| beta));
    }
    let name = of.map_or("deviceCompliancePolicy", |of| of.name);
    check(body, &format!("microsoft.graph.{name}"), &known)?;
    for (property, value) in body {
        let fits = match expects(property) {
            Some("Edm.Int32") => value.is_null() || value.as_i64().is_some(),
            Some("Edm.String") => value.is_null() || value.is_string(),
            Some("Edm.Boolean") => value.is_boolean(),
            _ => true,
        };
        if !fits {
            let expected = expects(property).unwrap_or_default();
            return Err(Refusal::bad(format!(
                "Cannot convert the value of '{property}' to the expected type '{expected}'."
            )));
        }
    }
    Ok(())
}

/// What the tenant keeps track of itself, and a body may still name.
const ITS_OWN: [&str; 5] =
    ["assignments", "createdDateTime", "id", "lastModifiedDateTime", "version"];

fn create(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let mut body = call.any_body()?;
    let of = named_type(&body, call.beta)?;
    check_properties(
        &body,
        Some(of),
        call.beta,
        &[&ITS_OWN[..], &["scheduledActionsForRule"]].concat(),
    )?;
    if text(&body, "displayName")?.unwrap_or_default().is_empty() {
        return Err(Refusal::bad("The property 'displayName' must not be empty."));
    }
    if !body.contains_key("scheduledActionsForRule") {
        return Err(Refusal::bad(
            "The property 'scheduledActionsForRule' is required: exactly one block action.",
        ));
    }
    let scheduled = read_rules(&mut tenant.dice, objects(&body, "scheduledActionsForRule")?)?;
    body.retain(|name, _| !ITS_OWN.contains(&name.as_str()) && name != "scheduledActionsForRule");
    let at = tenant.at();
    body.insert("@odata.type".into(), json!(format!("#microsoft.graph.{}", of.name)));
    let policy = Policy {
        id: tenant.dice.id(),
        kind: Kind::Compliance,
        body,
        assignments: Vec::new(),
        scheduled,
        created: at.now,
        modified: at.now,
        version: 1,
    };
    let row = PolicyRow { policy: &policy, beta: call.beta };
    let shown = super::query::show(&row, &COMPLIANCE_POLICY, &super::query::Options::default());
    let actor = call.actor(tenant);
    tenant.note(actor, about("Create", &policy), Vec::new());
    tenant.policies.put(&policy.id.clone(), policy, at);
    Ok(Answer::json(201, call.shown(shown)))
}

/// What an audit event says of a policy.
pub(super) fn about<'a>(operation: &'static str, policy: &'a Policy) -> About<'a> {
    let (category, resource_type) = match policy.kind {
        Kind::Compliance => ("Compliance", "DeviceCompliancePolicy"),
        Kind::Catalog => ("DeviceConfiguration", "DeviceManagementConfigurationPolicy"),
        Kind::Configuration => ("DeviceConfiguration", "DeviceConfiguration"),
        Kind::App => ("Application", "MobileApp"),
    };
    About { operation, category, resource_type, id: &policy.id, name: policy.name() }
}

fn patch(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let body = call.any_body()?;
    let mut policy = current(tenant, call)?.clone();
    let of = match body.contains_key("@odata.type") {
        true => Some(named_type(&body, call.beta)?),
        false => None,
    };
    if of.is_some_and(|of| of.name != policy.odata_type()) {
        return Err(Refusal::bad("The type of a policy cannot be changed."));
    }
    check_properties(&body, of, call.beta, &ITS_OWN)?;
    let at = tenant.at();
    let mut changed = Vec::new();
    for (name, new) in body {
        if ITS_OWN.contains(&name.as_str()) || name == "@odata.type" {
            continue;
        }
        let old = policy.body.insert(name.clone(), new.clone()).unwrap_or_default();
        if old != new {
            changed.push(Changed { name, old, new });
        }
    }
    policy.version += 1;
    policy.modified = at.now;
    let row = PolicyRow { policy: &policy, beta: call.beta };
    let shown = super::query::show(&row, &COMPLIANCE_POLICY, &super::query::Options::default());
    let actor = call.actor(tenant);
    tenant.note(actor, about("Patch", &policy), changed);
    tenant.policies.put(call.id(), policy, at);
    Ok(Answer::ok(call.shown(shown)))
}

fn delete(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    current(tenant, call)?;
    let at = tenant.at();
    if let Some(gone) = tenant.policies.remove(call.id(), at) {
        let actor = call.actor(tenant);
        tenant.note(actor, about("Delete", &gone), Vec::new());
    }
    Ok(Answer::nothing())
}

/// `deviceComplianceScheduledActionForRule`
const RULE: Shape = Shape {
    name: "deviceComplianceScheduledActionForRule",
    properties: &["id", "ruleName"],
    filters: &[],
    or_within_a_property: false,
    order: &[],
    expand: &["scheduledActionConfigurations"],
};

fn rules(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&RULE)?;
    let policy = seen(tenant, call)?;
    let mut rows: Vec<_> = show_rules(policy, true).into_iter().map(Ready::of).collect();
    rows.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(call.page(tenant, &RULE, &options, rows.into_iter()))
}

fn schedule(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let name = "deviceComplianceScheduledActionForRules";
    let body = call.body("the action scheduleActionsForRules", &[name])?;
    let mut policy = current(tenant, call)?.clone();
    policy.scheduled = read_rules(&mut tenant.dice, objects(&body, name)?)?;
    let at = tenant.at();
    policy.modified = at.now;
    let actor = call.actor(tenant);
    tenant.note(actor, about("Action", &policy), Vec::new());
    tenant.policies.put(call.id(), policy, at);
    Ok(Answer::nothing())
}
