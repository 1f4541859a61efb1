//! Compliance policies, assignments, and what devices make of them.

use serde_json::json;

use super::*;

const POLICIES: &str = "/v1.0/deviceManagement/deviceCompliancePolicies";
const GROUP: &str = "0f3c0000-0000-4000-8000-000000000001";
const OTHERS: &str = "0f3c0000-0000-4000-8000-000000000002";

fn policy(block_after: i64) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.windows10CompliancePolicy", "displayName": "Standard",
        "osMinimumVersion": "10.0.26100.0", "bitLockerEnabled": true, "passwordRequired": true,
        "passwordMinimumLength": 6,
        "scheduledActionsForRule": [{"ruleName": "PasswordRequired",
            "scheduledActionConfigurations": [
                {"actionType": "notification", "gracePeriodHours": 0},
                {"actionType": "block", "gracePeriodHours": block_after},
            ]}],
    })
}

fn to_group(id: &str) -> Value {
    json!({"target": {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": id}})
}

/// A device of a member of the group, and a policy that is assigned to it.
fn assigned(block_after: i64) -> (World, String) {
    let mut world = World::new();
    world.hardware(
        json!({"serialNumber": "W1", "enrolled": true, "userPrincipalName": "ann@contoso.com"}),
    );
    for id in [GROUP, OTHERS] {
        let group = json!({"id": id, "displayName": id, "members": []});
        world.control("POST", "/groups", &group);
    }
    world.control("PUT", &format!("/groups/{GROUP}/members/ann@contoso.com"), &json!(null));
    let id = world.post(POLICIES, &policy(block_after))["id"].as_str().unwrap().to_owned();
    let assignments = json!({"assignments": [to_group(GROUP)]});
    world.post(&format!("{POLICIES}/{id}/assign"), &assignments);
    world.pass("3m");
    (world, id)
}

fn states(world: &mut World) -> Vec<(String, String)> {
    let id = world.device_id("W1");
    let states = world.get(&format!("{MANAGED}/{id}/deviceCompliancePolicyStates"));
    each(&states, "displayName").into_iter().zip(each(&states, "state")).collect()
}

fn state(name: &str, state: &str) -> (String, String) {
    (name.to_owned(), state.to_owned())
}

#[test]
fn a_device_that_fails_has_its_grace_period_and_is_then_not_compliant() {
    let (mut world, _) = assigned(24);
    assert_eq!(world.device("W1")["complianceState"], "compliant");
    let default = state("Default Device Compliance Policy", "compliant");
    assert_eq!(
        BTreeSet::from_iter(states(&mut world)),
        BTreeSet::from([default.clone(), state("Standard", "compliant")])
    );
    world.control("PATCH", "/hardware/W1", &json!({"facts": {"encrypted": false, "pinLength": 4}}));
    assert_eq!(world.device("W1")["isEncrypted"], true, "it has not reported that yet");
    world.control("POST", "/hardware/W1/check-in", &json!(null));
    let device = world.device("W1");
    assert_eq!(
        (&device["complianceState"], &device["isEncrypted"]),
        (&json!("inGracePeriod"), &json!(false))
    );
    assert_eq!(device["complianceGracePeriodExpirationDateTime"], "2026-11-27T08:03:00Z");
    let id = world.device_id("W1");
    let states = world.get(&format!("{MANAGED}/{id}/deviceCompliancePolicyStates"));
    let standard = states["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["displayName"] == "Standard")
        .unwrap();
    let failing: Vec<_> = standard["settingStates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|setting| setting["state"] == "nonCompliant")
        .map(|setting| setting["setting"].as_str().unwrap())
        .collect();
    assert_eq!(
        failing,
        [
            "Windows10CompliancePolicy.BitLockerEnabled",
            "Windows10CompliancePolicy.PasswordMinimumLength"
        ]
    );
    world.pass("23h59m");
    assert_eq!(world.device("W1")["complianceState"], "inGracePeriod");
    world.pass("1m");
    assert_eq!(world.device("W1")["complianceState"], "noncompliant");
    let entra = world.device("W1")["azureADDeviceId"].as_str().unwrap().to_owned();
    let found = world.get(&format!("/v1.0/devices?$filter=deviceId%20eq%20'{entra}'"));
    assert_eq!(found["value"][0]["isCompliant"], false);
    world.control("PATCH", "/hardware/W1", &json!({"facts": {"encrypted": true, "pinLength": 6}}));
    world.control("POST", "/hardware/W1/check-in", &json!(null));
    assert_eq!(world.device("W1")["complianceState"], "compliant");
}

#[test]
fn a_device_without_a_policy_is_what_the_tenant_says() {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "W1", "enrolled": true}));
    assert_eq!(world.device("W1")["complianceState"], "compliant");
    assert_eq!(states(&mut world), [state("Default Device Compliance Policy", "compliant")]);
    world.control("PATCH", "/settings", &json!({"compliantWithoutPolicy": false}));
    assert_eq!(world.device("W1")["complianceState"], "noncompliant");
    assert_eq!(world.get("/v1.0/deviceManagement")["settings"]["secureByDefault"], true);
}

#[test]
fn a_device_that_is_silent_for_a_month_is_not_compliant() {
    let (mut world, _) = assigned(0);
    world.control("PATCH", "/hardware/W1", &json!({"online": false}));
    world.pass("700h");
    assert_eq!(world.device("W1")["complianceState"], "compliant");
    world.pass("24h");
    assert_eq!(world.device("W1")["complianceState"], "noncompliant");
}

#[test]
fn a_policy_counts_for_members_only_and_not_for_those_it_leaves_out() {
    let (mut world, id) = assigned(0);
    world.control("DELETE", &format!("/groups/{GROUP}/members/ann@contoso.com"), &json!(null));
    world.control("POST", "/hardware/W1/check-in", &json!(null));
    assert_eq!(states(&mut world).len(), 1, "only the tenant's own is left");
    // The device itself, instead of its user.
    let entra = world.device("W1")["azureADDeviceId"].as_str().unwrap().to_owned();
    let found = world.get(&format!("/v1.0/devices?$filter=deviceId%20eq%20'{entra}'"));
    let object = found["value"][0]["id"].as_str().unwrap().to_owned();
    assert_ne!(object, entra);
    let reference =
        json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{object}")});
    world.post(&format!("/v1.0/groups/{GROUP}/members/$ref"), &reference);
    world.control("POST", "/hardware/W1/check-in", &json!(null));
    assert_eq!(states(&mut world).len(), 2);
    let mut excluded = to_group(OTHERS);
    excluded["target"]["@odata.type"] = json!("#microsoft.graph.exclusionGroupAssignmentTarget");
    let both = json!({"assignments": [to_group(GROUP), excluded]});
    world.post(&format!("{POLICIES}/{id}/assign"), &both);
    world.control("PUT", &format!("/groups/{OTHERS}/members/ann@contoso.com"), &json!(null));
    world.control("POST", "/hardware/W1/check-in", &json!(null));
    assert_eq!(states(&mut world).len(), 1);
}

#[test]
fn assign_replaces_what_was_assigned() {
    let (mut world, id) = assigned(0);
    let assignments = json!({"assignments": [to_group(OTHERS)]});
    world.post(&format!("{POLICIES}/{id}/assign"), &assignments);
    let all = world.get(&format!("{POLICIES}/{id}/assignments"));
    assert_eq!(each(&all, "id"), [format!("{id}_{OTHERS}")]);
    world.control(
        "POST",
        "/policies",
        &json!({"kind": "mobileApps", "id": "app", "displayName": "VPN"}),
    );
    let apps = "/v1.0/deviceAppManagement/mobileApps/app";
    for group in [GROUP, OTHERS] {
        let mut one = to_group(group);
        one["intent"] = json!("required");
        world.post(&format!("{apps}/assignments"), &one);
    }
    assert_eq!(world.get(&format!("{apps}/assignments"))["value"].as_array().unwrap().len(), 2);
    let answer =
        world.call("POST", &format!("{apps}/assign"), Some(&json!({"mobileAppAssignments": []})));
    assert_eq!(answer.status, 204);
    assert_eq!(world.get(&format!("{apps}/assignments"))["value"], json!([]));
}

#[test]
fn what_is_assigned_arrives_with_the_next_check_in() {
    let (mut world, _) = assigned(0);
    world.control(
        "POST",
        "/policies",
        &json!({"kind": "configurationPolicies", "id": "vpn", "displayName": "VPN"}),
    );
    world.post(
        "/beta/deviceManagement/configurationPolicies/vpn/assign",
        &json!({"assignments": [to_group(GROUP)]}),
    );
    let applied = |world: &mut World| {
        let hardware = world.control("GET", "/hardware/W1", &json!(null));
        hardware["record"]["applied"].as_array().unwrap().contains(&json!("vpn"))
    };
    assert!(!applied(&mut world));
    world.control("POST", "/hardware/W1/check-in", &json!(null));
    assert!(applied(&mut world));
}

#[test]
fn a_policy_needs_one_block_action_and_only_properties_of_its_type() {
    let mut world = World::new();
    type Spoil = fn(&mut Value);
    fn items(body: &mut Value) -> &mut Value {
        &mut body["scheduledActionsForRule"][0]["scheduledActionConfigurations"]
    }
    let wrong: [(&str, Spoil); 10] = [
        ("is required", |body| {
            body.as_object_mut().unwrap().remove("scheduledActionsForRule");
        }),
        ("this one has 0", |body| {
            items(body).as_array_mut().unwrap().pop();
        }),
        ("this one has 2", |body| items(body)[0]["actionType"] = json!("block")),
        ("0 to 8760", |body| items(body)[1]["gracePeriodHours"] = json!(9000)),
        ("'passcodeRequired' does not exist", |body| body["passcodeRequired"] = json!(true)),
        ("'rtpEnabled' does not exist", |body| body["rtpEnabled"] = json!(true)),
        ("'passwordMinimumLength'", |body| body["passwordMinimumLength"] = json!("6")),
        ("could not be resolved", |body| {
            body["@odata.type"] = json!("#microsoft.graph.androidDeviceOwnerCompliancePolicy");
        }),
        ("could not be resolved", |body| {
            body.as_object_mut().unwrap().remove("@odata.type");
        }),
        ("must not be empty", |body| body["displayName"] = json!("")),
    ];
    for (why, spoil) in wrong {
        let mut body = policy(24);
        spoil(&mut body);
        let (status, message) = error(&world.call("POST", POLICIES, Some(&body)));
        assert_eq!(status, 400, "{why}: {message}");
        assert!(message.contains(why), "{why}: {message}");
    }
    let beta = POLICIES.replace("v1.0", "beta");
    let mut body = policy(0);
    body["rtpEnabled"] = json!(true);
    let made = world.post(&beta, &body);
    assert_eq!(made["rtpEnabled"], true);
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        world.get(&format!("{POLICIES}/{id}")).get("rtpEnabled"),
        None,
        "v1.0 knows nothing of it"
    );
}

#[test]
fn a_patch_changes_what_it_names_and_the_audit_log_says_who() {
    let (mut world, id) = assigned(0);
    let change = json!({"@odata.type": "#microsoft.graph.windows10CompliancePolicy", "passwordMinimumLength": 8});
    let answer = world.call("PATCH", &format!("{POLICIES}/{id}"), Some(&change));
    assert_eq!(answer.status, 200);
    let untyped = world.call(
        "PATCH",
        &format!("{POLICIES}/{id}"),
        Some(&json!({"passwordMinimumLength": 9})),
    );
    assert_eq!(untyped.status, 400, "without its type it has only what every policy has");
    let behind = json!({"by": "eve@contoso.com", "properties": {"bitLockerEnabled": false}, "gracePeriodHours": 99});
    world.control("PATCH", &format!("/policies/{id}"), &behind);
    let shown = world.get(&format!(
        "{POLICIES}/{id}?$expand=scheduledActionsForRule($expand=scheduledActionConfigurations)"
    ));
    assert_eq!(
        (&shown["passwordMinimumLength"], &shown["bitLockerEnabled"]),
        (&json!(8), &json!(false))
    );
    assert_eq!(
        shown["scheduledActionsForRule"][0]["scheduledActionConfigurations"][1]["gracePeriodHours"],
        99
    );
    let events = world.get("/v1.0/deviceManagement/auditEvents?$filter=category%20eq%20'Compliance'&$orderby=activityDateTime%20desc");
    let eve = events["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["actor"]["userPrincipalName"] == "eve@contoso.com")
        .unwrap();
    assert_eq!(eve["resources"][0]["resourceId"], json!(id));
    let changed = &eve["resources"][0]["modifiedProperties"][0];
    assert_eq!(
        (&changed["displayName"], &changed["newValue"]),
        (&json!("bitLockerEnabled"), &json!("false"))
    );
    assert!(
        events["value"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["actor"]["applicationId"] == EVERYDAY)
    );
}

#[test]
fn a_new_policy_may_not_be_seen_at_once() {
    let mut world = World::new();
    world.control("PATCH", "/settings", &json!({"consistencyLagSeconds": 60.0}));
    let id = world.post(POLICIES, &policy(0))["id"].as_str().unwrap().to_owned();
    assert_eq!(world.get(POLICIES)["value"], json!([]));
    assert_eq!(world.call("GET", &format!("{POLICIES}/{id}"), None).status, 404);
    world.pass("60s");
    assert_eq!(each(&world.get(POLICIES), "id"), [id]);
}
