//! What is kept to be fast: answers never differ, and nothing that destroys rests on it.

use std::fs;

use chrono::TimeDelta;
use fleetform::domain::model::Timestamp;

use crate::support::{Fixture, Output, device, faked_clock, healthy, needs, number, tree};

const FORMATS: [&str; 4] = ["text", "json", "markdown", "github"];

/// A settled fleet with an index, and a decision that there is nothing to do.
fn settled() -> Fixture {
    let serials: Vec<String> = (0..30).map(|n| format!("S{n:02}")).collect();
    let serials: Vec<&str> = serials.iter().map(String::as_str).collect();
    let place = Fixture::of(&serials);
    for _ in 0..3 {
        assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    }
    assert!(place.data().join("cache/decision").exists());
    place
}

/// That a plan is what it is without anything that was kept.
fn agrees(place: &Fixture, what: &str) {
    let read = place.run(&["plan", "--no-index", "-o", "json"]);
    let kept = place.run(&["plan", "-o", "json"]);
    assert_eq!((kept.code, &kept.stdout), (read.code, &read.stdout), "{what}");
}

/// How many manifests a command opens.
fn opened(place: &Fixture, args: &[&str]) -> usize {
    needs("strace");
    let log = place.path("strace.log");
    let shown = log.display().to_string();
    place.run_under(&["strace", "-f", "-qq", "-e", "trace=openat", "-o", &shown], args);
    let log = fs::read_to_string(log).expect("a log");
    log.lines().filter(|line| line.contains(".yaml\"") && !line.contains("fleetform.yaml")).count()
}

#[test]
fn a_plan_of_a_fleet_that_nobody_touched_opens_no_manifest_and_is_the_same_in_every_format() {
    let place = settled();
    let before = tree(&place.path("."));
    for format in FORMATS {
        let read = place.run(&["plan", "--no-index", "-o", format]);
        let kept = place.run(&["plan", "-o", format]);
        assert_eq!(
            (kept.code, &kept.stdout, &kept.stderr),
            (read.code, &read.stdout, &read.stderr)
        );
        assert!(kept.stdout.contains("S29") || format != "json", "{kept:?}");
    }
    assert!(tree(&place.path(".")) == before, "a plan writes nothing");
    assert_eq!(opened(&place, &["plan"]), 0);
    assert_eq!(opened(&place, &["plan", "--no-index"]), 31);
    // One was edited, and the profile is read whenever there is something to decide.
    place.replace("fleet/S07.yaml", "osVersion: ", "enrollment: 2\n  osVersion: ");
    assert_eq!(opened(&place, &["plan"]), 2);
    agrees(&place, "edited");
}

#[test]
fn after_the_very_first_apply_a_plan_opens_no_manifest() {
    let place = Fixture::of(&["A", "B"]);
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    assert_eq!(opened(&place, &["plan"]), 0);
    agrees(&place, "applied");
    // Where the ledger that was named is not there, nothing is begun.
    let other = Fixture::of(&["A"]);
    fs::create_dir(other.path("data")).expect("a new directory");
    assert_ne!(other.outcome(&["apply", "--yes", "--data", "data"]).0, 0);
    assert_eq!(fs::read_dir(other.path("data")).expect("a list").count(), 0);
}

#[test]
fn whatever_a_kept_decision_rests_on_is_noticed() {
    type Change = fn(&Fixture);
    let changes: [(&str, Change); 8] = [
        ("a manifest was edited", |place| {
            place.replace("fleet/S07.yaml", "osVersion: ", "enrollment: 2\n  osVersion: ");
        }),
        ("one is new", |place| place.write("fleet/new/x.yaml", device("NEW"))),
        ("one is gone", |place| place.remove("fleet/S08.yaml")),
        ("a profile was edited", |place| {
            place.replace("fleet/profile.yaml", "description: x", "description: y");
        }),
        ("something is no manifest", |place| place.write("fleet/bad.yaml", "][")),
        ("a device reports", |place| place.report(&healthy("S09", 1))),
        ("a setting was changed", |place| {
            place.write("fleetform.yaml", "enrollment: {deadline: 1ms}\n");
        }),
        ("a sync is asked for", |place| {
            place.run(&["sync", "S10"]);
        }),
    ];
    let place = settled();
    let before = place.run(&["plan", "-o", "json"]).stdout;
    for (what, change) in changes {
        let place = place.duplicate();
        // A copy is another directory, with other files of the same content.
        agrees(&place, "copied");
        for _ in 0..2 {
            place.run(&["apply", "--yes"]);
        }
        change(&place);
        agrees(&place, what);
        let now = place.run(&["plan", "-o", "json"]).stdout;
        assert_ne!(now, before, "{what}");
        place.run(&["apply", "--yes"]);
        agrees(&place, what);
    }
}

#[test]
fn a_kept_decision_ends_when_time_alone_changes_it() {
    let place = settled();
    let started = place.state()["devices"]["D001"]["statusSince"].clone();
    let started: Timestamp = started.as_str().expect("a time").parse().expect("a time");
    for (later, fails) in [(20, false), (40, true)] {
        let then = faked_clock(started + TimeDelta::minutes(later));
        let then = then.each_ref().map(|(name, value)| (*name, value.as_str()));
        let kept = place.run_with(&["plan", "-o", "json"], &then).json();
        let read = place.run_with(&["plan", "--no-index", "-o", "json"], &then).json();
        assert_eq!(kept, read, "{later}");
        assert_eq!(kept["actions"].as_array().is_some_and(|all| !all.is_empty()), fails, "{later}");
    }
}

#[test]
fn cut_flipped_aged_or_swapped_whatever_is_kept_changes_no_answer() {
    let place = settled();
    let expected = place.run(&["plan", "-o", "json"]).stdout;
    let other = settled();
    for name in ["fleet", "decision"] {
        let path = place.data().join("cache").join(name);
        let whole = fs::read(&path).expect("it is kept");
        let cut = [0, 1, 31, 40, 63, whole.len() / 2, whole.len() - 1];
        let cut = cut.map(|length| whole[..length].to_vec());
        let flipped = (0..whole.len()).step_by(whole.len() / 12 + 1).map(|at| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            bytes
        });
        let swapped = fs::read(other.data().join("cache").join(name)).expect("it is kept");
        for bytes in cut.into_iter().chain(flipped).chain([swapped]) {
            fs::write(&path, &bytes).expect("written");
            assert_eq!(place.run(&["plan", "-o", "json"]).stdout, expected, "{name}");
        }
        fs::write(&path, &whole).expect("written");
        assert_eq!(opened(&place, &["plan"]), 0, "as it was");
    }
    // As it was before the last change.
    let aged = place.duplicate();
    place.replace("fleet/S07.yaml", "osVersion: ", "enrollment: 2\n  osVersion: ");
    place.run(&["apply", "--yes"]);
    place.run(&["apply", "--yes"]);
    for name in ["fleet", "decision"] {
        let old = fs::read(aged.data().join("cache").join(name)).expect("it is kept");
        fs::write(place.data().join("cache").join(name), old).expect("written");
        agrees(&place, name);
    }
}

#[test]
fn the_cache_says_that_it_needs_no_backup_and_may_be_deleted_at_any_time() {
    let place = settled();
    let tag = place.read(".fleetform/cache/CACHEDIR.TAG");
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55"), "{tag}");
    let expected = place.run(&["plan", "-o", "json"]).stdout;
    fs::remove_dir_all(place.data().join("cache")).expect("removed");
    assert_eq!(place.run(&["plan", "-o", "json"]).stdout, expected);
    assert!(!place.data().join("cache").exists(), "a plan writes nothing");
    assert_eq!(place.outcome(&["apply", "--yes", "--no-index"]).0, 0);
    assert!(!place.data().join("cache").exists());
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    assert!(place.data().join("cache/fleet").exists());
}

#[test]
fn what_removes_devices_rests_on_files_that_were_read() {
    let place = settled();
    place.remove("fleet/S08.yaml");
    // One reads what the index says, and then everything, since a device is gone.
    let read = opened(&place, &["apply", "--yes"]);
    assert!(read >= 30, "{read}");
    assert_eq!(place.logged("device.orphaned"), 1);
}

/// A manifest of a settled fleet, by the number of its device.
fn manifest(n: u64) -> String {
    format!("fleet/S{n:02}.yaml")
}

/// Edits a manifest in the field that is free text, so that it is as long as before.
fn edit(place: &Fixture, n: u64, mark: u64) {
    let path = manifest(n);
    let text = place.read(&path);
    let lines = text.lines().map(|line| match line.trim_start().starts_with("userEmail:") {
        true => format!("  userEmail: u{:03}@example.com\n", mark % 1000),
        false => format!("{line}\n"),
    });
    place.write(&path, lines.collect::<String>());
}

/// Writes something else wherever this stands; perhaps nowhere.
fn swap(place: &Fixture, path: &str, from: &str, to: &str) {
    place.write(path, place.read(path).replace(from, to));
}

/// What has fooled a cache somewhere, and what one edit may lead to.
fn disturb(place: &Fixture, kind: u64, n: u64, mark: u64) {
    let path = place.path(&manifest(n));
    match kind {
        0..=5 => edit(place, n, mark),
        6 => {
            let before = fs::metadata(&path).and_then(|file| file.modified()).expect("a time");
            edit(place, n, mark);
            let file = fs::File::open(&path).expect("it is there");
            file.set_modified(before).expect("a time that was there before");
        }
        7 => {
            let aside = place.path("aside.yaml");
            fs::copy(&path, &aside).expect("copied");
            fs::rename(&aside, &path).expect("another file with the same bytes");
        }
        8 => place.write(&manifest(n), format!("# a comment\n{}", place.read(&manifest(n)))),
        9 => swap(place, &manifest(n), "osVersion: ", "status: Failed\n  osVersion: "),
        10 => swap(place, &manifest(n), "osVersion: ", "enrollment: 2\n  osVersion: "),
        11 => swap(place, &manifest(n), "profile: ", "profile: Nope # "),
        12 => place.write(&manifest(n), "]["),
        13 => place.write(&manifest(n), device(&format!("NEW{mark}"))),
        14 => place.write(&manifest(n), device(&format!("S{:02}", (n + 1) % 30))),
        15 => place.remove(&manifest(n)),
        16 => place.write("fleet/new/x.yaml", device("NEW")),
        17 => swap(place, "fleet/profile.yaml", "description: ", "description: y"),
        18 => {
            let exempt = "access: {exemptUntil: 2099-01-01T00:00:00Z, reason: r}\n  osVersion: ";
            swap(place, &manifest(n), "osVersion: ", exempt);
        }
        19 => place.report(&healthy(&format!("S{n:02}"), 1)),
        _ => {
            place.run(&["apply", "--yes"]);
        }
    }
}

/// Without the moment up to which an exemption may last now.
fn timeless(text: &str) -> String {
    let parts = text.split("so by ").enumerate();
    parts
        .map(|(n, part)| if n == 0 { part } else { &part["2026-12-26T16:48:06Z".len()..] })
        .collect()
}

#[test]
fn whatever_is_edited_a_plan_is_that_of_everything_and_a_few_edits_open_a_few_files() {
    let seed = number("INDEX_SEED").unwrap_or(7);
    let (settled, mut few) = (settled(), 0);
    for tale in seed..seed + 6 {
        let place = settled.duplicate();
        for _ in 0..2 {
            place.run(&["apply", "--yes"]);
        }
        let mut random = tale.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % below
        };
        for step in 0..10 {
            // Most tales begin with edits that nothing else depends on.
            let kinds = if step < 4 { 11 } else { 22 };
            let (kind, n, mark) = (next(kinds), next(30), next(1000));
            if place.path(&manifest(n)).exists() {
                disturb(&place, kind, n, mark);
            }
            let what = format!("tale {tale}, step {step}: {kind} of {n}");
            for format in ["json", "text"] {
                let read = place.run(&["plan", "--no-index", "--detailed-exitcode", "-o", format]);
                let kept = place.run(&["plan", "--detailed-exitcode", "-o", format]);
                let seen = |of: &Output| (of.code, timeless(&of.stdout), of.stderr.clone());
                assert_eq!(seen(&kept), seen(&read), "{what}");
            }
            // Those that were touched, and the profile.
            few += usize::from(opened(&place, &["plan"]) <= step + 2);
        }
    }
    assert!(few > 20, "only {few} plans opened a few files");
}
