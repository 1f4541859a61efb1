//! Corporate mail is blocked after 24 hours, by a mark on the device in Entra, and restored.

use rayon::prelude::*;
use serde_json::{Value, json};

use super::kills::{killed_at, late};
use crate::support::{Device, EVERYDAY, Site, Tenant, text};

const SERIAL: &str = "PF3XK9Q2";
const ATTRIBUTE: &str = "extensionAttribute7";

/// A device that is enrolled and compliant, in a tenant that lets us mark it.
fn with_marks(test: impl FnOnce(&Site<'_>)) {
    let tenant = Tenant::paused();
    let site = Site::new(&tenant);
    site.configure(&format!("  blockAttribute: {ATTRIBUTE}\n"));
    let apps = tenant.get("/apps")["apps"].take();
    let apps = apps.as_array().expect("apps");
    let app = apps.iter().find(|app| app["clientId"] == EVERYDAY.0).expect("the everyday one");
    let mut roles = app["roles"].as_array().expect("roles").clone();
    roles.push(json!("Device.ReadWrite.All"));
    tenant.put(&format!("/apps/{}", EVERYDAY.0), json!({"roles": roles}));
    site.put("standard.yaml", site.standard().yaml());
    tenant.hardware(json!({"serialNumber": SERIAL, "userPrincipalName": "ana@example.com",
        "enrolled": true}));
    tenant.post("/skus", json!({"skuPartNumber": "SPE_E3", "enabled": 5}));
    site.put("device.yaml", Device::new(SERIAL).with("platform", "windows").yaml());
    site.apply();
    tenant.wait("9h");
    tenant.becomes(SERIAL, json!({"encrypted": true}));
    site.settles();
    assert_eq!(site.stands(SERIAL), "Enrolled compliant", "{:#}", site.device(SERIAL));
    test(&site);
    site.log_is_sound();
    site.keeps_its_promises();
}

/// What the attribute says now.
fn attribute(site: &Site<'_>) -> Value {
    site.tenant.device(SERIAL)["entra"]["extensionAttributes"][ATTRIBUTE].clone()
}

/// What the log says of access, and what became of it.
fn access(site: &Site<'_>) -> Vec<String> {
    let log = site.place.log();
    let kinds = log.iter().map(|entry| text(&entry["kind"]));
    kinds.filter_map(|kind| kind.strip_prefix("access.")).map(str::to_owned).collect()
}

/// It stops being compliant, and a day less an hour goes by.
fn fails(site: &Site<'_>) {
    site.tenant.becomes(SERIAL, json!({"encrypted": false}));
    site.settles();
    assert_eq!(site.stands(SERIAL), "Enrolled nonCompliant", "{:#}", site.device(SERIAL));
    site.tenant.wait("23h");
    site.settles();
}

fn recovers(site: &Site<'_>) {
    site.tenant.wait("10m");
    site.tenant.becomes(SERIAL, json!({"encrypted": true}));
}

/// How often the attribute was written.
fn writes(site: &Site<'_>) -> usize {
    let calls = site.tenant.calls("method=PATCH&path=*/devices/*");
    calls.iter().filter(|call| call["effect"] == true).count()
}

#[test]
fn a_device_is_marked_after_24_hours_and_freed_in_the_first_pass_after_it_is_compliant() {
    with_marks(|site| {
        fails(site);
        assert_eq!(attribute(site), Value::Null, "it has not been 24 hours");
        site.tenant.wait("1h");
        site.settles();
        assert_eq!(attribute(site), "fleet-blocked");
        assert_eq!(access(site), ["intended", "blocked"]);
        site.tenant.wait("9h");
        site.settles();
        assert_eq!(writes(site), 1, "it is written once");
        recovers(site);
        site.settles();
        assert_eq!(attribute(site), Value::Null);
        assert_eq!(access(site), ["intended", "blocked", "intended", "restored"]);
        assert_eq!(writes(site), 2);
    });
}

#[test]
fn a_value_of_others_is_left_alone_and_that_nobody_is_blocked_is_said() {
    with_marks(|site| {
        let others = json!({"extensionAttributes": {ATTRIBUTE: "tier-0"}});
        site.tenant.patch(&format!("/hardware/{SERIAL}"), others);
        fails(site);
        site.tenant.wait("1h");
        site.pass();
        assert_eq!(access(site), ["intended", "failed"]);
        let plan = site.plan();
        let holds = plan["holds"].as_array().expect("holds");
        let said = |hold: &Value| text(&hold["detail"]).contains("\"tier-0\"");
        assert!(holds.iter().any(said), "{plan:#}");
        site.tenant.wait("9h");
        site.pass();
        assert_eq!(access(site), ["intended", "failed"], "it is not tried again");
        is_not_blocked(site);
        recovers(site);
        site.pass();
        assert_eq!(attribute(site), "tier-0");
        assert_eq!(writes(site), 0);
    });
}

/// What is said is what happened.
fn is_not_blocked(site: &Site<'_>) {
    let show = site.run(&["show", SERIAL]).exits(0).stdout;
    assert!(show.contains("block due since") && show.contains("failed ("), "{show}");
    let list = site.run(&["list"]).exits(0).stdout;
    assert!(list.contains("block failed") && !list.contains("blocked"), "{list}");
}

#[test]
fn without_its_permission_it_is_tried_again_until_it_is_given() {
    with_marks(|site| {
        let refused = json!({"match": {"method": "PATCH", "path": "*/devices/*"},
            "action": {"status": 403}});
        site.tenant.fault(refused);
        fails(site);
        site.tenant.wait("1h");
        let (code, applied) = site.pass();
        assert_eq!((code, &applied["done"]["blockAccess"]), (1, &Value::Null), "{applied:#}");
        assert_eq!(access(site), ["intended", "failed"]);
        assert_eq!(attribute(site), Value::Null);
        is_not_blocked(site);
        site.tenant.heal();
        site.tenant.wait("9h");
        site.settles();
        assert_eq!(attribute(site), "fleet-blocked");
    });
}

#[test]
fn killed_while_graph_is_asked_a_device_ends_marked_and_ends_free() {
    let patch = json!({"method": "PATCH", "path": "*/devices/*"});
    let query = "method=PATCH&path=*/devices/*";
    let actions = [json!({}), json!({"status": 503}), json!({"cut": "before"})];
    actions.par_iter().for_each(|action| {
        with_marks(|site| {
            fails(site);
            site.tenant.wait("1h");
            site.tenant.fault(late(patch.clone(), action.clone()));
            killed_at(site, &["apply", "--yes"], query);
            assert_eq!(access(site), ["intended"], "{action}: it was announced first");
            site.tenant.heal();
            site.settles();
            assert_eq!(attribute(site), "fleet-blocked", "{action}");
            recovers(site);
            site.tenant.fault(late(patch.clone(), action.clone()));
            killed_at(site, &["apply", "--yes"], query);
            site.tenant.heal();
            site.settles();
            assert_eq!(attribute(site), Value::Null, "{action}");
            assert_eq!(writes(site), 2, "{action}: each is written once");
            let told = access(site);
            assert_eq!(told.iter().filter(|kind| *kind == "blocked").count(), 1, "{told:?}");
            assert_eq!(told.iter().filter(|kind| *kind == "restored").count(), 1, "{told:?}");
        });
    });
}
