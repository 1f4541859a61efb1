//! Limits of the system, each of which ends a command with a sentence and nothing half done.

use crate::support::{Fixture, needs};

/// Runs the program below `wrapper`: exit code and standard error.
fn run(place: &Fixture, wrapper: &[&str], args: &[&str]) -> (Option<i32>, String) {
    let output = place.run_under(wrapper, args);
    (output.code, output.stderr)
}

/// Every command that reads or writes a fleet or a ledger.
const COMMANDS: [&[&str]; 10] = [
    &["check"],
    &["plan", "--no-index"],
    &["apply", "--yes"],
    &["daemon"],
    &["diff", "HEAD"],
    &["list"],
    &["show", "D001"],
    &["audit", "verify"],
    &["provision", "--serial=X", "--user=x@example.com", "--profile=Standard", "--os=10.0"],
    &["init"],
];

#[test]
fn without_threads_each_command_says_so() {
    needs("strace");
    let place = Fixture::of(&["A"]);
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    let log = place.path("strace.log").display().to_string();
    let inject = ["-e", "trace=clone,clone3", "-e", "inject=clone,clone3:error=EAGAIN"];
    let wrapper = [&["strace", "-f", "-qq", "-o", &*log][..], &inject].concat();
    for args in COMMANDS {
        let (code, err) = run(&place, &wrapper, args);
        assert_eq!(code, Some(1), "{args:?}: {err}");
        assert!(
            err.contains("cannot start threads: ") && err.contains("help: "),
            "{args:?}: {err}"
        );
        assert!(!err.contains("panicked"), "{args:?}: {err}");
    }
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    let (code, err) = run(&place, &wrapper, &["plan"]);
    assert_eq!((code, &*err), (Some(0), ""), "nothing changed, so there is no work to share");
    place.replace("fleet/A.yaml", "\"10.0\"", "\"10.1\"");
    let planned = place.run_under(&wrapper, &["plan"]);
    let said = (planned.code, &*planned.stderr, planned.stdout.contains("Plan: 1 to update"));
    assert_eq!(said, (Some(0), "", true), "one device is none to share: {}", planned.stdout);
    // The next ones after those that share the heavy work.
    for when in [3, 5, 7, 9] {
        let inject = format!("inject=clone,clone3:error=EAGAIN:when={when}+");
        let wrapper =
            ["strace", "-f", "-qq", "-o", &log, "-e", "trace=clone,clone3", "-e", &inject];
        let (code, err) = run(&place, &wrapper, &["plan", "--no-index"]);
        assert!(matches!(code, Some(0 | 1)), "{when}: {code:?} {err}");
        assert!(!err.contains("panicked"), "{when}: {err}");
    }
}

#[test]
fn with_few_open_files_no_command_panics() {
    let place = Fixture::of(&["A"]);
    assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    for files in (4..26).step_by(2).chain([19]) {
        let limit = format!("ulimit -n {files}; exec \"$@\"");
        for args in [&["plan"][..], &["apply", "--yes"]] {
            let (code, err) = run(&place, &["sh", "-c", &limit, "sh"], args);
            // Too few even for the loader of the system: 127.
            assert!(matches!(code, Some(0 | 1 | 3 | 127)), "{files} {args:?}: {code:?} {err}");
            assert!(!err.contains("panicked"), "{files} {args:?}: {err}");
        }
    }
}

#[test]
fn a_file_that_may_not_grow_is_an_error_in_every_command_that_writes() {
    // In units of 512 bytes; sh counts so.
    let limit = ["sh", "-c", "ulimit -f 1; exec \"$@\"", "sh"];
    let many: Vec<String> = (0..40).map(|n| format!("S{n:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let place = Fixture::of(&many);
    let reports: Vec<_> = many
        .iter()
        .map(|serial| {
            format!("{{\"serialNumber\":\"{serial}\",\"at\":\"2026-01-01T00:00:00Z\"}}\n")
        })
        .collect();
    place.write("reports.jsonl", reports.concat());
    for args in [
        &["apply", "--yes"][..],
        &["report", "reports.jsonl"],
        &["man", "--dir", "man"],
        &["init", "new"],
    ] {
        let (code, err) = run(&place, &limit, args);
        assert_eq!(code, Some(1), "{args:?} is not killed: {err}");
        assert!(err.to_lowercase().contains("file too large"), "{args:?}: {err}");
    }
}
