//! Tokens, and who gets one.

use serde_json::json;

use super::*;

const SCOPE: &str = "https%3A%2F%2Fgraph.microsoft.com%2F.default";

fn ask(world: &mut World, form: &str) -> Answer {
    let mut request = World::request("", "POST", "/contoso/oauth2/v2.0/token", None);
    request.body = form.as_bytes().to_vec();
    world.send(&request).answer
}

fn token(world: &mut World) -> String {
    let form = format!(
        "grant_type=client_credentials&client_id={EVERYDAY}&client_secret=everyday&scope={SCOPE}"
    );
    ask(world, &form).body.unwrap()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn a_wrong_request_is_refused_with_entras_number() {
    let mut world = World::new();
    let usual = format!(
        "grant_type=client_credentials&client_id={EVERYDAY}&client_secret=everyday&scope={SCOPE}"
    );
    assert_eq!(ask(&mut world, &usual).status, 200);
    for (from, to, status, error, number) in [
        ("secret=everyday", "secret=wiping", 401, "invalid_client", 7_000_215),
        ("&client_secret=everyday", "", 401, "invalid_client", 7_000_218),
        (EVERYDAY, "33333333-3333-4333-8333-333333333333", 400, "unauthorized_client", 700_016),
        ("client_credentials", "password", 400, "unsupported_grant_type", 70003),
        ("grant_type=client_credentials&", "", 400, "invalid_request", 900_144),
        (".default", "User.Read.All", 400, "invalid_scope", 1_002_012),
    ] {
        let answer = ask(&mut world, &usual.replace(from, to));
        let body = answer.body.unwrap();
        assert_eq!((answer.status, &body["error"]), (status, &json!(error)), "{to}");
        assert_eq!(body["error_codes"], json!([number]));
        assert!(
            body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{number}: "))
        );
    }
}

#[test]
fn a_token_says_what_it_permits_and_that_counts() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut world = World::new();
    let token = token(&mut world);
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["appid"], &claims["tid"]), (&json!(EVERYDAY), &json!(world.tenant.id)));
    assert!(claims["roles"].as_array().unwrap().contains(&json!("User.Read.All")));
    let get = World::request(&token, "GET", MANAGED, None);
    assert_eq!(world.send(&get).answer.status, 200);
    // What is taken from the application is still in the token, and not in the next one.
    world.control("PUT", &format!("/apps/{EVERYDAY}"), &json!({"roles": []}));
    assert_eq!(world.send(&get).answer.status, 200);
    let next = self::token(&mut world);
    assert_eq!(world.send(&World::request(&next, "GET", MANAGED, None)).answer.status, 403);
}

#[test]
fn a_token_that_is_none_expired_or_void_is_refused() {
    let mut world = World::new();
    let status = |world: &mut World, token: &str| {
        let answer = world.send(&World::request(token, "GET", MANAGED, None)).answer;
        if answer.status == 401 {
            assert_eq!(answer.body.unwrap()["error"]["code"], "InvalidAuthenticationToken");
        }
        answer.status
    };
    assert_eq!(status(&mut world, ""), 401);
    assert_eq!(status(&mut world, "made.up.token"), 401);
    let first = token(&mut world);
    world.pass("2h");
    assert_eq!(status(&mut world, &first), 200, "it lives by real time");
    world.real = world.real + chrono::TimeDelta::seconds(3599);
    assert_eq!(status(&mut world, &first), 401);
    world.control(
        "PATCH",
        "/settings",
        &json!({"tokens": {"emulatedTime": true, "lifetimeSeconds": 60}}),
    );
    let second = token(&mut world);
    world.pass("59s");
    assert_eq!(status(&mut world, &second), 200);
    world.pass("1s");
    assert_eq!(status(&mut world, &second), 401);
    let third = token(&mut world);
    world.control("DELETE", &format!("/apps/{EVERYDAY}/tokens"), &json!(null));
    assert_eq!(status(&mut world, &third), 401);
}

#[test]
fn no_secret_is_kept_of_what_was_called() {
    let mut world = World::new();
    token(&mut world);
    let body = json!({"importedWindowsAutopilotDeviceIdentities": [
        {"serialNumber": "W1", "hardwareIdentifier": "c2VjcmV0IGhhc2g="}]});
    world.post("/v1.0/deviceManagement/importedWindowsAutopilotDeviceIdentities/import", &body);
    let calls = world.control("GET", "/calls", &json!(null)).to_string();
    assert!(calls.contains("(removed)") && calls.contains("W1"), "{calls}");
    assert!(!calls.contains("everyday") && !calls.contains("c2VjcmV0IGhhc2g"), "{calls}");
}

#[test]
fn the_two_applications_cannot_do_each_others_work() {
    let apps = World::new().tenant.apps;
    let privileged = "DeviceManagementManagedDevices.PrivilegedOperations.All";
    assert!(!apps.all[EVERYDAY].roles.contains(privileged));
    assert_eq!(Vec::from_iter(&apps.all[WIPING].roles), [privileged]);
}
