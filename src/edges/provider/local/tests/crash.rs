//! A child aborts at each point in turn; the same work, done again, must end where
//! undisturbed work ends.

use std::process::{Command as Process, Stdio};

use super::*;

/// Everything that the provider does, in a fixed order, in the directory given.
fn all_the_work(data: &Path) {
    let (local, runtime) = (Local::new(data), runtime());
    let all = ["A", "B", "C", "D"];
    for outcome in push(&runtime, &local, 5, &profile("Standard", 1), &all) {
        outcome.unwrap();
    }
    for outcome in push(&runtime, &local, 6, &profile("Standard", 2), &all[..2]) {
        outcome.unwrap();
    }
    let lines = report("C").replace('}', ",\"completed\":[\"c5\"]}") + &report("X");
    submit(data, "r", lines.as_bytes(), Timestamp::from_millis(0)).unwrap();
    // Few enough that a file is taken in two passes.
    lock(&local.inner.inbox).pass_reports = 1;
    while pass(&local, &runtime) {}
}

/// Hears and lets go; gives whether there is more.
fn pass(local: &Local, runtime: &tokio::runtime::Runtime) -> bool {
    let observed = runtime.block_on(local.observe(anything(&State::default()))).unwrap();
    let Some(cursor) = &observed.cursor else { return observed.more };
    let outcome = |report: &Report| match report.serial_number == serial("X") {
        true => ReportOutcome::Refused("not known".to_owned()),
        false => ReportOutcome::Taken { erased: vec![], synced: vec![] },
    };
    let done = observed.reports.iter().map(|observation| provider::Acknowledgement {
        id: observation.id.clone(),
        outcome: outcome(&observation.report),
    });
    runtime.block_on(local.acknowledge(cursor, done.collect())).unwrap();
    observed.more
}

/// What a device or an operator sees in the end: refused reports go by their content, since
/// their files bear the names of batches, which are handed in twice where a crash came late.
fn outcome(data: &Path) -> (BTreeMap<String, String>, std::collections::BTreeSet<String>) {
    let (mut named, mut refused) = (BTreeMap::new(), std::collections::BTreeSet::new());
    for (path, text) in tree(data) {
        if path.starts_with("inbox/rejected/") {
            assert!(!path.ends_with(".tmp"), "a temporary is left: {path}");
            refused.insert(text);
        } else if !path.starts_with("inbox/.") {
            named.insert(path, text);
        }
    }
    (named, refused)
}

#[test]
#[ignore = "the child of a_crash_at_any_point_loses_and_doubles_nothing; aborts"]
fn crash_child() {
    let _scenario = fail::FailScenario::setup();
    all_the_work(&std::env::current_dir().unwrap());
}

#[test]
fn a_crash_at_any_point_loses_and_doubles_nothing() {
    let prepared = || {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("inbox/bad"), b"nonsense");
        write(&dir.path().join("inbox/empty"), b"");
        write(&dir.path().join("outbox/D.json"), OTHERS.as_bytes());
        dir
    };
    let undisturbed = prepared();
    all_the_work(undisturbed.path());
    let expected = outcome(undisturbed.path());
    assert_eq!(expected.0.len(), 3, "{expected:?}");
    assert_eq!(expected.1.len(), 6, "{expected:?}");

    let exe = std::env::current_exe().unwrap();
    let test = concat!(module_path!(), "::crash_child").split_once("::").unwrap().1;
    for point in CRASH_POINTS {
        let dir = prepared();
        if *point == "outbox.mkdir.before" || *point == "outbox.mkdir.after" {
            std::fs::remove_dir_all(dir.path().join("outbox")).unwrap();
        }
        if point.starts_with("submit.mkdir") {
            std::fs::remove_dir_all(dir.path().join("inbox")).unwrap();
        }
        let status = Process::new(&exe)
            .args(["--ignored", "--exact", test])
            .env("FAILPOINTS", format!("{point}=return"))
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert_eq!(signal, Some(6), "{point} is passed, and aborts");
        if point.starts_with("outbox.mkdir") {
            write(&dir.path().join("outbox/D.json"), OTHERS.as_bytes());
        }
        if point.starts_with("submit.mkdir") {
            write(&dir.path().join("inbox/bad"), b"nonsense");
            write(&dir.path().join("inbox/empty"), b"");
        }
        all_the_work(dir.path());
        assert_eq!(outcome(dir.path()), expected, "after a crash at {point}");
    }
}
