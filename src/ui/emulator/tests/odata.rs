//! Pages, selections, filters and batches.

use serde_json::json;

use super::*;

fn fleet(count: usize) -> World {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "S", "count": count, "enrolled": true}));
    world
}

/// All entries of all pages, following links to the letter, and how many pages there were.
fn walk(world: &mut World, address: &str) -> (Vec<String>, usize) {
    let (mut ids, mut pages) = (Vec::new(), 0);
    let mut next = Some(address.to_owned());
    while let Some(address) = next {
        let page = world.get(&address);
        ids.extend(each(&page, "id"));
        pages += 1;
        assert!(pages < 1000, "the links of {address} lead in a circle");
        let link = page["@odata.nextLink"].as_str();
        next = link.map(|link| link.strip_prefix("http://localhost:1").unwrap().to_owned());
    }
    (ids, pages)
}

#[test]
fn every_way_of_paging_gives_each_device_once() {
    let mut world = fleet(25);
    for (query, pages) in [
        ("", 1),
        ("?$top=10", 3),
        ("?$top=5", 5),
        ("?$top=7&$count=true", 4),
        ("?$top=7&$orderby=deviceName%20desc", 4),
        ("?$top=7&$orderby=lastSyncDateTime", 4),
        ("?$select=id&$top=12", 3),
        ("?$filter=operatingSystem%20eq%20'Windows'&$top=10", 3),
    ] {
        let (ids, seen) = walk(&mut world, &format!("{MANAGED}{query}"));
        assert_eq!(seen, pages, "{query}");
        assert_eq!(ids.len(), 25, "{query}");
        assert_eq!(BTreeSet::from_iter(ids).len(), 25, "{query}");
    }
    world.control("PATCH", "/settings", &json!({"pageSize": 4}));
    let (ids, pages) = walk(&mut world, MANAGED);
    assert_eq!((ids.len(), pages), (25, 7));
    let (ids, _) = walk(&mut world, &format!("{MANAGED}?$skip=20"));
    assert_eq!(ids.len(), 5);
}

#[test]
fn every_collection_comes_in_pages_each_entry_once() {
    let mut world = fleet(7);
    let group = json!({"id": "g", "displayName": "Standard"});
    world.control("POST", "/groups", &group);
    for n in 0..6 {
        let member = format!("/groups/g/members/user00{n}@contoso.com");
        world.control("PUT", &member, &json!(null));
        world.control("POST", "/groups", &json!({"displayName": format!("Group {n}")}));
        let policy = json!({"kind": "deviceConfigurations", "displayName": format!("{n}")});
        world.control("POST", "/policies", &policy);
        let id = world.device_id(&format!("S00000{n}"));
        world.call("POST", &format!("{MANAGED}/{id}/rebootNow"), None);
    }
    for address in [
        "/v1.0/devices",
        "/v1.0/groups",
        "/v1.0/groups/g/members",
        "/v1.0/subscribedSkus",
        "/v1.0/deviceManagement/deviceConfigurations",
        "/v1.0/deviceManagement/auditEvents",
    ] {
        let all = each(&world.get(address), "id");
        assert!(all.len() >= 5, "{address}: {all:?}");
        for size in [1, 2, 3, 5] {
            let (paged, _) = walk(&mut world, &format!("{address}?$top={size}"));
            assert_eq!(paged, all, "{address} by {size}");
        }
    }
}

#[test]
fn devices_that_come_and_go_between_pages_move_no_others() {
    let mut world = fleet(20);
    let (all, _) = walk(&mut world, MANAGED);
    let first = world.get(&format!("{MANAGED}?$top=10"));
    let serial = first["value"][0]["serialNumber"].as_str().unwrap();
    world.control("POST", &format!("/hardware/{serial}/lose"), &json!(null));
    let link =
        first["@odata.nextLink"].as_str().unwrap().strip_prefix("http://localhost:1").unwrap();
    let (rest, _) = walk(&mut world, link);
    assert_eq!(each(&first, "id"), all[..10]);
    assert_eq!(rest, all[10..]);
}

#[test]
fn a_dropped_page_is_missing() {
    let mut world = fleet(20);
    let rule =
        json!({"match": {"path": "*/managedDevices"}, "times": 1, "action": {"dropPage": true}});
    world.control("POST", "/faults", &rule);
    let (ids, pages) = walk(&mut world, &format!("{MANAGED}?$top=5"));
    assert_eq!((ids.len(), pages), (15, 3));
}

#[test]
fn a_selection_gives_what_it_names_and_nothing_else() {
    let mut world = fleet(1);
    let page = world.get(&format!("{MANAGED}?$select=serialNumber,complianceState"));
    assert_eq!(page["value"], json!([{"serialNumber": "S", "complianceState": "compliant"}]));
}

#[test]
fn a_count_is_of_all_that_match() {
    let mut world = fleet(12);
    let query = "?$count=true&$top=5&$filter=contains(deviceName,'S00000')";
    let page = world.get(&format!("{MANAGED}{query}"));
    assert_eq!((&page["@odata.count"], page["value"].as_array().unwrap().len()), (&json!(10), 5));
}

#[test]
fn what_cannot_be_asked_is_refused_and_says_why() {
    let mut world = fleet(1);
    for (query, why) in [
        ("$select=serial", "property named 'serial'"),
        ("$filter=serial eq '1'", "property named 'serial'"),
        ("$filter=isEncrypted eq true", "not supported for the property 'isEncrypted'"),
        ("$filter=serialNumber gt '1'", "not supported for the property 'serialNumber'"),
        ("$filter=serialNumber eq '1' or operatingSystem eq 'iOS'", "combined with 'and'"),
        ("$filter=serialNumber", "Invalid filter clause"),
        ("$orderby=model", "Ordering by 'model'"),
        ("$top=0", "$top"),
        ("$skip=-1", "$skip"),
        ("$count=maybe", "$count"),
        ("$expand=apps", "property named 'apps'"),
        ("$search=x", "'$search' is not supported"),
        ("$skiptoken=x", "skip token"),
    ] {
        let query = query.replace(' ', "%20");
        let (status, message) = error(&world.call("GET", &format!("{MANAGED}?{query}"), None));
        assert_eq!(status, 400, "{query}");
        assert!(message.contains(why), "{query}: {message}");
    }
}

#[test]
fn a_batch_answers_each_part_for_itself() {
    let mut world = fleet(1);
    let id = world.device_id("S");
    let post = |id: &str, url: String| json!({"id": id, "method": "POST", "url": url, "headers": {"Content-Type": "application/json"}, "body": {}});
    let parts = json!({"requests": [
        {"id": "1", "method": "GET", "url": format!("/deviceManagement/managedDevices/{id}?$select=id")},
        post("2", format!("/deviceManagement/managedDevices/{id}/syncDevice")),
        {"id": "3", "method": "GET", "url": "/deviceManagement/managedDevices/nothing"},
        {"id": "4", "method": "GET", "url": "/deviceManagement/managedDevices", "dependsOn": ["3"]},
    ]});
    let answer = world.post("/v1.0/$batch", &parts);
    let statuses: std::collections::BTreeMap<_, _> = answer["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["id"].as_str().unwrap().to_owned(), part["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(Vec::from_iter(statuses.into_values()), [200, 204, 404, 424]);
    let calls = world.control("GET", "/calls", &json!(null));
    let parts: Vec<_> =
        calls["calls"].as_array().unwrap().iter().map(|call| call["part"].clone()).collect();
    assert_eq!(parts, [json!("1"), json!("2"), json!("3"), json!(null)], "and the batch itself");
}

#[test]
fn a_batch_of_too_many_or_of_addresses_elsewhere_is_refused() {
    let mut world = fleet(1);
    let part = |n: usize| json!({"id": n.to_string(), "method": "GET", "url": "/groups"});
    let many = json!({"requests": (0..21).map(part).collect::<Vec<_>>()});
    let elsewhere = json!({"requests": [{"id": "1", "method": "GET", "url": "https://graph.microsoft.com/v1.0/groups"}]});
    let twice = json!({"requests": [part(1), part(1)]});
    for body in [many, json!({"requests": []}), elsewhere, twice, json!({"request": []})] {
        let answer = world.call("POST", "/v1.0/$batch", Some(&body));
        assert_eq!(answer.status, 400, "{body}");
    }
    let most = json!({"requests": (0..20).map(part).collect::<Vec<_>>()});
    let answer = world.post("/v1.0/$batch", &most);
    assert_eq!(answer["responses"].as_array().unwrap().len(), 20);
}

#[test]
fn parts_of_a_batch_are_throttled_alone() {
    let mut world = fleet(1);
    let id = world.device_id("S");
    world.control("PATCH", "/settings", &json!({"throttle": {"enabled": true, "writes": 3}}));
    let url = format!("/deviceManagement/managedDevices/{id}/syncDevice");
    let part = |n: usize| json!({"id": n.to_string(), "method": "POST", "url": url});
    let answer =
        world.post("/v1.0/$batch", &json!({"requests": (0..5).map(part).collect::<Vec<_>>()}));
    let parts = answer["responses"].as_array().unwrap();
    let refused: Vec<_> = parts.iter().filter(|part| part["status"] == 429).collect();
    assert_eq!(refused.len(), 2);
    assert_eq!(refused[0]["headers"]["Retry-After"], "20.000");
}

#[test]
fn a_batch_as_a_whole_meets_faults_too() {
    let mut world = fleet(1);
    let id = world.device_id("S");
    let url = format!("/deviceManagement/managedDevices/{id}/remoteLock");
    let parts = json!({"requests": [{"id": "1", "method": "POST", "url": url}]});
    let locked = |world: &mut World| world.device("S")["deviceActionResults"] != json!([]);
    let mut fail = |action: Value| {
        let rule = json!({"match": {"path": "*/$batch"}, "times": 1, "action": action});
        world.control("POST", "/faults", &rule);
        let status = world.call("POST", "/v1.0/$batch", Some(&parts)).status;
        (status, locked(&mut world))
    };
    assert_eq!(fail(json!({"status": 503})), (503, false));
    assert_eq!(fail(json!({"status": 503, "takesEffect": true})), (503, true));
    let anonymous = World::request("", "POST", "/v1.0/$batch", Some(&parts));
    assert_eq!(world.send(&anonymous).answer.status, 401);
}
