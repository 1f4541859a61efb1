//! Who changed what: `auditEvents`.

use serde_json::{Value, json};

use crate::domain::model::Timestamp;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    App {
        id: String,
        name: String,
    },
    /// Somebody at the console, by principal name.
    Person(String),
}

/// A property that changed.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) name: String,
    pub(crate) old: Value,
    pub(crate) new: Value,
}

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct AuditEvent {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) actor: Actor,
    /// `Create`, `Patch`, `Delete` or `Action`.
    pub(crate) operation: &'static str,
    /// `Compliance`, `DeviceConfiguration`, `Application`, `Device` or `Enrollment`.
    pub(crate) category: &'static str,
    /// As `wipe ManagedDevice`.
    pub(crate) activity: String,
    pub(crate) resource: String,
    pub(crate) resource_id: String,
    pub(crate) resource_type: &'static str,
    pub(crate) changed: Vec<Changed>,
    pub(crate) correlation: String,
}

fn word(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::String(text) => json!(text),
        other => json!(other.to_string()),
    }
}

impl AuditEvent {
    /// As Entra's audit log has it.
    pub(crate) fn directory_json(&self) -> Value {
        let initiated = match &self.actor {
            Actor::App { id, name } => json!({"app": {"appId": id, "displayName": name}}),
            Actor::Person(upn) => json!({"user": {"userPrincipalName": upn}}),
        };
        let quoted = |value: &Value| match value {
            Value::Null => Value::Null,
            value => json!(json!([value]).to_string()),
        };
        let changed = self.changed.iter().map(|one| {
            json!({
                "displayName": one.name,
                "oldValue": quoted(&one.old),
                "newValue": quoted(&one.new),
            })
        });
        json!({
            "id": self.id,
            "activityDateTime": self.at.short(),
            "activityDisplayName": "Update device",
            "category": self.category,
            "correlationId": self.correlation,
            "initiatedBy": initiated,
            "loggedByService": "Core Directory",
            "operationType": self.operation,
            "result": "success",
            "targetResources": [{
                "id": self.resource_id,
                "displayName": self.resource,
                "type": self.resource_type,
                "modifiedProperties": changed.collect::<Vec<_>>(),
            }],
        })
    }

    pub(crate) fn json(&self) -> Value {
        let (app, name, upn, kind) = match &self.actor {
            Actor::App { id, name } => (json!(id), json!(name), Value::Null, "Application"),
            Actor::Person(upn) => (Value::Null, Value::Null, json!(upn), "ItPro"),
        };
        let changed = self.changed.iter().map(|one| {
            json!({
                "displayName": one.name,
                "oldValue": word(&one.old),
                "newValue": word(&one.new),
            })
        });
        json!({
            "id": self.id,
            "displayName": self.activity,
            "componentName": self.category,
            "category": self.category,
            "activity": self.activity,
            "activityDateTime": self.at.short(),
            "activityType": self.activity,
            "activityOperationType": self.operation,
            "activityResult": "Success",
            "correlationId": self.correlation,
            "actor": {
                "auditActorType": kind,
                "applicationId": app,
                "applicationDisplayName": name,
                "servicePrincipalName": Value::Null,
                "userId": Value::Null,
                "userPrincipalName": upn,
                "ipAddress": Value::Null,
                "userPermissions": [],
            },
            "resources": [{
                "displayName": self.resource,
                "auditResourceType": self.resource_type,
                "resourceId": self.resource_id,
                "modifiedProperties": changed.collect::<Vec<_>>(),
            }],
        })
    }
}
