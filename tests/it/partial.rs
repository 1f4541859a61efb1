//! A part of what is there is never taken for the whole: what may be in the rest waits.

use std::fs;

use crate::support::{Fixture, Lab, device, needs};
use fleetform::domain::model::Status;

/// A device at each level of a deep tree, all of them recorded.
fn deep() -> Fixture {
    let place = Fixture::of(&["TOP"]);
    for depth in 1..=24 {
        let path = format!("fleet/{}S{depth}.yaml", "d/".repeat(depth));
        place.write(&path, device(&format!("S{depth}")));
    }
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    place
}

/// Every kind of entry but those of the guard.
fn kinds(place: &Fixture) -> Vec<String> {
    let log = place.log();
    let kinds = log.iter().map(|entry| entry["kind"].as_str().expect("a kind").to_owned());
    kinds.filter(|kind| !kind.starts_with("pass.")).collect()
}

#[test]
fn with_too_few_open_files_for_the_whole_fleet_nothing_becomes_of_the_rest() {
    let place = deep();
    let before = kinds(&place);
    let mut short = 0;
    for files in (8..44).step_by(3) {
        let limit = format!("ulimit -n {files}; exec \"$@\"");
        let done = place.run_under(&["sh", "-c", &limit, "sh"], &["apply", "--yes"]);
        assert_eq!(kinds(&place), before, "{files}: {done:?}");
        short += u32::from(done.stderr.contains("Too many open files"));
    }
    assert!(short > 0, "the limits are too high for this tree");
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    assert_eq!(kinds(&place), before);
}

#[test]
fn whatever_directory_cannot_be_listed_its_devices_stay_as_they_are() {
    needs("strace");
    let place = deep();
    let before = kinds(&place);
    let log = place.path("strace.log").display().to_string();
    let mut failed = 0;
    for n in (1..30).step_by(3) {
        let inject = format!("inject=getdents64:error=EIO:when={n}");
        let wrapper = ["strace", "-f", "-qq", "-o", &log, "-e", "trace=getdents64", "-e", &inject];
        let done = place.run_under(&wrapper, &["apply", "--yes"]);
        assert_eq!(kinds(&place), before, "{n}: {done:?}");
        failed += u32::from(done.code != Some(0));
    }
    assert!(failed > 5, "{failed}");
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    assert_eq!(kinds(&place), before);
}

#[test]
fn while_reports_cannot_be_read_no_deadline_passes() {
    let lab = Lab::new();
    let status = || {
        let state = lab.state();
        state.devices.values().map(|device| device.status).collect::<Vec<_>>()
    };
    // Nobody has reported, and that is long overdue; but who knows what is in there.
    let inbox = lab.path("data/inbox");
    let _ = fs::remove_dir_all(&inbox);
    fs::write(&inbox, "no directory").expect("written");
    lab.wait(chrono::TimeDelta::days(1));
    lab.pass();
    assert_eq!(status(), [Status::Pending; 5]);
    fs::remove_file(&inbox).expect("removed");
    lab.pass();
    assert_eq!(status(), [Status::Failed; 5]);
}
