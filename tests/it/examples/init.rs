//! `init`: what it writes, and what it leaves alone.

use std::fs;

use serde_json::Value;

use super::lab::{DEVICE, Lab, Ran};
use crate::support::tree;

/// In a directory of its own that is no repository.
fn bare() -> Lab {
    let lab = Lab::new();
    fs::remove_dir_all(lab.repo()).expect("it goes");
    fs::create_dir(lab.repo()).expect("a directory");
    lab
}

fn outcomes(ran: &Ran) -> Vec<(String, String)> {
    let all: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(all["version"], 1);
    let files = all["files"].as_array().expect("files").iter();
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    files.map(|file| (word(&file["path"]), word(&file["outcome"]))).collect()
}

#[test]
fn a_fleet_is_begun_and_works_at_once() {
    let lab = bare();
    let ran = lab.bash("fleetform init new/repository -o json", &[]).exits(0);
    for (path, outcome) in outcomes(&ran) {
        assert_eq!(outcome, "written", "{path}");
        assert!(lab.repo().join("new/repository").join(&path).is_file(), "{path}");
    }
    assert!(ran.stdout.contains("git init"), "{ran:?}");
    let begun = "cd new/repository; ";
    let run = |command: &str| lab.bash(&format!("{begun}{command}"), &[]).exits(0);
    run("fleetform check");
    assert!(run("fleetform apply --yes").stdout.contains("1 provisioned"));
    assert!(run("fleetform apply --yes").stdout.contains("Applied: nothing"));
    assert_eq!(run("git init -q; git add -A; git ls-files .fleetform").stdout, "");
    let attributes = run("git check-attr text -- fleet/a.yaml b.yml fleet/wipes/c.yaml.x.sig");
    assert_eq!(attributes.stdout.matches("text: unset").count(), 3, "{attributes:?}");
    // The line by which editors find the schema is the one that `provision` writes.
    run("fleetform provision --serial S1 --user a@example.com --profile Standard --os 10");
    let first = |path: &str| {
        let text = lab.read(&format!("new/repository/fleet/devices/{path}.yaml"));
        text.lines().next().expect("a line").to_owned()
    };
    assert_eq!(first("a-s1"), first("example-laptop"));
    assert_eq!(run("fleetform schema").stdout, run("cat fleet/.schema/fleetform.json").stdout);
}

#[test]
fn what_is_there_is_kept() {
    let lab = bare();
    lab.bash("fleetform init", &[]).exits(0);
    let before = tree(&lab.repo());
    let ran = lab.bash("fleetform init -o json", &[]).exits(0);
    assert!(outcomes(&ran).iter().all(|(_, outcome)| outcome == "kept"), "{ran:?}");
    assert!(tree(&lab.repo()) == before, "something was touched");
    let text = lab.bash("fleetform init", &[]).exits(0).stdout;
    assert!(text.contains("  kept      README.md\n"), "{text}");
    assert!(text.ends_with("0 files written, 14 kept, 0 left out.\n"), "{text}");

    // What a crash left out is made up for.
    fs::remove_file(lab.repo().join(DEVICE)).expect("it goes");
    let ran = lab.bash("fleetform init -o json", &[]).exits(0);
    assert!(outcomes(&ran).contains(&(DEVICE.to_owned(), "written".to_owned())), "{ran:?}");
    assert!(tree(&lab.repo()).keys().eq(before.keys()));
}

#[test]
fn a_fleet_of_ones_own_gets_no_manifests() {
    for (path, text) in [
        ("fleet/madrid/p.yaml", include_str!("../../../fleet/profiles/standard.yaml").to_owned()),
        ("fleet/broken.yaml", "kind: [".to_owned()),
        ("fleet/profiles/standard.yaml", "# Mine.\n".to_owned()),
        ("fleetform.yaml", "fleet: ./devices\n".to_owned()),
    ] {
        let lab = bare();
        lab.write(path, &text);
        let ran = lab.bash("fleetform init -o json", &[]).exits(0);
        let left: Vec<_> = outcomes(&ran).into_iter().filter(|(_, o)| o == "leftOut").collect();
        assert!(left.len() >= 3 && ran.stdout.contains("No manifests were added"), "{ran:?}");
        assert!(left.iter().all(|(path, _)| !lab.repo().join(path).exists()), "{path}");
        assert_eq!(lab.read(path), text);
    }
}

#[test]
fn a_failure_leaves_nothing_behind() {
    let lab = bare();
    lab.write("fleet", "a file where a directory should be");
    lab.write("notes.txt", "mine");
    let names = |lab: &Lab| tree(&lab.repo()).into_keys().collect::<Vec<_>>();
    let before = names(&lab);
    let ran = lab.bash("fleetform init", &[]).exits(1);
    assert!(ran.stderr.contains("fleet"), "{ran:?}");
    assert_eq!(names(&lab), before);
    // Also where the disk is full.
    fs::remove_file(lab.repo().join("fleet")).expect("it goes");
    let before = names(&lab);
    let full =
        "strace -f -o /dev/null -e trace=fsync -e inject=fsync:error=ENOSPC:when=9 fleetform init";
    let ran = lab.bash(full, &[]).exits(1);
    assert!(ran.stderr.contains("No space left on device"), "{ran:?}");
    assert_eq!(names(&lab), before);
}

#[test]
fn what_has_to_be_done_by_hand_is_said() {
    let lab = bare();
    lab.write(".gitattributes", "*.png binary\n*.yml -text\n");
    lab.write(".gitignore", "# mine\n/.fleetform/\n");
    lab.git("init -q");
    let ran = lab.bash("fleetform init", &[]).exits(0);
    let add = ".gitattributes was kept; add to it: *.yaml -text, *.sig -text\n";
    assert!(ran.stderr.contains(add), "{ran:?}");
    assert!(!ran.stderr.contains(".gitignore") && !ran.stderr.contains("git init"), "{ran:?}");
    let ran = lab.bash("fleetform init below", &[]).exits(0);
    assert!(ran.stderr.contains("This is below/ of a larger repository"), "{ran:?}");
    lab.bash("fleetform init --fleet elsewhere", &[]).exits(1);
}
