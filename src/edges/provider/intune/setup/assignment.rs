//! Who gets an object of Intune: what has to be written so that a group gets it, and nobody loses it.

use serde_json::{Value, json};

use crate::domain::model::GraphId;
use crate::edges::provider::intune::graph::Version;

const GROUP: &str = "#microsoft.graph.groupAssignmentTarget";
const EXCLUDED: &str = "#microsoft.graph.exclusionGroupAssignmentTarget";

/// What can be assigned to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::edges::provider::intune) enum Assignable {
    CompliancePolicy,
    /// Of the settings catalog, which only the beta has.
    ConfigurationPolicy,
    /// From before there was a settings catalog.
    DeviceConfiguration,
    App,
}

/// What has to be done so that a group gets an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// It does.
    Nothing,
    /// This assignment is to be added.
    Add(Value),
    /// All assignments, as they were read, with the group's as it should be.
    Change(Vec<Value>),
    /// Nothing can be: somebody keeps it from the group.
    Excluded,
}

impl Assignable {
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::CompliancePolicy => "/deviceManagement/deviceCompliancePolicies",
            Self::ConfigurationPolicy => "/deviceManagement/configurationPolicies",
            Self::DeviceConfiguration => "/deviceManagement/deviceConfigurations",
            Self::App => "/deviceAppManagement/mobileApps",
        }
    }

    pub(super) const fn version(self) -> Version {
        match self {
            Self::ConfigurationPolicy => Version::Beta,
            Self::CompliancePolicy | Self::DeviceConfiguration | Self::App => Version::V1,
        }
    }

    /// What `assign` calls the list of all assignments.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::App => "mobileAppAssignments",
            _ => "assignments",
        }
    }

    /// For people.
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::CompliancePolicy => "compliance policy",
            Self::ConfigurationPolicy => "configuration policy",
            Self::DeviceConfiguration => "device configuration",
            Self::App => "app",
        }
    }

    const fn odata_type(self) -> &'static str {
        match self {
            Self::CompliancePolicy => "#microsoft.graph.deviceCompliancePolicyAssignment",
            Self::ConfigurationPolicy => {
                "#microsoft.graph.deviceManagementConfigurationPolicyAssignment"
            }
            Self::DeviceConfiguration => "#microsoft.graph.deviceConfigurationAssignment",
            Self::App => "#microsoft.graph.mobileAppAssignment",
        }
    }

    fn assignment(self, group: &GraphId) -> Value {
        let target = json!({"@odata.type": GROUP, "groupId": group.as_str()});
        let mut assignment = json!({"@odata.type": self.odata_type(), "target": target});
        if self == Self::App {
            assignment["intent"] = json!("required");
        }
        assignment
    }

    /// What has to be done, where these are all assignments that there are.
    pub(super) fn step(self, seen: &[Value], group: &GraphId) -> Step {
        let targets = |assignment: &Value, kind: &str| {
            let Some(target) = assignment.get("target") else { return false };
            let text = |name: &str| target.get(name).and_then(Value::as_str).unwrap_or_default();
            text("@odata.type") == kind && text("groupId").eq_ignore_ascii_case(group.as_str())
        };
        if seen.iter().any(|assignment| targets(assignment, EXCLUDED)) {
            return Step::Excluded;
        }
        let Some(ours) = seen.iter().position(|assignment| targets(assignment, GROUP)) else {
            return Step::Add(self.assignment(group));
        };
        let intent = |assignment: &Value| assignment.get("intent").cloned();
        if self != Self::App || intent(&seen[ours]) == Some(json!("required")) {
            return Step::Nothing;
        }
        let mut all = seen.to_vec();
        all[ours]["intent"] = json!("required");
        Step::Change(all)
    }

    /// What `assign` takes: it puts this in the place of all that there is.
    pub(super) fn whole(self, seen: &[Value], step: Step) -> Option<Value> {
        let all = match step {
            Step::Nothing | Step::Excluded => return None,
            Step::Add(one) => seen.iter().cloned().chain([one]).collect(),
            Step::Change(all) => all,
        };
        Some(json!({self.key(): all}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "0f3c0000-0000-4000-8000-000000000001";

    fn of(kind: &str, group: &str, more: Value) -> Value {
        let target = json!({"@odata.type": format!("#microsoft.graph.{kind}"), "groupId": group,
            "deviceAndAppManagementAssignmentFilterId": "f-1",
            "deviceAndAppManagementAssignmentFilterType": "include"});
        let mut assignment = json!({"id": format!("x_{group}"), "target": target});
        assignment.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assignment
    }

    fn step(kind: Assignable, seen: &[Value]) -> Step {
        kind.step(seen, &OURS.parse().unwrap())
    }

    #[test]
    fn others_keep_their_assignments_exactly_as_they_are() {
        let others = vec![
            of("groupAssignmentTarget", "other", json!({"source": "policySets", "sourceId": "s"})),
            of("exclusionGroupAssignmentTarget", "another", json!({})),
            json!({"id": "all", "target": {"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"},
                "somethingNew": {"of": ["tomorrow"]}}),
        ];
        for kind in [Assignable::CompliancePolicy, Assignable::ConfigurationPolicy] {
            let Step::Add(ours) = step(kind, &others) else { panic!("{kind:?}") };
            let body = kind.whole(&others, Step::Add(ours.clone())).unwrap();
            let all = body["assignments"].as_array().unwrap();
            assert_eq!(all[..3], others[..]);
            assert_eq!(all[3], ours);
            assert_eq!(ours["target"], json!({"@odata.type": GROUP, "groupId": OURS}));
        }
    }

    #[test]
    fn where_the_group_has_it_nothing_is_written() {
        for group in [OURS.to_owned(), OURS.to_uppercase()] {
            let ours = of("groupAssignmentTarget", &group, json!({"intent": "required"}));
            for kind in [Assignable::CompliancePolicy, Assignable::App] {
                assert_eq!(step(kind, std::slice::from_ref(&ours)), Step::Nothing);
            }
        }
        assert_eq!(Assignable::App.whole(&[], Step::Nothing), None);
    }

    #[test]
    fn an_app_that_is_only_offered_becomes_required_with_all_else_kept() {
        let seen = vec![
            of(
                "groupAssignmentTarget",
                "other",
                json!({"intent": "uninstall", "settings": {"a": 1}}),
            ),
            of("groupAssignmentTarget", OURS, json!({"intent": "available", "settings": {"b": 2}})),
        ];
        let Step::Change(all) = step(Assignable::App, &seen) else { panic!() };
        assert_eq!(all[0], seen[0]);
        let mut expected = seen[1].clone();
        expected["intent"] = json!("required");
        assert_eq!(all[1], expected);
        let Step::Add(new) = step(Assignable::App, &seen[..1]) else { panic!() };
        assert_eq!(new["intent"], json!("required"));
    }

    #[test]
    fn a_group_that_somebody_excludes_is_not_included_behind_their_back() {
        let seen = [of("exclusionGroupAssignmentTarget", OURS, json!({}))];
        assert_eq!(step(Assignable::ConfigurationPolicy, &seen), Step::Excluded);
    }
}
