//! The process dies at every point between a request and its confirmation, and starts again.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};

use chrono::{TimeDelta, Utc};
use serde_json::Value;

use crate::support::{Lab, Request, begin_ledger, outbox, write};

/// Points between acceptance and the command, by what writes there.
const POINTS: &[&str] = &["ledger.append.", "ledger.snapshot.", "outbox."];

/// A fleet of which one device is to be wiped: provisioned by the binary, the request signed.
fn prepared() -> (Lab, String) {
    let lab = Lab::new();
    fs::remove_dir_all(lab.path("data")).expect("removed");
    let config = format!(
        "fleet: {}\ndata: {}\ntrust: {{allowedSigners: {}}}\n",
        lab.path("fleet").display(),
        lab.path("data").display(),
        lab.path("etc/allowed_signers").display()
    );
    write(lab.path("fleetform.yaml"), config);
    begin_ledger(&lab.path("data"), clock());
    assert!(apply(&lab, None).status.success());
    let now = clock();
    let request = Request { issued: now, expires: now + TimeDelta::hours(24), ..Request::of(1) };
    lab.request("r1.yaml", &request.yaml(), &["bob"]);
    (lab, request.yaml())
}

#[expect(clippy::disallowed_methods, reason = "the binary has no other clock than the system's")]
fn clock() -> fleetform::domain::model::Timestamp {
    // A second ago: a request of this very millisecond may not hold yet.
    fleetform::domain::model::Timestamp::from_millis(Utc::now().timestamp_millis() - 1000)
}

fn command(lab: &Lab) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetform"));
    command.arg("--config").arg(lab.path("fleetform.yaml")).args(["apply", "--yes"]);
    command.current_dir(lab.path("")).env_clear();
    command
}

fn apply(lab: &Lab, failpoint: Option<String>) -> Output {
    let mut command = command(lab);
    if let Some(failpoint) = failpoint {
        command.env("FAILPOINTS", failpoint);
    }
    command.output().expect("it runs")
}

/// What holds at every moment, also of a log that was not written to its end.
fn check(lab: &Lab, at: &str) {
    let log = fs::read_to_string(lab.path("data/audit.jsonl")).unwrap_or_default();
    let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let entries: Vec<Value> =
        whole.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let issued: Vec<_> = entries.iter().filter(|e| e["kind"] == "wipe.issued").collect();
    let deferred = entries.iter().filter(|e| e["kind"] == "wipe.deferred").count();
    assert!(issued.len() <= 1 + deferred, "{at}: {issued:?}");
    let commands = outbox(&lab.path("data"));
    assert!(commands.len() <= 1, "{at}: {commands:?}");
    for command in commands {
        let announced = issued.iter().any(|e| {
            e["data"]["request"] == command["request"]
                && command["id"] == format!("c{}", e["data"]["intent"])
        });
        assert!(announced, "{at}: {command} without a line in the log");
    }
}

fn points() -> Vec<&'static str> {
    let durable = fleetform::edges::fs::durable::CRASH_POINTS.iter();
    let all = durable.chain(fleetform::edges::provider::local::CRASH_POINTS).copied();
    all.filter(|point| POINTS.iter().any(|start| point.starts_with(start))).collect()
}

fn report(lab: &Lab) {
    let at = clock() + TimeDelta::seconds(5);
    let report = format!("{{\"serialNumber\":\"SN001\",\"at\":\"{at}\",\"wiped\":true}}");
    fleetform::edges::provider::local::submit(&lab.path("data"), "r", report.as_bytes(), at)
        .expect("handed over");
}

/// Kills the pass at the `n`-th time that it comes by `point`; whether it was killed.
fn killed(lab: &Lab, point: &str, n: usize) -> bool {
    let output = apply(lab, Some(format!("{point}={n}*off->return")));
    let aborted = output.status.signal() == Some(6);
    assert!(
        aborted || output.status.code().is_some_and(|code| code < 4),
        "{point} {n}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    aborted
}

#[test]
fn killed_anywhere_a_wipe_is_issued_at_most_once_and_never_without_a_line() {
    let (mut kills, mut between) = (0, 0);
    let (start, _) = prepared();
    for point in points() {
        for n in 0.. {
            let (lab, at) = (copy(&start), format!("{point}, pass {n} times"));
            let aborted = killed(&lab, point, n);
            check(&lab, &at);
            for _ in 0..2 {
                apply(&lab, None);
                check(&lab, &at);
            }
            // Killed between the intent and the provider, the signed wipe is not lost.
            assert_eq!(outbox(&lab.path("data")).len(), 1, "{at}: the device has its command");
            // Whatever happened, the request is decided, and its device can still confirm it.
            report(&lab);
            apply(&lab, None);
            check(&lab, &at);
            let kinds = lab.kinds();
            let deferred = kinds.iter().filter(|kind| *kind == "wipe.deferred").count();
            assert_eq!(lab.issued(), 1 + deferred, "{at}: {kinds:?}");
            between += deferred;
            assert!(lab.kinds().contains(&"wipe.confirmed".to_owned()), "{at}");
            if !aborted {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills >= 20 && between >= 3, "only {kills} kills, {between} before the provider");
}

#[test]
fn killed_while_it_is_confirmed_it_is_confirmed_once_and_the_device_ends() {
    let (start, _) = prepared();
    apply(&start, None);
    report(&start);
    for point in points() {
        for n in 0.. {
            let (lab, at) = (copy(&start), format!("{point}, pass {n} times"));
            let aborted = killed(&lab, point, n);
            check(&lab, &at);
            apply(&lab, None);
            check(&lab, &at);
            let confirmed = lab.kinds().iter().filter(|k| *k == "wipe.confirmed").count();
            assert_eq!(confirmed, 1, "{at}");
            assert!(lab.state().devices[&"D001".parse().expect("an id")].is_wiped(), "{at}");
            assert_eq!(
                outbox(&lab.path("data")).len(),
                0,
                "{at}: erased again when it enrolls anew"
            );
            if !aborted {
                break;
            }
        }
    }
}

/// The same files elsewhere.
fn copy(from: &Lab) -> Lab {
    from.copy(|lab| {
        let config = fs::read_to_string(lab.path("fleetform.yaml")).expect("a configuration");
        let (old, new) = (from.path(""), lab.path(""));
        let config = config.replace(&*old.to_string_lossy(), &new.to_string_lossy());
        write(lab.path("fleetform.yaml"), config);
    })
}
