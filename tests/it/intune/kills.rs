//! The program dies at each step of a wipe: at each write of its log, and while Graph is asked. The
//! next runs end with one command, or with none where nobody asked.

use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde_json::{Value, json};

use super::wipes::{SERIAL, ends_wiped, with_enrolled};
use crate::support::{Site, WIPING, number};

/// Steps of the log at which the program aborts, each so many times later.
const POINTS: [&str; 4] = [
    "ledger.append.write.before",
    "ledger.append.write.after",
    "ledger.append.fsync.before",
    "ledger.append.fsync.after",
];
/// Acceptance, announcement and outcome, with one more for what else a pass writes.
const WRITES: u64 = 4;

#[test]
fn aborted_at_any_write_of_its_log_a_wipe_is_given_once() {
    let every =
        (0..number("CRASH_HITS").unwrap_or(WRITES)).flat_map(|n| POINTS.map(|point| (point, n)));
    let died: Vec<bool> = every
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|(point, before)| {
            let mut died = false;
            with_enrolled(&json!({}), |site, _| {
                site.request(SERIAL, "full");
                let failpoint = format!("{point}={before}*off->return");
                let crash = site.run_with(&["apply", "--yes"], &[("FAILPOINTS", &failpoint)]);
                died = crash.signal == Some(6);
                assert!(died || crash.code == Some(0), "{failpoint}: {crash:?}");
                site.keeps_its_promises();
                ends_wiped(site, &failpoint);
            });
            died
        })
        .collect();
    let died = died.iter().filter(|died| **died).count();
    assert!(died >= 10, "only {died} times something died");
}

/// Waits until Graph was called so, and kills the program that called.
pub fn killed_at(site: &Site<'_>, args: &[&str], query: &str) {
    let before = site.tenant.last_call();
    let mut child = site.begin(args);
    let begun = Instant::now();
    while site.tenant.calls(&format!("{query}&since={before}")).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{query} is not called");
        let ended = child.try_wait().expect("its state");
        assert!(ended.is_none(), "it ended before it called {query}: {ended:?}");
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("its end");
}

/// A rule for a call that is answered so late that nobody waits for it.
pub fn late(matches: Value, action: Value) -> Value {
    let mut action = action;
    action["delayMs"] = json!(30_000);
    json!({"match": matches, "times": 1, "action": action})
}

#[test]
fn killed_while_graph_is_asked_a_wipe_is_given_once() {
    let post = |scope: &str| json!({"method": "POST", "path": format!("*/{scope}")});
    type Case = (&'static str, &'static str, Value, &'static str, usize);
    let cases: Vec<Case> = vec![
        ("the command was taken", "full", late(post("wipe"), json!({})), "path=*/wipe", 1),
        (
            "the retirement was taken",
            "selective",
            late(post("retire"), json!({})),
            "path=*/retire",
            1,
        ),
        (
            "the command was not taken",
            "full",
            late(post("wipe"), json!({"status": 503})),
            "path=*/wipe",
            0,
        ),
        (
            "the command was cut off",
            "full",
            late(post("wipe"), json!({"cut": "before"})),
            "path=*/wipe",
            0,
        ),
        (
            "the record is read",
            "full",
            late(json!({"method": "GET", "path": "*/managedDevices/*"}), json!({})),
            "method=GET&path=*/managedDevices/*",
            0,
        ),
        (
            "a token is asked for",
            "full",
            late(json!({"path": "*/token", "app": WIPING.0}), json!({})),
            TOKEN,
            0,
        ),
    ];
    cases.into_par_iter().for_each(|(name, scope, rule, query, taken)| {
        with_enrolled(&json!({}), |site, _| {
            site.request(SERIAL, scope);
            site.tenant.fault(rule);
            killed_at(site, &["apply", "--yes"], query);
            assert_eq!(site.wipe_log(), ["accepted", "issued"], "{name}: it was announced first");
            assert_eq!(site.tenant.accepted().len(), taken, "{name}");
            site.keeps_its_promises();
            site.tenant.heal();
            ends_wiped(site, name);
        });
    });
}

const TOKEN: &str = "path=*/token&app=22222222-2222-4222-8222-222222222222";

#[test]
fn killed_at_each_call_of_an_approval_a_wipe_is_given_once() {
    // The first call asks for approval, the second one has its code.
    let post = json!({"method": "POST", "path": "*/wipe"});
    let kills = [
        (0, json!({}), 0),
        (1, json!({}), 1),
        (1, json!({"status": 503}), 0),
        (1, json!({"cut": "before"}), 0),
    ];
    kills.par_iter().for_each(|(calls_before, action, taken)| {
        with_enrolled(&json!({}), |site, _| {
            site.tenant.post("/approvals/policies", json!({"policyType": "deviceWipe"}));
            site.request(SERIAL, "full");
            if *calls_before == 1 {
                site.apply();
                site.tenant.post("/approvals/latest", json!({"decision": "approve"}));
            }
            site.tenant.fault(late(post.clone(), action.clone()));
            killed_at(site, &["apply", "--yes"], "method=POST&path=*/wipe");
            assert_eq!(site.tenant.accepted().len(), *taken, "{action}");
            site.tenant.heal();
            if *calls_before == 0 {
                // Nobody knows the code that was answered: it is asked for again.
                for time in ["9h", "10m", "1m"] {
                    site.tenant.wait(time);
                    site.pass();
                }
                assert_eq!(site.wipe().0, "awaitingApproval", "{:?}", site.wipe_log());
                site.tenant.post("/approvals/latest", json!({"decision": "approve"}));
            }
            ends_wiped(site, &action.to_string());
        });
    });
}
