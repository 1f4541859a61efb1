//! A trust file that cannot be relied on: every wipe is refused then, and everybody is told.

use serde_json::json;

use super::client::{address, get, until_metrics};
use crate::support::{Fixture, device, trusted};

/// What is wrong with a trust file, and a part of what is said about it.
const BROKEN: [(&str, &str); 3] = [
    ("bob@example.com ssh-ed25519 AAAA\n", "line 1"),
    ("# nothing yet\nbob@example.com namespaces=\"wipe@fleetform\" ssh-ed2", "line 2"),
    ("\u{0}", "line 1"),
];

fn place(signers: &str) -> Fixture {
    let place = Fixture::of(&["A"]);
    place.write("etc/signers", signers);
    place.write("fleetform.yaml", "trust: {allowedSigners: etc/signers}\n");
    place
}

#[test]
fn check_plan_and_apply_say_so_and_whoever_configured_none_is_left_in_peace() {
    for (text, why) in BROKEN {
        let place = place(text);
        let said = "every wipe is refused";
        let (code, _, err) = place.outcome(&["check"]);
        assert!(code == 1 && err.contains(why) && err.contains(said), "{code}: {err}");
        let (code, out, err) = place.outcome(&["plan", "-o", "json"]);
        assert!(code == 0 && err.contains(why) && err.contains(said), "{code}: {err}");
        let plan: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(plan["trust"]["state"], "broken");
        assert!(plan["trust"]["why"].as_str().unwrap().contains(why), "{plan}");
        let (code, out, err) = place.outcome(&["apply", "--yes", "-o", "json"]);
        assert!(code == 0 && err.contains(why) && err.contains(said), "{code}: {err}");
        let applied: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(applied["trust"]["state"], "broken");
    }
    // Another machine may have the file: that is said too, and fails no check.
    let place = place("");
    place.write("fleetform.yaml", "trust: {allowedSigners: elsewhere/signers}\n");
    let (code, _, err) = place.outcome(&["check"]);
    assert!(code == 0 && err.contains("elsewhere does not exist"), "{code}: {err}");
    assert_eq!(place.json(&["plan"])["trust"]["state"], "broken");
    // AffectedFiles revoked, and nobody to have any.
    place.write("fleetform.yaml", "trust: {revokedKeys: etc/signers}\n");
    let (code, _, err) = place.outcome(&["check"]);
    assert!(code == 1 && err.contains("trust.allowedSigners"), "{code}: {err}");
    for (config, state) in [
        (
            "{}\n",
            json!({"state": "notConfigured", "why": "no trust file is configured (trust.allowedSigners)"}),
        ),
        ("trust: {allowedSigners: etc/signers}\n", json!({"state": "usable", "why": null})),
    ] {
        place.write("fleetform.yaml", config);
        for command in [&["check"][..], &["plan"], &["apply", "--yes"]] {
            let (code, _, err) = place.outcome(command);
            assert!(code == 0 && !err.contains("trust"), "{command:?}: {code}: {err}");
        }
        assert_eq!(place.json(&["plan"])["trust"], state);
    }
}

#[test]
fn the_daemon_tells_it_once_in_its_log_its_readiness_and_its_numbers_until_it_is_mended() {
    let place = place(&trusted("bob"));
    let mut daemon = place.daemon(&["--listen", "127.0.0.1:0"]);
    let at = address(&mut daemon);
    let degraded = || get(at, "/readyz").json()["degraded"].clone();
    until_metrics(&mut daemon, at, &["trust_usable 1", "trust_broken 0", "ready 1"]);
    assert_eq!(degraded(), json!([]));
    for times in 1..=2 {
        place.save("etc/signers", BROKEN[1].0);
        until_metrics(&mut daemon, at, &["trust_usable 0", "trust_broken 1", "ready 1"]);
        assert_eq!(get(at, "/readyz").status, 200);
        assert!(degraded()[0].as_str().unwrap().contains("line 2"), "{}", degraded());
        daemon.until("the plan that is shown to say so", || {
            match get(at, "/api/v1/plan").json()["trust"]["state"].as_str() {
                Some("broken") => Ok(()),
                state => Err(format!("{state:?}")),
            }
        });
        // More looks, and not one more word.
        let passes = |at| super::client::metric(at, "passes_total{outcome=\"done\"}");
        let before = passes(at);
        place.save("fleet/A.yaml", &device("A").replace("ana@", &format!("a{times}@")));
        daemon.until(
            "another pass",
            || if passes(at) > before { Ok(()) } else { Err(String::new()) },
        );
        assert_eq!(daemon.said().matches("cannot be relied on").count(), times);
        place.save("etc/signers", &trusted("bob"));
        until_metrics(&mut daemon, at, &["trust_usable 1", "trust_broken 0", "ready 1"]);
        assert_eq!(daemon.said().matches("can be relied on again").count(), times);
        assert_eq!(degraded(), json!([]));
    }
    daemon.stop();
}
