//! Licenses in a tenant: given once, never taken away, and what is not to be had is waited for.

use rayon::prelude::*;
use serde_json::{Value, json};

use super::kills::{killed_at, late};
use crate::support::{Device, GROUP, Site, Tenant, text};

const ANA: &str = "ana@example.com";
const BEN: &str = "ben@example.com";
const SERIALS: [&str; 2] = ["PF3XK9Q2", "PF3XK9Q3"];

/// A tenant with two laptops that are in Intune already, of Ana and Ben, and a profile with two licenses, of
/// which there are so many.
fn site(tenant: &Tenant, enabled: [u32; 2]) -> Site<'_> {
    let site = Site::new(tenant);
    site.put("standard.yaml", site.standard().with("licenses", "[SPE_E3, MTD_P2]").yaml());
    for (user, serial) in [ANA, BEN].into_iter().zip(SERIALS) {
        let hardware = json!({"serialNumber": serial, "userPrincipalName": user, "enrolled": true});
        tenant.hardware(hardware);
        tenant.patch(&format!("/users/{user}"), json!({"licenses": []}));
        let device = Device::new(serial).with("platform", "windows").with("userEmail", user);
        site.put(&format!("{serial}.yaml"), device.yaml());
    }
    for (sku, enabled) in ["SPE_E3", "MTD_P2"].into_iter().zip(enabled) {
        tenant.post("/skus", json!({"skuPartNumber": sku, "enabled": enabled}));
    }
    site
}

/// Each license of `fleetform licenses`, as `standing sku user`.
fn licenses(site: &Site<'_>) -> Vec<String> {
    let shown = site.run(&["licenses", "-o", "json"]).exits(0).json();
    let one = |license: &Value| {
        let [standing, sku, user] = ["standing", "sku", "user"].map(|key| text(&license[key]));
        format!("{standing} {sku} {}", user.split('@').next().expect("a user"))
    };
    shown["licenses"].as_array().expect("a list").iter().map(one).collect()
}

fn held_by(tenant: &Tenant, user: &str) -> usize {
    tenant.get(&format!("/users/{user}"))["licenses"].as_array().expect("a list").len()
}

/// The first pass, and one after the devices have come by.
fn begins(site: &Site<'_>) {
    site.apply();
    site.tenant.wait("9h");
    site.settles();
}

fn orders(tenant: &Tenant) -> usize {
    tenant.calls("method=POST&path=*/assignLicense").len()
}

#[test]
fn what_is_not_to_be_had_leaves_the_device_enrolled_says_so_and_is_given_once_it_is_free() {
    let tenant = Tenant::paused();
    let site = site(&tenant, [2, 1]);
    let (code, applied) = site.pass();
    assert_eq!(code, 1, "something is missing: {applied:#}");
    tenant.wait("9h");
    assert_eq!(site.pass().0, 1);
    for serial in SERIALS {
        assert!(site.stands(serial).starts_with("Enrolled"), "{}", site.stands(serial));
    }
    let expected = ["missing MTD_P2 ben", "assigned MTD_P2 ana", "assigned SPE_E3 ana"];
    assert_eq!(licenses(&site)[..3], expected);
    let device = site.device(SERIALS[1]);
    let failed: Vec<_> = device["licenses"]
        .as_array()
        .expect("licenses")
        .iter()
        .filter(|license| license["state"] == "failed")
        .collect();
    let why = "there is no free license MTD_P2 for user ben@example.com";
    assert!(failed.len() == 1 && text(&failed[0]["error"]).starts_with(why), "{device:#}");
    let show = site.run(&["show", SERIALS[1]]).exits(0).stdout;
    assert!(
        show.contains("SPE_E3 (assigned)") && show.contains(&format!("MTD_P2: {why}")),
        "{show}"
    );
    let told = site.run(&["why", SERIALS[1]]).exits(0).stdout;
    assert!(told.contains("ben@example.com does not have license MTD_P2"), "{told}");
    let list = site.run(&["list"]).exits(0).stdout;
    assert_eq!(list.matches("license missing").count(), 1, "{list}");

    let seq = site.place.log().len();
    assert_eq!(site.pass().0, 1);
    let more = site.place.log().len() - seq;
    assert_eq!(more, 0, "what is known is not said again");
    tenant.post("/skus", json!({"skuPartNumber": "MTD_P2", "enabled": 2}));
    site.settles();
    let all = [
        "assigned MTD_P2 ana",
        "assigned MTD_P2 ben",
        "assigned SPE_E3 ana",
        "assigned SPE_E3 ben",
    ];
    assert_eq!(licenses(&site), all);
    assert_eq!((held_by(&tenant, ANA), held_by(&tenant, BEN)), (2, 2));
    site.log_is_sound();
}

#[test]
fn a_device_that_failed_for_want_of_a_license_gets_it_once_it_is_free_and_enrolls() {
    let tenant = Tenant::paused();
    let site = Site::new(&tenant);
    let sku =
        |units: u32| json!({"skuPartNumber": "EMSPREMIUM", "enabled": units, "withIntune": true});
    site.put("standard.yaml", site.standard().with("licenses", "[EMSPREMIUM]").yaml());
    let serial = SERIALS[0];
    tenant.hardware(json!({"serialNumber": serial, "userPrincipalName": ANA}));
    tenant.patch(&format!("/users/{ANA}"), json!({"licenses": []}));
    tenant.post("/skus", sku(0));
    let device = Device::new(serial).with("platform", "windows").with("userEmail", ANA);
    let device = device.with("hardware", "{autopilotHash: aGFyZHdhcmUgaGFzaA==}");
    site.put("ana.yaml", device.yaml());
    assert_eq!(site.pass().0, 1);
    tenant.wait("40m");
    assert_eq!(site.pass().0, 1);
    assert!(site.stands(serial).starts_with("Failed"), "{}", site.stands(serial));
    assert!(orders(&tenant) == 0 && licenses(&site) == ["missing EMSPREMIUM ana"]);
    tenant.post("/skus", sku(10));
    site.pass();
    assert_eq!((orders(&tenant), licenses(&site)), (1, vec!["assigned EMSPREMIUM ana".into()]));
    let why = site.run(&["why", serial]).exits(0).stdout;
    let advice = "ana@example.com has had license EMSPREMIUM since";
    assert!(why.contains(advice) && why.contains("have the device try to enroll again"), "{why}");
    tenant.wait("2h");
    site.pass();
    assert!(site.stands(serial).starts_with("Enrolled"), "{}", site.stands(serial));
    site.log_is_sound();
}

#[test]
fn of_two_who_want_the_last_unit_one_gets_it_and_the_other_is_told() {
    let tenant = Tenant::paused();
    let site = site(&tenant, [2, 2]);
    // Somebody takes the last unit after it was counted.
    let message = "Subscription with SKU MTD_P2 does not have any available licenses.";
    tenant.fault(json!({
        "match": {"method": "POST", "path": "*/assignLicense"}, "times": 1,
        "action": {"status": 400, "code": "Request_BadRequest", "message": message},
    }));
    assert_eq!(site.pass().0, 1);
    let missing: Vec<_> =
        licenses(&site).into_iter().filter(|one| one.starts_with("missing")).collect();
    assert_eq!(missing.len(), 1, "{missing:?}");
    site.settles();
    assert_eq!((held_by(&tenant, ANA), held_by(&tenant, BEN)), (2, 2));
    assert_eq!(orders(&tenant), 5, "four, and one that was refused");
}

#[test]
fn a_license_is_never_taken_away_and_what_a_user_had_is_not_ours() {
    let tenant = Tenant::paused();
    let site = site(&tenant, [5, 5]);
    tenant.patch(&format!("/users/{BEN}"), json!({"licenses": ["SPE_E3"]}));
    begins(&site);
    let all = ["assigned MTD_P2 ana", "assigned MTD_P2 ben", "assigned SPE_E3 ana"];
    assert_eq!(licenses(&site), all, "Ben had one");
    site.put("standard.yaml", site.standard().yaml());
    site.settles();
    let expected = ["notNeeded MTD_P2 ana", "notNeeded MTD_P2 ben", "assigned SPE_E3 ana"];
    assert_eq!(licenses(&site), expected);
    let text = site.run(&["licenses"]).exits(0).stdout;
    assert!(text.contains("not needed") && text.contains("MTD_P2"), "{text}");
    assert_eq!((held_by(&tenant, ANA), held_by(&tenant, BEN)), (2, 2), "they keep it");
    assert_eq!(tenant.users_of(GROUP).len(), 2);
}

#[test]
fn a_license_that_somebody_removes_is_missing_with_the_reason_and_is_assigned_again_once() {
    let tenant = Tenant::paused();
    let site = site(&tenant, [2, 2]);
    let second = "PF3XK9Q4";
    tenant.hardware(json!({"serialNumber": second, "userPrincipalName": ANA, "enrolled": true}));
    site.put("second.yaml", Device::new(second).with("platform", "windows").yaml());
    begins(&site);
    let all = licenses(&site);
    let given = orders(&tenant);
    let somebody_removes_one =
        || tenant.patch(&format!("/users/{ANA}"), json!({"licenses": ["MTD_P2"]}));
    somebody_removes_one();

    // A look that fails says nothing of anybody.
    let user = json!({"method": "GET", "path": format!("/v1.0/users/{ANA}")});
    tenant.fault(json!({"match": user, "action": {"status": 403}}));
    let failed = site.run(&["apply", "--yes"]);
    assert!(failed.stdout.contains("the licenses of users cannot be read"), "{failed:#?}");
    tenant.heal();
    assert_eq!((licenses(&site), orders(&tenant)), (all.clone(), given));

    // The next one is killed when it assigns the license again.
    let shown = site.run(&["plan"]).exits(0).stdout;
    const WHY: &str = "somebody removed it outside Fleetform";
    assert!(shown.contains(WHY) && shown.contains("2 licenses to assign"), "{shown}");
    let post = json!({"method": "POST", "path": "*/assignLicense"});
    tenant.fault(late(post, json!({"status": 503})));
    killed_at(&site, &["apply", "--yes"], "method=POST&path=*/assignLicense");
    assert_eq!(licenses(&site)[0], "missing SPE_E3 ana");
    let listed = site.run(&["licenses"]).exits(0).stdout;
    let show = site.run(&["show", second]).exits(0).stdout;
    let told = site.run(&["why", second]).exits(0).stdout;
    assert!(listed.contains("somebody removed it"), "{listed}");
    assert!(show.contains(&format!("SPE_E3: {WHY}")), "{show}");
    assert!(told.contains(&format!("{ANA} does not have license SPE_E3: {WHY}")), "{told}");
    assert!(site.stands(second).starts_with("Enrolled"), "{}", site.stands(second));

    tenant.heal();
    site.settles();
    assert_eq!((licenses(&site), held_by(&tenant, ANA)), (all, 2));
    let taken =
        |call: &&Value| call["effect"] == true && text(&call["path"]).ends_with("/assignLicense");
    let calls = tenant.calls("method=POST&path=*/assignLicense");
    assert_eq!(calls.iter().filter(taken).count(), given + 1, "once, for both devices");

    // What was assigned a moment ago may not be visible yet.
    somebody_removes_one();
    site.is_settled();
    tenant.wait("61m");
    site.settles();
    assert_eq!(held_by(&tenant, ANA), 2);
    site.log_is_sound();
    site.keeps_its_promises();
}

#[test]
fn where_somebody_else_assigns_them_no_license_is_written() {
    let tenant = Tenant::paused();
    let site = site(&tenant, [5, 5]);
    site.configure("  licenses: groups\n");
    begins(&site);
    assert_eq!((orders(&tenant), licenses(&site)), (0, vec![]));
}

#[test]
fn killed_while_graph_is_asked_each_user_ends_with_each_license_once() {
    let post = json!({"method": "POST", "path": "*/assignLicense"});
    let query = "method=POST&path=*/assignLicense";
    let actions = [json!({}), json!({"status": 503}), json!({"cut": "before"})];
    actions.par_iter().for_each(|action| {
        let tenant = Tenant::paused();
        let site = site(&tenant, [2, 2]);
        tenant.fault(late(post.clone(), action.clone()));
        killed_at(&site, &["apply", "--yes"], query);
        let log = site.place.log();
        let kinds: Vec<_> = log.iter().map(|entry| text(&entry["kind"])).collect();
        assert!(kinds.contains(&"license.intended"), "{action}: it was announced first");
        tenant.heal();
        site.settles();
        assert_eq!((held_by(&tenant, ANA), held_by(&tenant, BEN)), (2, 2), "{action}");
        let taken = tenant.calls(query).iter().filter(|call| call["effect"] == true).count();
        assert_eq!(taken, 4, "{action}");
        site.log_is_sound();
    });
}
