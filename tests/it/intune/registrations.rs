//! Two app registrations that never mix, and no way to delete a managed device.

use std::fs;

use serde_json::{Value, json};

use super::wipes::{SERIAL, ends_wiped, with_enrolled};
use crate::architecture::{root, rust_files};
use crate::support::{EVERYDAY, Site, WIPING, text};

const PRIVILEGED: &str = "DeviceManagementManagedDevices.PrivilegedOperations.All";

fn allow(site: &Site<'_>, app: &str, roles: &[Value]) {
    site.tenant.put(&format!("/apps/{app}"), json!({"roles": roles}));
}

/// What both registrations may do together.
fn every_role(site: &Site<'_>) -> Vec<Value> {
    let apps = site.tenant.get("/apps")["apps"].as_array().expect("apps").clone();
    apps.iter().flat_map(|app| app["roles"].as_array().expect("roles").clone()).collect()
}

#[test]
fn with_every_right_each_registration_makes_its_own_calls_only() {
    with_enrolled(&json!({}), |site, _| {
        for app in [EVERYDAY.0, WIPING.0] {
            allow(site, app, &every_role(site));
        }
        site.place.replace("fleet/device.yaml", "ana@example.com", "ben@example.com");
        site.tenant.post("/users", json!({"userPrincipalName": "ben@example.com"}));
        site.settles();
        site.request(SERIAL, "full");
        site.apply();
        ends_wiped(site, "with every right");
        let called = |app: &str| {
            let calls = site.tenant.calls(&format!("app={app}"));
            calls.iter().map(|call| text(&call["path"]).to_owned()).collect::<Vec<_>>()
        };
        let destroys = |path: &String| path.ends_with("/wipe") || path.ends_with("/retire");
        let is_graph = |path: &&String| !path.ends_with("/token");
        let (everyday, wiping) = (called(EVERYDAY.0), called(WIPING.0));
        assert!(everyday.len() > 10 && !everyday.iter().any(destroys), "{everyday:?}");
        assert!(wiping.iter().filter(is_graph).all(destroys), "{wiping:?}");
        assert_eq!(wiping.iter().filter(is_graph).count(), 1, "{wiping:?}");
    });
}

#[test]
fn a_wiping_registration_without_its_permission_wipes_nothing_and_says_which_one_it_needs() {
    with_enrolled(&json!({}), |site, _| {
        let every = every_role(site);
        allow(site, WIPING.0, &[]);
        // That the other one could does not help.
        allow(site, EVERYDAY.0, &every);
        site.request(SERIAL, "full");
        let output = site.run(&["apply", "--yes"]).exits(1);
        assert!(output.stdout.contains(PRIVILEGED), "{output:#?}");
        let (_, _, why) = site.wipe();
        assert!(why.contains("403") && why.contains("permission"), "{why}");
        assert_eq!(site.tenant.accepted().len(), 0);
        allow(site, WIPING.0, &[PRIVILEGED.into()]);
        ends_wiped(site, "with its permission");
    });
}

#[test]
fn without_a_wiping_registration_every_request_is_held_with_that_reason() {
    with_enrolled(&json!({}), |site, _| {
        let config = site.place.read("etc/fleetform.yaml");
        let without: Vec<&str> = config.lines().filter(|line| !line.contains("wipeApp")).collect();
        site.place.write("etc/fleetform.yaml", without.join("\n"));
        site.request(SERIAL, "full");
        site.pass();
        let (standing, code, why) = site.wipe();
        assert_eq!((&*standing, &*code), ("held", "providerCannotWipe"), "{why}");
        assert!(why.contains("provider.wipeApp"), "{why}");
        site.place.write("etc/fleetform.yaml", config);
        ends_wiped(site, "with a wiping registration");
    });
}

/// All of the provider that could delete something: each place says what it deletes.
#[test]
fn no_line_of_the_provider_can_delete_a_managed_device() {
    let folder = root().join("src/edges/provider/intune");
    let mut deletes = Vec::new();
    for path in rust_files(&folder) {
        let shown = path.strip_prefix(&folder).expect("below it").display().to_string();
        if shown.contains("tests") || shown == "testing.rs" {
            continue;
        }
        let text = fs::read_to_string(&path).expect("readable source");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let code = line.trim();
            if code.starts_with("//") {
                continue;
            }
            let deletes_here = code.contains("Call::delete(");
            assert!(
                !deletes_here || code.contains("/groups/") || code.contains("{IMPORTED}/"),
                "{shown}:{}: what it deletes is not known to be harmless: {code}",
                number + 1
            );
            if deletes_here {
                deletes.push(code.to_owned());
            }
            let raw = ["\"DELETE\"", "Method::Delete", "fn delete"];
            let elsewhere = raw.iter().any(|word| code.contains(word));
            let in_graph = shown.starts_with("graph/");
            assert!(!elsewhere || in_graph, "{shown}:{}: {code}", number + 1);
        }
    }
    assert_eq!(deletes.len(), 2, "members of groups, and imports that failed: {deletes:#?}");
}
