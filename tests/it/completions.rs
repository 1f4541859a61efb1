//! What a real Bash offers, of a real fleet.

use std::process::Command;

use crate::support::{Fixture, tree, wait_until};

/// Sources the script, and asks as `complete -F` does; Bash breaks words at `=`.
const ASK: &str = r#"
source <(fleetform completions bash)
COMP_WORDS=(${1//=/ = }); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_fleetform 2>/dev/null
echo "${COMPREPLY[*]}"
"#;

fn offered(fixture: &Fixture, line: &str) -> String {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_fleetform"));
    let path = format!("{}:/usr/bin:/bin", binary.parent().expect("a directory").display());
    let done = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", ASK, "bash", line])
        .current_dir(fixture.path(""))
        .env_clear()
        .env("PATH", path)
        .output()
        .expect("bash is needed: apt-get install bash");
    assert_eq!(String::from_utf8_lossy(&done.stderr), "");
    String::from_utf8(done.stdout).expect("UTF-8").trim_end().to_owned()
}

#[test]
fn bash_completes_what_the_fleet_knows() {
    let fixture = Fixture::enrolled();
    fixture.write("fleet/new.yaml", crate::support::device("NEW1"));
    let before = tree(&fixture.path(""));
    for (line, expected) in [
        ("fleetform sho", "show"),
        ("fleetform show D00", "D001 D002 D003 D004 D005 D006 D007 D008 D009"),
        ("fleetform show pf3", "PF3XK9Q2"),
        ("fleetform show marta", "marta-gil-surface"),
        ("fleetform wipe new marta", "marta-gil-surface"),
        ("fleetform audit log --device D010", "D010"),
        ("fleetform list --profile=", "Executive Mobile Standard"),
        ("fleetform list --status=F", "Failed"),
        ("fleetform set NE", "NEW1"),
        ("fleetform set dev-N", "dev-NEW1"),
        ("fleetform set D001 profile=Ex", "Executive"),
        ("fleetform --data /nowhere show D", ""),
        ("fleetform --fleet /nowhere --data /nowhere list --profile S", ""),
    ] {
        // A machine that is busy may not answer in time: then it says nothing.
        wait_until(line, || offered(&fixture, line) == expected);
    }
    assert_eq!(tree(&fixture.path("")), before, "nothing is touched");
}
