//! Exit codes and manners of the commands.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{Device, Fixture, Profile, actions, healthy, text, tree, wait_until};

/// Every exit code, for every command that can give it.
#[test]
fn exit_codes() {
    let fixture = Fixture::sample();
    let exits = |args: &[&str], code: i32| drop(fixture.run(args).exits(code));
    for done in [&["check"][..], &["plan"], &["list"], &["audit", "log"]] {
        exits(done, 0);
    }
    fixture.run(&["audit", "verify"]).exits(1).complains(&["there is no log in", "--data"]);
    exits(&["plan", "--detailed-exitcode"], 2);
    exits(&["show", "D001"], 1);
    exits(&["report", "absent.json"], 1);
    exits(&["apply"], 1);
    exits(&["apply", "--yes"], 0);
    exits(&["plan", "--detailed-exitcode"], 0);
    for found in ["D008", "PF3XK9Q2", "pf3xk9q2", "ana-ruiz-laptop"] {
        exits(&["show", found], 0);
    }
    for absent in ["D099", "nobody"] {
        exits(&["show", absent], 1);
    }
    exits(&["list", "--status", "Enrolled", "--user", "nobody@example.com"], 0);
    exits(&["audit", "replay"], 0);
    exits(&["list", "--config", "absent.yaml"], 1);

    fixture.replace("fleet/berlin/jonas-weber-laptop.yaml", "spec:", "spec:\n  color: red");
    exits(&["check"], 1);
    exits(&["plan", "--detailed-exitcode"], 1);
    exits(&["apply", "--yes"], 1);
    exits(&["check", "fleet/madrid"], 1);
    exits(&["check", "fleet/profiles"], 0);
    fixture.remove("fleet");
    exits(&["check"], 1);
    exits(&["plan", "--detailed-exitcode"], 3);
    exits(&["apply", "--yes"], 3);
    exits(&["list"], 0);

    let log = fixture.read(".fleetform/audit.jsonl");
    fixture.write(".fleetform/audit.jsonl", log.replacen("Executive", "Executivf", 1));
    exits(&["audit", "verify"], 1);
    exits(&["audit", "replay"], 1);
    exits(&["apply", "--yes"], 1);
    fixture.write(".fleetform/state.json", "{");
    exits(&["list"], 1);
}

#[test]
fn usage_errors_exit_with_1_and_suggest() {
    let fixture = Fixture::sample();
    fixture.run(&["lst"]).exits(1).complains(&["'lst'", "'list'"]);
    fixture.run(&["plan", "--detailed-exitcod"]).exits(1).complains(&["--detailed-exitcode"]);
    fixture.run(&["list", "-o", "xml"]).exits(1).complains(&["csv", "yaml"]);
    fixture.run(&["check", "-o", "csv"]).exits(1).complains(&["json"]);
    fixture.run(&["apply", "--plan", "123"]).exits(1).complains(&["SHA-256"]);
    fixture.run(&[]).exits(1);
    for help in [&["--help"][..], &["help"], &["--version"], &["apply", "--help"]] {
        assert_eq!(fixture.run(help).exits(0).stderr, "");
    }
    assert!(!fixture.data().exists());
}

#[test]
fn apply_without_a_terminal_says_what_to_do_and_does_nothing() {
    let fixture = Fixture::sample();
    let before = tree(&fixture.path("fleet"));
    fixture.feed(&["apply"], "yes\n").exits(1).complains(&["no terminal", "apply --yes"]);
    assert_eq!(tree(&fixture.path("fleet")), before);
    assert!(!fixture.path(".fleetform/audit.jsonl").exists());
    assert!(!fixture.path(".fleetform/outbox").exists());
}

#[test]
fn apply_takes_the_very_plan_or_none() {
    let fixture = Fixture::sample();
    let planned = fixture.json(&["plan"]);
    fixture.replace("fleet/madrid/ana-ruiz-laptop.yaml", "Standard", "Executive");
    let other = fixture.run(&["apply", "--yes", "--plan", text(&planned["digest"])]).exits(3);
    let approved = &text(&planned["digest"])[..12];
    let now = fixture.json(&["plan"]);
    let now = &text(&now["digest"])[..12];
    assert_eq!(
        other.stderr,
        format!(
            "error: the plan has changed since it was approved (approved {approved}…, now {now}…); \
             nothing was applied\n"
        )
    );
    assert!(!fixture.path(".fleetform/audit.jsonl").exists());
    let planned = fixture.json(&["plan"]);
    assert_eq!(planned["ledger"]["seq"], 0);
    // The digest is a consent: no --yes is needed with it.
    fixture.run(&["apply", "--plan", text(&planned["digest"])]).exits(0);
    assert_eq!(fixture.devices().len(), 12);
    fixture.run(&["apply", "--plan", text(&planned["digest"])]).exits(3);
}

/// Only what runs unattended puts times and keys before what it says.
#[test]
fn a_command_in_a_terminal_speaks_in_plain_lines() {
    let fixture = Fixture::of(&["A"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.write("fleetform.yaml", "trust: {allowedSigners: signers}\n");
    fixture.write("signers", "no such line\n");
    fixture.write("fleet/broken.yaml", "a: [\n");
    for (args, input, expected) in [
        (&["check"][..], "", "error: the trust files cannot be relied on: every wipe is refused: "),
        (&["plan"], "", "warning: the trust files cannot be relied on: every wipe is refused: "),
        (&["fmt"], "", "error: ./fleet/broken.yaml stays as it is: "),
        (&["export", "csv"], "", "error: 1 manifest with findings left out; "),
        (
            &["report", "-"],
            &format!("{}\nno report\n", healthy("A", 1)),
            "error: 1 report of standard input not added to the inbox",
        ),
    ] {
        let said = fixture.feed(args, input);
        assert!(said.stderr.contains(expected), "{args:?}: {}", said.stderr);
        let is_log = |line: &&str| line.contains("ERROR") || line.contains("WARN");
        assert_eq!(said.stderr.lines().find(is_log), None, "{args:?}");
    }
}

/// `fleetform … | head -1`
#[test]
fn a_closed_pipe_is_no_error() {
    let fixture = Fixture::generated(3000);
    fixture.run(&["apply", "--yes"]).exits(0);
    for args in [
        &["list"][..],
        &["list", "-o", "json"],
        &["audit", "log"],
        &["audit", "replay", "-o", "json"],
    ] {
        let mut command = fixture.command(args);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        let mut reader = BufReader::with_capacity(64, child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        drop(reader);
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        let status = child.wait().expect("it ends");
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn a_pipe_gets_no_colours() {
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.write("fleet/bad.yaml", "kind: [");
    fixture.remove("fleet/madrid/ana-ruiz-laptop.yaml");
    let commands: [&[&str]; 8] = [
        &["check"],
        &["plan"],
        &["list"],
        &["show", "D001"],
        &["audit", "log"],
        &["audit", "verify"],
        &["apply"],
        &["lst"],
    ];
    for args in commands {
        for variables in [&[][..], &[("NO_COLOR", "1"), ("TERM", "xterm-256color")]] {
            let said = fixture.run_with(args, variables);
            assert!(!said.stdout.contains('\x1b'), "{args:?}: {said:?}");
            assert!(!said.stderr.contains('\x1b'), "{args:?}: {said:?}");
        }
    }
    let asked_for = fixture.run_with(&["check", "--color", "always"], &[("NO_COLOR", "1")]);
    assert!(asked_for.stdout.contains('\x1b'), "{asked_for:?}");
}

#[test]
fn a_second_writer_is_told_who_the_first_one_is_and_readers_do_not_wait() {
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    let lock = fixture.path(".fleetform/lock");
    fixture.write(".fleetform/lock", "4321\n");
    let held = std::fs::File::open(lock).unwrap();
    flock(&held, FlockOperation::LockExclusive).unwrap();
    let before = fixture.read(".fleetform/audit.jsonl");
    fixture.run(&["apply", "--yes"]).exits(1).complains(&["process 4321", "lock"]);
    assert_eq!(fixture.read(".fleetform/audit.jsonl"), before);
    for reader in [&["plan"][..], &["list"], &["show", "D001"], &["audit", "verify"]] {
        fixture.run(reader).exits(0);
    }
    fixture.report(&healthy("PF3XK9Q2", 1));
    drop(held);
    fixture.run(&["apply", "--yes"]).exits(0);
}

fn text_of(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

#[test]
fn a_user_is_given_a_license_once_however_many_devices_come_later() {
    let fixture = Fixture::bare();
    let profile = Profile::new("Standard", "windows").with("licenses", "[EMS, SPE_E3]");
    fixture.write("fleet/profile.yaml", profile.yaml());
    let licenses = |serial: &str| {
        let outbox: Value =
            serde_json::from_str(&fixture.read(&format!(".fleetform/outbox/{serial}.json")))
                .expect("an outbox");
        let commands = outbox["commands"].as_array().expect("a list").iter();
        let given = commands.filter(|command| command["command"] == "license");
        given.map(|command| text(&command["sku"]).to_owned()).collect::<Vec<_>>()
    };
    let had = || {
        let assigned =
            fixture.log().into_iter().filter(|entry| entry["kind"] == "license.assigned");
        assigned.map(|entry| entry["data"]["had"] == true).collect::<Vec<_>>()
    };
    let adds = |serial: &str, user: &str| {
        let device = Device::new(serial).with("userEmail", user);
        fixture.write(&format!("fleet/{serial}.yaml"), device.yaml());
        fixture.run(&["apply", "--yes"]).exits(0);
        fixture.report(&healthy(serial, 5));
        fixture.run(&["apply", "--yes"]).exits(0);
        assert_eq!(actions(&fixture.json(&["plan"])), [""; 0]);
    };
    adds("AAA1", "ana@example.com");
    assert_eq!((licenses("AAA1"), had()), (vec!["EMS".into(), "SPE_E3".into()], vec![false; 2]));
    adds("AAA2", "ana@example.com");
    assert_eq!((licenses("AAA2"), had()[2..].to_vec()), (vec![], vec![true; 2]));
    adds("BBB1", "ben@example.com");
    assert_eq!(licenses("BBB1").len(), 2, "another user");
    fixture.run(&["audit", "verify"]).exits(0);
}

/// A device's reports, from the command to the outbox.
#[test]
fn reports_enrol_are_judged_and_show_commands_done() {
    let fixture = Fixture::sample();
    fixture.run(&["apply", "--yes"]).exits(0);
    let outbox = ".fleetform/outbox/PF3XK9Q2.json";
    let command: Value = serde_json::from_str(&fixture.read(outbox)).unwrap();
    let id = text(&command["commands"][0]["id"]);
    assert_eq!(command["commands"][0]["command"], "profile");

    let lines = [
        healthy("pf3xk9q2", 5).replace("\"at\"", &format!("\"completed\":[\"{id}\"],\"at\"")),
        healthy("PF5B20QK", 5).replace("\"pinLength\":8", "\"pinLength\":4"),
        healthy("NOBODY", 5),
        r#"{"serialNumber":"PF4A81LM","at":"2020-01-05T09:00:00Z","enrollmentError":"no license"}"#
            .to_owned(),
    ];
    fixture.report(&lines.join("\n"));
    fixture.run(&["apply", "--yes"]).exits(0);
    let left: Value = serde_json::from_str(&fixture.read(outbox)).unwrap();
    let left: Vec<_> = left["commands"].as_array().unwrap().iter().collect();
    assert_eq!(left.len(), 1, "what is done is struck out: {left:?}");
    assert_eq!((&left[0]["command"], &left[0]["sku"]), (&json!("license"), &json!("SPE_E3")));
    let devices = fixture.devices();
    let stands = |serial: &str| {
        let device = &devices[serial];
        json!([device["status"], device["compliance"]["state"], device["compliance"]["failing"]])
    };
    assert_eq!(stands("PF3XK9Q2"), json!(["Enrolled", "compliant", []]));
    assert_eq!(stands("PF5B20QK"), json!(["Enrolled", "nonCompliant", ["screenLock"]]));
    assert_eq!(stands("PF4A81LM"), json!(["Failed", "unknown", []]));
    assert_eq!(stands("5CG4210XKP"), json!(["Pending", "unknown", []]));
    assert_eq!(devices["PF3XK9Q2"]["lastSync"], "2020-01-05T09:00:00.000Z");
    let rejected = tree(&fixture.path(".fleetform/inbox"));
    let rejected: Vec<_> = rejected.values().map(|(bytes, ..)| text_of(bytes.as_deref())).collect();
    assert!(rejected.iter().any(|text| text.contains("NOBODY") && text.contains("09:00")));
    assert!(rejected.iter().any(|text| text.contains("no device with serial number NOBODY")));
    assert_eq!(rejected.len(), 4, "inbox, rejected, the report and its reason: {rejected:?}");

    // Older than the last one: it changes nothing.
    fixture.report(&healthy("PF5B20QK", 4));
    assert_eq!(actions(&fixture.json(&["plan"])), [""; 0]);
    let before = fixture.read(".fleetform/audit.jsonl");
    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!(fixture.read(".fleetform/audit.jsonl"), before);
    let mut passed_over = devices.clone();
    passed_over.get_mut("PF5B20QK").expect("the device")["passedOver"] = json!(1);
    assert_eq!(fixture.devices(), passed_over, "it is counted");
    assert_eq!(tree(&fixture.path(".fleetform/inbox")).len(), 4, "and it is taken all the same");

    // Newer: it is judged anew, and enrolls after all.
    fixture.report(&[healthy("PF5B20QK", 6), healthy("PF4A81LM", 6)].join("\n"));
    fixture.run(&["apply", "--yes"]).exits(0);
    let devices = fixture.devices();
    assert_eq!(devices["PF5B20QK"]["compliance"]["state"], "compliant");
    assert_eq!(devices["PF4A81LM"]["status"], "Enrolled");
}

#[test]
fn malformed_reports_are_refused_at_once_or_put_aside() {
    let fixture = Fixture::enrolled();
    let refused = fixture.feed(&["report"], "{\"serialNumber\":\"A\"}\n{\"at\":0}\n").exits(1);
    refused.complains(&["line 1", "line 2", "`at`", "not added"]);
    fixture.write(".fleetform/inbox/torn", "{\"serialNumber\":");
    fixture.write(".fleetform/inbox/.being-written", "{");
    fixture.write(
        ".fleetform/inbox/wiped",
        healthy("PF3XK9Q2", 2).replace("{\"serial", "{\"wiped\":true,\"serial"),
    );
    fixture.run(&["apply", "--yes"]).exits(1).complains(&["torn"]);
    assert_eq!(fixture.read(".fleetform/inbox/rejected/torn"), "{\"serialNumber\":");
    assert!(fixture.read(".fleetform/inbox/rejected/torn.reason").contains("line 1"));
    assert!(fixture.path(".fleetform/inbox/.being-written").exists(), "its writer is not done");
    assert!(!fixture.path(".fleetform/inbox/torn").exists());
    assert_eq!(fixture.devices()["PF3XK9Q2"]["status"], "Failed", "nobody asked for that wipe");
    fixture.run(&["apply", "--yes"]).exits(0);
}

#[test]
fn one_bad_line_harms_no_other_and_one_odd_fact_no_other_fact() {
    let fixture = Fixture::enrolled();
    let odd = healthy("PF3XK9Q2", 3)
        .replace("\"99\"", "\"99.1 (a)\"")
        .replace("\"encryption\":{\"enabled\":true}", "\"encryption\":{\"enabled\":false}")
        .replace("\"at\"", "\"wiped\":null,\"model\":\"20XX\",\"at\"");
    let unread = healthy("5CG4210XKP", 3).replace("\"pinLength\":8", "\"pinLength\":\"eight\"");
    let lines = [&odd, "{\"serialNumber\":\"PF4A81LM\"}", &unread].map(|line| format!("{line}\n"));
    let handed = fixture.feed(&["report"], &lines.concat()).exits(1);
    handed.complains(&["line 2", "`at` is missing", "model", "screenLock.pinLength", "eight"]);
    fixture.write(".fleetform/inbox/dropped", &lines[1]);
    let applied = fixture.run(&["apply", "--yes"]).exits(0);
    applied.complains(&["`at` is missing", "model", "eight"]);
    let devices = fixture.devices();
    assert_eq!(devices["PF3XK9Q2"]["compliance"]["failing"], json!(["encryption"]));
    assert_eq!(devices["PF3XK9Q2"]["facts"]["osVersion"], "99.1 (a)");
    assert_eq!(devices["5CG4210XKP"]["compliance"]["missing"], json!(["screenLock"]));
    let unreadable = json!({"screenLock.pinLength": "\"eight\""});
    assert_eq!(devices["5CG4210XKP"]["facts"]["unreadable"], unreadable);
    assert_eq!(fixture.read(".fleetform/inbox/rejected/dropped"), lines[1], "byte for byte");
    let shown = fixture.run(&["show", "5CG4210XKP"]).exits(0);
    assert!(shown.stdout.contains("`screenLock.pinLength` cannot be read: \"eight\""));
}

#[test]
fn a_wipe_that_nobody_asked_for_is_told_first_until_it_is_seen_to() {
    let fixture = Fixture::enrolled();
    let serial = "PF5B20QK";
    fixture.report(&healthy(serial, 2).replace("\"at\"", "\"wiped\":true,\"at\""));
    let told = fixture.run(&["apply", "--yes"]).exits(1).stdout;
    assert!(told.starts_with("ERASED WITHOUT A WIPE REQUEST: 1"), "{told}");
    assert_eq!(fixture.logged("wipe.unrequested"), 1);
    fixture.report(&healthy(serial, 3));
    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!(fixture.logged("wipe.unrequested"), 1, "once");
    assert_eq!(fixture.devices()[serial]["status"], "Failed");
    let first = |args: &[&str], line: usize| {
        let output = fixture.run(args).exits(0);
        output.stdout.lines().nth(line).unwrap_or_default().to_owned()
    };
    assert!(first(&["plan"], 0).starts_with("ERASED WITHOUT A WIPE REQUEST: 1"));
    assert!(first(&["list"], 1).contains(serial));
    assert!(first(&["plan", "-o", "markdown"], 0).contains("Fleetform plan"));
    fixture.run(&["audit", "verify"]).exits(0);
}

/// State, but for what depends on the moment.
fn timeless(fixture: &Fixture) -> Value {
    let mut state = fixture.state();
    for key in ["at", "head", "lineage", "logBytes", "seq"] {
        state[key].take();
    }
    for device in state["devices"].as_object_mut().expect("devices").values_mut() {
        device["statusSince"].take();
        device["compliance"]["since"].take();
        device["push"]["intent"].take();
    }
    state
}

#[test]
fn an_interrupt_ends_a_pass_cleanly_and_the_next_one_completes_it() {
    const DEVICES: usize = 9_000;
    let fixture = Fixture::generated(DEVICES);
    let undisturbed = fixture.duplicate();
    undisturbed.run(&["apply", "--yes", "-o", "json"]).exits(0);

    let mut command = fixture.command(&["apply", "--yes", "-o", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let log = fixture.path(".fleetform/audit.jsonl");
    let begun = || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("provisioned"));
    wait_until("the first batch is in the log", || {
        begun() || child.try_wait().expect("a child").is_some()
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let stopped = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&stopped.stderr);
    assert_eq!(stopped.status.code(), Some(1), "{said}");
    assert!(said.contains("shutting down after the current batch"), "{said}");
    let told: Value = serde_json::from_slice(&stopped.stdout).unwrap();
    let (left, done) = (told["left"].as_u64().unwrap(), fixture.devices().len() as u64);
    assert!(done > 0 && left > 0 && done + left == DEVICES as u64, "{told}");
    let state = fixture.state();
    assert_eq!(state["seq"], fixture.log().last().unwrap()["seq"], "the snapshot is up to date");
    for device in state["devices"].as_object().unwrap().values() {
        assert_eq!(device["push"]["state"], "pushed", "no device is half done");
    }
    assert_eq!(tree(&fixture.path(".fleetform/outbox")).len() as u64, done + 1);

    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!(timeless(&fixture), timeless(&undisturbed));
    assert_eq!(fixture.logged("device.provisioned"), DEVICES);
    fixture.run(&["audit", "verify"]).exits(0);
}

/// An independent reading of the log, by `jq` and `sha256sum`.
#[test]
fn the_shell_script_agrees_with_audit_verify() {
    let fixture = Fixture::enrolled();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/verify-audit-log.sh");
    let verdicts = |fixture: &Fixture| {
        let ours = fixture.run(&["audit", "verify", "-o", "json"]);
        let theirs = Command::new(script).arg(fixture.data()).output().expect("it runs");
        assert_eq!(ours.code, theirs.status.code(), "{ours:?} {theirs:?}");
        let theirs = String::from_utf8(theirs.stdout).expect("UTF-8");
        (ours.json(), theirs)
    };
    let (ours, theirs) = verdicts(&fixture);
    assert_eq!(theirs, format!("{}\nok: {} lines\n", text(&ours["head"]), ours["lines"]));
    let log = fixture.read(".fleetform/audit.jsonl");
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    let last = lines.len();
    let without = |n: usize| [&lines[..n - 1], &lines[n..]].concat().concat();
    let mut swapped = lines.clone();
    swapped.swap(19, 20);
    let damaged = [
        (12, log.replacen("\"intent\":5", "\"intent\":6", 1).replacen("Pending", "pending", 1)),
        (20, without(20)),
        (last, without(last)),
        (21, swapped.concat()),
        (30, [&lines[..30], &lines[29..]].concat().concat()),
        (last + 1, log.clone() + "{\"seq\""),
    ];
    for (seq, damaged) in damaged {
        fixture.write(".fleetform/audit.jsonl", &damaged);
        let (ours, theirs) = verdicts(&fixture);
        let first = &ours["problems"][0];
        let named = theirs.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok());
        assert_eq!(named, first["seq"].as_u64(), "{first} {theirs}");
        assert!(seq == 12 || named == Some(seq as u64), "{seq}: {theirs}");
    }
}

#[test]
fn the_log_is_printed_as_it_is_written() {
    let fixture = Fixture::enrolled();
    let log = fixture.read(".fleetform/audit.jsonl");
    let printed = fixture.run(&["audit", "log", "-o", "json"]).exits(0).stdout;
    let lines = printed.strip_prefix("{\"version\":1,\"entries\":[\n").expect("the beginning");
    let lines = lines.strip_suffix("\n]}\n").expect("the end");
    assert_eq!(lines.replace(",\n{", "\n{") + "\n", log);
}

#[test]
fn a_replay_in_text_is_a_summary_and_says_where_the_rest_is() {
    let replayed = Fixture::enrolled().run(&["audit", "replay"]).exits(0);
    assert!(
        replayed.stdout.contains("\nDevices:     12: 1 Pending, 11 Enrolled\n"),
        "{replayed:?}"
    );
    replayed.complains(&["-o json prints the whole state"]);
}
