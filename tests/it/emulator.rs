//! The emulator of Intune as a program: its sockets, its clock, its faults, and its page.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{
    EVERYDAY, Emulator, Fixture, START, WIPING, commands, needs, page, python, send, wait_until,
};

const DEVICES: &str = "/v1.0/deviceManagement/managedDevices";

/// An emulator with so many enrolled devices, and the id of the first of them.
fn with_devices(count: usize) -> (Emulator, String) {
    let emulator = Emulator::start(&[]);
    let given = json!({"serialNumber": "S", "count": count, "enrolled": true});
    emulator.control("POST", "/hardware", &given);
    let serial = if count == 1 { "S" } else { "S000000" };
    let shown = emulator.control("GET", &format!("/hardware/{serial}"), &Value::Null);
    let id = shown["managedDeviceId"].as_str().expect("it is enrolled").to_owned();
    (emulator, id)
}

fn fault(emulator: &Emulator, path: &str, action: &Value) {
    let rule = json!({"match": {"path": path}, "times": 1, "action": action});
    emulator.control("POST", "/faults", &rule);
}

#[test]
fn a_declared_laptop_joins_once_it_is_registered_and_licensed() {
    let fixture = Fixture::sample();
    let fleet = fixture.path("fleet").display().to_string();
    let emulator = Emulator::start(&["--fleet", &fleet]);
    let graph = emulator.graph(EVERYDAY);
    emulator.advance("4h");
    assert!(graph.all_devices("").is_empty(), "nothing is registered");
    let import = json!({"importedWindowsAutopilotDeviceIdentities": [{
        "serialNumber": "PF5B20QK", "hardwareIdentifier": "aGFzaA==", "groupTag": "Standard",
        "assignedUserPrincipalName": "jonas.weber@example.com",
    }]});
    let address = "/v1.0/deviceManagement/importedWindowsAutopilotDeviceIdentities/import";
    graph.post(address, &import).expect(200);
    let skus = graph.get("/v1.0/subscribedSkus");
    let skus = skus["value"].as_array().expect("products");
    let sku = skus.iter().find(|one| one["skuPartNumber"] == "SPE_E3").expect("of the profile");
    let license = json!({
        "addLicenses": [{"skuId": sku["skuId"], "disabledPlans": []}], "removeLicenses": [],
    });
    let address = "/v1.0/users/jonas.weber@example.com/assignLicense";
    graph.post(address, &license).expect(200);
    emulator.advance("30m");
    let page = graph.get(&format!("{DEVICES}?$select=serialNumber,osVersion,userPrincipalName"));
    let expected = json!([{
        "serialNumber": "PF5B20QK", "osVersion": "10.0.26100.2314",
        "userPrincipalName": "jonas.weber@example.com",
    }]);
    assert_eq!(page["value"], expected);
}

#[test]
fn groups_policies_and_products_that_profiles_name_are_there() {
    let fixture = Fixture::of(&["A"]);
    let profile = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Desk}\nspec:\n  \
                   platforms: [windows]\n  licenses: [SPE_E5, MTD_P2]\n  intune:\n    \
                   group: 0f3c0000-0000-4000-8000-000000000001\n    \
                   configurationPolicies: [vpn-settings]\n    apps: [vpn-app]\n";
    fixture.write("fleet/desk.yaml", profile);
    let emulator = Emulator::start(&["--fleet", &fixture.path("fleet").display().to_string()]);
    let graph = emulator.graph(EVERYDAY);
    let group = graph.get("/v1.0/groups/0f3c0000-0000-4000-8000-000000000001");
    assert_eq!(group["displayName"], "Desk");
    graph.get("/beta/deviceManagement/configurationPolicies/vpn-settings");
    graph.get("/v1.0/deviceAppManagement/mobileApps/vpn-app");
    let skus = graph.get("/v1.0/subscribedSkus?$select=skuPartNumber").to_string();
    assert!(skus.contains("SPE_E5") && skus.contains("MTD_P2"), "{skus}");
    let hardware = emulator.control("GET", "/hardware/A", &Value::Null);
    assert_eq!(hardware["managedDeviceId"], Value::Null);
}

#[test]
fn each_answer_says_that_it_is_an_emulator_and_what_time_it_is() {
    let (emulator, id) = with_devices(1);
    let token = emulator.graph(EVERYDAY).token;
    let bearer = format!("Bearer {token}");
    emulator.advance("90m");
    for path in [
        DEVICES.to_owned(),
        format!("{DEVICES}/{id}"),
        "/v1.0/nothing".into(),
        "/x/oauth2/v2.0/token".into(),
        "/emulator/clock".into(),
        "/".into(),
    ] {
        let headers = [("authorization", bearer.as_str()), ("client-request-id", "my-own")];
        let reply = send("GET", &format!("{}{path}", emulator.url), &headers, b"").expect(&path);
        assert_eq!(reply.header("x-fleetform-emulator"), Some("1"), "{path}");
        assert_eq!(reply.header("date"), Some("Thu, 26 Nov 2026 09:30:00 GMT"), "{path}");
        assert_eq!(reply.header("client-request-id"), Some("my-own"), "{path}");
        assert!(reply.header("request-id").is_some(), "{path}");
    }
}

#[test]
fn only_loopback_is_listened_on_and_only_its_names_are_answered() {
    let fixture = Fixture::bare();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let output = fixture.run(&["emulator", "intune", "--listen", address]);
        output.exits(1).complains(&["loopback only", "127.0.0.1"]);
    }
    let emulator = Emulator::start(&[]);
    let url = format!("{}/emulator", emulator.url);
    let reply = send("GET", &url, &[("host", "evil.example")], b"").expect("an answer");
    assert_eq!(reply.status, 421);
    assert_eq!(send("GET", &url, &[("host", "localhost")], b"").expect("an answer").status, 200);
}

#[test]
fn it_ends_well_when_asked_to() {
    for signal in ["TERM", "INT"] {
        let emulator = Emulator::start(&[]);
        let status = Command::new("kill").args(["-s", signal, &emulator.pid()]).status();
        assert!(status.expect("kill").success());
        assert_eq!(emulator.ended(), Some(0), "{signal}");
    }
}

#[test]
fn time_goes_by_at_its_speed_or_on_command_only() {
    let emulator = Emulator::start(&[]);
    let now = |emulator: &Emulator| emulator.control("GET", "/clock", &Value::Null)["now"].clone();
    assert_eq!(now(&emulator), json!(START.replace('Z', ".000Z")));
    emulator.advance("8h");
    assert_eq!(now(&emulator), "2026-11-26T16:00:00.000Z");
    let back = json!({"now": START});
    let url = format!("{}/emulator/clock", emulator.url);
    let reply = send("POST", &url, &[], back.to_string().as_bytes()).expect("an answer");
    assert_eq!(reply.status, 400, "it does not go back");
    emulator.control("POST", "/clock", &json!({"speed": 100_000.0}));
    let early = now(&emulator);
    wait_until("time goes by", || now(&emulator) != early);
}

#[test]
fn an_error_on_command_takes_no_effect_unless_it_is_to() {
    let (emulator, id) = with_devices(1);
    let wiping = emulator.graph(WIPING);
    let wipe = format!("{DEVICES}/{id}/wipe");
    let body = json!({"keepEnrollmentData": false, "keepUserData": false});
    for status in [429, 503, 500, 401, 403] {
        fault(&emulator, "*/wipe", &json!({"status": status, "retryAfter": "2.128"}));
        let reply = wiping.post(&wipe, &body);
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("retry-after"), Some("2.128"));
        assert!(reply.body["error"]["code"].is_string());
    }
    assert!(emulator.accepted().is_empty());
    fault(&emulator, "*/wipe", &json!({"status": 503, "takesEffect": true}));
    wiping.post(&wipe, &body).expect(503);
    assert_eq!(emulator.accepted(), ["wipe S pending"]);
}

#[test]
fn a_connection_is_cut_before_or_after_a_call_takes_effect_or_in_its_answer() {
    let (emulator, _) = with_devices(3);
    let wiping = emulator.graph(WIPING);
    let ids = emulator.graph(EVERYDAY).all_devices("");
    let body = json!({"keepEnrollmentData": false, "keepUserData": false});
    let wipe = |id: &str| wiping.call("POST", &format!("{DEVICES}/{id}/wipe"), &body);
    fault(&emulator, "*/wipe", &json!({"cut": "before"}));
    assert!(wipe(&ids[0]).is_err(), "no answer");
    assert!(emulator.accepted().is_empty());
    fault(&emulator, "*/wipe", &json!({"cut": "after"}));
    assert!(wipe(&ids[1]).is_err(), "no answer");
    assert_eq!(emulator.accepted().len(), 1);
    let everyday = emulator.graph(EVERYDAY);
    fault(&emulator, "*/managedDevices", &json!({"cut": "during"}));
    assert!(everyday.call("GET", DEVICES, &Value::Null).is_err(), "half an answer");
    assert_eq!(everyday.all_devices("").len(), 3, "the next one is whole");
    let calls = emulator.control("GET", "/calls?path=*/wipe", &Value::Null);
    let calls = calls["calls"].as_array().expect("calls");
    let effects: Vec<_> = calls.iter().map(|call| (&call["cut"], &call["effect"])).collect();
    assert_eq!(effects, [(&json!(true), &json!(false)), (&json!(true), &json!(true))]);
}

#[test]
fn somebody_does_something_at_the_very_moment_of_a_call() {
    let (emulator, id) = with_devices(1);
    let deed =
        json!({"do": {"method": "POST", "path": "/emulator/hardware/S/lose", "when": "before"}});
    fault(&emulator, "*/wipe", &deed);
    let reply = emulator.graph(WIPING).post(&format!("{DEVICES}/{id}/wipe"), &json!({}));
    assert_eq!(reply.status, 404, "it is lost");
    assert!(emulator.accepted().is_empty());
}

#[test]
fn a_wipe_goes_its_way_and_what_was_called_is_told() {
    let (emulator, id) = with_devices(2);
    let (everyday, wiping) = (emulator.graph(EVERYDAY), emulator.graph(WIPING));
    let wipe = format!("{DEVICES}/{id}/wipe");
    let body = json!({"keepEnrollmentData": false, "keepUserData": false});
    everyday.post(&wipe, &body).expect(403);
    wiping.call("GET", &format!("{DEVICES}/{id}"), &Value::Null).expect("an answer").expect(403);
    wiping.post(&wipe, &body).expect(204);
    assert_eq!(everyday.get(&format!("{DEVICES}/{id}"))["managementState"], "wipePending");
    emulator.advance("20m");
    let gone = everyday.call("GET", &format!("{DEVICES}/{id}"), &Value::Null);
    gone.expect("an answer").expect(404);
    assert_eq!(emulator.accepted(), ["wipe S000000 done"]);
    let calls = emulator.control("GET", "/calls?writes=true", &Value::Null);
    let calls = calls["calls"].as_array().expect("calls");
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call["appId"].as_str(), call["status"].as_u64(), call["effect"].as_bool()))
        .collect();
    let (everyday, wiping) = (Some(EVERYDAY.0), Some(WIPING.0));
    assert_eq!(told, [(everyday, Some(403), Some(false)), (wiping, Some(204), Some(true))]);
    assert_eq!(calls[1]["body"], body);
    emulator.control("DELETE", "/calls", &Value::Null);
    assert_eq!(emulator.control("GET", "/calls", &Value::Null)["calls"], json!([]));
}

#[test]
fn the_hundred_and_first_write_is_one_too_many() {
    let (emulator, id) = with_devices(1);
    // Within a window that no slow machine leaves.
    let window = json!({"throttle": {"windowSeconds": 3600.0}});
    emulator.control("PATCH", "/settings", &window);
    let wiping = emulator.graph(WIPING);
    let sync = format!("{DEVICES}/{id}/syncDevice");
    for _ in 0..100 {
        wiping.post(&sync, &Value::Null).expect(204);
    }
    let reply = wiping.post(&sync, &Value::Null);
    assert_eq!(reply.status, 429);
    let wait: f64 = reply.header("retry-after").expect("it says when").parse().expect("a number");
    assert!(wait > 3000.0 && wait < 3600.0, "{wait}");
    emulator.control("PATCH", "/settings", &json!({"throttle": {"enabled": false}}));
    wiping.post(&sync, &Value::Null).expect(204);
}

#[test]
fn thousands_of_devices_come_in_pages_each_once() {
    let (emulator, _) = with_devices(2500);
    let graph = emulator.graph(EVERYDAY);
    let page = graph.get(DEVICES);
    assert_eq!(page["value"].as_array().map(Vec::len), Some(1000));
    let all = graph.all_devices("$select=id");
    assert_eq!((all.len(), BTreeSet::from_iter(&all).len()), (2500, 2500));
}

/// What `openssl` signs as an assertion of an application.
fn assertion(dir: &Path, name: &str, header: &Value, claims: &Value) -> String {
    let encode = |bytes: &[u8]| {
        fs::write(dir.join("plain"), bytes).expect("a file");
        let script = "base64 -w0 plain | tr '+/' '-_' | tr -d '='";
        let output = Command::new("sh").args(["-c", script]).current_dir(dir).output();
        String::from_utf8(output.expect("base64").stdout).expect("ASCII")
    };
    let signed = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    fs::write(dir.join("signed"), &signed).expect("a file");
    let padding = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"];
    let key = format!("{name}.key");
    let status = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign", &key, "-out", "signature"])
        .args(padding)
        .arg("signed")
        .current_dir(dir)
        .status();
    assert!(status.expect("openssl").success());
    let signature = encode(&fs::read(dir.join("signature")).expect("a signature"));
    format!("{signed}.{signature}")
}

/// A key and a certificate, and its thumbprint as JWTs name it.
fn certificate(dir: &Path, name: &str) -> String {
    let script = format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -days 2 \
         -subj /CN={name} -addext subjectAltName=DNS:{name} 2>/dev/null && openssl x509 -in {name}.pem -outform DER \
         | openssl dgst -sha256 -binary | base64 -w0 | tr '+/' '-_' | tr -d '='"
    );
    let output = Command::new("sh").args(["-c", &script]).current_dir(dir).output();
    String::from_utf8(output.expect("openssl").stdout).expect("ASCII")
}

#[test]
fn a_certificate_proves_an_application_and_nothing_near_it_does() {
    needs("openssl");
    let fixture = Fixture::bare();
    let dir = fixture.path("");
    let thumbprint = certificate(&dir, "mine");
    let strange = certificate(&dir, "strange");
    let pem = dir.join("mine.pem").display().to_string();
    let emulator = Emulator::start(&["--certificate", &format!("{}={pem}", WIPING.0)]);
    let address = format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/token", emulator.url);
    // 2026-11-26T08:00:00Z
    let now = 1_795_680_000_i64;
    let head = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint});
    let claims = json!({
        "aud": address, "iss": WIPING.0, "sub": WIPING.0, "jti": "1",
        "nbf": now, "iat": now, "exp": now + 300,
    });
    let ask = |key: &str, head: &Value, claims: &Value| {
        let jwt = assertion(&dir, key, head, claims);
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_assertion={jwt}\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
            WIPING.0
        );
        let reply = emulator.token(&form);
        (reply.status, reply.body["error_codes"][0].as_u64())
    };
    assert_eq!(ask("mine", &head, &claims), (200, None));
    let with = |value: &Value, field: &str, new: Value| {
        let mut changed = value.clone();
        changed[field] = new;
        changed
    };
    for (why, key, head, claims, number) in [
        ("another key", "strange", head.clone(), claims.clone(), 700_027),
        (
            "another thumbprint",
            "mine",
            with(&head, "x5t#S256", json!(strange)),
            claims.clone(),
            700_027,
        ),
        ("another algorithm", "mine", with(&head, "alg", json!("RS256")), claims.clone(), 700_027),
        ("no algorithm", "mine", with(&head, "alg", json!("none")), claims.clone(), 700_027),
        (
            "another audience",
            "mine",
            head.clone(),
            with(&claims, "aud", json!("https://x/y")),
            700_023,
        ),
        ("another subject", "mine", head.clone(), with(&claims, "sub", json!(EVERYDAY.0)), 700_021),
        ("another issuer", "mine", head.clone(), with(&claims, "iss", json!("x")), 700_211),
        ("too long", "mine", head.clone(), with(&claims, "exp", json!(now + 601)), 700_024),
        (
            "too late",
            "mine",
            head.clone(),
            // By either clock: the emulator goes with real time, too.
            with(&with(&claims, "nbf", json!(1_500_000_000)), "exp", json!(1_500_000_300)),
            700_024,
        ),
    ] {
        assert_eq!(ask(key, &head, &claims), (401, Some(number)), "{why}");
    }
    let issuers = json!({"federated": [{"issuer": "https://ci.example", "subject": "main"}]});
    emulator.control("PUT", &format!("/apps/{}", WIPING.0), &issuers);
    let foreign = json!({
        "aud": "api://AzureADTokenExchange", "iss": "https://ci.example", "sub": "main",
        "exp": now + 3600,
    });
    assert_eq!(ask("strange", &head, &foreign), (200, None));
    let branch = with(&foreign, "sub", json!("branch"));
    assert_eq!(ask("strange", &head, &branch), (401, Some(700_213)));
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    needs("curl");
    needs("jq");
    let page = page("emulator.md");
    let started = format!("fleetform emulator intune --paused --start {START} &");
    assert!(page.contains(&started), "the page starts it as this test does");
    let emulator = Emulator::start(&[]);
    let script =
        commands(&page, "fleetform emulator").replace("http://127.0.0.1:8090", &emulator.url);
    assert!(script.matches("curl ").count() > 12, "{script}");
    let output = Command::new("sh").args(["-c", &script]).output().expect("sh");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    assert_eq!(emulator.accepted(), ["wipe 5CG1234XYZ done"]);
    for part in ["\n404\n", "retry-after: 2.128", "\"serialNumber\":\"5CG1234XYZ\""] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}

#[test]
fn the_page_lists_every_call_that_tests_can_make() {
    let page = page("emulator.md");
    let emulator = Emulator::start(&[]);
    let index = emulator.control("GET", "", &Value::Null);
    let calls = index["calls"].as_array().expect("calls");
    assert!(calls.len() > 40);
    for call in calls {
        let word = |key: &str| call[key].as_str().expect("a word").to_owned();
        let row = format!("| `{}` | {} |", word("call"), word("does"));
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn microsofts_own_library_gets_tokens_by_secret_and_by_certificate() {
    needs("openssl");
    let fixture = Fixture::empty();
    let dir = fixture.path("certificates");
    fs::create_dir_all(&dir).expect("a directory");
    let of = |name: &str| {
        certificate(&dir, name);
        ["key", "pem"].map(|kind| dir.join(format!("{name}.{kind}")).display().to_string())
    };
    let [key, pem] = of("application");
    let [tls_key, tls] = of("localhost");
    let emulator = Emulator::start(&["--certificate", &format!("{}={pem}", EVERYDAY.0)]);
    // Its assertions are dated by the real clock.
    let told = python(
        include_str!("support/msal.py"),
        &json!({"emulator": emulator.url, "client": EVERYDAY.0, "secret": EVERYDAY.1, "key": key,
            "certificate": pem, "tlsKey": tls_key, "tlsCertificate": tls}),
    );
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let [by_secret, wrong, by_certificate] = told.as_array().expect("three").as_slice() else {
        panic!("{told}")
    };
    for good in [by_secret, by_certificate] {
        assert!(good["access_token"].is_string(), "{told:#}");
    }
    assert_eq!(wrong["error_codes"], json!([7_000_215]));
}
