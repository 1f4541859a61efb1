//! The promises of the program, each by a test that fails if it is broken. Promise 4 is in
//! `crashes.rs`.

use serde_json::{Value, json};

use crate::support::{Fixture, actions, device, healthy, text, tree};

/// Promise 1: dry-run is structural.
#[test]
fn plan_changes_nothing_anywhere() {
    let fixture = Fixture::enrolled();
    fixture.remove("fleet/madrid/ana-ruiz-laptop.yaml");
    fixture.replace("fleet/profiles/standard.yaml", "vpn.example.com", "vpn2.example.com");
    fixture.report(&healthy("PF5B20QK", 2).replace("\"pinLength\":8", "\"pinLength\":4"));
    fixture.report(&healthy("UNKNOWN", 2));
    fixture.write(".fleetform/inbox/nonsense", "nonsense");
    let before = tree(&fixture.path(""));
    for args in [&["plan"][..], &["plan", "-o", "json"], &["plan", "--detailed-exitcode"]] {
        let plan = fixture.run(args);
        assert!(plan.stdout.contains("orphan"), "there is something to do: {plan:?}");
        assert_eq!(tree(&fixture.path("")), before, "{args:?}");
    }
    let fresh = Fixture::sample();
    let before = tree(&fresh.path(""));
    fresh.run(&["plan"]).exits(0);
    assert_eq!(tree(&fresh.path("")), before, "not even the data directory is made");
}

/// Promise 1: what was planned is what is applied.
#[test]
fn apply_does_what_plan_said() {
    let fixture = Fixture::enrolled();
    fixture.replace("fleet/profiles/standard.yaml", "vpn.example.com", "vpn2.example.com");
    fixture.remove("fleet/madrid/ana-ruiz-laptop.yaml");
    fixture.report(&healthy("PF5B20QK", 2).replace("\"pinLength\":8", "\"pinLength\":4"));
    let plan = fixture.json(&["plan"]);
    let mut planned = std::collections::BTreeMap::<&str, u64>::new();
    for action in plan["actions"].as_array().unwrap() {
        *planned.entry(text(&action["action"])).or_default() += 1;
    }
    assert_eq!(json!(planned), json!({"compliance": 1, "orphan": 1, "profile": 1, "push": 4}));
    let applied = fixture.json(&["apply", "--yes"]);
    assert_eq!((&applied["digest"], &applied["done"]), (&plan["digest"], &json!(planned)));
}

/// Promise 2: it converges.
#[test]
fn after_a_pass_nothing_is_left() {
    let fixture = Fixture::sample();
    let settled = || {
        fixture.run(&["apply", "--yes"]).exits(0);
        let plan = fixture.run(&["plan", "--detailed-exitcode", "-o", "json"]).exits(0).json();
        assert_eq!(actions(&plan), [""; 0]);
        fixture.read(".fleetform/audit.jsonl")
    };
    settled();
    fixture.report(&healthy("PF3XK9Q2", 1));
    settled();
    fixture.replace("fleet/madrid/ana-ruiz-laptop.yaml", "profile: Standard", "profile: Executive");
    fixture.replace("fleet/berlin/jonas-weber-laptop.yaml", "spec:", "spec:\n  enrollment: 2");
    fixture.replace("fleet/berlin/lena-vogt-iphone.yaml", "spec:", "spec:\n  status: Failed");
    fixture.remove("fleet/madrid/jorge-vidal-laptop.yaml");
    let log = settled();
    assert_eq!(settled(), log, "a quiet fleet writes no log");
}

/// Promise 2: the order of files on disk does not count.
#[test]
fn equal_inputs_give_equal_bytes() {
    let manifests: Vec<_> = (0..60)
        .map(|n| (format!("d{}/f{n}.yaml", n % 7), device(&format!("SN{:02}", n * 37 % 60))))
        .chain([("p.yaml".to_owned(), crate::support::PROFILE.to_owned())])
        .chain([("bad.yaml".to_owned(), "kind: [".to_owned())])
        .chain([("twice.yaml".to_owned(), device("SN07") + "---\n" + &device("SN08"))])
        .collect();
    let output = |order: &mut dyn Iterator<Item = &(String, String)>| {
        let fixture = Fixture::empty();
        for (path, manifest) in order {
            fixture.write(&format!("fleet/{path}"), manifest);
        }
        let run = |args: &[&str]| fixture.run(args).stdout;
        [run(&["plan", "-o", "json"]), run(&["plan"]), run(&["check", "-o", "json"])]
    };
    let expected = output(&mut manifests.iter());
    assert_eq!(output(&mut manifests.iter().rev()), expected);
    assert_eq!(output(&mut (0..63).map(|n| &manifests[n * 5 % 63])), expected);
}

/// Without what is never logged by itself.
fn without_telemetry(mut state: Value) -> Value {
    for device in state["devices"].as_object_mut().expect("devices").values_mut() {
        device["lastSync"].take();
        device["facts"].take();
    }
    state
}

/// Promise 3: the log comes first.
#[test]
fn a_lost_snapshot_comes_back_but_for_telemetry() {
    let fixture = Fixture::enrolled();
    fixture.remove("fleet/madrid/ana-ruiz-laptop.yaml");
    fixture.replace("fleet/berlin/jonas-weber-laptop.yaml", "spec:", "spec:\n  status: Failed");
    fixture.run(&["apply", "--yes"]).exits(0);
    let (before, listed) = (fixture.state(), fixture.devices());
    assert_ne!(without_telemetry(before.clone()), before, "there is telemetry");
    let replayed = fixture.json(&["audit", "replay"]);
    assert_eq!(without_telemetry(replayed), without_telemetry(before.clone()));

    fixture.remove(".fleetform/state.json");
    for (serial, device) in fixture.devices() {
        assert_eq!(device["status"], listed[&serial]["status"], "readers do without it, too");
    }
    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!(without_telemetry(fixture.state()), without_telemetry(before));
    fixture.run(&["audit", "verify"]).exits(0);
}

/// Promise 3: if the log cannot be written, nothing is done.
#[test]
fn without_a_log_nothing_is_done() {
    let fixture = Fixture::enrolled();
    let outbox = tree(&fixture.path(".fleetform/outbox"));
    let state = fixture.read(".fleetform/state.json");
    fixture.replace("fleet/profiles/standard.yaml", "vpn.example.com", "vpn2.example.com");
    // The disk is full a little after the end of the log.
    let kib = fixture.read(".fleetform/audit.jsonl").len().div_ceil(1024);
    let limited = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" apply --yes");
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_fleetform")]);
    let failed = command.current_dir(fixture.path("")).output().unwrap();
    let said = String::from_utf8_lossy(&failed.stderr);
    assert_eq!(failed.status.code(), Some(1), "{said}");
    assert!(said.contains("audit.jsonl") && said.contains("too large"), "{said}");
    assert_eq!(tree(&fixture.path(".fleetform/outbox")), outbox);
    assert_eq!(fixture.read(".fleetform/state.json"), state);
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.run(&["plan", "--detailed-exitcode"]).exits(0);
    fixture.run(&["audit", "verify"]).exits(0);
}

/// Promise 5: absence never destroys.
#[test]
fn a_directory_that_is_gone_empty_or_shrunken_freezes() {
    type Harm = fn(&Fixture);
    let harms: [(&str, Harm); 4] = [
        ("missing", |fixture| fixture.remove("fleet")),
        ("missing", |fixture| {
            fixture.remove("fleet");
            fixture.write("fleet", "a file where a directory was");
        }),
        ("empty", |fixture| {
            fixture.remove("fleet");
            std::fs::create_dir(fixture.path("fleet")).expect("a new directory");
        }),
        ("shrunken", |fixture| {
            fixture.remove("fleet/lisbon");
            fixture.remove("fleet/remote/personal.yml");
        }),
    ];
    let enrolled = Fixture::enrolled();
    for (cause, harm) in harms {
        let fixture = enrolled.duplicate();
        let (before, outbox) = (fixture.devices(), tree(&fixture.path(".fleetform/outbox")).len());
        harm(&fixture);
        for _ in 0..2 {
            fixture.run(&["plan", "--detailed-exitcode"]).exits(3);
            fixture.run(&["apply", "--yes"]).exits(3);
        }
        assert_eq!(fixture.state()["frozen"]["cause"], cause);
        assert_eq!(fixture.logged("pass.frozen"), 1, "said once");
        assert_eq!(fixture.devices(), before, "{cause}: no device is harmed");
        assert_eq!(tree(&fixture.path(".fleetform/outbox")).len(), outbox);
        // What devices say still counts while it is frozen.
        fixture.report(&healthy("PF3XK9Q2", 2).replace("\"pinLength\":8", "\"pinLength\":4"));
        fixture.run(&["apply", "--yes"]).exits(3);
        assert_eq!(fixture.devices()["PF3XK9Q2"]["compliance"]["state"], "nonCompliant");
        fixture.run(&["audit", "verify"]).exits(0);
    }
}

/// Promise 5: the one way out is to name the number of removals.
#[test]
fn only_the_right_number_of_removals_thaws() {
    let fixture = Fixture::enrolled();
    fixture.remove("fleet/lisbon");
    fixture.remove("fleet/remote/personal.yml");
    for wrong in ["4", "6", "0", "12"] {
        let refused = fixture.run(&["apply", "--yes", "--accept-removals", wrong]).exits(3);
        assert!(refused.stdout.contains('5'), "it names the right number: {refused:?}");
        assert_eq!(fixture.logged("device.orphaned"), 0);
    }
    fixture.run(&["apply", "--yes", "--accept-removals", "5"]).exits(0);
    assert_eq!(fixture.logged("device.orphaned"), 5);
    let thawed = fixture.log().into_iter().find(|entry| entry["kind"] == "pass.thawed").unwrap();
    assert_eq!(thawed["data"]["acceptedRemovals"], 5, "an override is logged");
    let orphans = fixture.json(&["list", "--orphaned"]);
    for device in orphans["devices"].as_array().unwrap() {
        assert_eq!(device["status"], "Enrolled", "an orphan is left alone");
    }
    fixture.run(&["plan", "--detailed-exitcode"]).exits(0);
    let missing = Fixture::enrolled();
    missing.remove("fleet");
    missing.run(&["apply", "--yes", "--accept-removals", "12"]).exits(3);
}

/// Promise 5: a directory that is plausible again thaws by itself.
#[test]
fn what_comes_back_thaws() {
    let fixture = Fixture::enrolled();
    let whole = fixture.duplicate();
    fixture.remove("fleet");
    fixture.run(&["apply", "--yes"]).exits(3);
    std::fs::rename(whole.path("fleet"), fixture.path("fleet")).unwrap();
    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!((fixture.logged("pass.frozen"), fixture.logged("pass.thawed")), (1, 1));
    assert_eq!(fixture.logged("device.orphaned"), 0);
}

/// One bad manifest harms only itself, and that is said.
#[test]
fn a_bad_manifest_is_held_and_all_others_proceed() {
    type UnusableKind = fn(&Fixture);
    let damages: [(&[&str], UnusableKind); 6] = [
        (&["PF3XK9Q2"], |f| {
            f.replace("fleet/madrid/ana-ruiz-laptop.yaml", "ana.ruiz@example.com", "ana")
        }),
        (&["PF3XK9Q2"], |f| f.write("fleet/madrid/ana-ruiz-laptop.yaml", [0xff, 0xfe, 0])),
        (&["PF3XK9Q2"], |f| f.write("fleet/madrid/ana-ruiz-laptop.yaml", "")),
        // One of three documents, or a fourth.
        (&[], |f| f.replace("fleet/lisbon/devices.yaml", "# The Lisbon", "{ The Lisbon")),
        (&["5CG4210XKQ"], |f| f.replace("fleet/lisbon/devices.yaml", "nuno.alves@", "nuno.alves")),
        // A whole file that cannot be parsed at all.
        (&["5CG4210XKP", "5CG4210XKQ", "R52N80ABCDE"], |f| {
            let text = f.read("fleet/lisbon/devices.yaml");
            f.write("fleet/lisbon/devices.yaml", text + &"# too large\n".repeat(100_000));
        }),
    ];
    let enrolled = Fixture::enrolled();
    for (held, damage) in damages {
        let fixture = enrolled.duplicate();
        let before = fixture.devices();
        damage(&fixture);
        // The others have something to do.
        fixture.replace("fleet/berlin/jonas-weber-laptop.yaml", "spec:", "spec:\n  status: Failed");
        fixture.write("fleet/new.yaml", device("NEW1"));
        fixture.run(&["check"]).exits(1);
        fixture.run(&["plan", "--detailed-exitcode"]).exits(1);
        let plan = fixture.run(&["plan", "-o", "json"]).exits(1).json();
        assert_eq!(actions(&plan), ["status PF5B20QK", "provision NEW1"], "{held:?}");
        let holds = plan["holds"].as_array().unwrap().iter();
        let mut holds: Vec<_> = holds
            .filter(|hold| hold["reason"] == "manifestInvalid")
            .filter_map(|hold| hold["serialNumber"].as_str())
            .collect();
        holds.sort_unstable();
        assert_eq!(holds, held);
        fixture.run(&["apply", "--yes"]).exits(1);
        let after = fixture.devices();
        assert_eq!(after["PF5B20QK"]["status"], "Failed");
        assert_eq!(after["NEW1"]["status"], "Pending");
        for serial in held {
            assert_eq!(after[*serial], before[*serial], "it keeps what was last recorded");
        }
        assert_eq!(fixture.logged("device.orphaned"), 0);
    }
}

/// Promise 6: a profile that cannot be used holds its devices, and only them.
#[test]
fn a_bad_profile_holds_its_devices_only() {
    let fixture = Fixture::enrolled();
    fixture.replace("fleet/profiles/executive.yaml", "minPinLength: 8", "minPinLength: 4");
    fixture.replace("fleet/profiles/standard.yaml", "vpn.example.com", "vpn2.example.com");
    let plan = fixture.run(&["plan", "-o", "json"]).exits(1).json();
    assert_eq!(plan["findings"][0]["code"], "pin-too-short");
    let actions = actions(&plan);
    assert_eq!(actions.len(), 6, "the profile and its five devices: {actions:?}");
    let holds = plan["holds"].as_array().unwrap();
    assert_eq!(holds.iter().filter(|hold| hold["reason"] == "profileInvalid").count(), 3);
}

/// Promise 7: silence is explained.
#[test]
fn what_is_desired_and_not_planned_is_a_hold_with_its_reason() {
    let fixture = Fixture::enrolled();
    fixture.replace("fleet/berlin/lena-vogt-iphone.yaml", "spec:", "spec:\n  enrollment: 3");
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.replace("fleet/berlin/lena-vogt-iphone.yaml", "enrollment: 3", "enrollment: 2");
    fixture.write("fleet/new.yaml", device("NEW1"));
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.report(
        &healthy("NEW1", 1).replace("{\"serial", "{\"enrollmentError\":\"no license\",\"serial"),
    );
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.write("fleet/bad.yaml", device("BAD1").replace("ana@", "ana"));
    let plan = fixture.run(&["plan", "-o", "json"]).exits(1).json();
    assert_eq!(actions(&plan), [""; 0]);
    let holds = plan["holds"].as_array().unwrap().iter();
    let holds: Vec<_> = holds
        .map(|hold| {
            assert!(hold["line"].is_u64() && text(&hold["detail"]).len() > 10, "{hold}");
            format!("{} {}", text(&hold["path"]), text(&hold["reason"]))
        })
        .collect();
    assert_eq!(
        holds,
        [
            "bad.yaml manifestInvalid",
            "berlin/lena-vogt-iphone.yaml awaitingReport",
            "berlin/lena-vogt-iphone.yaml enrollmentLowered",
            "new.yaml enrollmentFailed",
        ]
    );
    let said = fixture.run(&["plan"]).stdout;
    for part in ["no license", "it can only be raised", "1 device has not reported yet"] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
}

/// Promise 8: all findings at once, each with its place, its code and how to fix it.
#[test]
fn all_findings_come_at_once_and_say_where() {
    let fixture = Fixture::sample();
    fixture.write("fleet/a.yaml", device("A1").replace("ana@example.com", "ana"));
    fixture.write("fleet/b.yaml", device("PF3XK9Q2"));
    fixture.write("fleet/c.yaml", device("C1").replace("Standard", "Standrad"));
    fixture.write("fleet/cc.yaml", device("C2").replace("userE", "e") + "  color: red\n");
    fixture.write("fleet/d.yaml", "kind: [\n");
    fixture
        .write("fleet/e.yaml", device("E1") + "---\n" + &device("E2").replace("\"10.0\"", "10.0"));
    std::os::unix::fs::symlink("/etc/passwd", fixture.path("fleet/f.yaml")).unwrap();
    let check = fixture.run(&["check", "-o", "json"]).exits(1).json();
    let findings = check["findings"].as_array().unwrap();
    let found: Vec<_> = findings
        .iter()
        .map(|finding| {
            assert!(text(&finding["message"]).len() > 10 && text(&finding["help"]).len() > 10);
            assert_eq!(finding["severity"], "error");
            let (line, column) = (&finding["line"], &finding["column"]);
            format!("{}:{line}:{column} {}", text(&finding["path"]), text(&finding["code"]))
        })
        .collect();
    assert_eq!(
        found,
        [
            "a.yaml:6:14 invalid-value",
            "b.yaml:5:17 duplicate-serial",
            "c.yaml:7:12 unknown-profile",
            "cc.yaml:4:1 missing-field",
            "cc.yaml:6:3 unknown-field",
            "cc.yaml:9:3 unknown-field",
            "d.yaml:1:7 yaml-syntax",
            "e.yaml:17:14 wrong-type",
            "f.yaml:1:1 symlink",
            "madrid/ana-ruiz-laptop.yaml:7:17 duplicate-serial",
        ]
    );
    let drawn = fixture.run(&["check"]).exits(1).stdout;
    for line in &found {
        let (place, code) = line.split_once(' ').unwrap();
        assert!(drawn.contains(place.trim_end_matches(":1:1")), "{place} is not in\n{drawn}");
        assert!(drawn.contains(&format!("[{code}]")), "{code} is not in\n{drawn}");
    }
}

#[test]
fn a_snapshot_that_says_otherwise_than_the_log_stops_the_writer() {
    let fixture = Fixture::enrolled();
    let state = fixture.read(".fleetform/state.json");
    for (from, to) in [
        ("\"status\": \"Enrolled\"", "\"status\": \"Wiped\""),
        (
            "\"trust\": null",
            "\"trust\": {\"allowedSigners\": \"0000000000000000000000000000000000000000000000000000000000000000\"}",
        ),
        ("\"enrollment\": 1", "\"enrollment\": 7"),
    ] {
        assert!(state.contains(from), "{from}");
        fixture.write(".fleetform/state.json", state.replacen(from, to, 1));
        fixture
            .run(&["apply", "--yes"])
            .exits(1)
            .complains(&["state.json", "not what the log gives"]);
        fixture.run(&["audit", "verify"]).exits(1);
    }
    fixture.write(".fleetform/state.json", &state);
    fixture.run(&["apply", "--yes"]).exits(0);
}
