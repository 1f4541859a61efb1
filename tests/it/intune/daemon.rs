//! The daemon against a tenant whose time goes by.

use serde_json::{Value, json};

use crate::daemon::client::{address, until_metrics};
use crate::support::{Device, Site, Tenant};

const SERIAL: &str = "PF3XK9Q2";

fn site(tenant: &Tenant) -> Site<'_> {
    let site = Site::new(tenant);
    site.configure("  poll: 1s\n");
    site.put("standard.yaml", site.standard().with("platforms", "[windows]").yaml());
    let hash = "{manufacturer: LENOVO, model: X1, autopilotHash: aGFzaA==}";
    site.put("device.yaml", Device::new(SERIAL).with("hardware", hash).yaml());
    tenant.hardware(json!({"serialNumber": SERIAL, "userPrincipalName": "ana@example.com"}));
    site
}

const ARGS: [&str; 4] = ["--config", "etc/fleetform.yaml", "--listen", "127.0.0.1:0"];

#[test]
fn a_daemon_brings_a_device_from_nothing_to_enrolled_and_tells_when_it_is_missing() {
    // An hour passes in a few seconds.
    let tenant = Tenant::running(600);
    let site = site(&tenant);
    let mut daemon = site.place.daemon(&ARGS);
    let address = address(&mut daemon);
    until_metrics(
        &mut daemon,
        address,
        &[
            "devices{status=\"Enrolled\"} 1",
            "devices_compliance{state=\"compliant\"} 1",
            "devices_missing 0",
            "ready 1",
        ],
    );
    tenant.post(&format!("/hardware/{SERIAL}/lose"), Value::Null);
    until_metrics(&mut daemon, address, &["devices_missing 1", "devices{status=\"Enrolled\"} 1"]);
    daemon.until_said("missing", 1);
    tenant.patch(&format!("/hardware/{SERIAL}"), json!({"joins": true}));
    until_metrics(&mut daemon, address, &["devices_missing 0", "devices{status=\"Enrolled\"} 1"]);
    daemon.stop();
    site.keeps_its_promises();
}

#[test]
fn a_daemon_that_is_told_to_stop_does_not_wait_for_a_slow_call() {
    let tenant = Tenant::running(600);
    let site = site(&tenant);
    let mut daemon = site.place.daemon(&ARGS);
    let listening = address(&mut daemon);
    until_metrics(&mut daemon, listening, &["devices{status=\"Enrolled\"} 1"]);
    tenant.fault(json!({"match": {"path": "*/managedDevices"}, "action": {"delayMs": 50_000}}));
    daemon.until("a slow call", || {
        let calls = tenant.calls("path=*/managedDevices");
        let slow = calls.iter().any(|call| !call["fault"].is_null());
        if slow { Ok(()) } else { Err("not called".into()) }
    });
    // It must be over within seconds.
    daemon.stop();
}
