//! Users, licenses, groups and their members.

use serde_json::json;

use super::*;

const GROUP: &str = "0f3c0000-0000-4000-8000-000000000001";

fn world() -> World {
    let mut world = World::new();
    world.control("POST", "/users", &json!({"userPrincipalName": "ann@contoso.com"}));
    world.control("POST", "/groups", &json!({"id": GROUP, "displayName": "Standard"}));
    world
}

fn user_id(world: &mut World, upn: &str) -> String {
    world.get(&format!("/v1.0/users/{upn}"))["id"].as_str().unwrap().to_owned()
}

fn reference(id: &str) -> Value {
    json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}")})
}

#[test]
fn a_license_needs_a_location_and_a_free_unit_and_a_product() {
    let mut world = world();
    world.control("POST", "/skus", &json!({"skuPartNumber": "SPE_E3", "enabled": 1}));
    world.control("POST", "/users", &json!({"userPrincipalName": "bob@contoso.com"}));
    world.control(
        "POST",
        "/users",
        &json!({"userPrincipalName": "eve@contoso.com", "usageLocation": null}),
    );
    let skus = world.get("/v1.0/subscribedSkus");
    let sku = skus["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["skuPartNumber"] == "SPE_E3")
        .unwrap();
    let sku = sku["skuId"].as_str().unwrap().to_owned();
    let mut assign = |upn: &str, sku: &str| {
        let body =
            json!({"addLicenses": [{"skuId": sku, "disabledPlans": []}], "removeLicenses": []});
        error(&world.call("POST", &format!("/v1.0/users/{upn}/assignLicense"), Some(&body)))
    };
    let (status, message) = assign("eve@contoso.com", &sku);
    assert!(status == 400 && message.contains("usage location"), "{message}");
    assert_eq!(assign("ann@contoso.com", &sku).0, 200);
    assert_eq!(assign("ann@contoso.com", &sku).0, 200, "again changes nothing");
    let (status, message) = assign("bob@contoso.com", &sku);
    assert!(status == 400 && message.contains("does not have any available licenses"), "{message}");
    let (status, message) = assign("bob@contoso.com", GROUP);
    assert!(status == 400 && message.contains("valid company License"), "{message}");
    let user = world.get("/v1.0/users/ANN@contoso.com?$select=assignedLicenses,usageLocation");
    assert_eq!(user["assignedLicenses"], json!([{"skuId": sku, "disabledPlans": []}]));
    let users = world.get("/v1.0/users?$select=userPrincipalName,assignedLicenses&$top=999");
    let with = |upn: &str| {
        let mut users = users["value"].as_array().unwrap().iter();
        let user = users.find(|user| user["userPrincipalName"] == upn).unwrap();
        (user.as_object().unwrap().len(), user["assignedLicenses"].as_array().unwrap().len())
    };
    assert_eq!((with("ann@contoso.com"), with("bob@contoso.com")), ((2, 1), (2, 0)));
    let usual = world.get("/v1.0/users");
    assert!(usual["value"][0]["assignedLicenses"].is_null(), "{usual}");
    let skus = world.get("/v1.0/subscribedSkus");
    let sku = skus["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["skuPartNumber"] == "SPE_E3")
        .unwrap();
    assert_eq!((&sku["consumedUnits"], &sku["prepaidUnits"]["enabled"]), (&json!(1), &json!(1)));
}

#[test]
fn a_member_is_added_once_and_removed_once() {
    let mut world = world();
    let ann = user_id(&mut world, "ann@contoso.com");
    let members = format!("/v1.0/groups/{GROUP}/members");
    let add = |world: &mut World, group: &str, id: &str| {
        let address = format!("/v1.0/groups/{group}/members/$ref");
        error(&world.call("POST", &address, Some(&reference(id))))
    };
    assert_eq!(add(&mut world, GROUP, &ann).0, 204);
    let (status, message) = add(&mut world, GROUP, &ann);
    assert!(status == 400 && message.contains("already exist"), "{message}");
    assert_eq!(add(&mut world, GROUP, "nobody").0, 404);
    assert_eq!(add(&mut world, "nothing", &ann).0, 404);
    let all = world.get(&members);
    assert_eq!(each(&all, "@odata.type"), ["#microsoft.graph.user"]);
    let selected = world.get(&format!("{members}?$select=id"));
    assert_eq!(each(&selected, "id"), std::slice::from_ref(&ann));
    let remove = format!("{members}/{ann}/$ref");
    assert_eq!(world.call("DELETE", &remove, None).status, 204);
    assert_eq!(world.call("DELETE", &remove, None).status, 404);
    assert_eq!(world.get(&members)["value"], json!([]));
}

#[test]
fn a_reference_is_an_address_of_graph() {
    let mut world = world();
    let ann = user_id(&mut world, "ann@contoso.com");
    for address in ["", "nonsense", &ann, &format!("https://graph.microsoft.com/v1.0/groups/{ann}")]
    {
        let body = json!({"@odata.id": address});
        let answer = world.call("POST", &format!("/v1.0/groups/{GROUP}/members/$ref"), Some(&body));
        assert_eq!(answer.status, 400, "{address}");
    }
}

#[test]
fn a_member_may_not_be_seen_at_once_but_counts_at_once() {
    let mut world = world();
    world.control("PATCH", "/settings", &json!({"consistencyLagSeconds": 60.0}));
    let ann = user_id(&mut world, "ann@contoso.com");
    let members = format!("/v1.0/groups/{GROUP}/members");
    world.post(&format!("{members}/$ref"), &reference(&ann));
    assert_eq!(world.get(&members)["value"], json!([]));
    let again = world.call("POST", &format!("{members}/$ref"), Some(&reference(&ann)));
    assert_eq!(again.status, 400, "the write knows what the read does not");
    world.pass("60s");
    assert_eq!(each(&world.get(&members), "id"), [ann]);
}

#[test]
fn applications_and_the_organization_are_there() {
    let mut world = world();
    let principal = world.get(&format!("/v1.0/servicePrincipals(appId='{EVERYDAY}')"));
    assert_eq!(principal["appId"], EVERYDAY);
    let id = principal["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/v1.0/servicePrincipals/{id}"))["appId"], EVERYDAY);
    let organization = world.get("/v1.0/organization?$select=id,displayName");
    assert_eq!(organization["value"][0]["id"], json!(world.tenant.id));
}

#[test]
fn an_extension_attribute_of_a_device_is_changed_alone_and_the_audit_log_says_who() {
    let mut world = world();
    world.hardware(json!({"serialNumber": "A1", "enrolled": true}));
    world.grant("writer", EVERYDAY, &["Device.ReadWrite.All", "AuditLog.Read.All"]);
    let shown = world.control("GET", "/hardware/A1", &Value::Null);
    let id = shown["entra"]["id"].as_str().unwrap().to_owned();
    let address = format!("/v1.0/devices/{id}");
    let mut patch = |body: Value| {
        let request = World::request("writer", "PATCH", &address, Some(&body));
        world.send(&request).answer.status
    };
    let set = |name: &str, value: Value| json!({"extensionAttributes": {name: value}});
    assert_eq!(patch(set("extensionAttribute1", json!("one"))), 204);
    assert_eq!(patch(set("extensionAttribute15", json!("fifteen"))), 204);
    assert_eq!(patch(set("extensionAttribute1", Value::Null)), 204);
    for bad in [
        set("extensionAttribute16", json!("x")),
        set("extensionAttribute2", json!(2)),
        set("extensionAttribute2", json!("x".repeat(1025))),
        json!({"displayName": "mine"}),
        json!({}),
    ] {
        assert_eq!(patch(bad.clone()), 400, "{bad}");
    }
    let mut get = |address: &str| {
        let request = World::request("writer", "GET", address, None);
        world.send(&request).answer.body.unwrap()
    };
    let device = get(&format!("{address}?$select=id,extensionAttributes"));
    assert_eq!(device["extensionAttributes"]["extensionAttribute1"], Value::Null);
    assert_eq!(device["extensionAttributes"]["extensionAttribute15"], "fifteen");
    assert_eq!(device["extensionAttributes"].as_object().unwrap().len(), 15);
    let events = get("/v1.0/auditLogs/directoryAudits?$orderby=activityDateTime%20desc");
    let events = events["value"].as_array().unwrap();
    assert_eq!(events.len(), 3, "{events:#?}");
    for event in events {
        assert_eq!(event["targetResources"][0]["id"], json!(id));
        assert_eq!(event["initiatedBy"]["app"]["appId"], EVERYDAY);
    }
}
