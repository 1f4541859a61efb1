//! `import intune`: devices that are in a tenant become manifests, and nothing changes there.

use serde_json::json;

use crate::support::{Dice, Site, Tenant, number};

const IMPORT: [&str; 4] = ["import", "intune", "--profile", "Standard"];

/// Random tenants: after an import the plan is only to record what is there, and after it is applied
/// nothing is left to do, nothing was enrolled anew, and a second import changes nothing.
#[test]
fn what_is_in_intune_is_taken_over_as_it_is() {
    let seeds = number("IMPORT_SEED").map_or(0..3, |seed| seed..seed + 1);
    for seed in seeds {
        let mut dice = Dice(seed);
        let tenant = Tenant::paused();
        let site = Site::new(&tenant);
        site.put("standard.yaml", site.standard().yaml());
        let devices = 1 + dice.below(5);
        for n in 0..devices {
            let all = ["windows", "macos", "ios", "android"];
            let platform = all[usize::try_from(dice.below(4)).expect("small")];
            let version = if platform == "windows" { "10.0.26100.2314" } else { "18.1.1" };
            tenant.hardware(json!({
                "serialNumber": format!("PF3XK9Q{n}"), "platform": platform, "enrolled": true,
                "userPrincipalName": format!("user{}@contoso.com", dice.below(3)),
                "personal": dice.below(4) == 0, "facts": {"osVersion": version},
            }));
        }
        let before = tenant.last_call();
        let import = || site.run(&[&IMPORT[..], &["-o", "json"]].concat()).exits(0).json();
        let done = import();
        assert_eq!(done["summary"]["added"], devices, "{done}");
        assert_eq!(tenant.written(before), [""; 0], "an import writes nothing");
        site.run(&["check"]).exits(0);
        site.run(&["fmt", "--check", "fleet/devices"]).exits(0);

        let plan = site.plan();
        let actions = plan["actions"].as_array().expect("actions");
        let is = |kind: &str| actions.iter().filter(|action| action["action"] == kind).count();
        assert_eq!(is("provision") as u64, devices, "{plan:#}");
        assert_eq!((is("wipe"), is("orphan"), is("update")), (0, 0, 0), "{plan:#}");
        site.apply();
        let enrolls = |call: &&String| call.contains("dentit") || call.ends_with("/wipe");
        let written = tenant.written(before);
        assert_eq!(written.iter().filter(enrolls).count(), 0, "{written:?}");
        tenant.wait("9h");
        site.settles();

        let again = import();
        assert_eq!(again["summary"]["unchanged"], devices, "{again}");
        assert_eq!(again["files"], json!([]));
        site.is_settled();
    }
}

#[test]
fn of_a_list_that_is_not_whole_nothing_is_taken() {
    let tenant = Tenant::paused();
    let site = Site::new(&tenant);
    site.put("standard.yaml", site.standard().yaml());
    tenant.hardware(json!({"serialNumber": "PF3XK9Q1", "enrolled": true,
        "userPrincipalName": "ana@contoso.com"}));
    tenant.fault(json!({"match": {"method": "GET", "path": "*/managedDevices*"}, "times": 20,
        "action": {"status": 403}}));
    site.run(&IMPORT).exits(1);
    assert!(!site.place.path("fleet/devices").exists());
    tenant.heal();
    site.run(&IMPORT).exits(0);
    assert!(site.place.path("fleet/devices/ana-pf3xk9q1.yaml").exists());
    site.run(&["import", "intune", "list.csv"]).exits(1).complains(&["takes no file"]);
    // Without a tenant nobody is asked.
    site.place.run(&["import", "intune"]).exits(1).complains(&["no tenant of Intune"]);
}
