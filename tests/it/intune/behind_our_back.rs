//! What somebody changes in the console: it is shown with who did it, and put right, and what others
//! assigned stays.

use rayon::prelude::*;
use serde_json::{Value, json};

use crate::support::{Device, GROUP, OTHER_GROUP, Site, Tenant, text};

const SERIAL: &str = "PF3XK9Q2";
const COMPLIANCE: &str = "deviceCompliancePolicies";
const APP: &str = "aaaa0000-0000-4000-8000-000000000001";
const CONFIGURATION: &str = "cccc0000-0000-4000-8000-000000000001";

/// A settled device whose profile has a managed policy, an app and a configuration; `test` gets the id
/// of the policy.
fn with_profile(test: impl FnOnce(&Site<'_>, &str)) {
    let tenant = Tenant::paused();
    for (kind, id) in [("mobileApps", APP), ("configurationPolicies", CONFIGURATION)] {
        tenant.post("/policies", json!({"kind": kind, "id": id, "displayName": kind}));
    }
    let site = Site::new(&tenant);
    let intune =
        format!("{{group: {GROUP}, apps: [{APP}], configurationPolicies: [{CONFIGURATION}]}}");
    let profile = site.standard().with("platforms", "[windows]").with("intune", intune);
    site.put("standard.yaml", profile.yaml());
    tenant.hardware(json!({"serialNumber": SERIAL, "userPrincipalName": "ana@example.com",
        "enrolled": true}));
    tenant.post("/users", json!({"userPrincipalName": "guest@example.com"}));
    site.put("device.yaml", Device::new(SERIAL).yaml());
    site.apply();
    tenant.wait("9h");
    site.settles();
    let policies = tenant.get("/policies")["policies"].as_array().expect("a list").clone();
    let ours = policies.iter().find(|policy| policy["kind"] == COMPLIANCE).expect("a policy");
    let id = text(&ours["id"]).to_owned();
    test(&site, &id);
    site.log_is_sound();
    site.keeps_its_promises();
}

/// The plan says this of it; afterwards nothing is left to do.
#[track_caller]
fn is_shown_and_put_right(site: &Site<'_>, says: &[&str]) {
    site.tenant.wait("1m");
    let before = site.tenant.last_call();
    let plan = site.run(&["plan"]).exits(0).stdout;
    assert_eq!(site.tenant.written(before), [""; 0], "a plan writes nothing");
    for part in says {
        assert!(plan.contains(part), "{part:?} is not in {plan}");
    }
    site.settles();
}

fn policy(site: &Site<'_>, id: &str) -> Value {
    site.tenant.get(&format!("/policies/{id}"))
}

/// The groups that something is assigned to.
fn assigned(site: &Site<'_>, id: &str) -> Vec<String> {
    let policy = policy(site, id);
    let groups = policy["assignments"].as_array().expect("a list").iter();
    let mut groups: Vec<_> = groups.map(|one| text(&one["target"]["groupId"]).to_owned()).collect();
    groups.sort();
    groups
}

#[test]
fn a_policy_that_was_changed_is_shown_with_who_did_it_and_put_right() {
    with_profile(|site, id| {
        let path = format!("/policies/{id}");
        let change = json!({"by": "eve@contoso.com", "properties": {"passwordMinimumLength": 4}});
        site.tenant.patch(&path, change);
        is_shown_and_put_right(site, &["eve@contoso.com"]);
        assert_eq!(policy(site, id)["properties"]["passwordMinimumLength"], 6);
        let drifted: Vec<_> =
            site.place.log().into_iter().filter(|e| e["kind"] == "profile.drifted").collect();
        assert_eq!(drifted.len(), 1);
        assert_eq!(drifted[0]["data"]["by"], "eve@contoso.com");

        site.tenant.patch(&path, json!({"by": "eve@contoso.com", "gracePeriodHours": 240}));
        is_shown_and_put_right(site, &["its grace period is 240h, not 24h", "eve@contoso.com"]);
    });
}

#[test]
fn a_policy_that_was_deleted_is_made_anew_and_assigned() {
    with_profile(|site, id| {
        site.tenant.delete(&format!("/policies/{id}"));
        is_shown_and_put_right(site, &["is gone", "admin@contoso.com"]);
        let policies = site.tenant.get("/policies")["policies"].as_array().expect("a list").clone();
        let new: Vec<_> = policies.iter().filter(|one| one["kind"] == COMPLIANCE).collect();
        assert_eq!(new.len(), 1);
        assert_eq!(assigned(site, text(&new[0]["id"])), [GROUP]);
    });
}

#[test]
fn an_assignment_that_was_removed_comes_back_beside_those_of_others() {
    with_profile(|site, policy| {
        [policy, APP, CONFIGURATION].into_iter().for_each(|id| {
            let path = format!("/policies/{id}");
            site.tenant.patch(&path, json!({"by": "eve@contoso.com", "groups": [OTHER_GROUP]}));
            is_shown_and_put_right(site, &["is not assigned to group", "eve@contoso.com"]);
            assert_eq!(assigned(site, id), [GROUP, OTHER_GROUP], "{id}");
        });
        // What others add is their business.
        site.tenant.post("/groups", json!({"id": "third", "displayName": "Third"}));
        site.tenant
            .patch(&format!("/policies/{APP}"), json!({"groups": [GROUP, OTHER_GROUP, "third"]}));
        site.is_settled();
        assert_eq!(assigned(site, APP).len(), 3);
    });
}

#[test]
fn a_member_that_was_removed_comes_back_and_members_of_others_stay() {
    with_profile(|site, _| {
        let members = format!("/groups/{GROUP}/members");
        site.tenant.put(&format!("{members}/guest@example.com"), Value::Null);
        site.is_settled();
        site.tenant.delete(&format!("{members}/ana@example.com"));
        is_shown_and_put_right(site, &["ana@example.com"]);
        assert_eq!(site.tenant.users_of(GROUP), ["ana@example.com", "guest@example.com"]);
    });
}

#[test]
fn what_cannot_be_read_of_a_policy_is_told_and_nothing_is_concluded() {
    ["*/deviceCompliancePolicies*", "*/assignments", "*/members*"].par_iter().for_each(|path| {
        with_profile(|site, _| {
            site.tenant.fault(json!({"match": {"method": "GET", "path": path},
                "action": {"status": 403}}));
            let before = site.tenant.last_call();
            let output = site.run(&["apply", "--yes"]);
            assert_eq!(output.code, Some(1), "{path}: {output:#?}");
            assert_eq!(site.tenant.written(before), [""; 0], "{path}");
            site.tenant.heal();
            site.is_settled();
        });
    });
}

#[test]
fn a_cloud_without_the_beta_gets_its_policies_as_v1_takes_them() {
    let tenant = Tenant::paused();
    tenant.fault(json!({"match": {"path": "/beta/deviceManagement/deviceCompliancePolicies*"},
        "action": {"status": 404}}));
    let site = Site::new(&tenant);
    let strict = "{encryption: {required: true}, antivirus: {required: true}}";
    let profile = site.standard().with("platforms", "[windows]").with("compliance", strict);
    site.put("standard.yaml", profile.yaml());
    tenant.hardware(json!({"serialNumber": SERIAL, "userPrincipalName": "ana@example.com",
        "enrolled": true}));
    site.put("device.yaml", Device::new(SERIAL).yaml());
    site.apply();
    tenant.wait("9h");
    site.settles();
    let policies = tenant.get("/policies")["policies"].as_array().expect("a list").clone();
    let ours: Vec<_> = policies.iter().filter(|policy| policy["kind"] == COMPLIANCE).collect();
    assert_eq!(ours.len(), 1, "{policies:?}");
    let made = ours[0].to_string();
    assert!(made.contains("\"storageRequireEncryption\":true"), "{made}");
    assert!(!made.contains("antivirusRequired"), "{made}");
    assert_eq!(site.stands(SERIAL), "Enrolled compliant", "the antivirus is measured all the same");
    site.keeps_its_promises();
}
