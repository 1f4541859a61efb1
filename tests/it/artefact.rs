//! CI has no ledger of its own: it plans with a copy of one, and compares revisions without any.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Fixture, actions, copy, git, healthy, text, tree};

/// A fleet of which something was changed since it was applied, and the plan for it.
fn changed() -> (Fixture, Value) {
    let fixture = Fixture::enrolled();
    fixture.replace("fleet/madrid/ana-ruiz-laptop.yaml", "profile: Standard", "profile: Executive");
    fixture.remove("fleet/madrid/jorge-vidal-laptop.yaml");
    let plan = fixture.json(&["plan"]);
    assert!(actions(&plan).len() > 2, "{plan}");
    (fixture, plan)
}

#[test]
fn a_copy_of_the_data_directory_gives_the_same_plan() {
    type Loss = fn(&Path);
    let losses: [(&str, Loss); 4] = [
        ("nothing", |_| ()),
        ("lock, inbox and outbox", |copy| {
            fs::remove_file(copy.join("lock")).expect("a lock");
            fs::remove_dir_all(copy.join("inbox")).expect("an inbox");
            fs::remove_dir_all(copy.join("outbox")).expect("an outbox");
        }),
        ("all but log and snapshot", |copy| {
            for entry in fs::read_dir(copy).expect("a directory") {
                let path = entry.expect("an entry").path();
                let kept = path.ends_with("audit.jsonl") || path.ends_with("state.json");
                match path.is_dir() {
                    true => fs::remove_dir_all(path).expect("a directory"),
                    false if !kept => fs::remove_file(path).expect("a file"),
                    false => {}
                }
            }
        }),
        ("the end of the last line", |copy| {
            let log = copy.join("audit.jsonl");
            let mut bytes = fs::read(&log).expect("a log");
            bytes.extend_from_slice(b"{\"seq\":");
            fs::write(log, bytes).expect("a log");
        }),
    ];
    let (fixture, plan) = changed();
    for (lost, lose) in losses {
        let copied = fixture.duplicate();
        let copy = copied.path("copy");
        fs::rename(copied.data(), &copy).expect("another name");
        lose(&copy);
        // Whoever runs the tests may write it all the same; that nothing is written is seen below.
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o500)).expect("a mode");
        let before = tree(&copied.path(""));
        let args = ["plan", "--data", "copy", "-o", "json"];
        assert_eq!(copied.run(&args).exits(0).json(), plan, "without {lost}");
        copied.run(&[&args[..], &["--detailed-exitcode"]].concat()).exits(2);
        assert_eq!(tree(&copied.path("")), before, "without {lost}");
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o700)).expect("a mode");
    }
}

/// The log alone knows no telemetry: what profiles ask for is then not judged by it.
#[test]
fn the_log_alone_gives_the_same_actions() {
    let (fixture, plan) = changed();
    fs::create_dir(fixture.path("copy")).expect("a directory");
    fs::copy(fixture.data().join("audit.jsonl"), fixture.path("copy/audit.jsonl")).expect("a copy");
    let alone = fixture.json(&["plan", "--data", "copy"]);
    assert_eq!(alone["ledger"], plan["ledger"]);
    let but_verdicts = |plan: &Value| {
        let actions = plan["actions"].as_array().expect("actions").iter();
        actions.filter(|action| action["action"] != "compliance").cloned().collect::<Vec<_>>()
    };
    assert_eq!(but_verdicts(&alone), but_verdicts(&plan));
    // Then it is another plan, and pins nothing that it should not.
    assert_eq!(alone["digest"] == plan["digest"], alone["actions"] == plan["actions"]);
}

#[test]
fn half_a_copy_is_an_error() {
    let (fixture, _) = changed();
    for (kept, why) in [("state.json", "its end is missing"), ("audit.jsonl", "it says seq 2")] {
        let copy = fixture.path("copy");
        let _ = fs::remove_dir_all(&copy);
        fs::create_dir(&copy).expect("a directory");
        let mut bytes = fs::read(fixture.data().join(kept)).expect("a file");
        if kept == "audit.jsonl" {
            // Cut at its beginning: no line is the first one.
            bytes.drain(..=bytes.iter().position(|b| *b == b'\n').expect("a line"));
        }
        fs::write(copy.join(kept), bytes).expect("a copy");
        let failed = fixture.run(&["plan", "--data", "copy", "--detailed-exitcode"]).exits(1);
        assert_eq!(failed.stdout, "", "no plan as if nothing were recorded");
        assert!(failed.stderr.contains("copy") && failed.stderr.contains(why), "{failed:?}");
    }
}

/// As the pull request's page tells it: the digest of what was reviewed, taken by `jq`.
#[test]
fn what_was_reviewed_is_what_is_applied() {
    let (fixture, plan) = changed();
    let script = r#"digest="$("$0" plan --data copy -o json | jq -r .digest)"
        "$0" apply --plan "$digest""#;
    copy(&fixture.data(), &fixture.path("copy"));
    let apply = |fixture: &Fixture| {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script, env!("CARGO_BIN_EXE_fleetform")]);
        command.current_dir(fixture.path("")).output().expect("bash").status.code()
    };
    // A report came after the copy was made: that is another plan, and nothing is done.
    let meanwhile = fixture.duplicate();
    meanwhile.report(&healthy("PF5B20QK", 2).replace("\"pinLength\":8", "\"pinLength\":4"));
    let before = meanwhile.read(".fleetform/audit.jsonl");
    assert_eq!(apply(&meanwhile), Some(3));
    assert_eq!(meanwhile.read(".fleetform/audit.jsonl"), before);
    assert_eq!(apply(&fixture), Some(0));
    fixture.run(&["plan", "--detailed-exitcode"]).exits(0);
    assert_eq!(text(&plan["digest"]).len(), 64);
}

#[test]
fn a_difference_exits_by_what_it_is() {
    let fixture = Fixture::sample();
    let dir = fixture.path("");
    git(&dir, &["init", "-q"]);
    let ana = "fleet/madrid/ana-ruiz-laptop.yaml";
    let commit = |tag: &str| {
        git(&dir, &["add", "-A"]);
        git(&dir, &["commit", "-q", "-m", tag]);
        git(&dir, &["tag", tag]);
    };
    commit("one");
    git(&dir, &["mv", ana, "fleet/madrid/ana.yaml"]);
    commit("moved");
    git(&dir, &["mv", "fleet/madrid/ana.yaml", ana]);
    fixture.replace(ana, "profile: Standard", "profile: Executive");
    commit("changed");
    fixture.replace(ana, "profile: Executive", "profile: Exectuive");
    commit("broken");
    for (base, head, code) in [
        ("one", "one", 0),
        ("one", "moved", 0),
        ("one", "changed", 2),
        ("one", "broken", 1),
        ("broken", "one", 2),
        ("broken", "broken", 0),
        ("one", "nowhere", 1),
    ] {
        for format in ["text", "json", "markdown", "github"] {
            let args = ["diff", base, head, "--detailed-exitcode", "-o", format];
            assert_eq!(fixture.run(&args).code, Some(code), "{base} {head} {format}");
        }
        let plain = if head == "nowhere" { 1 } else { 0 };
        fixture.run(&["diff", base, head]).exits(plain);
    }
}
