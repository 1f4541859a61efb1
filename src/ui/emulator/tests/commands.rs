//! Wiping and retiring, step by step, with approval and within the caps of a day.

use serde_json::json;

use super::*;

const BODY: &str = r#"{"keepEnrollmentData":false,"keepUserData":false}"#;

/// Asks for a wipe of this device, with a code if there is one.
fn wipe(world: &mut World, id: &str, code: Option<&str>) -> Answer {
    let mut request = World::request("all", "POST", &format!("{MANAGED}/{id}/wipe"), None);
    request.body = BODY.as_bytes().to_vec();
    if let Some(code) = code {
        request.headers.insert("x-msft-approval-code".into(), code.into());
    }
    world.send(&request).answer
}

fn one_device(given: Value) -> (World, String) {
    let mut world = World::new();
    world.hardware(given);
    world.pass("24h");
    let id = world.device_id("W1");
    (world, id)
}

fn outcomes(world: &mut World) -> Vec<String> {
    let state = world.control("GET", "/state", &json!(null));
    let accepted = state["accepted"].as_array().unwrap().clone();
    accepted
        .iter()
        .map(|one| format!("{} {}", one["command"], one["outcome"]).replace('"', ""))
        .collect()
}

fn code_of(answer: &Answer) -> Option<String> {
    let header = answer.headers.iter().find(|(name, _)| *name == "x-msft-approval-code");
    header.map(|(_, code)| code.clone())
}

#[test]
fn a_wipe_is_pending_issued_done_and_then_the_record_is_gone() {
    let (mut world, id) =
        one_device(json!({"serialNumber": "W1", "enrolled": true, "registered": true}));
    assert_eq!(wipe(&mut world, &id, None).status, 204);
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..900 {
        let answer = world.call("GET", &format!("{MANAGED}/{id}"), None);
        let device = answer.body.unwrap();
        let result = device["deviceActionResults"][0]["actionState"].as_str().unwrap_or_default();
        let now = format!("{} {result}", device["managementState"].as_str().unwrap_or("gone"));
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        world.pass("1s");
    }
    assert_eq!(seen, ["wipePending pending", "wipeIssued active", "wipeIssued done", "gone "]);
    assert_eq!(outcomes(&mut world), ["wipe done"]);
    let registered = world.get("/v1.0/deviceManagement/windowsAutopilotDeviceIdentities");
    assert_eq!(each(&registered, "enrollmentState"), ["notContacted"]);
    world.control("PATCH", "/users/user000@contoso.com", &json!({"licenses": ["SPE_E3"]}));
    world.pass("48h");
    assert_eq!(world.get(MANAGED)["value"], json!([]), "nobody sets it up again");
    world.control("PATCH", "/hardware/W1", &json!({"joins": true}));
    world.pass("15m");
    assert_ne!(world.device_id("W1"), id, "it is another record");
}

#[test]
fn a_retire_erases_nothing_and_ends_the_same() {
    let (mut world, id) = one_device(json!({"serialNumber": "W1", "enrolled": true}));
    let answer = world.call("POST", &format!("{MANAGED}/{id}/retire"), None);
    assert_eq!(answer.status, 204);
    assert_eq!(world.device("W1")["managementState"], "retirePending");
    world.pass("20m");
    assert_eq!(world.call("GET", &format!("{MANAGED}/{id}"), None).status, 404);
    let hardware = world.control("GET", "/hardware/W1", &json!(null));
    assert_eq!((&hardware["erased"], &hardware["managedDeviceId"]), (&json!(0), &json!(null)));
}

#[test]
fn what_a_device_does_otherwise_is_said() {
    for (fate, state, action) in [
        ("fails", "wipeFailed", "failed"),
        ("notSupported", "managed", "notSupported"),
        ("cancels", "wipeCanceled", "canceled"),
    ] {
        let given = json!({"serialNumber": "W1", "enrolled": true, "fate": fate});
        let (mut world, id) = one_device(given);
        wipe(&mut world, &id, None);
        world.pass("24h");
        let device = world.device("W1");
        assert_eq!(device["managementState"], state);
        assert_eq!(device["deviceActionResults"][0]["actionState"], action);
        let hardware = world.control("GET", "/hardware/W1", &json!(null));
        assert_eq!(hardware["erased"], 0, "{fate}");
    }
}

#[test]
fn what_a_platform_cannot_do_is_taken_and_not_done() {
    let given =
        json!({"serialNumber": "W1", "platform": "android", "personal": true, "enrolled": true});
    let (mut world, id) = one_device(given);
    wipe(&mut world, &id, None);
    world.pass("1h");
    assert_eq!(world.device("W1")["deviceActionResults"][0]["actionState"], "notSupported");
}

#[test]
fn a_wipe_that_keeps_the_enrollment_keeps_the_record() {
    let (mut world, id) = one_device(json!({"serialNumber": "W1", "enrolled": true}));
    world.post(&format!("{MANAGED}/{id}/wipe"), &json!({"keepEnrollmentData": true}));
    world.pass("24h");
    assert_eq!(world.device("W1")["managementState"], "managed");
}

#[test]
fn an_offline_device_keeps_its_command_and_obeys_when_it_is_back() {
    let (mut world, id) = one_device(json!({"serialNumber": "W1", "enrolled": true}));
    world.control("PATCH", "/hardware/W1", &json!({"online": false}));
    wipe(&mut world, &id, None);
    world.pass("200h");
    assert_eq!(world.device("W1")["managementState"], "wipePending");
    world.control("PATCH", "/hardware/W1", &json!({"online": true}));
    world.pass("15m");
    assert_eq!(world.call("GET", &format!("{MANAGED}/{id}"), None).status, 404);
}

#[test]
fn beyond_the_cap_of_a_day_nothing_is_taken_until_midnight() {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "W", "count": 3, "enrolled": true}));
    world.control("PATCH", "/settings", &json!({"caps": {"wipe": 2}}));
    let ids = each(&world.get(MANAGED), "id");
    let statuses: Vec<_> = ids.iter().map(|id| wipe(&mut world, id, None).status).collect();
    assert_eq!(statuses, [204, 204, 429]);
    let retired = world.call("POST", &format!("{MANAGED}/{}/retire", ids[2]), None);
    assert_eq!(retired.status, 204, "each command has its own cap");
    world.control("POST", "/clock", &json!({"now": "2026-11-27T00:00:00Z"}));
    let state = world.control("GET", "/state", &json!(null));
    assert_eq!(state["today"], json!({"wipes": 0, "retires": 0}));
    world.hardware(json!({"serialNumber": "W1", "enrolled": true}));
    let id = world.device_id("W1");
    assert_eq!(wipe(&mut world, &id, None).status, 204);
}

#[test]
fn with_approval_only_the_same_call_with_an_approved_code_is_taken() {
    let (mut world, id) = one_device(json!({"serialNumber": "W1", "enrolled": true}));
    world.control("POST", "/approvals/policies", &json!({"policyType": "deviceWipe"}));
    let first = wipe(&mut world, &id, None);
    let code = code_of(&first).expect("a code");
    let body = first.body.unwrap()["error"].clone();
    assert_eq!((first.status, &body["code"]), (403, &json!("ApprovalRequired")));
    assert!(body["message"].as_str().unwrap().contains(&code));
    let again = wipe(&mut world, &id, None);
    assert_eq!(code_of(&again), Some(code.clone()), "one request for one device");
    assert_eq!(wipe(&mut world, &id, Some(&code)).status, 403, "nobody has approved it");
    world.control("POST", &format!("/approvals/{code}"), &json!({"decision": "approve"}));
    assert_eq!(world.device("W1")["managementState"], "managed", "approval alone does nothing");
    let requests = world.get("/beta/deviceManagement/operationApprovalRequests");
    assert_eq!(each(&requests, "status"), ["approved"]);
    assert_eq!(wipe(&mut world, &id, Some(&code)).status, 204);
    assert_eq!(wipe(&mut world, &id, Some(&code)).status, 403, "a code is good for once");
    assert_eq!(outcomes(&mut world), ["wipe pending"]);
    let requests = world.get("/beta/deviceManagement/operationApprovalRequests");
    assert_eq!(each(&requests, "status"), ["completed"]);
}

#[test]
fn an_approval_that_is_refused_or_too_late_does_nothing() {
    for (decision, status) in
        [("reject", "rejected"), ("cancel", "cancelled"), ("expire", "expired")]
    {
        let (mut world, id) = one_device(json!({"serialNumber": "W1", "enrolled": true}));
        world.control("POST", "/approvals/policies", &json!({"policyType": "deviceWipe"}));
        let code = code_of(&wipe(&mut world, &id, None)).unwrap();
        world.control("POST", "/approvals/latest", &json!({"decision": decision}));
        assert_eq!(wipe(&mut world, &id, Some(&code)).status, 403);
        let requests = world.get("/beta/deviceManagement/operationApprovalRequests");
        assert_eq!(each(&requests, "status"), [status]);
    }
    let (mut world, id) = one_device(json!({"serialNumber": "W1", "enrolled": true}));
    world.control("POST", "/approvals/policies", &json!({"policyType": "deviceWipe"}));
    let code = code_of(&wipe(&mut world, &id, None)).unwrap();
    world.control("POST", "/approvals/latest", &json!({"decision": "approve"}));
    world.pass("72h");
    assert_eq!(wipe(&mut world, &id, Some(&code)).status, 403, "it expired after three days");
    assert!(outcomes(&mut world).is_empty());
}

#[test]
fn approval_answers_in_the_ways_that_are_reported_from_the_field() {
    let (mut world, id) = one_device(json!({"serialNumber": "W1", "enrolled": true}));
    world.control("POST", "/approvals/policies", &json!({"policyType": "deviceWipe"}));
    let field = json!({"approvals":
        {"status": 412, "justificationRequired": true, "pendingStatus": 409}});
    world.control("PATCH", "/settings", &field);
    assert_eq!(wipe(&mut world, &id, None).status, 400, "a justification is missing");
    let mut request = World::request("all", "POST", &format!("{MANAGED}/{id}/wipe"), None);
    request.body = BODY.as_bytes().to_vec();
    request.headers.insert("x-msft-approval-justification".into(), "bG9zdA==".into());
    let first = world.send(&request).answer;
    assert_eq!(first.status, 412);
    assert!(code_of(&first).is_some());
    let second = world.send(&request).answer;
    assert_eq!((second.status, code_of(&second)), (409, None));
    let asked = world.control("GET", "/approvals", &json!(null));
    assert_eq!(asked["requests"][0]["justification"], "lost");
}

#[test]
fn an_application_that_is_excluded_needs_no_approval() {
    let (mut world, id) = one_device(json!({"serialNumber": "W1", "enrolled": true}));
    let policy = json!({"policyType": "deviceWipe", "excludedApps": [EVERYDAY]});
    world.control("POST", "/approvals/policies", &policy);
    assert_eq!(wipe(&mut world, &id, None).status, 204);
}

#[test]
fn a_delete_is_written_down_and_retires_or_wipes() {
    let (mut world, id) = one_device(json!({"serialNumber": "W1", "enrolled": true}));
    world.hardware(json!({"serialNumber": "A1", "platform": "android", "enrolled": true}));
    let android = world.device_id("A1");
    for id in [&id, &android] {
        assert_eq!(world.call("DELETE", &format!("{MANAGED}/{id}"), None).status, 204);
        assert_eq!(world.call("GET", &format!("{MANAGED}/{id}"), None).status, 404);
    }
    assert_eq!(outcomes(&mut world), ["delete retired", "delete wiped"]);
    let state = world.control("GET", "/state", &json!(null));
    assert_eq!(state["deletes"], 2);
    let hardware = world.control("GET", "/hardware/A1", &json!(null));
    assert_eq!(hardware["erased"], 1);
}

#[test]
fn a_wipe_may_not_be_seen_at_once() {
    let (mut world, id) = one_device(json!({"serialNumber": "W1", "enrolled": true}));
    world.control("PATCH", "/settings", &json!({"consistencyLagSeconds": 30.0}));
    wipe(&mut world, &id, None);
    assert_eq!(world.device("W1")["managementState"], "managed");
    world.pass("30s");
    assert_eq!(world.device("W1")["managementState"], "wipePending");
}
