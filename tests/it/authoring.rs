//! Editing many manifests at once, and what a change means before it is merged.

use crate::support::{Device, Fixture, PLAIN_PROFILE, Profile, device, git};

/// Three devices in two files: two of them in Madrid.
fn sites() -> Fixture {
    let fixture = Fixture::empty();
    fixture.write("fleet/profile.yaml", PLAIN_PROFILE);
    fixture.write("fleet/other.yaml", Profile::new("Other", "windows").yaml());
    let at = |serial: &str, site: &str| {
        Device::new(serial).named(format_args!("dev-{serial}")).labels(site).yaml()
    };
    let both = [at("A", "{site: madrid}"), at("B", "{site: madrid, spare: yes}")].join("---\n");
    fixture.write("fleet/both.yaml", both);
    fixture.write("fleet/c.yaml", at("C", "{site: lisbon}"));
    fixture.run(&["check"]).exits(0);
    fixture
}

#[test]
fn many_devices_are_edited_by_selector_all_or_none() {
    let fixture = sites();
    let before = [fixture.read("fleet/both.yaml"), fixture.read("fleet/c.yaml")];
    let set = ["set", "-l", "site in (madrid),spare notin (no)", "profile=Other", "labels.spare-"];
    let said = fixture.run(&[&set[..], &["--dry-run"]].concat()).exits(0);
    for part in ["--- a/fleet/both.yaml\n", "+++ b/fleet/both.yaml\n", "\n-", "\n+", "profile"] {
        assert!(said.stdout.contains(part), "{part:?} in {}", said.stdout);
    }
    assert!(!said.stdout.contains("c.yaml"), "{}", said.stdout);
    said.complains(&["Nothing is written."]);
    let now = || [fixture.read("fleet/both.yaml"), fixture.read("fleet/c.yaml")];
    assert_eq!(now(), before, "it was only shown");
    fixture.run(&set).exits(0);
    let both = fixture.read("fleet/both.yaml");
    assert_eq!(both.matches("profile: Other").count(), 2, "{both}");
    assert!(!both.contains("spare") && both.contains("site: madrid"), "{both}");
    assert_eq!(now()[1], before[1]);
    fixture.run(&["check"]).exits(0);
    // One of them cannot be so: none is written.
    let written = now();
    fixture.run(&["set", "-l", "site", "profile=Nowhere"]).exits(1);
    assert_eq!(now(), written);
    fixture.run(&["set", "-l", "site=porto", "profile=Other"]).exits(1).complains(&["selector"]);
    fixture.run(&["set", "A"]).exits(1).complains(&["no field is given"]);
}

/// The same fleet in Git, at its first commit.
fn in_git(devices: usize) -> Fixture {
    let fixture = Fixture::empty();
    fixture.write("fleet/profile.yaml", PLAIN_PROFILE);
    for n in 0..devices {
        let site = if n % 2 == 0 { "madrid" } else { "lisbon" };
        fixture.write(&format!("fleet/{site}/d{n}.yaml"), device(&format!("SN{n:02}")));
    }
    git(&fixture.path(""), &["init", "-q", "-b", "main"]);
    commit(&fixture);
    fixture
}

fn commit(fixture: &Fixture) {
    git(&fixture.path(""), &["add", "fleet"]);
    git(&fixture.path(""), &["commit", "-q", "-m", "x"]);
}

#[test]
fn a_difference_is_named_as_git_names_it() {
    let fixture = in_git(4);
    let said = |args: &[&str]| fixture.run(&[&["diff"], args].concat()).exits(0).stdout;
    assert_eq!(said(&[]), "No changes. The manifests describe the same fleet.\n");
    fixture.replace("fleet/madrid/d0.yaml", "SN00", "NEW0");
    fixture.replace("fleet/lisbon/d1.yaml", "ana@", "bo@");
    let all = said(&[]);
    assert!(all.contains("added    NEW0") && all.contains("changed  SN01"), "{all}");
    let part = said(&["--", "fleet/lisbon"]);
    assert!(part.contains("SN01") && !part.contains("NEW0"), "{part}");
    let file = said(&["HEAD", "--", "./fleet/madrid/d0.yaml"]);
    assert!(file.contains("NEW0") && !file.contains("SN01"), "{file}");
    fixture.run(&["diff", "--", "docs"]).exits(1).complains(&["not in the fleet directory"]);
    // A topic that left main before main went on.
    git(&fixture.path(""), &["checkout", "-q", "-b", "topic"]);
    commit(&fixture);
    git(&fixture.path(""), &["checkout", "-q", "main"]);
    fixture.replace("fleet/madrid/d2.yaml", "ana@", "cy@");
    commit(&fixture);
    let two = said(&["main..topic"]);
    assert!(two.contains("NEW0") && two.contains("SN02"), "{two}");
    let three = said(&["main...topic"]);
    assert!(three.contains("NEW0") && !three.contains("SN02"), "{three}");
    assert_eq!(said(&["..main"]), "No changes. The manifests describe the same fleet.\n");
    fixture.run(&["diff", "main..topic", "main"]).exits(1).complains(&["is already a range"]);
}

#[test]
fn a_freeze_that_a_change_would_cause_is_announced_before_it_is_merged() {
    let fixture = in_git(12);
    for n in [0, 2, 4] {
        fixture.remove(&format!("fleet/madrid/d{n}.yaml"));
    }
    let said = fixture.run(&["diff"]).exits(0).stdout;
    assert!(!said.contains("FREEZE"), "3 of 12 are fewer than 30%: {said}");
    fixture.remove("fleet/madrid/d6.yaml");
    let said = fixture.run(&["diff"]).exits(0).stdout;
    assert!(said.starts_with("FREEZE: merging this removes 4 of 12 devices at once"), "{said}");
    assert!(said.contains("fleetform apply --accept-removals 4"), "{said}");
    let json = fixture.json(&["diff"]);
    assert_eq!(json["freeze"], serde_json::json!({"cause": "shrunken", "removed": 4, "of": 12}));
    commit(&fixture);
    let comment = fixture.run(&["diff", "HEAD~1..", "-o", "markdown"]).exits(0).stdout;
    assert!(comment.contains("**FREEZE: merging this removes 4 of 12 devices"), "{comment}");
    let annotated = fixture.run(&["diff", "HEAD~1", "HEAD", "-o", "github"]).exits(0).stdout;
    assert!(annotated.contains("::warning title=freeze::FREEZE"), "{annotated}");
    // It is what the guard then says.
    fixture.run(&["check"]).exits(0);
    git(&fixture.path(""), &["checkout", "-q", "HEAD~1", "--", "fleet"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    git(&fixture.path(""), &["reset", "-q", "--hard", "HEAD"]);
    let plan = fixture.run(&["plan", "-o", "json"]).json();
    assert_eq!((&plan["frozen"]["removed"], &plan["frozen"]["of"]), (&4.into(), &12.into()));
}
