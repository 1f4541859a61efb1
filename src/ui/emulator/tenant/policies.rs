//! Policies, configurations and applications, and whom they are assigned to.

use serde_json::{Map, Value};

use super::directory::Directory;
use super::settling::Collection;
use crate::domain::model::{Timestamp, words};

words! {
    /// Where in Graph such a thing is.
    pub(crate) enum Kind {
        Compliance = "deviceCompliancePolicies",
        /// Of the settings catalog.
        Catalog = "configurationPolicies",
        Configuration = "deviceConfigurations",
        App = "mobileApps",
    }
}

/// One assignment: its id and what Graph shows of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assignment {
    pub(crate) id: String,
    pub(crate) body: Map<String, Value>,
}

impl Assignment {
    fn target(&self) -> Option<(&str, Option<&str>)> {
        let target = self.body.get("target")?;
        let kind = target.get("@odata.type")?.as_str()?;
        let kind = kind.strip_prefix('#').unwrap_or(kind).strip_prefix("microsoft.graph.")?;
        Some((kind, target.get("groupId").and_then(Value::as_str)))
    }
}

/// Something that can be assigned.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// Its properties, without those of which the tenant keeps track itself.
    pub(crate) body: Map<String, Value>,
    pub(crate) assignments: Vec<Assignment>,
    /// `scheduledActionsForRule` of a compliance policy.
    pub(crate) scheduled: Vec<Value>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) version: u32,
}

impl Policy {
    pub(crate) fn odata_type(&self) -> &str {
        let name = self.body.get("@odata.type").and_then(Value::as_str).unwrap_or_default();
        name.strip_prefix("#microsoft.graph.").unwrap_or(name)
    }

    pub(crate) fn name(&self) -> &str {
        let key = if self.kind == Kind::Catalog { "name" } else { "displayName" };
        self.body.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The grace period before the device is blocked.
    pub(crate) fn grace_hours(&self) -> i64 {
        let items =
            self.scheduled.iter().filter_map(|rule| rule.get("scheduledActionConfigurations"));
        let blocks = items
            .filter_map(Value::as_array)
            .flatten()
            .filter(|item| item.get("actionType").and_then(Value::as_str) == Some("block"));
        let hours = blocks.filter_map(|item| item.get("gracePeriodHours")?.as_i64());
        hours.min().unwrap_or_default()
    }

    /// Whether it is assigned to this user or to this device, by the ids of their objects.
    pub(crate) fn applies_to(&self, directory: &Directory, user: &str, device: &str) -> bool {
        let within = |group: Option<&str>| {
            group.is_some_and(|g| directory.is_member(g, user) || directory.is_member(g, device))
        };
        let mut applies = false;
        for (kind, group) in self.assignments.iter().filter_map(Assignment::target) {
            match kind {
                "exclusionGroupAssignmentTarget" if within(group) => return false,
                "groupAssignmentTarget" => applies |= within(group),
                "allDevicesAssignmentTarget" | "allLicensedUsersAssignmentTarget" => applies = true,
                _ => {}
            }
        }
        applies
    }
}

/// All of them, by id.
pub(crate) type Policies = Collection<Policy>;
