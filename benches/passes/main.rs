//! How long whole passes take, and how much memory: the real program on generated fleets,
//! beside `git status`, `git diff --stat` and `sha256sum` over the same tree in the same run.
//!
//! `cargo bench` measures and ends with a table of ratios; the figures of one table come from
//! rounds in which all the programs take turns, so that a busy machine is busy for all of
//! them. `cargo bench -- --test` only runs everything once, on a small fleet. Files are in the
//! page cache throughout: "cold" is a plan for which nothing was kept from an earlier one.
#![expect(clippy::disallowed_methods, reason = "fleets to measure with may be torn and lost")]

mod access;
mod daemon;
mod diff;
mod fleet;
mod intune;
mod served;
mod table;
mod telling;
mod tools;

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode};

use tools::{Place, remove, run};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Other sizes than these, with commas. A million takes some minutes more, and 2 GB of files.
const CHOSEN: &str = "FLEETFORM_BENCH_DEVICES";
/// What can be measured by itself, by its name as the filter: `cargo bench -- telling`. A tenant only so: the
/// limits of Graph make it slow.
const ROWS: [&str; 6] = ["passes", "diff", "daemon", "tenant", "access", "telling"];
/// Where it only matters that everything runs.
const SMALL: usize = 50;
const SEED: u64 = 2026;

/// A fleet on disk, and what is done to it.
struct Subject {
    devices: usize,
    /// Nothing is recorded of the fleet here between measurements.
    fresh: Place,
    /// All of it is recorded here.
    recorded: Place,
    /// The manifest that is changed, and its text.
    manifest: (PathBuf, String),
}

impl Subject {
    /// Writes a fleet of so many devices below `scratch`, and records it.
    fn new(scratch: &Path, devices: usize) -> Result<Self, Box<dyn Error>> {
        let home = scratch.join(devices.to_string());
        remove(&home)?;
        let place = |name| Place::new(home.join("fleet"), &home.join(name));
        let (fresh, recorded) = (place("fresh")?, place("recorded")?);
        let manifest = fleet::write(&fresh.fleet, devices, SEED)?;
        let text = fs::read_to_string(&manifest)?;
        diff::commit(&fresh, (&manifest, &text))?;
        // The second one finds nothing to do, and keeps that.
        run(&mut recorded.fleetform(APPLY))?;
        run(&mut recorded.fleetform(APPLY))?;
        Ok(Self { devices, fresh, recorded, manifest: (manifest, text) })
    }

    /// The first pass over the fleet.
    fn first_apply(&self) -> Result<Duration, Box<dyn Error>> {
        self.fresh.forget()?;
        Ok(run(&mut self.fresh.fleetform(APPLY))?)
    }

    /// A cold plan of the whole fleet, all of it new.
    fn cold_plan(&self) -> Result<Duration, Box<dyn Error>> {
        self.fresh.forget()?;
        Ok(run(&mut self.fresh.fleetform(&["plan"]))?)
    }

    /// A plan after one manifest has changed.
    fn plan_one(&self, turn: usize) -> Result<Duration, Box<dyn Error>> {
        self.change(turn)?;
        Ok(run(&mut self.recorded.fleetform(&["plan"]))?)
    }

    /// A pass after one manifest has changed; the log has to grow by that device's entry only.
    fn apply_one(&self, turn: usize) -> Result<Duration, Box<dyn Error>> {
        let path = &self.manifest.0;
        self.change(turn)?;
        let before = self.recorded.log()?;
        let time = run(&mut self.recorded.fleetform(APPLY))?;
        let after = self.recorded.log()?;
        let new = after.strip_prefix(&*before).ok_or("the log does not go on as it was")?;
        let [entry] = new else {
            return Err(format!("one device changed, and the log says: {new:#?}").into());
        };
        let entry: serde_json::Value = serde_json::from_str(entry)?;
        let source = entry["source"]["path"].as_str().unwrap_or_default();
        if entry["kind"] == "device.updated" && path.ends_with(source) {
            Ok(time)
        } else {
            Err(format!("another device changed, and the log says: {entry:#}").into())
        }
    }

    /// Gives one device the version of this turn, from 1, as an editor saves: beside it, and renamed. Gives the
    /// moment before that.
    fn change(&self, turn: usize) -> io::Result<Instant> {
        let (path, text) = &self.manifest;
        let beside = path.with_extension("new");
        let version = format!("osVersion: \"10.{turn}.");
        fs::write(&beside, text.replace("osVersion: \"10.0.", &version))?;
        let before = Instant::now();
        fs::rename(&beside, path)?;
        Ok(before)
    }

    /// All manifests.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut open = vec![self.fresh.fleet.clone()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory)? {
                let path = entry?.path();
                if path.is_dir() && !path.ends_with(".git") {
                    open.push(path);
                } else if path.extension().is_some_and(|extension| extension == "yaml") {
                    files.push(path);
                }
            }
        }
        Ok(files)
    }

    /// As it was before [`Subject::apply_one`].
    fn restore(&self) -> Result<(), Box<dyn Error>> {
        fs::write(&self.manifest.0, &self.manifest.1)?;
        run(&mut self.recorded.fleetform(APPLY))?;
        run(&mut self.recorded.fleetform(APPLY))?;
        Ok(())
    }
}

const APPLY: &[&str] = &["apply", "--yes"];

fn main() -> Result<(), Box<dyn Error>> {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    // As the harness itself decides: `cargo test --benches` does not say `--bench`.
    let test = has("--test") || !has("--bench");
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("passes");
    let mut criterion = Criterion::default().configure_from_args();
    let chosen = std::env::var(CHOSEN).ok().filter(|_| !test);
    let sizes = match (&chosen, test) {
        (Some(sizes), _) => sizes.split(',').map(str::parse).collect::<Result<_, _>>()?,
        (None, true) => vec![SMALL],
        (None, false) => SIZES.to_vec(),
    };
    let named = ROWS.iter().any(|row| has(row));
    let wanted = |row: &str| (!named || has(row)) && !has("--list");
    let (mut rows, mut diffs) = (Vec::new(), Vec::new());
    let (mut daemons, mut tenants, mut questions) = (Vec::new(), Vec::new(), Vec::new());
    let mut tellings = Vec::new();
    for devices in &sizes {
        if test || has("tenant") {
            tenants.push(intune::row(&scratch, *devices)?);
        }
        if ROWS.iter().all(|row| *row == "tenant" || !wanted(row)) {
            continue;
        }
        let subject = Subject::new(&scratch, *devices)?;
        measure(&mut criterion, &subject)?;
        if wanted("passes") {
            rows.push(table::row(&subject, if test { 1 } else { table::ROUNDS })?);
        }
        if wanted("diff") {
            diffs.push(diff::row(&subject, if test { 1 } else { diff::ROUNDS })?);
        }
        if wanted("access") {
            questions.push(access::row(&subject, if test { 100 } else { access::QUESTIONS })?);
        }
        if wanted("telling") {
            tellings.push(telling::row(&subject, if test { 1 } else { telling::ROUNDS })?);
        }
        if wanted("daemon") {
            daemons.push(daemon::row(&subject, if test { 2 } else { daemon::CHANGES })?);
        }
    }
    if !rows.is_empty() {
        table::print(&rows, table::base(&scratch)?)?;
    }
    if !diffs.is_empty() {
        diff::print(&diffs)?;
    }
    if !daemons.is_empty() {
        daemon::print(&daemons)?;
    }
    if !tenants.is_empty() {
        intune::print(&tenants)?;
    }
    if !questions.is_empty() {
        access::print(&questions)?;
    }
    if !tellings.is_empty() {
        telling::print(&tellings)?;
    }
    criterion.final_summary();
    remove(&scratch)?;
    Ok(())
}

/// Every program by itself, for figures to compare from one revision to the next.
fn measure(criterion: &mut Criterion, subject: &Subject) -> Result<(), Box<dyn Error>> {
    let Subject { devices, fresh, recorded, .. } = subject;
    let mut group = criterion.benchmark_group(format!("{devices} devices"));
    // A pass takes up to seconds, each as long as the other: few of them are enough.
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_secs(1));
    bench(&mut group, "plan, nothing recorded", |_| subject.cold_plan());
    bench(&mut group, "plan, nothing changed", |_| time(recorded.fleetform(&["plan"])));
    bench(&mut group, "plan, all read", |_| time(recorded.fleetform(&["plan", "--no-index"])));
    bench(&mut group, "plan, one device changed", |turn| subject.plan_one(turn));
    subject.restore()?;
    bench(&mut group, "apply, nothing recorded", |_| subject.first_apply());
    bench(&mut group, "apply, one device changed", |turn| subject.apply_one(turn));
    subject.restore()?;
    bench(&mut group, "check", |_| time(recorded.fleetform(&["check"])));
    bench(&mut group, "list", |_| time(recorded.fleetform(&["list"])));
    bench(&mut group, "audit verify", |_| time(recorded.fleetform(&["audit", "verify"])));
    for change in diff::CHANGES {
        let name = format!("diff, {change}");
        bench(&mut group, &name, |_| time(fresh.fleetform(&["diff", "base", change])));
    }
    bench(&mut group, "git diff --stat", |_| time(fresh.git_diff("base", "edited")));
    bench(&mut group, "git status", |_| time(fresh.git_status()));
    bench(&mut group, "sha256sum", |_| time(fresh.sha256sum()));
    group.finish();
    Ok(())
}

fn time(mut command: Command) -> Result<Duration, Box<dyn Error>> {
    Ok(run(&mut command)?)
}

/// Measures what times itself; it is told how often it ran before.
fn bench(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    mut once: impl FnMut(usize) -> Result<Duration, Box<dyn Error>>,
) {
    let mut turn = 0;
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let mut sum = Duration::ZERO;
            for _ in 0..iterations {
                turn += 1;
                sum += once(turn).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            sum
        });
    });
}
