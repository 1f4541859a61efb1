//! From a new manifest to the comment on its pull request, by the program itself.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{copy, directory, git};

fn fleetform(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetform"));
    command.current_dir(dir).args(args).output().expect("the program")
}

/// What it prints, where it ends with this code.
fn says(dir: &Path, args: &[&str], code: i32) -> String {
    let output = fleetform(dir, args);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {text}{errors}");
    text
}

fn sample() -> tempfile::TempDir {
    let dir = directory();
    let fleet = dir.path().join("fleet");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fleet");
    copy(&from, &fleet);
    git(dir.path(), &["init", "-q", "-b", "main"]);
    git(dir.path(), &["add", "-A"]);
    git(dir.path(), &["commit", "-q", "-m", "one"]);
    git(dir.path(), &["tag", "one"]);
    dir
}

const NEW: &[&str] = &[
    "provision",
    "--serial",
    "PFNEW1",
    "--user",
    "eva.gil@example.com",
    "--profile",
    "Standard",
    "--os",
    "10.0.26100",
    "--label",
    "site=madrid",
];

#[test]
fn a_device_is_provisioned_changed_and_reviewed() {
    let dir = sample();
    let dir = dir.path();
    let text = says(dir, NEW, 0);
    assert!(text.starts_with("+ added    PFNEW1  eva-gil-pfnew1"), "{text}");
    let path = dir.join("fleet/madrid/eva-gil-pfnew1.yaml");
    let written = fs::read_to_string(&path).expect("beside the others of its site");
    assert_eq!(
        written,
        "# yaml-language-server: $schema=../.schema/fleetform.json\n\
         apiVersion: fleetform/v1\nkind: Device\nmetadata:\n  name: eva-gil-pfnew1\n  \
         labels: {site: madrid}\nspec:\n  serialNumber: PFNEW1\n  \
         userEmail: eva.gil@example.com\n  profile: Standard\n  osVersion: \"10.0.26100\"\n"
    );
    says(dir, &["check"], 0);
    says(dir, NEW, 1);

    let text = says(dir, &["set", "pfnew1", "enrollment=+1", "status=Pending"], 0);
    assert!(text.contains("enrollment: 1 -> 2"), "{text}");
    let set = fs::read_to_string(&path).expect("the manifest");
    assert_eq!(set, written + "  enrollment: 2\n  status: Pending\n");
    let text = says(dir, &["set", "eva-gil-pfnew1", "profile=Standrad"], 1);
    assert!(text.contains("error[unknown-profile]") && text.contains("did you mean"), "{text}");
    let text = says(dir, &["set", "PFNEW1", "status=Wiped"], 1);
    assert!(text.contains("error[status-wiped]"), "{text}");
    assert_eq!(fs::read_to_string(&path).expect("the manifest"), set);

    // On disk, between revisions, and in a bare clone it is the same change.
    let on_disk = says(dir, &["diff", "one", "--detailed-exitcode"], 2);
    assert!(on_disk.starts_with("+ added    PFNEW1"), "{on_disk}");
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", "two"]);
    assert_eq!(says(dir, &["diff", "one", "main"], 0), on_disk);
    git(dir, &["clone", "-q", "--bare", ".", "bare.git"]);
    let bare = dir.join("bare.git");
    let named = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetform"));
        command.current_dir(&bare).args(args).env("GIT_DIR", ".").output().expect("the program")
    };
    let output = named(&["diff", "one", "main"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), on_disk, "{output:?}");
    let output = named(&["diff", "one", "main", "--fleet", "fleet"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), on_disk.replace("./fleet", "fleet"));
    assert_eq!(named(&["diff", "one", "main", "--fleet", "nowhere"]).status.code(), Some(1));
    // What looks like a bare repository may have been merged: nobody asks it without being told.
    assert_eq!(fleetform(&bare, &["diff", "one", "main"]).status.code(), Some(1));
    let output = fleetform(dir, &["diff", "nothing"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no commit `nothing`"));
}

#[test]
fn what_would_not_validate_is_shown_and_not_written() {
    let dir = sample();
    let dir = dir.path();
    for (more, code) in [
        (["--name", "lisbon-desk-01"], "duplicate-name"),
        (["--platform", "ios"], "platform-not-allowed"),
        (["--name", "a b"], "invalid-value"),
    ] {
        let text = says(dir, &[NEW, &more].concat(), 1);
        assert!(text.contains(&format!("error[{code}]")), "{text}");
    }
    for bad in ["../x.yaml", "/tmp/x.yaml", "x.txt", ".x.yaml", "a/../x.yaml"] {
        says(dir, &[NEW, &["--file", bad]].concat(), 1);
    }
    let status = Command::new("git").current_dir(dir).args(["status", "--porcelain"]).output();
    assert_eq!(status.expect("git").stdout, b"");
}

#[test]
fn what_needs_no_fleet_asks_for_none() {
    let dir = directory();
    let dir = dir.path();
    fs::write(dir.join("fleetform.yaml"), "nonsense: [").expect("a broken configuration");
    assert!(says(dir, &["explain"], 0).contains("duplicate-serial"));
    assert!(says(dir, &["schema", "device"], 0).contains("2020-12"));
    assert!(says(dir, &["man", "wipe", "new"], 0).contains("FLEETFORM-WIPE-NEW"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(says(dir, &["completions", shell], 0).contains("fleetform __complete"));
        assert!(
            says(dir, &["__complete", shell, "--", "fleetform", "prov"], 0).contains("provision")
        );
    }
    for shell in ["elvish", "powershell"] {
        assert!(says(dir, &["completions", shell], 0).contains("provision"));
    }
}
