//! The story that the page about Intune tells, told by its own commands.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Fixture, needs};

const STORY: &str = "## The whole story in five minutes";
const ADDRESS: &str = "http://127.0.0.1:8090";

/// The commands of the story; the emulator listens where the system lets it.
fn script(page: &str) -> String {
    let story = page.split(STORY).nth(1).expect("the story");
    let blocks = story.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut script = String::from("set -eu\ntrap 'kill $EMULATOR_PID' EXIT\n");
    for block in blocks {
        match block.trim_end().strip_suffix('&') {
            Some(start) if start.starts_with("fleetform emulator") => {
                let _ = writeln!(
                    script,
                    "mkfifo address\n{start} --listen 127.0.0.1:0 > address &\nEMULATOR_PID=$!\n\
                     read -r ADDRESS < address"
                );
            }
            _ => {
                let _ = writeln!(script, "{}", block.replace(ADDRESS, "$ADDRESS"));
            }
        }
    }
    script
}

#[test]
fn the_story_of_the_page_ends_with_a_wiped_device() {
    for tool in ["curl", "jq", "ssh-keygen"] {
        needs(tool);
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/intune.md");
    let script = script(&fs::read_to_string(page).expect("the page"));
    assert!(script.matches("\nff ").count() > 10, "{script}");
    let fixture = Fixture::bare();
    let program = Path::new(env!("CARGO_BIN_EXE_fleetform")).parent().expect("a directory");
    let path = std::env::var("PATH").expect("a path");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(fixture.path(""))
        .env("PATH", format!("{}:{path}", program.display()))
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    for part in [
        "Pending -> Enrolled",
        "judged compliant by the MDM",
        "eve@contoso.com changed it in the MDM: ",
        "1 profile put right",
        "awaits approval: D001: Intune wants another administrator's approval first",
        "Enrolled -> Wiped",
        "Chain:     good",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}
