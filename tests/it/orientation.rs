//! Whoever does not know where they are, or why a device is as it is, is told.

use chrono::TimeDelta;
use serde_json::Value;

use crate::support::{Fixture, actions, device, faked_clock, git, healthy, start, wait_until};

/// Commands that a person tries first.
const FIRST: &[&[&str]] = &[
    &["check"],
    &["check", "--fix"],
    &["fmt"],
    &["import", "csv", "-"],
    &["export", "csv"],
    &[
        "provision",
        "--serial",
        "PF3XK9Q2",
        "--user",
        "a@example.com",
        "--profile",
        "P",
        "--os",
        "1",
    ],
    &["plan"],
    &["apply", "--yes"],
    &["daemon"],
    &["list"],
    &["orphans"],
    &["show", "D001"],
    &["why", "D001"],
    &["wipe", "list"],
    &["wipe", "new", "D001", "--reason", "lost", "--requested-by", "bob@example.com"],
    &["audit", "log"],
    &["audit", "verify"],
];

#[test]
fn in_a_directory_without_a_fleet_every_command_says_so_and_makes_nothing() {
    let fixture = Fixture::bare();
    for command in FIRST {
        let said = fixture.run(command).exits(1);
        assert_eq!(said.stdout, "", "{command:?}");
        assert!(said.stderr.contains("./fleet"), "{command:?}: {}", said.stderr);
        assert!(said.stderr.contains("help: "), "{command:?}: {}", said.stderr);
    }
    let here = fixture.path("").canonicalize().expect("a directory").display().to_string();
    for command in &FIRST[..7] {
        let said = fixture.run(command).exits(1);
        said.complains(&[here.trim_end_matches('/'), "fleetform init DIR"]);
    }
    let said = fixture.run(&["apply", "--yes"]).exits(1);
    said.complains(&["there is no fleet here", here.trim_end_matches('/'), "fleetform init DIR"]);
    let left = std::fs::read_dir(fixture.path("")).expect("a directory").count();
    assert_eq!(left, 0, "nothing was made");
}

#[test]
fn a_data_directory_that_the_environment_names_must_hold_a_ledger() {
    let fixture = Fixture::sample();
    let named = [("FLEETFORM_DATA", "elsewhere")];
    let said = fixture.run_with(&["apply", "--yes"], &named).exits(1);
    said.complains(&["there is no ledger in elsewhere"]);
    assert!(!fixture.path("elsewhere").exists() && !fixture.path(".fleetform").exists());
    fixture.run_with(&["apply", "--yes", "--new-ledger"], &named).exits(0);
    fixture.run_with(&["--data", ".fleetform", "list"], &named).exits(1);
}

#[test]
fn waiting_is_one_line_and_what_somebody_has_to_decide_stands_out() {
    let fixture = Fixture::of(&["A", "B", "C"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    let plan = fixture.run(&["plan"]).exits(0).stdout;
    assert_eq!(
        plan,
        "Waiting: 3 devices have not reported yet.\n\nPlan: nothing to do, 3 waiting.\n"
    );
    fixture.replace("fleet/B.yaml", "ana@", "ana");
    let said = fixture.run(&["plan", "-o", "json"]).exits(1).json();
    let holds = said["holds"].as_array().expect("holds");
    let of = |serial: &str| holds.iter().find(|hold| hold["serialNumber"] == serial).expect("held");
    assert_eq!((&of("A")["waiting"], &of("B")["waiting"]), (&true.into(), &false.into()));
    let counts = ["holds", "waiting", "held"].map(|key| said["summary"][key].as_u64());
    assert_eq!(counts, [Some(3), Some(2), Some(1)]);
    let plan = fixture.run(&["plan"]).exits(1).stdout;
    assert!(plan.contains("Held, the manifest cannot be used: 1\n"), "{plan}");
    assert!(plan.contains("Waiting: 2 devices have not reported yet.\n"), "{plan}");
    assert!(plan.ends_with("Plan: nothing to do, 2 waiting, 1 held, 1 finding.\n"), "{plan}");
    let comment = fixture.run(&["plan", "-o", "markdown"]).exits(1).stdout;
    assert!(comment.contains("Waiting: 2 devices have not reported yet."), "{comment}");
    let annotated = fixture.run(&["plan", "-o", "github"]).exits(1).stdout;
    assert!(annotated.contains("title=waiting") && annotated.contains("title=held"), "{annotated}");
}

/// The first sentence about the device, and whether it needs attention.
fn first(said: &Value) -> (String, String) {
    let point = &said["why"][0];
    let word = |key: &str| point[key].as_str().expect("a word").to_owned();
    (word("topic"), word("text"))
}

#[test]
fn what_holds_up_the_fleet_is_told_first_then_the_devices_own_manifest() {
    let fixture = Fixture::enrolled();
    let devices = fixture.devices();
    let enrolled = devices.values().find(|device| device["status"] == "Enrolled").expect("one");
    let id = enrolled["id"].as_str().expect("an id");
    let (topic, text) = first(&fixture.json(&["why", id]));
    assert!(topic == "status" && text.starts_with("Enrolled since "), "{text}");
    let path = format!("fleet/{}", enrolled["manifest"]["path"].as_str().expect("a path"));
    let whole = fixture.read(&path);
    fixture.replace(&path, "userEmail:", "userMail:");
    for command in ["why", "show"] {
        let (topic, text) = first(&fixture.json(&[command, id]));
        assert!(topic == "manifest" && text.contains("cannot be used"), "{command}: {text}");
    }
    fixture.write(&path, whole);
    // The fleet directory is suddenly empty.
    fixture.remove("fleet");
    std::fs::create_dir(fixture.path("fleet")).expect("a directory");
    assert_eq!(first(&fixture.json(&["why", id])).0, "fleet", "the next pass would freeze");
    fixture.run(&["apply", "--yes"]).exits(3);
    for command in ["why", "show"] {
        let (topic, text) = first(&fixture.json(&[command, id]));
        assert!(topic == "fleet" && text.contains("frozen since"), "{command}: {text}");
    }
    let said = fixture.run(&["why", id]).exits(0).stdout;
    assert!(said.contains("\n  ! The whole fleet is frozen since"), "{said}");
}

#[test]
fn show_and_why_say_the_same_of_what_only_the_whole_fleet_tells() {
    let fixture = Fixture::enrolled();
    let device = fixture.devices().values().find(|d| d["status"] == "Enrolled").cloned();
    let device = device.expect("one");
    let (id, profile) = (device["id"].as_str().expect("an id"), device["profile"].clone());
    let path = format!("fleet/{}", device["manifest"]["path"].as_str().expect("a path"));
    let profile = format!("profile: {}", profile.as_str().expect("a profile"));
    let same = || {
        let [why, show] = ["why", "show"].map(|command| fixture.json(&[command, id])["why"].take());
        assert_eq!(why, show);
        let text = fixture.run(&["show", id]).exits(0).stdout;
        let first = why[0]["text"].as_str().expect("a sentence").to_owned();
        assert!(text.contains(&first), "{first}\nis not in\n{text}");
        (why[0]["topic"].as_str().expect("a topic").to_owned(), first)
    };
    assert_eq!(same().0, "status");
    fixture.replace(&path, &profile, "profile: Nope");
    let (topic, text) = same();
    assert!(topic == "manifest" && text.contains("cannot be used"), "{text}");
    fixture.replace(&path, "profile: Nope", &profile);
    fixture.replace(&path, &profile, &format!("{profile}\n  status: Pending"));
    let (topic, text) = same();
    assert!(topic == "status" && text.contains("declares Pending"), "{text}");
    fixture.run(&["apply", "--yes"]).exits(0);
    let (topic, text) = same();
    assert!(topic == "status" && text.contains("stays Pending, also when"), "{text}");
}

#[test]
fn a_freeze_is_told_before_it_is_recorded_and_names_the_number() {
    let fixture = Fixture::of(&["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    let said = fixture.run(&["orphans"]).exits(0).stderr;
    assert!(said.contains("No device is orphaned: each has a manifest."), "{said}");
    fixture.remove("fleet/A.yaml");
    let said = fixture.run(&["orphans"]).exits(0).stderr;
    assert!(said.contains("1 device has no manifest, and becomes orphaned"), "{said}");
    for serial in ["B", "C", "D", "E", "F", "G", "H", "I"] {
        fixture.remove(&format!("fleet/{serial}.yaml"));
    }
    let step = "If these 9 removals are intended, stop the daemon and run: \
                fleetform apply --accept-removals 9";
    let wanted = |text: &str| text.to_lowercase().contains(&step.to_lowercase());
    for command in ["why", "show"] {
        let said = fixture.run(&[command, "L"]).exits(0).stdout;
        assert!(said.contains("The next reconciliation will freeze the whole fleet"), "{said}");
        assert!(wanted(&said), "{said}");
    }
    let said = fixture.run(&["orphans"]).exits(0).stderr;
    assert!(said.contains("9 devices have no manifest: too many are gone"), "{said}");
    let plan = fixture.run(&["plan"]).exits(0).stdout;
    assert!(wanted(&plan), "{plan}");
    assert!(plan.contains("the manifest is gone, and the device does not become"), "{plan}");
    fixture.run(&["apply", "--yes"]).exits(3);
    let gone = ["A", "B", "C", "D", "E", "F", "G", "H", "I"].map(|s| format!("fleet/{s}.yaml"));
    for (path, serial) in gone.iter().zip('A'..) {
        fixture.write(path, device(&serial.to_string()));
    }
    let plan = fixture.run(&["plan"]).exits(0).stdout;
    assert!(plan.contains("+ unfreeze") && !plan.contains("thaw"), "{plan}");
    gone.iter().for_each(|path| fixture.remove(path));
    for command in ["why", "show"] {
        let said = fixture.run(&[command, "L"]).exits(0).stdout;
        assert!(said.contains("The whole fleet is frozen since") && wanted(&said), "{said}");
    }
    fixture.run(&["apply", "--yes", "--accept-removals", "9"]).exits(0);
    let said = fixture.run(&["orphans"]).exits(0);
    assert!(said.stdout.lines().count() == 10 && said.stderr.is_empty(), "{said:#?}");
}

#[test]
fn an_enrollment_that_failed_is_told_with_the_advice_of_the_procedure() {
    let fixture = Fixture::of(&["A"]);
    fixture.run_with(&["apply", "--yes"], &vars(0)).exits(0);
    let said = fixture.run_with(&["why", "A"], &vars(1)).exits(0).stdout;
    assert!(said.contains("  ~ Pending since") && said.contains("becomes Failed at"), "{said}");
    fixture.run_with(&["apply", "--yes"], &vars(60)).exits(0);
    let said = fixture.run_with(&["why", "A"], &vars(61)).exits(0).stdout;
    for part in ["  ! Failed since", "network connectivity", "account of", "enrollment=+1"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// So many minutes after the tests begin.
fn vars(minutes: i64) -> [(&'static str, &'static str); 5] {
    faked_clock(start() + TimeDelta::minutes(minutes)).map(|(name, value)| (name, &*value.leak()))
}

#[test]
fn orphans_are_listed_and_archived_after_their_time_and_adopted_again() {
    let fixture = Fixture::of(&["A", "B", "C"]);
    fixture.write("fleetform.yaml", "orphans: {archiveAfter: 2h}\nenrollment: {deadline: 7d}\n");
    let at = |minutes: i64, args: &[&str]| fixture.run_with(args, &vars(minutes)).exits(0);
    at(0, &["apply", "--yes"]);
    let b = fixture.read("fleet/B.yaml");
    fixture.remove("fleet/B.yaml");
    at(10, &["apply", "--yes"]);
    let said = at(20, &["orphans", "-o", "json"]).json();
    let orphan = &said["devices"][0];
    assert_eq!(orphan["serialNumber"], "B");
    assert_eq!(orphan["archivesAt"], (start() + TimeDelta::minutes(130)).to_string());
    let plan = at(129, &["plan", "-o", "json"]).json();
    assert!(actions(&plan).iter().all(|action| !action.starts_with("archive")), "{plan}");
    assert_eq!(actions(&at(131, &["plan", "-o", "json"]).json()), ["archive B"]);
    at(131, &["apply", "--yes"]);
    let serials = |minutes: i64, args: &[&str]| -> Vec<String> {
        let said = at(minutes, &[args, &["-o", "json"]].concat()).json();
        let devices = said["devices"].as_array().expect("devices").iter();
        devices.map(|d| d["serialNumber"].as_str().expect("a serial").to_owned()).collect()
    };
    assert_eq!(serials(132, &["list"]), ["A", "C"]);
    assert_eq!(serials(132, &["list", "--archived"]), ["B"]);
    assert_eq!(serials(132, &["orphans"]), [""; 0]);
    assert_eq!(serials(132, &["orphans", "--archived"]), ["B"]);
    let since = (start() + TimeDelta::minutes(131)).to_string().replace(".000Z", "Z");
    for command in ["show", "why"] {
        let said = at(132, &[command, "B"]).stdout;
        assert!(said.contains(&format!("Archived since {since}")), "{since}: {said}");
    }
    let plan = at(132, &["plan", "-o", "json"]).json();
    assert_eq!(actions(&plan), [""; 0], "once, and nothing follows");
    assert_eq!(fixture.logged("device.archived"), 1);
    assert_eq!(fixture.logged("profile.pushed"), 3, "it has no effect");
    // From the log alone it is the same.
    fixture.remove(".fleetform/state.json");
    assert_eq!(serials(133, &["list", "--archived"]), ["B"]);
    fixture.write("fleet/B.yaml", b);
    at(140, &["apply", "--yes"]);
    assert_eq!(serials(141, &["list"]), ["A", "B", "C"]);
}

#[test]
fn that_it_is_not_known_who_was_not_notified_is_said_and_hides_no_device() {
    let fixture = Fixture::of(&["A"]);
    // Without a ledger nobody was to be notified.
    let said = fixture.run(&["list"]).exits(0);
    assert!(!said.stderr.contains("notified"), "{}", said.stderr);
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.write(".fleetform/deliveries/mail.json", "nonsense");
    let json = ["list", "-o", "json"];
    for command in [&["list"][..], &json, &["show", "A"], &["list", "-o", "csv", "--notes"]] {
        let said = fixture.run(command).exits(0);
        said.complains(&["who has not been notified yet is not known", "mail"]);
    }
    // What does not say who was not notified need not know it.
    for format in ["csv", "name", "custom-columns=ID:.id"] {
        let said = fixture.run(&["list", "-o", format]).exits(0);
        assert!(!said.stderr.contains("notified"), "{format}: {}", said.stderr);
    }
    assert_eq!(fixture.devices()["A"]["status"], "Pending");
}

#[test]
fn a_request_is_not_written_into_a_checkout_that_is_pulled() {
    let fixture = Fixture::of(&["A"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    let new = ["wipe", "new", "D001", "--reason", "lost", "--requested-by", "bob@example.com"];
    let fleet = fixture.path("fleet");
    git(&fleet, &["init", "-q", "-b", "main"]);
    git(&fleet, &["add", "-A"]);
    git(&fleet, &["commit", "-q", "-m", "x"]);
    git(&fleet, &["remote", "add", "origin", "https://git.example.com/fleet.git"]);
    git(&fleet, &["checkout", "-q", "--detach"]);
    let said = fixture.run(&new).exits(1);
    said.complains(&["it is on no branch", "in a clone of your own", "--file PATH"]);
    git(&fleet, &["checkout", "-q", "main"]);
    let mut daemon = fixture.daemon(&[]);
    daemon.until_said("the daemon runs", 1);
    fixture.run(&new).exits(1).complains(&["a daemon reads it", "in a clone of your own"]);
    assert!(!fixture.path("fleet/wipes").exists(), "nothing was written");
    // What counts there without review: every command that writes manifests.
    fixture.write("list.csv", "serial,user\nZ1Z2Z3,b@example.com\n");
    let provision = "provision --serial B --user b@example.com --profile Standard --os 10.0";
    let provision: Vec<&str> = provision.split(' ').collect();
    let import = ["import", "csv", "list.csv", "--profile", "Standard", "--os", "10"];
    let (fmt, fix) = (["fmt"], ["check", "--fix", "--yes"]);
    let set = ["set", "A", "status=Failed"];
    let c = device("C");
    for (args, c) in [
        (&set[..], c.clone()),
        (&provision, c.clone()),
        (&import, c.clone()),
        (&fmt, c.replace("kind: ", "kind:   ")),
        (&fix, format!("\u{feff}{c}")),
    ] {
        fixture.write("fleet/C.yaml", &c);
        let said = fixture.run(args).exits(1);
        said.complains(&["no manifest is written", "a daemon reads it", "in a clone of your own"]);
        assert_eq!(fixture.read("fleet/C.yaml"), c, "{args:?}");
    }
    // A clone of one's own, beside the same daemon.
    git(&fixture.path(""), &["clone", "-q", "fleet", "own"]);
    fixture.run(&[&["--fleet", "own"][..], &new].concat()).exits(0);
    assert!(fixture.path("own/wipes/d001-lost.yaml").exists());
    daemon.stop();
    // Elsewhere on purpose, and here where nobody pulls it from anywhere.
    git(&fleet, &["checkout", "-q", "--detach"]);
    fixture.run(&[&new[..], &["--file", "x.yaml"]].concat()).exits(0);
    git(&fleet, &["remote", "remove", "origin"]);
    fixture.run(&new).exits(0);
}

#[test]
fn a_list_is_cut_to_what_was_asked_for_in_the_shapes_of_kubectl() {
    let fixture = Fixture::of(&["A", "B", "C"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    let said = |args: &[&str]| fixture.run(args).exits(0).stdout;
    assert_eq!(said(&["list", "-o", "name"]), "D001\nD002\nD003\n");
    assert_eq!(said(&["list", "-o", "jsonpath={.devices[*].serialNumber}"]), "A B C\n");
    let template = "jsonpath={range .devices[?(@.serialNumber!='B')]}{.id};{end}";
    assert_eq!(said(&["get", "devices", "-o", template]), "D001;D003;\n");
    let columns = "custom-columns=ID:.id,SERIAL:.serialNumber,SITE:.labels.site";
    let table = "ID    SERIAL  SITE\nD003  C       <none>\nD002  B       <none>\n";
    let sorted = ["list", "-o", columns, "--sort-by", "-.serialNumber", "--profile", "Standard"];
    assert_eq!(said(&sorted).replace("D001  A       <none>\n", ""), table);
    let wide = said(&["list", "-o", "wide"]);
    assert!(wide.lines().next().expect("titles").ends_with("LABELS  MANIFEST"), "{wide}");
    fixture.run(&["list", "-o", "jsonpath={.devices["]).exits(1).complains(&["not closed"]);
    // Ages grow between two calls.
    let ageless = |args: &[&str]| {
        let said = said(args);
        said.lines().filter(|line| !line.contains(" ago)")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ageless(&["describe", "D002"]), ageless(&["show", "D002"]));
    assert_eq!(said(&["get", "profiles"]), said(&["profile", "list"]));
    for kind in ["device", "devices", "dev", "device/D002"] {
        let get = |format: &str| match kind.contains('/') {
            true => said(&["get", kind, "-o", format]),
            false => said(&["get", kind, "D002", "-o", format]),
        };
        assert_eq!(get("name"), "D002\n", "{kind}");
        assert_eq!(get("jsonpath={.device.serialNumber}"), "B\n", "{kind}");
        assert_eq!(get("custom-columns=ID:.id,SERIAL:.serialNumber"), "ID    SERIAL\nD002  B\n");
        assert_eq!(get("wide").lines().next(), wide.lines().next(), "{kind}");
        assert_eq!(get("csv").lines().count(), 2, "{kind}");
        assert_eq!(get("json"), said(&["show", "D002", "-o", "json"]), "{kind}");
        let yaml: Value = serde_yaml::from_str(&get("yaml")).expect("YAML");
        assert_eq!(yaml, fixture.json(&["show", "D002"]), "{kind}");
        let plain: &[&str] =
            if kind.contains('/') { &["get", kind] } else { &["get", kind, "D002"] };
        assert_eq!(ageless(plain), ageless(&["show", "D002"]), "{kind}");
    }
    for kind in ["profile", "profiles"] {
        let get = |format: &str| said(&["get", kind, "standard", "-o", format]);
        assert_eq!(get("name"), "Standard\n");
        assert_eq!(get("wide"), said(&["get", "profiles"]));
        assert_eq!(get("json"), said(&["profile", "show", "Standard", "-o", "json"]));
        for format in ["jsonpath={.profile.name}", "custom-columns=NAME:.name", "csv"] {
            let refused = fixture.run(&["get", kind, "Standard", "-o", format]).exits(1);
            refused.complains(&["profiles do not support --output"]);
        }
    }
    for format in ["name", "wide", "jsonpath={.x}"] {
        let refused = fixture.run(&["get", "devices", "--unmanaged", "-o", format]).exits(1);
        refused.complains(&["--unmanaged does not support --output"]);
    }
    for args in [&["device", "D001", "--status", "Failed"][..], &["profiles", "--watch"]] {
        let refused = fixture.run(&[&["get"], args].concat()).exits(1);
        refused.complains(&["are for a list of devices"]);
    }
    let refused = fixture.run(&["list", "--sort-by", "LAST-SYNC"]).exits(1);
    refused.complains(&["a device has no field `LAST-SYNC`", "did you mean lastSync?"]);
    fixture.run(&["get", "pods"]).exits(1).complains(&["devices or profiles"]);
}

#[test]
fn a_watched_list_goes_on_with_what_changes() {
    let fixture = Fixture::of(&["A", "B", "C"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    let watched = fixture.path("watched");
    let file = std::fs::File::create(&watched).expect("a file");
    let mut command = fixture.command(&["list", "--watch", "-o", "name"]);
    let mut child = command.stdout(file).spawn().expect("it runs");
    let until = |what: &str, wanted: &str| {
        wait_until(what, || std::fs::read_to_string(&watched).is_ok_and(|text| text == wanted));
    };
    until("the list is there", "D001\nD002\nD003\n");
    fixture.replace("fleet/B.yaml", "ana@", "bo@");
    fixture.run(&["apply", "--yes"]).exits(0);
    until("what changed follows", "D001\nD002\nD003\nD002\n");
    child.kill().expect("it ends");
    child.wait().expect("it has ended");
}

#[test]
fn refused_reports_are_listed_with_their_reasons_and_handed_in_again() {
    let fixture = Fixture::of(&["A"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    fixture.report(&healthy("LATER", 1));
    fixture.run(&["apply", "--yes"]);
    let said = fixture.json(&["reports", "rejected"]);
    let reason = said["files"][0]["reasons"][0].as_str().expect("a reason").to_owned();
    assert!(reason.contains("line 1: "), "{reason}");
    // In vain, and the name does not grow with every try.
    let name = |said: &Value| said["files"][0]["file"].as_str().expect("a name").to_owned();
    let first = name(&said);
    for _ in 0..3 {
        fixture.run(&["reports", "rejected", "--retry"]).exits(0);
        fixture.run(&["apply", "--yes"]);
    }
    let last = name(&fixture.json(&["reports", "rejected"]));
    assert!(last != first && last.len() == first.len(), "{first}, then {last}");
    // Its manifest came after its report.
    fixture.write("fleet/LATER.yaml", device("LATER"));
    fixture.run(&["apply", "--yes"]);
    let said = fixture.run(&["reports", "rejected", "--retry"]).exits(0).stdout;
    assert!(said.contains("1 file put back into the inbox."), "{said}");
    fixture.run(&["apply", "--yes"]).exits(0);
    assert_eq!(fixture.devices()["LATER"]["status"], "Enrolled");
    assert_eq!(fixture.json(&["reports", "rejected"])["files"], serde_json::json!([]));
}
