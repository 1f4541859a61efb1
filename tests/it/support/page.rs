//! Pages of the documentation, whose commands are run.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::fixture::Fixture;

/// Where the pages say that the emulator listens.
const ADDRESS: &str = "http://127.0.0.1:8090";

/// A page of `docs`.
pub fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    fs::read_to_string(path).expect("the page")
}

/// Its blocks of shell commands as one script, but for those that begin with `but`.
pub fn commands(page: &str, but: &str) -> String {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut script = String::from("set -eu\n");
    for block in blocks.filter(|block| but.is_empty() || !block.starts_with(but)) {
        let _ = writeln!(script, "{block}");
    }
    script
}

/// As [`commands`], for a part of a page that starts the emulator: the emulator listens where the system lets it.
pub fn script(part: &str) -> String {
    let blocks = part.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut script = String::from(
        "set -eu\nEMULATOR_PID=\ntrap '[ -z \"$EMULATOR_PID\" ] || kill $EMULATOR_PID' EXIT\n",
    );
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

/// Runs a script in an empty directory; gives that, and what it printed.
#[track_caller]
pub fn tell(script: &str) -> (Fixture, String) {
    let fixture = Fixture::bare();
    let program = Path::new(env!("CARGO_BIN_EXE_fleetform")).parent().expect("a directory");
    let path = std::env::var("PATH").expect("a path");
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(fixture.path(""))
        .env("PATH", format!("{}:{path}", program.display()))
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    (fixture, said)
}
