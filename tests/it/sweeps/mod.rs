//! Sweeps: many faults, edits and hostile texts instead of a few chosen ones. Each is bounded
//! and takes what it does from a seed that it prints; the variables that repeat or lengthen it
//! are named there.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use chrono::{TimeDelta, Utc};
use fleetform::domain::model::Timestamp;
use serde_json::Value;

use crate::support::{Request, number};

mod faults;
mod fuzz;
mod losses;
mod output;

/// The seed that this variable gives, or a new one.
pub fn seed(name: &str) -> u64 {
    number(name).unwrap_or_else(|| now().millis().unsigned_abs())
}

#[expect(clippy::disallowed_methods, reason = "the binary has no other clock than the system's")]
fn now() -> Timestamp {
    Timestamp::from_millis(Utc::now().timestamp_millis())
}

/// What a command that needs no files prints.
fn printed(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_fleetform")).args(args).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The flag that begins a ledger at a path that somebody named, where there is one.
fn new_ledger() -> &'static [&'static str] {
    static KNOWN: LazyLock<bool> =
        LazyLock::new(|| printed(&["apply", "--help"]).contains("--new-ledger"));
    if *KNOWN { &["--new-ledger"] } else { &[] }
}

/// The request to erase the device with this number and serial number, valid from an hour ago for
/// ten more; it names the ledger in `data` where requests have to.
fn request(data: &Path, n: u32, name: &str, serial: &str) -> String {
    static NAMES_A_LEDGER: LazyLock<bool> =
        LazyLock::new(|| printed(&["schema", "WipeRequest"]).contains("\"ledger\""));
    let request = Request {
        name: name.to_owned(),
        serial: serial.to_owned(),
        issued: now() + TimeDelta::hours(-1),
        expires: now() + TimeDelta::hours(10),
        ..Request::of(n)
    };
    let yaml = request.yaml();
    if !*NAMES_A_LEDGER {
        return yaml;
    }
    let lines = yaml.lines().filter(|line| !line.starts_with("  ledger:"));
    let ledger = format!("  ledger: {}", lineage(data));
    let lines = lines.flat_map(|line| match line {
        "spec:" => vec![line, &ledger],
        _ => vec![line],
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Which ledger is in this data directory.
fn lineage(data: &Path) -> String {
    let log = fs::read_to_string(data.join("audit.jsonl")).unwrap();
    let first: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    first["data"]["lineage"].as_str().unwrap().to_owned()
}

/// The entries of a log but for a last line that was not written to its end.
fn entries(log: &Path) -> Vec<Value> {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8(text).unwrap();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
