//! Questions that are asked on a terminal, answered on one: a pseudo-terminal of Python.

use crate::support::{Fixture, Output, key, needs, trusted};

/// Runs a program on a terminal and answers its question; its exit code is that of the program.
const TERMINAL: &str = r#"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
said, asked = b"", False
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    said += part
    if not asked and said.endswith(b"is accepted: "):
        asked = True
        os.write(terminal, sys.argv[1].encode() + b"\n")
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(status) if asked else 90)
"#;

/// The program on a terminal where somebody types `answer`.
fn typed(fixture: &Fixture, answer: &str, args: &[&str]) -> Output {
    needs("/usr/bin/python3");
    let mut command = fixture.command_under(&["/usr/bin/python3", "-c", TERMINAL, answer], args);
    Output::of(command.env("TERM", "dumb").env("HOME", fixture.path("")).output().expect("it runs"))
}

#[test]
fn apply_is_done_after_a_yes_and_nothing_else() {
    let fixture = Fixture::of(&["A"]);
    for no in ["no", "y", "YES", ""] {
        let said = typed(&fixture, no, &["apply"]).exits(1).stdout;
        assert!(said.contains("Nothing was done."), "{no:?}: {said}");
        assert_eq!(fixture.logged("device.provisioned"), 0, "{no:?}");
    }
    let said = typed(&fixture, "yes", &["apply"]).exits(0).stdout;
    assert!(said.contains("Apply this plan? Only \"yes\" is accepted: "), "{said}");
    assert_eq!(fixture.logged("device.provisioned"), 1);
}

#[test]
fn whoever_signs_a_wipe_sees_the_device_first_and_is_asked() {
    let fixture = Fixture::enrolled();
    fixture.write_secret("conf/signers", trusted("bob"));
    fixture.write(
        "conf/f.yaml",
        "fleet: ../fleet\ndata: ../.fleetform\ntrust: {allowedSigners: signers}\n",
    );
    let new = ["wipe", "new", "D008", "--reason", "stolen", "--requested-by", "bob@example.com"];
    fixture.run(&[&["--config", "conf/f.yaml"], &new[..]].concat()).exits(0);
    let bob = key("bob").display().to_string();
    let file = "fleet/wipes/d008-stolen.yaml";
    let sign = ["--config", "conf/f.yaml", "wipe", "sign", file, "--key", &bob];
    let said = typed(&fixture, "y", &sign).exits(1).stdout;
    let device = said.find("D008 ana-ruiz-laptop, serial PF3XK9Q2").expect("the device");
    assert!(device < said.find("Sign it?").expect("the question"), "{said}");
    assert!(said.contains("ana.ruiz@example.com") && said.contains("last sync"), "{said}");
    assert!(said.contains("Nothing was signed."), "{said}");
    assert!(!fixture.path(&format!("{file}.sig")).exists());
    let said = typed(&fixture, "yes", &sign).exits(0).stdout;
    assert!(said.contains("it counts as the signature of bob@example.com"), "{said}");
    assert!(fixture.path(&format!("{file}.sig")).exists());
    let veto = [&sign[..], &["--veto"]].concat();
    let said = typed(&fixture, "no", &veto).exits(1).stdout;
    assert!(said.contains("Sign AGAINST this wipe:"), "{said}");
}

#[test]
fn repairs_are_shown_before_anybody_is_asked_and_written_after_a_yes() {
    let fixture = Fixture::of(&["A"]);
    let good = fixture.read("fleet/A.yaml");
    let bad = good.replace('\n', "\r\n");
    fixture.write("fleet/A.yaml", &bad);
    let fix = ["check", "--fix"];
    let said = typed(&fixture, "y", &fix).stdout;
    let change = said.find("--- ./fleet/A.yaml").expect("the change");
    assert!(change < said.find("Repair 1 file?").expect("the question"), "{said}");
    assert_eq!(fixture.read("fleet/A.yaml"), bad);
    let said = typed(&fixture, "yes", &fix).exits(0).stdout;
    assert!(said.contains("Repaired: ") && said.contains("line breaks"), "{said}");
    assert!(!fixture.read("fleet/A.yaml").contains('\r'));
}
