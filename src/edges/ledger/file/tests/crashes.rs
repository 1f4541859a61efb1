//! The process dies at every crash point of the ledger, is started again, and gets as far as if
//! it had not died.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use super::*;

/// Whether an entry is there for its own sake, and not for the ledger's.
fn told(logged: &Logged) -> bool {
    !matches!(logged.entry.event, Event::LedgerCreated(_) | Event::LogRepaired(_))
}

/// Tells what is left of the story, a few entries at a time, with a snapshot after each.
fn go_on(dir: &Path, batches: usize) {
    let now = || Timestamp::from_millis(1_763_800_000_000);
    let mut ledger = super::super::open(dir, "tester".into(), now).unwrap();
    let done = entries(dir, 0).filter(|e| told(e.as_ref().unwrap())).count();
    let rest = story().split_off(done);
    for batch in rest.chunks(4).take(batches) {
        ledger.append(batch.to_vec()).unwrap();
        ledger.sync().unwrap();
        ledger.snapshot().unwrap();
    }
    if batches > 1 {
        observe(&mut ledger);
    }
    ledger.snapshot().unwrap();
}

/// What has to be the same however often the process died.
fn outcome(dir: &Path) -> (State, Vec<Draft>) {
    let mut state = read(dir).unwrap();
    state.lineage = None;
    state.seq = 0;
    state.head = Default::default();
    // The number of an entry, and there may be more of the ledger's own before it.
    for episode in state.devices.values_mut().filter_map(|device| device.episode.as_mut()) {
        episode.opened = 0;
    }
    let drafts = entries(dir, 0).map(Result::unwrap).filter(told).map(|logged| {
        let Entry { device, source, event, .. } = logged.entry;
        Draft { device, source, event }
    });
    (state, drafts.collect())
}

#[test]
#[ignore = "dies; the test below runs it in a process of its own"]
fn in_a_process_of_its_own() {
    let _scenario = fail::FailScenario::setup();
    go_on(Path::new("."), usize::MAX);
}

#[test]
fn dying_anywhere_loses_nothing_and_repeats_nothing() {
    let undisturbed = tempfile::tempdir().unwrap();
    go_on(undisturbed.path(), usize::MAX);
    let expected = outcome(undisturbed.path());
    assert_eq!(expected.1, story());
    let child = concat!(module_path!(), "::in_a_process_of_its_own");
    let child = child.split_once("::").unwrap().1;
    let points = durable::CRASH_POINTS.iter().filter(|point| point.starts_with("ledger."));
    for (point, before) in points.flat_map(|point| (0..3).map(move |before| (point, before))) {
        let dir = tempfile::tempdir().unwrap();
        if !point.starts_with("ledger.append.dirsync") {
            go_on(dir.path(), 1);
            add(dir.path(), b"{\"seq\":6,\"at\":\"2025");
        }
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", child])
            .env("FAILPOINTS", format!("{point}={before}*off->return"))
            .current_dir(dir.path())
            .output()
            .unwrap()
            .status;
        let died = status.signal() == Some(6);
        assert!(died || (before > 0 && status.success()), "{point} was not reached: {status}");
        let problems = verify(dir.path()).unwrap().problems;
        let torn = "unfinished";
        assert!(problems.iter().all(|p| p.message.contains(torn)), "{point}: {problems:?}");
        go_on(dir.path(), usize::MAX);
        assert_eq!(outcome(dir.path()), expected, "{point}, after {before}");
        assert_eq!(verify(dir.path()).unwrap().problems, [], "{point}, after {before}");
    }
}
