//! `apply` with a fault at each system call on its data directory, one after another: the next
//! `apply` ends where an undisturbed one ends, and no wipe is given twice or without its line.
//!
//! A run takes [`SAMPLE`] points by a seed (`SWEEP_SEED` repeats it); `SWEEP=all` takes every
//! point, and `SWEEP_POINT='…'` the one that a failure names.

#![expect(clippy::print_stdout, reason = "who repeats a sweep needs its seed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::{entries, now, request, seed};
use crate::support::{Device, Dice, Fixture, PROFILE, WIPE, needs, outbox, signature, trusted};

/// Points of a run that is not asked for all: together some fifteen seconds on two cores.
const SAMPLE: usize = 90;
/// Between two sizes of files that a sweep of all points allows: prime, so that it meets every
/// part of a line.
const SIZES: usize = 31;

fn device(fixture: &Fixture, serial: &str, user: &str) {
    let device = Device::new(serial).with("userEmail", format_args!("{user}@example.com"));
    fixture.write(&format!("fleet/{serial}.yaml"), device.yaml());
}

/// The first pass of all: the ledger begins.
fn first() -> Fixture {
    let fixture = Fixture::empty();
    fixture.write("signers", trusted("bob"));
    // The second pass after a fault comes hours later: no device is to be late because of that.
    let config = "trust: {allowedSigners: signers}\nenrollment: {deadline: 48h}\n";
    fixture.write("fleetform.yaml", config);
    fixture.write("fleet/profile.yaml", PROFILE);
    device(&fixture, "SN001", "ana");
    device(&fixture, "SN002", "ana");
    fixture
}

/// A new device, a changed one, reports of which two cannot be taken, and a wipe to be issued.
fn later() -> Fixture {
    let fixture = first();
    fixture.run(&["apply", "--yes"]).exits(0);
    device(&fixture, "SN002", "eva");
    device(&fixture, "SN003", "ana");
    let good = json!({"serialNumber": "SN002", "at": now(), "encryption": {"enabled": true}});
    fixture.write(".fleetform/inbox/good.json", good.to_string());
    fixture.write(".fleetform/inbox/bad.json", "{\"serialNumber\":");
    let unknown = json!({"serialNumber": "SN999", "at": now()});
    fixture.write(".fleetform/inbox/unknown.json", unknown.to_string());
    let text = request(&fixture.data(), 1, "r1", "SN001");
    fixture.write("fleet/r1.yaml", &text);
    fixture.write("fleet/r1.yaml.sig", signature("bob", WIPE, text.as_bytes()));
    fixture
}

/// The device says that it is erased.
fn confirming() -> Fixture {
    let fixture = later();
    fixture.run(&["apply", "--yes"]);
    let commands = outbox(&fixture.data());
    let report = json!({
        "serialNumber": "SN001", "at": now(), "wiped": true, "completed": [commands[0]["id"]],
    });
    fixture.write(".fleetform/inbox/erased.json", report.to_string());
    fixture
}

/// A name, and what makes the files before the pass.
type Scene = (&'static str, fn() -> Fixture);

const SCENES: [Scene; 3] = [("first", first), ("later", later), ("confirming", confirming)];

/// Where a run is disturbed, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    /// The `nth` call of this name on this path of the data directory, in any thread.
    Call { call: String, path: String, nth: usize, fault: &'static str },
    /// No file may grow beyond so many bytes: a write is short, and the next one fails.
    Size(usize),
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { call, path, nth, fault } => write!(f, "{call} {path} {nth} {fault}"),
            Self::Size(bytes) => write!(f, "size {bytes}"),
        }
    }
}

/// What may come of a call, besides death.
fn faults(call: &str) -> &'static [&'static str] {
    match call {
        "open" | "openat" | "openat2" => {
            &["signal=KILL", "error=EIO", "error=ENOSPC", "error=EMFILE"]
        }
        "write" | "pwrite64" | "writev" | "fsync" | "fdatasync" | "rename" | "renameat"
        | "renameat2" | "link" | "linkat" | "mkdir" | "mkdirat" | "ftruncate" => {
            &["signal=KILL", "error=EIO", "error=ENOSPC"]
        }
        "unlink" | "unlinkat" | "fchown" | "fchownat" | "fchmod" | "fchmodat" | "flock" => {
            &["signal=KILL", "error=EIO"]
        }
        "read" | "pread64" | "getdents64" | "statx" | "newfstatat" | "fstat" | "lseek" => {
            &["error=EIO"]
        }
        _ => &[],
    }
}

/// Every point of a pass of this scene, from a trace of one that nothing disturbs.
fn points(scene: &Fixture) -> Vec<Point> {
    let fixture = scene.duplicate();
    let trace = fixture.path("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-qq", "-o"]).arg(&trace);
    let ended = under(&fixture, command).output().expect("strace runs");
    assert!(ended.status.code().is_some_and(|code| code != 1), "{ended:?}");
    let text = fs::read_to_string(&trace).expect("a trace");
    let mut counts = BTreeMap::<(String, String, String), usize>::new();
    for line in text.lines() {
        let Some((process, rest)) = line.split_once(' ') else { continue };
        let Some((call, arguments)) = rest.trim_start().split_once('(') else { continue };
        if let Some(path) = path_in(arguments) {
            *counts.entry((process.into(), call.into(), path)).or_default() += 1;
        }
    }
    let mut points = BTreeSet::new();
    for ((_, call, path), count) in counts {
        for (nth, fault) in (1..=count).flat_map(|n| faults(&call).iter().map(move |f| (n, *f))) {
            points.insert(Point::Call { call: call.clone(), path: path.clone(), nth, fault });
        }
    }
    let largest = files(&fixture.data()).into_values().map(|bytes| bytes.len()).max();
    points.extend((0..largest.expect("files") + SIZES).step_by(SIZES).map(Point::Size));
    points.into_iter().collect()
}

/// The path below the working directory that a call is about, if it is in the data directory:
/// that of a file that is open, or one that is named.
fn path_in(arguments: &str) -> Option<String> {
    let opened = arguments.split('>').next()?.split_once('<').map(|(_, path)| path);
    let named = arguments.split('"').nth(1);
    let named = named.filter(|path| path.starts_with("./.fleetform") || path.starts_with('/'));
    [opened, named].into_iter().flatten().find_map(|path| {
        let at = path.find("/.fleetform")?;
        Some(path[at + 1..].to_owned())
    })
}

/// `apply`, run by this command.
fn under(fixture: &Fixture, mut command: Command) -> Command {
    command.arg(env!("CARGO_BIN_EXE_fleetform")).args(["apply", "--yes"]);
    command.current_dir(fixture.path("")).env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

/// A pass with this fault; what it said.
fn disturbed(fixture: &Fixture, point: &Point) -> String {
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "60"]);
    match point {
        Point::Call { call, path, nth, fault } => {
            command.args(["strace", "-f", "-qq", "-o", "/dev/null"]);
            // As the program names it, and as the system does; it may not be there yet.
            command.args(["-P", &format!("./{path}"), "-P"]);
            command.arg(fixture.path(path).to_str().expect("UTF-8"));
            command.args(["-e", &format!("trace={call}")]);
            command.args(["-e", &format!("inject={call}:{fault}:when={nth}")]);
        }
        Point::Size(bytes) => {
            command.args(["prlimit", &format!("--fsize={bytes}")]);
        }
    }
    let done = under(fixture, command).output().expect("it runs");
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// What is left in the end, but for times and for what counts the entries of the log.
#[derive(Debug, PartialEq)]
struct Outcome {
    state: Value,
    /// By device.
    kinds: BTreeMap<String, Vec<String>>,
    /// How often, by device.
    updated: BTreeMap<String, usize>,
    outbox: BTreeMap<String, Value>,
    rejected: BTreeSet<String>,
    waiting: BTreeSet<String>,
}

impl Outcome {
    fn value(&self) -> Value {
        let Self { state, kinds, updated, outbox, rejected, waiting } = self;
        json!({
            "state": state, "log": kinds, "updated": updated, "outbox": outbox,
            "rejected": rejected, "waiting": waiting,
        })
    }
}

/// All files below a directory, by their paths in it, but for what was never finished.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Ok(list) = fs::read_dir(directory) else { return found };
    for path in list.map(|entry| entry.expect("an entry").path()) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            let below = files(&path).into_iter();
            found.extend(below.map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else if !name.starts_with('.') {
            found.insert(name, fs::read(&path).expect("it can be read"));
        }
    }
    found
}

fn timeless(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let counting = ["at", "head", "id", "intent", "lineage", "logBytes", "seq"];
            let kept = map.iter().filter(|(key, _)| !counting.contains(&key.as_str()));
            kept.map(|(key, value)| (key.clone(), timeless(value))).collect()
        }
        Value::Array(list) => list.iter().map(timeless).collect(),
        Value::String(text) => {
            let words = text.split(' ');
            let is_time = |word: &&str| word.starts_with("20") && word.contains('T');
            let words = words.map(|word| if is_time(&word) { "TIME" } else { word });
            words.collect::<Vec<_>>().join(" ").into()
        }
        _ => value.clone(),
    }
}

fn outcome(fixture: &Fixture) -> Outcome {
    let mut kinds = BTreeMap::<String, Vec<String>>::new();
    let mut updated = BTreeMap::<String, usize>::new();
    for entry in fixture.log() {
        let kind = entry["kind"].as_str().expect("a kind");
        let device = entry["device"].as_str().unwrap_or("-").to_owned();
        let told = kinds.entry(device.clone()).or_default();
        match kind {
            // What a fault leaves behind besides: the way, not the end.
            "log.repaired" | "profile.failed" => {}
            "wipe.deferred" => assert_eq!(told.pop().as_deref(), Some("wipe.issued")),
            // Its manifest says so, and not its report: where the inbox could not be read in one
            // pass, they come in two, in the other order.
            "device.updated" => *updated.entry(device).or_default() += 1,
            _ => told.push(kind.to_owned()),
        }
    }
    let below = |directory: &str| files(&fixture.data().join(directory)).into_iter();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Outcome {
        state: timeless(&fixture.state()),
        kinds,
        updated,
        outbox: below("outbox")
            .map(|(name, bytes)| (name, timeless(&serde_json::from_slice(&bytes).expect("JSON"))))
            .collect(),
        rejected: below("inbox/rejected").map(|(_, bytes)| text(bytes)).collect(),
        waiting: below("inbox").map(|f| f.0).filter(|f| !f.starts_with("rejected/")).collect(),
    }
}

/// Commands that have been seen in the outbox, by request.
type Seen = BTreeMap<String, BTreeSet<String>>;

/// What holds at every moment.
fn check(fixture: &Fixture, seen: &mut Seen) -> Result<(), String> {
    let log = entries(&fixture.data().join("audit.jsonl"));
    for command in outbox(&fixture.data()) {
        let announced = log.iter().any(|e| {
            e["kind"] == "wipe.issued"
                && e["data"]["request"] == command["request"]
                && command["id"] == format!("c{}", e["data"]["intent"])
        });
        if !announced {
            return Err(format!("{command} is in the outbox without its line in the log"));
        }
        let ids = seen.entry(command["request"].to_string()).or_default();
        ids.insert(command["id"].to_string());
        if ids.len() > 1 {
            return Err(format!("one request was given twice: {ids:?}"));
        }
    }
    Ok(())
}

/// Passes that nothing disturbs, at once and hours later, when what was put off is due.
fn recover(fixture: &Fixture, seen: &mut Seen) -> Result<Outcome, String> {
    let again = fixture.run(&["apply", "--yes"]);
    if again.code.is_none_or(|code| code == 1 && again.stderr.starts_with("error: ")) {
        return Err(format!("the next pass fails: {again:#?}"));
    }
    check(fixture, seen)?;
    let mut later = Command::new("faketime");
    later.args(["-f", "+3h"]);
    under(fixture, later).output().expect("faketime runs");
    check(fixture, seen)?;
    let verified = fixture.run(&["audit", "verify"]);
    if verified.code != Some(0) {
        return Err(format!("the log is broken: {verified:#?}"));
    }
    Ok(outcome(fixture))
}

/// What is wrong after a fault here, if anything is.
fn try_point(scene: &Fixture, point: &Point, expected: &Outcome) -> Result<(), String> {
    let fixture = scene.duplicate();
    let mut seen = Seen::new();
    check(&fixture, &mut seen)?;
    let said = disturbed(&fixture, point);
    if said.contains("panicked") {
        return Err(format!("it panicked: {said}"));
    }
    check(&fixture, &mut seen)?;
    let found = recover(&fixture, &mut seen).map_err(|e| format!("{e}\nafter it said: {said}"))?;
    if found == *expected {
        return Ok(());
    }
    let (found, expected) = (found.value(), expected.value());
    let differences = differences("", &found, &expected).join("\n  ");
    Err(format!("it ends elsewhere:\n  {differences}\nafter it said: {said}"))
}

/// Each place at which two values differ, and how.
fn differences(at: &str, found: &Value, expected: &Value) -> Vec<String> {
    if let (Value::Object(a), Value::Object(b)) = (found, expected) {
        let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
        let each = keys.into_iter().map(|key| {
            differences(&format!("{at}/{key}"), &found[key.as_str()], &expected[key.as_str()])
        });
        return each.flatten().collect();
    }
    if found == expected { vec![] } else { vec![format!("{at}: {found} instead of {expected}")] }
}

fn sampled(mut points: Vec<Point>, size: usize, dice: &mut Dice) -> Vec<Point> {
    let mut sample = Vec::new();
    while sample.len() < size && !points.is_empty() {
        let at = dice.below(points.len() as u64);
        sample.push(points.swap_remove(usize::try_from(at).expect("small")));
    }
    sample
}

#[test]
fn after_a_fault_at_any_call_the_next_pass_ends_where_an_undisturbed_one_ends() {
    for program in ["strace", "faketime", "prlimit"] {
        needs(program);
    }
    let seed = seed("SWEEP_SEED");
    let all = std::env::var("SWEEP").is_ok_and(|value| value == "all");
    let only = std::env::var("SWEEP_POINT").ok();
    println!("SWEEP_SEED={seed}");
    let mut dice = Dice(seed);
    let failures = Mutex::new(Vec::new());
    for (name, prepare) in SCENES {
        let scene = prepare();
        let undisturbed = scene.duplicate();
        undisturbed.run(&["apply", "--yes"]);
        let expected = recover(&undisturbed, &mut Seen::new()).expect("nothing disturbs it");
        let mut points = points(&scene);
        let total = points.len();
        if let Some(only) = &only {
            points.retain(|point| format!("{name} {point}") == *only);
        } else if !all {
            points = sampled(points, SAMPLE / SCENES.len(), &mut dice);
        }
        println!("{name}: {} of {total} points", points.len());
        let next = AtomicUsize::new(0);
        let workers = thread::available_parallelism().map_or(2, usize::from).min(4);
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(why) = try_point(&scene, point, &expected) {
                            let mut failures = failures.lock().expect("no panic");
                            failures.push(format!("SWEEP_POINT='{name} {point}': {why}"));
                        }
                    }
                });
            }
        });
    }
    let failures = failures.into_inner().expect("no panic");
    assert!(
        failures.is_empty(),
        "{} points; repeat one by its SWEEP_POINT, all by SWEEP_SEED={seed}, with `cargo test \
         --test it sweeps::faults`:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}
