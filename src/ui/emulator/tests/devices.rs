//! Devices join, check in, and are shown.

use serde_json::json;

use super::*;

const IMPORT: &str = "/v1.0/deviceManagement/importedWindowsAutopilotDeviceIdentities";
const REGISTERED: &str = "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities";
const IDENTITIES: &str = "/beta/deviceManagement/importedDeviceIdentities";

fn license(world: &mut World, upn: &str) {
    let body = json!({"licenses": ["SPE_E3"]});
    world.control("PATCH", &format!("/users/{upn}"), &body);
}

fn import(world: &mut World, serial: &str) -> String {
    let body = json!({"importedWindowsAutopilotDeviceIdentities": [{
        "serialNumber": serial, "hardwareIdentifier": "aGFzaA==", "groupTag": "Standard",
        "assignedUserPrincipalName": "ann@contoso.com",
    }]});
    let imported = world.post(&format!("{IMPORT}/import"), &body);
    imported["value"][0]["id"].as_str().unwrap().to_owned()
}

fn identify(world: &mut World, kind: &str, value: &str) {
    let body = json!({
        "importedDeviceIdentities":
            [{"importedDeviceIdentityType": kind, "importedDeviceIdentifier": value}],
        "overwriteImportedDeviceIdentities": false,
    });
    world.post(&format!("{IDENTITIES}/importDeviceIdentityList"), &body);
}

fn serials(world: &mut World) -> Vec<String> {
    let mut serials = each(&world.get(MANAGED), "serialNumber");
    serials.sort();
    serials
}

#[test]
fn a_laptop_joins_once_it_is_registered_and_its_user_has_a_license() {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "W1", "userPrincipalName": "ann@contoso.com"}));
    world.pass("3h");
    assert!(serials(&mut world).is_empty(), "nobody has registered it");
    let id = import(&mut world, "W1");
    let state = |world: &mut World| {
        let import = world.get(&format!("{IMPORT}/{id}"));
        import["state"]["deviceImportStatus"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(&mut world), "unknown");
    world.pass("2m");
    assert_eq!(state(&mut world), "pending");
    world.pass("3m");
    assert_eq!(state(&mut world), "complete");
    world.pass("10m");
    let troubles = world.get("/v1.0/deviceManagement/troubleshootingEvents");
    assert_eq!(each(&troubles, "failureReason"), ["UserNotLicensed"]);
    assert!(serials(&mut world).is_empty());
    license(&mut world, "ann@contoso.com");
    for _ in 0..10 {
        if serials(&mut world).is_empty() {
            world.pass("1m");
        }
    }
    assert_eq!(serials(&mut world), ["W1"]);
    let device = world.device("W1");
    assert_eq!(device["managedDeviceOwnerType"], "company");
    assert_eq!(device["complianceState"], "unknown", "it has not checked in");
    world.pass("3m");
    assert_eq!(world.device("W1")["complianceState"], "compliant");
    let registered = world.get(REGISTERED);
    assert_eq!(each(&registered, "enrollmentState"), ["enrolled"]);
    assert_eq!(each(&registered, "managedDeviceId"), [world.device_id("W1")]);
    assert_eq!(each(&registered, "groupTag"), ["Standard"]);
}

#[test]
fn an_import_that_fails_says_why() {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "W1", "registered": true}));
    world.hardware(json!({"serialNumber": "W2", "elsewhere": true}));
    let expected = [("W1", "ZtdDeviceAlreadyAssigned"), ("W2", "ZtdDeviceAssignedToOtherTenant")];
    for (serial, name) in expected {
        let id = import(&mut world, serial);
        world.pass("10m");
        let state = world.get(&format!("{IMPORT}/{id}"))["state"].clone();
        assert_eq!(
            (&state["deviceImportStatus"], &state["deviceErrorName"]),
            (&json!("error"), &json!(name))
        );
    }
}

#[test]
fn a_phone_joins_as_the_companys_once_it_is_listed_and_else_as_its_owners() {
    let mut world = World::new();
    for upn in ["ann@contoso.com", "bob@contoso.com"] {
        world.control("POST", "/users", &json!({"userPrincipalName": upn, "licenses": ["EMS"]}));
    }
    world.hardware(
        json!({"serialNumber": "P1", "platform": "ios", "userPrincipalName": "ann@contoso.com"}),
    );
    world.hardware(json!({
        "serialNumber": "P2", "platform": "android", "personal": true,
        "userPrincipalName": "bob@contoso.com",
    }));
    world.pass("1h");
    assert_eq!(serials(&mut world), ["P2"]);
    assert_eq!(world.device("P2")["managedDeviceOwnerType"], "personal");
    identify(&mut world, "serialNumber", "P1");
    world.pass("10m");
    assert_eq!(serials(&mut world), ["P1", "P2"]);
    assert_eq!(world.device("P1")["managedDeviceOwnerType"], "company");
    let listed = world.get(IDENTITIES);
    assert_eq!(each(&listed, "enrollmentState"), ["enrolled"]);
    assert_eq!(each(&listed, "platform"), ["ios"]);
}

#[test]
fn a_laptop_without_a_hash_joins_by_manufacturer_model_and_serial() {
    let mut world = World::new();
    world.control(
        "POST",
        "/users",
        &json!({"userPrincipalName": "ann@contoso.com", "licenses": ["SPE_E5"]}),
    );
    world.hardware(json!({
        "serialNumber": "W.1", "manufacturer": "Contoso", "model": "Book 5",
        "userPrincipalName": "ann@contoso.com",
    }));
    identify(&mut world, "manufacturerModelSerial", "Contoso,Book 6,W1");
    world.pass("1h");
    assert!(serials(&mut world).is_empty(), "that is another model");
    identify(&mut world, "manufacturerModelSerial", "contoso,book 5,W1");
    world.pass("10m");
    assert_eq!(world.device("W.1")["managedDeviceOwnerType"], "company");
}

#[test]
fn a_sync_brings_a_device_within_minutes_and_only_if_it_is_online() {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "W1", "enrolled": true}));
    world.hardware(json!({"serialNumber": "W2", "enrolled": true}));
    world.pass("24h");
    world.control("PATCH", "/hardware/W2", &json!({"online": false}));
    let before = [world.device("W1"), world.device("W2")].map(|d| d["lastSyncDateTime"].clone());
    for serial in ["W1", "W2"] {
        let id = world.device_id(serial);
        let answer = world.call("POST", &format!("{MANAGED}/{id}/syncDevice"), None);
        assert_eq!(answer.status, 204);
    }
    world.pass("2m");
    let after = [world.device("W1"), world.device("W2")].map(|d| d["lastSyncDateTime"].clone());
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1], after[1]);
}

#[test]
fn only_a_device_alone_shows_its_actions_and_notes() {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "W1", "enrolled": true}));
    let id = world.device_id("W1");
    world.call("PATCH", &format!("{MANAGED}/{id}"), Some(&json!({"notes": "at the desk"})));
    world.call("POST", &format!("{MANAGED}/{id}/remoteLock"), None);
    let list = world.get(MANAGED)["value"][0].clone();
    assert_eq!((&list["deviceActionResults"], &list["notes"]), (&json!([]), &json!(null)));
    let alone = world.device("W1");
    assert_eq!(alone["deviceActionResults"][0]["actionName"], "remoteLock");
    assert_eq!(alone["notes"], "at the desk");
}

#[test]
fn a_lost_record_is_gone_and_a_duplicate_has_the_same_serial() {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "W1", "enrolled": true}));
    world.pass("1h");
    world.control("POST", "/hardware/W1/duplicate", &json!(null));
    assert_eq!(serials(&mut world), ["W1", "W1"]);
    world.control("POST", "/hardware/W1/lose", &json!(null));
    assert_eq!(serials(&mut world), ["W1"], "the older one stays");
    let state = world.control("GET", "/state", &json!(null));
    assert_eq!(state["accepted"], json!([]));
}

#[test]
fn a_day_passes_in_one_call_with_all_its_check_ins() {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "W1", "enrolled": true}));
    world.pass("24h");
    // Every 3 minutes for 15, every 15 for 2 hours, then every 8 hours.
    assert_eq!(world.device("W1")["lastSyncDateTime"], "2026-11-27T02:15:00Z");
}

#[test]
fn devices_that_were_enrolled_long_ago_check_in_every_eight_hours_each_at_its_own_time() {
    let mut world = World::new();
    let given = json!({
        "serialNumber": "W", "count": 20, "enrolled": true, "enrolledDaysAgo": 30,
    });
    world.hardware(given);
    assert_eq!(world.device("W000000")["enrolledDateTime"], "2026-10-27T08:00:00Z");
    world.pass("8h");
    let synced = each(&world.get(MANAGED), "lastSyncDateTime");
    assert!(synced.iter().all(|time| time.as_str() > "2026-11-26T08:00:00Z"), "{synced:?}");
    assert!(BTreeSet::from_iter(&synced).len() > 15, "{synced:?}");
}
