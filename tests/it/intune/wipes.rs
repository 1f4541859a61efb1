//! What goes wrong at each step of a wipe: whatever it is, the device gets one command at most, none
//! without its line in the log, and what only puts a wipe off costs no signature.

use rayon::prelude::*;
use serde_json::{Value, json};

use crate::support::{Device, GROUP, Profile, Site, Tenant, WIPING, text};

pub const SERIAL: &str = "PF3XK9Q2";

/// A device that is enrolled and settled, in a tenant and a fleet of its own; `test` gets the id of its
/// record, too.
pub fn with_enrolled(hardware: &Value, test: impl FnOnce(&Site<'_>, &str)) {
    let tenant = Tenant::paused();
    let site = Site::new(&tenant);
    let profile = Profile::new("Standard", "windows, ios, macos, android");
    let intune = format!("{{group: {GROUP}, compliancePolicy: none}}");
    site.put("standard.yaml", profile.with("intune", intune).yaml());
    let mut given = json!({"serialNumber": SERIAL, "userPrincipalName": "ana@example.com",
        "enrolled": true});
    given.as_object_mut().expect("a map").extend(hardware.as_object().expect("a map").clone());
    let platform = hardware["platform"].as_str().unwrap_or("windows");
    tenant.hardware(given);
    site.put("device.yaml", Device::new(SERIAL).with("platform", platform).yaml());
    site.apply();
    tenant.wait("9h");
    site.settles();
    let record = tenant.record_of(SERIAL);
    test(&site, &record);
    site.log_is_sound();
    site.keeps_its_promises();
}

/// Passes as time goes by, until the device is wiped: within two days, when the request expires.
#[track_caller]
pub fn ends_wiped(site: &Site<'_>, context: &str) {
    for time in ["2m", "10m", "9h", "10m", "9h", "10m", "9h", "10m"] {
        site.tenant.wait(time);
        site.pass();
        if site.device(SERIAL)["status"] == "Wiped" {
            site.is_settled();
            let log = site.wipe_log();
            let count = |kind: &str| log.iter().filter(|one| *one == kind).count();
            assert_eq!(count("issued"), count("deferred") + 1, "{context}: {log:?}");
            assert_eq!((count("accepted"), count("confirmed")), (1, 1), "{context}: {log:?}");
            assert_eq!(site.tenant.accepted().len(), 1, "{context}");
            return;
        }
    }
    panic!("{context}: not wiped: {:#?}\n{:?}", site.wipe(), site.wipe_log());
}

/// Rules of the emulator for a record and the command that it gets.
type Rules<'a> = dyn Fn(&str, &str) -> Vec<Value> + Send + Sync + 'a;

/// Wipes a device in full and retires another one while this goes wrong, and compares what the log
/// says after the first pass, and how many commands Intune took by then.
fn goes_wrong(name: &str, rules: &Rules<'_>, said: &[&str], taken: usize) {
    ["full", "selective"].into_par_iter().for_each(|scope| {
        with_enrolled(&json!({}), |site, record| {
            let context = format!("{name}, {scope}");
            let command = if scope == "full" { "wipe" } else { "retire" };
            site.request(SERIAL, scope);
            rules(record, command).into_iter().for_each(|rule| site.tenant.fault(rule));
            site.pass();
            assert_eq!(site.wipe_log(), said, "{context}: {:?}", site.wipe());
            assert_eq!(site.tenant.accepted().len(), taken, "{context}");
            site.tenant.heal();
            ends_wiped(site, &context);
        });
    });
}

/// The announcement, and what is known after it.
const DEFERRED: [&str; 3] = ["accepted", "issued", "deferred"];
const IN_DOUBT: [&str; 2] = ["accepted", "issued"];
const TAKEN: [&str; 3] = ["accepted", "issued", "progress"];

#[test]
fn what_graph_refuses_at_the_call_is_put_off_and_what_nobody_knows_is_looked_for() {
    let action = |status: u16, takes_effect: bool| json!({"status": status, "retryAfter": "1.5", "takesEffect": takes_effect});
    let cases: [(&str, Value, &[&str], usize); 14] = [
        ("429", action(429, false), &DEFERRED, 0),
        ("429 after all", action(429, true), &DEFERRED, 1),
        ("503", action(503, false), &DEFERRED, 0),
        ("503 after all", action(503, true), &DEFERRED, 1),
        ("401", action(401, false), &DEFERRED, 0),
        ("401 after all", action(401, true), &DEFERRED, 1),
        ("403", action(403, false), &DEFERRED, 0),
        ("403 after all", action(403, true), &DEFERRED, 1),
        ("404", action(404, false), &DEFERRED, 0),
        ("500", action(500, false), &IN_DOUBT, 0),
        ("500 after all", action(500, true), &IN_DOUBT, 1),
        ("cut before", json!({"cut": "before"}), &IN_DOUBT, 0),
        ("cut after", json!({"cut": "after"}), &IN_DOUBT, 1),
        ("slow", json!({"delayMs": 300}), &TAKEN, 1),
    ];
    cases.par_iter().for_each(|(name, action, said, taken)| {
        let rules = |record: &str, command: &str| {
            let path = format!("*/managedDevices/{record}/{command}");
            vec![json!({"match": {"method": "POST", "path": path}, "times": 1, "action": action})]
        };
        goes_wrong(name, &rules, said, *taken);
    });
}

#[test]
fn what_fails_right_before_the_call_puts_it_off() {
    let list = "/v1.0/deviceManagement/managedDevices";
    let at_read = |action: Value, times: u64| {
        move |record: &str, _: &str| {
            let path = format!("{list}/{record}");
            vec![
                json!({"match": {"method": "GET", "path": path}, "times": times, "action": action}),
            ]
        }
    };
    // The list of all devices is read first.
    let at_search = |action: Value, times: u64| {
        move |_: &str, _: &str| {
            let matches = json!({"method": "GET", "path": list});
            vec![json!({"match": matches, "skip": 1, "times": times, "action": action})]
        }
    };
    let at_token = |action: Value| {
        move |_: &str, _: &str| {
            vec![json!({"match": {"path": "*/token", "app": WIPING.0}, "action": action})]
        }
    };
    let status = |status: u16| json!({"status": status, "retryAfter": "0"});
    let cases: Vec<(&str, Box<Rules<'_>>, &[&str], usize)> = vec![
        ("429 at the record", Box::new(at_read(status(429), 6)), &DEFERRED, 0),
        ("503 at the record", Box::new(at_read(status(503), 6)), &DEFERRED, 0),
        ("500 at the record", Box::new(at_read(status(500), 6)), &DEFERRED, 0),
        ("401 at the record", Box::new(at_read(status(401), 2)), &DEFERRED, 0),
        ("403 at the record", Box::new(at_read(status(403), 1)), &DEFERRED, 0),
        ("404 at the record", Box::new(at_read(status(404), 1)), &DEFERRED, 0),
        ("cut at the record", Box::new(at_read(json!({"cut": "during"}), 1)), &TAKEN, 1),
        ("429 at the search", Box::new(at_search(status(429), 6)), &DEFERRED, 0),
        ("403 at the search", Box::new(at_search(status(403), 1)), &DEFERRED, 0),
        ("cut at the search", Box::new(at_search(json!({"cut": "before"}), 1)), &TAKEN, 1),
        ("503 at the token", Box::new(at_token(status(503))), &DEFERRED, 0),
        ("401 at the token", Box::new(at_token(status(401))), &DEFERRED, 0),
    ];
    cases.par_iter().for_each(|(name, rules, said, taken)| goes_wrong(name, rules, said, *taken));
}

#[test]
fn what_fails_while_a_wipe_is_followed_concludes_nothing() {
    [429, 503, 500, 401, 403].into_par_iter().for_each(|status| {
        with_enrolled(&json!({}), |site, record| {
            site.request(SERIAL, "full");
            site.apply();
            assert_eq!(site.wipe_log(), TAKEN);
            site.tenant.fault(json!({"match": {"path": format!("*/managedDevices/{record}")},
                "action": {"status": status, "retryAfter": "0"}}));
            site.tenant.wait("1h");
            let (code, _) = site.pass();
            assert_eq!(code, 1, "that it could not be read is said");
            assert_eq!(
                (site.wipe_log(), site.wipe().0),
                (TAKEN.map(str::to_owned).to_vec(), "issued".into())
            );
            assert_ne!(site.device(SERIAL)["status"], "Wiped");
            site.tenant.heal();
            ends_wiped(site, &format!("{status} while it is followed"));
        });
    });
}

#[test]
fn of_two_records_none_is_wiped_until_one_is_gone() {
    with_enrolled(&json!({}), |site, first| {
        site.tenant.post(&format!("/hardware/{SERIAL}/duplicate"), Value::Null);
        let second = site.tenant.record_of(SERIAL);
        site.request(SERIAL, "full");
        site.pass();
        assert_eq!(site.tenant.accepted().len(), 0);
        let (_, _, why) = site.wipe();
        assert!(why.contains(first) && why.contains(&second), "both are named: {why}");
        // Somebody removes the newer one.
        site.tenant.post(&format!("/hardware/{SERIAL}/lose"), Value::Null);
        site.tenant.wait("2m");
        site.pass();
        let accepted = site.tenant.accepted();
        assert_eq!(accepted.len(), 1, "{:?}", site.wipe());
        assert_eq!(accepted[0]["deviceId"], first);
    });
}

#[test]
fn a_device_that_intune_believes_to_be_personal_is_not_wiped_in_full_whatever_its_manifest_says() {
    with_enrolled(&json!({"personal": true}), |site, _| {
        site.request(SERIAL, "full");
        site.pass();
        let (standing, _, why) = site.wipe();
        assert_eq!(standing, "failed", "{why}");
        assert!(why.contains("the owner of the device as personal"), "{why}");
        site.tenant.wait("9h");
        site.pass();
        assert_eq!(site.tenant.accepted().len(), 0);
    });
}

#[test]
fn a_device_that_is_lost_before_or_after_the_command_is_missing_or_wiped() {
    let lose = format!("/emulator/hardware/{SERIAL}/lose");
    with_enrolled(&json!({}), |site, record| {
        site.request(SERIAL, "full");
        // It vanishes between the list and the record.
        site.tenant
            .fault(json!({"match": {"path": format!("*/managedDevices/{record}")}, "times": 1,
            "action": {"do": {"method": "POST", "path": lose}}}));
        site.pass();
        assert_eq!(site.wipe_log(), DEFERRED, "no signature is burnt by that");
        site.tenant.wait("9h");
        site.pass();
        let device = site.device(SERIAL);
        assert_eq!(device["status"], "Enrolled", "missing is not wiped");
        assert!(device["missingSince"].is_string(), "{device:#}");
        assert_eq!(site.tenant.accepted().len(), 0);
        // It enrolls anew, and the request still holds.
        site.tenant.patch(&format!("/hardware/{SERIAL}"), json!({"joins": true}));
        site.tenant.post(&format!("/hardware/{SERIAL}/enroll"), Value::Null);
        site.tenant.wait("20m");
        ends_wiped(site, "lost before");
    });
    with_enrolled(&json!({"online": false}), |site, _| {
        site.request(SERIAL, "full");
        site.apply();
        site.tenant.wait("9h");
        site.is_settled();
        site.tenant.post(&format!("/hardware/{SERIAL}/lose"), Value::Null);
        site.apply();
        assert_eq!(site.device(SERIAL)["status"], "Wiped", "it took our command, and is gone");
    });
}

#[test]
fn what_intune_could_not_do_ends_the_request_with_the_reason() {
    for (fate, word) in
        [("fails", "failed"), ("notSupported", "notSupported"), ("cancels", "canceled")]
    {
        with_enrolled(&json!({"fate": fate}), |site, _| {
            site.request(SERIAL, "full");
            site.apply();
            site.tenant.wait("30m");
            site.pass();
            let (standing, _, why) = site.wipe();
            assert_eq!(standing, "failed", "{why}");
            assert!(why.contains(&format!("Intune says {word}")), "{why}");
            assert_ne!(site.device(SERIAL)["status"], "Wiped");
            site.tenant.wait("24h");
            site.pass();
            assert_eq!(site.tenant.accepted().len(), 1, "it is not repeated");
        });
    }
    // Corporate Android cannot be retired.
    with_enrolled(&json!({"platform": "android"}), |site, _| {
        site.request(SERIAL, "selective");
        site.apply();
        site.tenant.wait("30m");
        site.pass();
        assert!(site.wipe().2.contains("Intune says notSupported"), "{:?}", site.wipe());
    });
}

#[test]
fn beyond_the_caps_of_a_day_a_wipe_waits_for_the_next_one() {
    for (scope, status) in [("full", 429), ("selective", 403)] {
        with_enrolled(&json!({}), |site, _| {
            site.tenant.set(json!({"caps": {"wipe": 0, "retire": 0, "status": status}}));
            site.request(SERIAL, scope);
            site.pass();
            assert_eq!(
                (site.wipe_log(), site.tenant.accepted().len()),
                (DEFERRED.map(str::to_owned).to_vec(), 0)
            );
            site.tenant.set(json!({"caps": {"wipe": 1, "retire": 1}}));
            ends_wiped(site, scope);
        });
    }
}

#[test]
fn an_offline_device_is_wiped_when_it_comes_back_and_asked_only_once() {
    with_enrolled(&json!({}), |site, _| {
        site.tenant.patch(&format!("/hardware/{SERIAL}"), json!({"online": false}));
        site.request(SERIAL, "full");
        site.apply();
        // It lies in a drawer until long after the request has expired.
        for _ in 0..4 {
            site.tenant.wait("7d");
            site.pass();
            assert_eq!(site.tenant.accepted().len(), 1);
            assert_ne!(site.device(SERIAL)["status"], "Wiped");
        }
        site.tenant.patch(&format!("/hardware/{SERIAL}"), json!({"online": true}));
        site.tenant.wait("1h");
        site.apply();
        assert_eq!(text(&site.device(SERIAL)["status"]), "Wiped");
        site.is_settled();
    });
}
