//! What is seen of a tenant, and what is not: nothing is concluded from a look that is not whole.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use crate::support::{Device, GROUP, OTHER_GROUP, Profile, Site, Tenant, text};

const ANA: &str = "ana@example.com";

/// Three devices that are enrolled, a page for each.
fn with_three(test: impl FnOnce(&Site<'_>)) {
    let tenant = Tenant::paused();
    let site = Site::new(&tenant);
    site.put("standard.yaml", site.standard().with("platforms", "[windows]").yaml());
    for serial in ["A1", "B2", "C3"] {
        tenant
            .hardware(json!({"serialNumber": serial, "userPrincipalName": ANA, "enrolled": true}));
        site.put(&format!("{serial}.yaml"), Device::new(serial).yaml());
    }
    site.apply();
    tenant.set(json!({"pageSize": 1}));
    tenant.wait("9h");
    site.settles();
    test(&site);
    site.log_is_sound();
    site.keeps_its_promises();
}

#[test]
fn an_apply_looks_at_the_tenant_once_whatever_it_does() {
    with_three(|site| {
        let list = "/v1.0/deviceManagement/managedDevices";
        let looks = |since| {
            let calls = site.tenant.calls(&format!("method=GET&since={since}&path={list}"));
            let is_first =
                |call: &&Value| !call["query"].as_str().is_some_and(|query| query.contains("skip"));
            calls.iter().filter(is_first).count()
        };
        let before = site.tenant.last_call();
        site.put("B2.yaml", Device::new("B2").labels("{site: oslo}").yaml());
        let plan = site.apply();
        assert!(!plan["actions"].as_array().is_some_and(Vec::is_empty), "{plan}");
        assert_eq!(looks(before), 1, "and none to keep what is to be shown next");
        let before = site.tenant.last_call();
        site.apply();
        assert_eq!(looks(before), 1);
    });
}

fn missing(site: &Site<'_>) -> Vec<&'static str> {
    let is = |serial: &&str| site.device(serial)["missingSince"].is_string();
    ["A1", "B2", "C3"].into_iter().filter(is).collect()
}

#[test]
fn a_page_that_fails_makes_the_look_incomplete_and_no_device_missing() {
    with_three(|site| {
        let list = "/v1.0/deviceManagement/managedDevices";
        for (page, status, times) in [(0, 403, 1), (1, 403, 1), (2, 503, 6)] {
            site.tenant.wait("9h");
            site.tenant.fault(json!({"match": {"method": "GET", "path": list}, "skip": page,
                "times": times, "action": {"status": status, "retryAfter": "0"}}));
            let output = site.run(&["apply", "--yes"]);
            assert_eq!(output.code, Some(1), "page {page}: {output:#?}");
            let said = output.stdout.clone() + &output.stderr;
            assert!(said.contains(&status.to_string()), "page {page}: {said}");
            assert!(page == 0 || said.contains("the list of devices cannot be read"), "{said}");
            site.tenant.heal();
            assert_eq!(missing(site), [""; 0], "page {page}");
            site.settles();
        }
    });
}

#[test]
fn a_device_that_intune_does_not_list_is_missing_and_nothing_else_until_it_is_found() {
    with_three(|site| {
        // Graph forgets the second page.
        let list = "/v1.0/deviceManagement/managedDevices";
        let rule = json!({"match": {"path": list}, "times": 1, "action": {"dropPage": true}});
        site.tenant.fault(rule.clone());
        site.tenant.wait("1h");
        site.apply();
        let gone = missing(site);
        assert_eq!(gone.len(), 1);
        assert_eq!(site.device(gone[0])["status"], "Enrolled");
        for args in [&["list"][..], &["show", gone[0]]] {
            let said = site.run(args).stdout.to_lowercase();
            assert!(said.contains("missing"), "{args:?}: {said}");
        }
        assert_eq!(site.tenant.accepted().len(), 0);
        site.apply();
        assert_eq!(missing(site), [""; 0], "found again");
        site.is_settled();

        // One is really gone.
        site.tenant.post("/hardware/B2/lose", Value::Null);
        site.settles();
        assert_eq!(missing(site), ["B2"]);
        site.tenant.patch("/hardware/B2", json!({"joins": true}));
        site.tenant.post("/hardware/B2/enroll", Value::Null);
        site.tenant.wait("20m");
        site.apply();
        assert_eq!(missing(site), [""; 0]);
        assert_eq!(site.stands("B2"), "Enrolled compliant");
        site.tenant.wait("9h");
        site.settles();
    });
}

#[test]
fn from_a_list_that_is_not_whole_nobody_concludes_why_a_device_does_not_enroll() {
    with_three(|site| {
        let bare = Profile::new("Bare", "ios");
        site.put("bare.yaml", bare.with("intune", format_args!("{{group: {OTHER_GROUP}}}")).yaml());
        let ben = "ben@example.com";
        site.tenant.hardware(json!({"serialNumber": "W4", "userPrincipalName": ben,
            "platform": "ios"}));
        let phone = Device::new("W4").with("platform", "ios").with("userEmail", ben);
        site.put("W4.yaml", phone.with("profile", "Bare").yaml());
        site.settles();
        assert_eq!(site.stands("W4"), "Pending unknown");
        // Ben tries it without a license. Meanwhile a page cannot be read, and he may be on it.
        site.tenant.wait("2h");
        let list = "/v1.0/deviceManagement/managedDevices";
        site.tenant.fault(json!({"match": {"method": "GET", "path": list}, "skip": 1, "times": 1,
            "action": {"status": 403}}));
        assert_eq!(site.pass().0, 1);
        assert_eq!(site.stands("W4"), "Pending unknown");
        site.tenant.heal();
        site.pass();
        assert_eq!(site.stands("W4"), "Failed unknown");
        let why = site.device("W4")["statusReason"].to_string();
        assert!(why.contains("UserNotLicensed"), "{why}");
    });
}

#[test]
fn devices_that_no_manifest_declares_are_listed_and_never_touched() {
    with_three(|site| {
        let none = site.run(&["list", "--unmanaged", "-o", "json"]).exits(0).json();
        assert_eq!(none["count"], 0, "somebody looked, and there is none");
        site.tenant.hardware(json!({"serialNumber": "Z9", "userPrincipalName": "zoe@example.com",
            "enrolled": true, "platform": "ios", "personal": true}));
        let record = site.tenant.record_of("Z9");
        let before = site.tenant.last_call();
        site.apply();
        let list = site.run(&["list", "--unmanaged", "-o", "json"]).exits(0).json();
        assert_eq!(list["count"], 1);
        assert_eq!(text(&list["devices"][0]["serialNumber"]), "Z9");
        assert!(site.run(&["list"]).exits(0).stdout.contains('1'));
        // Its manifest goes: it is an orphan, and then one that is not declared.
        site.place.remove("fleet/C3.yaml");
        site.apply();
        site.is_settled();
        assert_eq!(site.tenant.accepted().len(), 0);
        let touched = site.tenant.written(before);
        assert!(!touched.iter().any(|call| call.contains(&record)), "{touched:?}");
    });
}

#[test]
fn where_intunes_verdict_and_ours_differ_the_stricter_one_counts_and_both_are_shown() {
    with_three(|site| {
        // By our checks it fails at once; Intune gives it a day.
        site.tenant.becomes("A1", json!({"encrypted": false}));
        site.apply();
        assert_eq!(site.stands("A1"), "Enrolled nonCompliant");
        let shown = site.run(&["show", "A1"]).exits(0).stdout;
        assert!(shown.contains("in the grace period until 2026-11-2"), "{shown}");
        site.tenant.wait("25h");
        site.apply();
        let shown = site.run(&["show", "A1"]).exits(0).stdout;
        assert!(shown.contains("not compliant") && !shown.contains("grace"), "{shown}");

        // Somebody else's policy judges what we do not ask for.
        let other = "dddd0000-0000-4000-8000-000000000001";
        let asks = json!({"osMinimumVersion": "10.0.99999"});
        let policy = json!({"kind": "deviceCompliancePolicies", "id": other, "displayName": "Audit", "properties": asks});
        site.tenant.post("/policies", policy);
        site.tenant.patch(&format!("/policies/{other}"), json!({"groups": [GROUP]}));
        site.tenant.post("/hardware/B2/check-in", Value::Null);
        site.apply();
        assert_eq!(site.stands("B2"), "Enrolled nonCompliant", "{:#}", site.device("B2"));
        assert_eq!(site.device("B2")["compliance"]["failing"], json!(["mdm"]));
    });
}

#[test]
fn a_tenant_that_calls_devices_without_a_policy_compliant_fools_nobody() {
    let tenant = Tenant::paused();
    tenant.set(json!({"compliantWithoutPolicy": true}));
    let site = Site::new(&tenant);
    let intune = format!("{{group: {GROUP}, compliancePolicy: none}}");
    let rules = "{screenLock: {required: true, minPinLength: 6}}";
    let profile = site.standard().with("platforms", "[windows]").with("intune", intune);
    let profile = profile.with("compliance", rules);
    site.put("standard.yaml", profile.yaml());
    tenant.hardware(json!({"serialNumber": "A1", "userPrincipalName": ANA, "enrolled": true}));
    site.put("a.yaml", Device::new("A1").yaml());
    site.apply();
    tenant.wait("9h");
    site.settles();
    assert_eq!(tenant.device("A1")["record"]["complianceState"], "compliant");
    assert_eq!(site.stands("A1"), "Enrolled unknown");
}

/// Something between us and Graph that changes what it answers.
fn mirror(tenant: &Tenant, changes: impl Fn(String) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let graph: SocketAddr = tenant.url().trim_start_matches("http://").parse().expect("an address");
    // It ends with the process of the tests: nobody connects to it any more.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let _ = pass_on(stream, graph, &changes);
        }
    });
    format!("http://{address}")
}

fn pass_on(
    mut client: TcpStream,
    graph: SocketAddr,
    changes: &dyn Fn(String) -> String,
) -> std::io::Result<()> {
    let request = message(&mut client)?;
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((&request, ""));
    let mut server = TcpStream::connect(graph)?;
    write!(server, "{head}\r\nConnection: close\r\n\r\n{body}")?;
    let answer = message(&mut server)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let body = changes(body.to_owned());
    let keeps = |line: &&str| {
        let line = line.to_ascii_lowercase();
        !line.starts_with("content-length") && !line.starts_with("connection")
    };
    let head: Vec<&str> = head.lines().filter(keeps).collect();
    let (head, length) = (head.join("\r\n"), body.len());
    write!(client, "{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

/// A head, and as much after it as it says.
fn message(stream: &mut TcpStream) -> std::io::Result<String> {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Ok(text);
            }
        }
        match stream.read(&mut part)? {
            0 => return Ok(text),
            n => bytes.extend_from_slice(&part[..n]),
        }
    }
}

#[test]
fn a_page_at_another_host_or_one_that_was_read_is_not_followed_and_no_device_is_missing() {
    type Changes = fn(String) -> String;
    let cases: [(&str, Changes); 2] = [
        ("another host", |body| {
            body.replace(
                "\"@odata.nextLink\":\"http://127.0.0.1",
                "\"@odata.nextLink\":\"http://127.0.0.2",
            )
        }),
        ("was read", |body| {
            let Some((before, rest)) = body.split_once("$skiptoken=") else { return body };
            let after = rest.split_once('"').map_or("", |(_, after)| after);
            format!("{before}$skiptoken=always\"{after}")
        }),
    ];
    for (why, changes) in cases {
        with_three(|site| {
            let graph = mirror(site.tenant, changes);
            let config = site.place.read("etc/fleetform.yaml");
            let own = format!("graphUrl: {}", site.tenant.url());
            assert!(config.contains(&own));
            site.place
                .write("etc/fleetform.yaml", config.replace(&own, &format!("graphUrl: {graph}")));
            let output = site.run(&["apply", "--yes"]);
            assert_eq!(output.code, Some(1), "{output:#?}");
            let said = output.stdout.clone() + &output.stderr;
            assert!(said.contains("the list of devices cannot be read"), "{said}");
            assert!(
                why == "was read" || said.contains("its next page is at another host"),
                "{said}"
            );
            assert_eq!(missing(site), [""; 0]);
            site.place.write("etc/fleetform.yaml", config);
            site.settles();
        });
    }
}
