//! Mail through Graph: out of a mailbox of the tenant, with the provider's credentials.

use serde_json::{Value, json};

use crate::support::{Device, EVERYDAY, Site, Tenant, text};

const SERIAL: &str = "PF3XK9Q2";
const CONFIG: &str = "etc/fleetform.yaml";

fn grant(tenant: &Tenant, more: &[&str]) {
    let apps = tenant.get("/apps")["apps"].take();
    let app = apps.as_array().expect("apps").iter().find(|app| app["clientId"] == EVERYDAY.0);
    let mut roles = app.expect("the everyday one")["roles"].as_array().expect("roles").clone();
    roles.extend(more.iter().map(|role| json!(role)));
    tenant.put(&format!("/apps/{}", EVERYDAY.0), json!({"roles": roles}));
    tenant.delete(&format!("/apps/{}/tokens", EVERYDAY.0));
}

fn mails(tenant: &Tenant) -> Vec<Value> {
    tenant.get("/mails")["mails"].as_array().expect("a list").clone()
}

#[test]
fn a_user_is_told_by_graph_once_and_a_right_that_is_missing_is_said_and_waited_for() {
    let tenant = Tenant::paused();
    let site = Site::new(&tenant);
    let config = site.place.read(CONFIG);
    let notify = "notify:\n  mail: {transport: graph, from: it@example.com, gather: 0s, send: [nonCompliant]}\n";
    site.place.write(CONFIG, config + notify);
    tenant.post("/users", json!({"userPrincipalName": "it@example.com"}));
    let hardware = json!({"serialNumber": SERIAL, "userPrincipalName": "ana@example.com",
        "enrolled": true});
    tenant.hardware(hardware);
    site.put("standard.yaml", site.standard().yaml());
    site.put("device.yaml", Device::new(SERIAL).with("platform", "windows").yaml());
    site.apply();
    tenant.wait("9h");
    site.apply();
    tenant.becomes(SERIAL, json!({"encrypted": false}));
    tenant.wait("9h");
    site.apply();
    assert_eq!(mails(&tenant), Vec::<Value>::new());
    let waiting = site.run(&["deliveries"]).exits(0).stdout;
    assert!(waiting.contains("Mail.Send"), "{waiting}");

    grant(&tenant, &["Mail.Send"]);
    site.apply();
    let sent = mails(&tenant);
    assert_eq!(sent.len(), 1, "{sent:#?}");
    let message = text(&sent[0]["message"]);
    assert_eq!(text(&sent[0]["from"]), "it@example.com");
    for part in ["To: ana@example.com", "Auto-Submitted: auto-generated", "Message-ID: <"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    site.apply();
    assert_eq!(mails(&tenant).len(), 1, "it is told once");
    let kinds: Vec<String> =
        site.place.log().iter().map(|entry| text(&entry["kind"]).to_owned()).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "notice.sent").count(), 1, "{kinds:?}");
    site.keeps_its_promises();
}
