//! `fmt` and `check --fix`: manifests in the one layout, and what is never touched.

use std::io::Read as _;
use std::process::Stdio;

use crate::support::{Fixture, Request, VETO, WIPE, signature, wait_until};

const MESSY: &str = "kind: Device # what it is\napiVersion: 'fleetform/v1'\nspec:\n    # hers\n    \
    userEmail: \"ana@example.com\"\n    serialNumber: AAA1\n    osVersion: 10.0.1\n    profile: Standard\n\
    metadata: { name: ana }\n";
const NEAT: &str = "apiVersion: fleetform/v1\nkind: Device # what it is\nmetadata: {name: ana}\nspec:\n  \
    serialNumber: AAA1\n  # hers\n  userEmail: ana@example.com\n  profile: Standard\n  osVersion: \"10.0.1\"\n";

#[test]
fn fmt_lays_out_what_check_shows_and_a_second_time_nothing_changes() {
    let fixture = Fixture::of(&["BBB1"]);
    fixture.write("fleet/ana.yaml", MESSY);
    let before = fixture.json(&["diff", "./fleet", "./fleet"]);
    let check = fixture.run(&["fmt", "--check"]).exits(1);
    assert!(check.stdout.contains("+  osVersion: \"10.0.1\"\n"), "{check:?}");
    assert_eq!(fixture.read("fleet/ana.yaml"), MESSY, "a check writes nothing");
    fixture.run(&["fmt"]).exits(0);
    assert_eq!(fixture.read("fleet/ana.yaml"), NEAT);
    assert_eq!(fixture.json(&["diff", "./fleet", "./fleet"]), before);
    let again = fixture.json(&["fmt", "--check"]);
    assert_eq!(again["summary"]["changed"], 0, "{again}");
    assert_eq!(fixture.feed(&["fmt", "-"], MESSY).exits(0).stdout, NEAT);
    fixture.feed(&["fmt", "--check", "-"], MESSY).exits(1);
    fixture.feed(&["fmt", "--check", "-"], NEAT).exits(0);
    fixture.run(&["fmt", "fleet/gone.yaml"]).exits(1).complains(&["fleet/gone.yaml"]);
    fixture.write("fleet/broken.yaml", "a: [\n");
    let broken =
        fixture.run(&["fmt"]).exits(1).complains(&["error: ./fleet/broken.yaml stays as it is: "]);
    assert!(broken.stdout.contains("1 not readable"), "{broken:?}");
}

#[test]
fn what_the_program_writes_is_in_the_one_layout() {
    let fixture = Fixture::enrolled();
    let new =
        ["provision", "--serial", "00127", "--user", "eva@example.com", "--profile", "Standard"];
    fixture
        .run(
            &[&new[..], &["--os", "10.0", "--label", "room=12", "--label", "site=San Juan"]]
                .concat(),
        )
        .exits(0);
    fixture.run(&["set", "PF3XK9Q2", "labels.desk=a b", "hardware.model=T14, gray"]).exits(0);
    let by = ["--reason", "lost", "--requested-by", "bob@example.com"];
    fixture.run(&[&["wipe", "new", "PF3XK9Q2"][..], &by].concat()).exits(0);
    let check = fixture.run(&["fmt", "--check"]);
    assert_eq!((check.code, check.stdout.contains("\n+")), (Some(0), false), "{check:?}");
    let begun = Fixture::bare();
    begun.run(&["init"]).exits(0);
    begun.run(&["fmt", "--check"]).exits(0);
}

#[test]
fn a_file_with_signatures_beside_it_is_never_touched() {
    for (namespace, name) in
        [(WIPE, "w.yaml.sig"), (VETO, "w.yaml.veto.sig"), (WIPE, "w.yaml.bob.sig")]
    {
        let fixture = Fixture::of(&["AAA1"]);
        let request = Request::of(1).yaml().replace("scope: full", "scope:   'full'");
        fixture.write("fleet/w.yaml", &request);
        fixture.write(&format!("fleet/{name}"), signature("bob", namespace, request.as_bytes()));
        let check = fixture.run(&["fmt", "--check"]).exits(0);
        assert!(check.stderr.contains("fleet/w.yaml is not changed"), "{check:?}");
        for args in [&["fmt"][..], &["fmt", "fleet/w.yaml"], &["check", "--fix", "--yes"]] {
            let done = fixture.run(args);
            assert!(done.stderr.contains("fleet/w.yaml is not changed"), "{args:?} {done:?}");
            assert_eq!(fixture.read("fleet/w.yaml"), request, "{args:?}");
        }
    }
}

#[test]
fn check_repairs_what_is_safe_to_repair_and_shows_it_first() {
    let fixture = Fixture::of(&["BBB1"]);
    let tabs = MESSY.replace("    ", "\t").replace("AAA1", "4711007");
    let utf16: Vec<u8> = format!("\u{feff}{}", tabs.replace('\n', "\r\n"))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fixture.write("fleet/ana.yaml", &utf16);
    fixture.write("fleet/two.yaml", "a:\n    b:\n\tc: 1\n");
    fixture.run(&["check"]).exits(1);
    let shown =
        fixture.run(&["check", "--fix"]).exits(1).complains(&["no terminal to ask on", "--yes"]);
    for part in ["ana.yaml: encoding, line breaks, tabs", "+  serialNumber: \"4711007\"\n"] {
        assert!(shown.stdout.contains(part), "{part}: {shown:?}");
    }
    assert!(shown.stdout.contains("-\\tserialNumber: 4711007\\r\n"), "not as UTF-16: {shown:?}");
    let other = fixture.run(&["check", "--fix", "-o", "json"]).exits(1);
    assert_eq!(other.complains(&["-o json", "--yes"]).stdout, "");
    assert_eq!(std::fs::read(fixture.path("fleet/ana.yaml")).expect("a file"), utf16);
    let fixed = fixture.run(&["check", "--fix", "--yes"]).exits(1);
    assert!(fixed.stdout.contains("+  serialNumber: \"4711007\"\n"), "{fixed:?}");
    let fixed =
        fixed.complains(&["Repaired: ./fleet/ana.yaml (encoding, line breaks, tabs, quotes"]);
    assert!(fixed.stdout.contains("two.yaml"), "what is left is a finding: {fixed:?}");
    assert_eq!(fixture.read("fleet/ana.yaml"), NEAT.replace("AAA1", "\"4711007\""));
    fixture.remove("fleet/two.yaml");
    fixture.run(&["check"]).exits(0);
    fixture.feed(&["check", "--fix", "-"], "a: 1\n").exits(1);
}

#[test]
fn a_file_indented_with_other_spaces_is_left_by_fmt_and_repaired_by_check() {
    let fixture = Fixture::of(&["AAA1"]);
    fixture.run(&["fmt"]).exits(0);
    let neat = fixture.read("fleet/AAA1.yaml");
    let odd = neat.replace("\n  ", "\n\u{a0}\u{a0}");
    assert_ne!(odd, neat);
    fixture.write("fleet/AAA1.yaml", &odd);
    fixture.run(&["fmt"]).exits(1).complains(&["fleet/AAA1.yaml stays as it is", "check --fix"]);
    assert_eq!(fixture.read("fleet/AAA1.yaml"), odd);
    fixture.run(&["check", "--fix", "--yes"]).exits(0).complains(&["non-breaking spaces"]);
    assert_eq!(fixture.read("fleet/AAA1.yaml"), neat);
}

#[test]
fn one_file_is_judged_with_the_others_and_without_what_is_wrong_with_them() {
    let fixture = Fixture::of(&["AAA1"]);
    fixture.write("fleet/other.yaml", "kind: [\n");
    fixture.run(&["check"]).exits(1);
    fixture.run(&["check", "fleet/AAA1.yaml"]).exits(0);
    fixture.run(&["check", "fleet/other.yaml"]).exits(1);
    let twin = fixture.read("fleet/AAA1.yaml").replace("dev-AAA1", "twin");
    let found = fixture.feed(&["check", "-", "-o", "json"], &twin).exits(1).json();
    assert_eq!(found["findings"][0]["code"], "duplicate-serial", "{found}");
    // In the place of the file it is no twin.
    let instead = ["check", "-", "--stdin-filename", "fleet/AAA1.yaml"];
    fixture.feed(&instead, &twin).exits(0);
    fixture.feed(&["check", "-"], &twin.replace("Standard", "Nope")).exits(1);
    fixture.write("elsewhere.yaml", twin.replace("AAA1", "AAA2"));
    fixture.run(&["check", "elsewhere.yaml"]).exits(0);
    let alone = Fixture::bare();
    alone.write("x.yaml", &twin);
    alone.run(&["check", "x.yaml"]).exits(0).complains(&["no fleet directory"]);
    alone.run(&["check", "gone.yaml"]).exits(1);
}

#[test]
fn a_watched_fleet_is_checked_again_after_each_change() {
    let fixture = Fixture::of(&["AAA1"]);
    let mut command = fixture.command(&["check", "--watch"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    let mut out = child.stdout.take().expect("a pipe");
    let said = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let kept = said.clone();
    let reader = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = out.read(&mut bytes) {
            kept.lock().expect("whole").push_str(&String::from_utf8_lossy(&bytes[..n]));
        }
    });
    let has = |part: &str, times: usize| said.lock().expect("whole").matches(part).count() >= times;
    wait_until("it checked once", || has("1 device", 1));
    fixture.save("fleet/AAA1.yaml", "kind: [\n");
    wait_until("it saw the mistake", || has("error[yaml-syntax]", 1));
    fixture.remove("fleet/AAA1.yaml");
    wait_until("it saw that it is gone", || has("0 devices", 1));
    child.kill().expect("it runs still");
    child.wait().expect("it ends");
    reader.join().expect("it ends");
}
