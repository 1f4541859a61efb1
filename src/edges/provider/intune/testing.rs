//! A tenant for tests: as much of Graph as the provider uses, and what a test breaks of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::graph::tests::server::{Reply, Seen, Server};
use super::provider::{Inner, Intune};
use crate::domain::model::Timestamp;
use crate::domain::provider_settings::{
    AppRegistration, Assign, Credential, IntuneSettings, LicenseAssignment,
};

/// What a tenant has. Lists are answered as they are.
#[derive(Debug, Default)]
pub(super) struct Tenant {
    pub(super) users: Vec<Value>,
    pub(super) skus: Vec<Value>,
    pub(super) managed: Vec<Value>,
    pub(super) entra: Vec<Value>,
    pub(super) registrations: Vec<Value>,
    pub(super) imports: Vec<Value>,
    pub(super) identifiers: BTreeSet<String>,
    /// Members by group.
    pub(super) groups: BTreeMap<String, BTreeSet<String>>,
    pub(super) policies: Vec<Value>,
    /// By the path of the object.
    pub(super) assignments: BTreeMap<String, Vec<Value>>,
    pub(super) rules: BTreeMap<String, Value>,
    pub(super) audit: Vec<Value>,
    /// Each write, as `METHOD PATH`, with its body.
    pub(super) writes: Vec<(String, Value)>,
    /// A write whose path ends so takes effect, and is not answered.
    pub(super) lost: Option<&'static str>,
    /// A call whose path ends so is answered with this status, once.
    pub(super) refused: Option<(&'static str, u16)>,
}

/// A tenant, and a provider that asks it.
pub(super) struct World {
    tenant: Arc<Mutex<Tenant>>,
    server: Server,
    place: TempDir,
}

pub(super) fn now() -> Timestamp {
    "2026-11-26T10:00:00Z".parse().unwrap()
}

impl World {
    pub(super) fn new(tenant: Tenant) -> Self {
        let tenant = Arc::new(Mutex::new(tenant));
        let answering = tenant.clone();
        let server = Server::new(move |seen, _| {
            (!seen.is_token()).then(|| answering.lock().unwrap().answer(seen))
        });
        let place = tempfile::tempdir().unwrap();
        write_secret(&place.path().join("secret"));
        Self { tenant, server, place }
    }

    pub(super) fn provider(&self) -> Arc<Inner> {
        self.provider_with(|_| {})
    }

    pub(super) fn provider_with(&self, change: impl FnOnce(&mut IntuneSettings)) -> Arc<Inner> {
        let app = AppRegistration {
            client_id: "11111111-1111-4111-8111-111111111111".to_owned(),
            credential: Credential::Secret(self.place.path().join("secret")),
        };
        let mut settings = IntuneSettings {
            tenant: "contoso.onmicrosoft.com".to_owned(),
            app,
            wipe_app: None,
            poll: std::time::Duration::from_secs(300),
            assign: Assign::Users,
            licenses: LicenseAssignment::Direct,
            block_attribute: None,
            block_after: TimeDelta::hours(24),
            login_url: self.server.url(),
            graph_url: self.server.url(),
        };
        change(&mut settings);
        Intune::new(&settings, Path::new("/nowhere"), now).unwrap().inner
    }

    pub(super) fn tenant(&self) -> MutexGuard<'_, Tenant> {
        self.tenant.lock().unwrap()
    }

    /// How many calls were made, but for tokens.
    pub(super) fn calls(&self) -> usize {
        self.server.calls().len()
    }

    /// What was written since this was asked last.
    pub(super) fn written(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.tenant().writes)
    }

    /// Likewise, without the bodies.
    pub(super) fn wrote(&self) -> Vec<String> {
        self.written().into_iter().map(|(call, _)| call).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "a file as an administrator puts it there")]
fn write_secret(path: &Path) {
    fs::write(path, "s3cr3t").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A user, as Graph shows one.
pub(super) fn user(name: &str) -> Value {
    json!({"id": format!("id-{name}"), "userPrincipalName": format!("{name}@example.com"),
        "displayName": name.to_uppercase(), "usageLocation": "DE", "accountEnabled": true,
        "assignedLicenses": []})
}

/// A device in Intune, and in Entra.
pub(super) fn device(serial: &str) -> (Value, Value) {
    (
        json!({"id": format!("md-{serial}"), "serialNumber": serial,
            "azureADDeviceId": format!("aad-{serial}"),
            "enrolledDateTime": "2026-08-01T09:12:44Z"}),
        json!({"id": format!("obj-{serial}"), "deviceId": format!("aad-{serial}")}),
    )
}

/// A license of which so many are free.
pub(super) fn sku(part_number: &str, free: i64) -> Value {
    json!({"skuId": format!("sku-{part_number}"), "skuPartNumber": part_number,
        "capabilityStatus": "Enabled", "consumedUnits": 5, "prepaidUnits": {"enabled": 5 + free}})
}

impl Tenant {
    fn answer(&mut self, seen: &Seen) -> Reply {
        let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
        let (version, path) = path[1..].split_once('/').unwrap();
        let body = if seen.body.is_empty() { Value::Null } else { seen.json() };
        if path == "$batch" {
            return self.batch(version, &body);
        }
        let (status, answer) = self.call(&seen.method, path, query, body);
        let read = seen.method == "GET" || path.ends_with("searchExistingIdentities");
        if !read && self.lost.is_some_and(|end| path.ends_with(end)) {
            self.lost = None;
            return Reply::Cut;
        }
        Reply::Json(status, answer)
    }

    fn batch(&mut self, version: &str, body: &Value) -> Reply {
        let mut responses = Vec::new();
        for part in body["requests"].as_array().unwrap() {
            let target = part["url"].as_str().unwrap();
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let method = part["method"].as_str().unwrap().to_owned();
            let (status, body) = self.call(&method, &path[1..], query, part["body"].clone());
            assert!(["v1.0", "beta"].contains(&version));
            responses.push(json!({"id": part["id"], "status": status, "body": body}));
        }
        responses.reverse();
        Reply::Json(200, json!({"responses": responses}))
    }

    fn call(&mut self, method: &str, path: &str, query: &str, body: Value) -> (u16, Value) {
        if let Some((_, status)) = self.refused.filter(|(end, _)| path.ends_with(end)) {
            self.refused = None;
            return (status, json!({"error": {"code": "Refused", "message": "as told"}}));
        }
        let parts: Vec<&str> = path.split('/').collect();
        let reads = method == "GET" || path.ends_with("searchExistingIdentities");
        if !reads {
            self.writes.push((format!("{method} {path}"), body.clone()));
        }
        match (method, &parts[..]) {
            ("GET", ["users"]) => list(self.users.clone()),
            ("GET", ["users", name]) => {
                let name = name.to_lowercase();
                let is = |user: &&Value| {
                    user["userPrincipalName"] == json!(name) || user["id"] == json!(name)
                };
                found(self.users.iter().find(is))
            }
            ("POST", ["users", id, "assignLicense"]) => {
                let user = self.users.iter_mut().find(|user| user["id"] == json!(id)).unwrap();
                let sku = body["addLicenses"][0]["skuId"].clone();
                user["assignedLicenses"].as_array_mut().unwrap().push(json!({"skuId": sku}));
                (200, user.clone())
            }
            ("GET", ["subscribedSkus"]) => list(self.skus.clone()),
            ("GET", ["devices"]) => list(filtered(&self.entra, "deviceId", query)),
            ("PATCH", ["devices", id]) => {
                let device = self.entra.iter_mut().find(|device| device["id"] == json!(id));
                let Some(device) = device else { return absent() };
                for (name, value) in body["extensionAttributes"].as_object().unwrap() {
                    device["extensionAttributes"][name] = value.clone();
                }
                (204, Value::Null)
            }
            ("GET", ["groups", group]) => match self.groups.contains_key(*group) {
                true => (200, json!({"id": group, "groupTypes": []})),
                false => absent(),
            },
            ("GET", ["groups", group, "members"]) => match self.groups.get(*group) {
                Some(members) => list(members.iter().map(|id| self.member(id)).collect()),
                None => absent(),
            },
            ("POST", ["groups", group, "members", "$ref"]) => {
                let id = body["@odata.id"].as_str().unwrap().rsplit('/').next().unwrap();
                if self.groups.get_mut(*group).unwrap().insert(id.to_owned()) {
                    return (204, Value::Null);
                }
                let message = "One or more added object references already exist for the \
                               following modified properties: 'members'.";
                (400, json!({"error": {"code": "Request_BadRequest", "message": message}}))
            }
            ("DELETE", ["groups", group, "members", id, "$ref"]) => {
                match self.groups.get_mut(*group).unwrap().remove(*id) {
                    true => (204, Value::Null),
                    false => absent(),
                }
            }
            ("GET", [.., "auditEvents"]) => list(self.audit.clone()),
            (_, ["deviceManagement", rest @ ..]) => self.manage(method, rest, query, body),
            (_, ["deviceAppManagement", ..]) => self.assigned(method, path, &parts, body),
            _ => panic!("{method} {path} is unknown"),
        }
    }

    fn member(&self, id: &str) -> Value {
        let all = self.users.iter().chain(&self.entra);
        all.into_iter()
            .find(|object| object["id"] == json!(id))
            .cloned()
            .unwrap_or_else(|| json!({"id": id}))
    }

    fn manage(&mut self, method: &str, rest: &[&str], query: &str, body: Value) -> (u16, Value) {
        match (method, rest) {
            ("GET", ["managedDevices"]) => list(filtered(&self.managed, "serialNumber", query)),
            ("POST", ["managedDevices", _, "syncDevice"]) => (204, Value::Null),
            ("GET", ["windowsAutopilotDeviceIdentities"]) => list(self.registrations.clone()),
            ("POST", ["windowsAutopilotDeviceIdentities", id, _]) => {
                let one = self.registrations.iter_mut().find(|one| one["id"] == json!(id)).unwrap();
                one.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
                (204, Value::Null)
            }
            ("GET", ["importedWindowsAutopilotDeviceIdentities"]) => list(self.imports.clone()),
            ("DELETE", ["importedWindowsAutopilotDeviceIdentities", id]) => {
                self.imports.retain(|import| import["id"] != json!(id));
                (204, Value::Null)
            }
            ("POST", ["importedWindowsAutopilotDeviceIdentities", "import"]) => {
                let mut import = body["importedWindowsAutopilotDeviceIdentities"][0].clone();
                import["id"] = json!(format!("import-{}", self.imports.len()));
                import["state"] = json!({"deviceImportStatus": "unknown"});
                self.imports.push(import.clone());
                list(vec![import])
            }
            ("POST", ["importedDeviceIdentities", "searchExistingIdentities"]) => {
                let wanted = body["importedDeviceIdentities"].as_array().unwrap().clone();
                let there = |one: &Value| {
                    self.identifiers.contains(one["importedDeviceIdentifier"].as_str().unwrap())
                };
                list(wanted.into_iter().filter(there).collect())
            }
            ("POST", ["importedDeviceIdentities", "importDeviceIdentityList"]) => {
                let mut one = body["importedDeviceIdentities"][0].clone();
                let id = one["importedDeviceIdentifier"].as_str().unwrap().to_owned();
                one["status"] = json!(self.identifiers.insert(id));
                list(vec![one])
            }
            ("GET", ["deviceCompliancePolicies"]) => list(self.policies.clone()),
            ("POST", ["deviceCompliancePolicies"]) => {
                let id = format!("policy-{}", self.policies.len());
                let mut policy = body;
                policy["id"] = json!(id);
                let rules = policy.as_object_mut().unwrap().remove("scheduledActionsForRule");
                self.rules.insert(id, rules.unwrap());
                self.policies.push(policy.clone());
                (201, policy)
            }
            ("GET", ["deviceCompliancePolicies", id]) => {
                found(self.policies.iter().find(|policy| policy["id"] == json!(id)))
            }
            ("PATCH", ["deviceCompliancePolicies", id]) => {
                let policy = self.policies.iter_mut().find(|policy| policy["id"] == json!(id));
                let policy = policy.unwrap();
                policy.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
                (200, policy.clone())
            }
            ("GET", ["deviceCompliancePolicies", id, "scheduledActionsForRule"]) => {
                list(self.rules[*id].as_array().unwrap().clone())
            }
            ("POST", ["deviceCompliancePolicies", id, "scheduleActionsForRules"]) => {
                let rules = body["deviceComplianceScheduledActionForRules"].clone();
                self.rules.insert((*id).to_owned(), rules);
                (204, Value::Null)
            }
            _ => {
                let path = format!("deviceManagement/{}", rest.join("/"));
                let parts: Vec<&str> = path.split('/').collect();
                self.assigned(method, &path, &parts, body)
            }
        }
    }

    /// Objects that are assigned: those that are known are in `assignments`, or compliance policies.
    fn assigned(&mut self, method: &str, path: &str, parts: &[&str], body: Value) -> (u16, Value) {
        let object = parts[..3].join("/");
        let is_policy = parts[1] == "deviceCompliancePolicies";
        if is_policy {
            self.assignments.entry(object.clone()).or_default();
        }
        let Some(all) = self.assignments.get_mut(&object) else { return absent() };
        match (method, &parts[3..]) {
            ("GET", ["assignments"]) => list(all.clone()),
            ("POST", ["assignments"]) => {
                all.push(body.clone());
                (201, body)
            }
            ("POST", ["assign"]) => {
                let given = body.as_object().unwrap().values().next().unwrap();
                *all = given.as_array().unwrap().clone();
                (200, json!({"value": all}))
            }
            _ => panic!("{method} {path} is unknown"),
        }
    }
}

fn list(value: Vec<Value>) -> (u16, Value) {
    (200, json!({"value": value}))
}

fn found(one: Option<&Value>) -> (u16, Value) {
    one.map_or_else(absent, |one| (200, one.clone()))
}

fn absent() -> (u16, Value) {
    (404, json!({"error": {"code": "ResourceNotFound", "message": "there is no such thing"}}))
}

/// What `PROPERTY eq 'VALUE'` lets through; without a filter, all.
fn filtered(all: &[Value], property: &str, query: &str) -> Vec<Value> {
    let Some((_, filter)) = query.split_once("$filter=") else { return all.to_vec() };
    let wanted = filter.split('\'').nth(1).unwrap();
    all.iter().filter(|one| one[property] == json!(wanted)).cloned().collect()
}
