//! The table at the end: what the program promises, as ratios of one run.

use std::error::Error;
use std::io::{self, Write as _, stdout};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::tools::{Place, peak_memory, remove, run};
use crate::{APPLY, SEED, Subject, fleet};

/// Of the device that is in the middle of the smallest fleet.
const USER: &str = "user.000025@example.com";

/// How often each program has its turn; odd, for there to be one in the middle.
pub const ROUNDS: usize = 7;

/// What was measured of one fleet: times are medians.
pub struct Row {
    devices: usize,
    status: Duration,
    hash: Duration,
    plan: Duration,
    apply: Duration,
    /// A plan of a fleet that nobody touched since the last apply.
    warm: Duration,
    /// One in which a manifest changed.
    one: Duration,
    verify: Duration,
    /// One device, and those of its user.
    show: Duration,
    user: Duration,
    /// All devices.
    list: Duration,
    /// A pass in which nothing changed.
    idle: Duration,
    /// The log, hashed.
    hash_log: Duration,
    /// Most resident memory of a first pass, in bytes.
    memory: u64,
}

/// Measures one fleet, all programs taking turns.
///
/// # Errors
/// If one of them fails.
pub fn row(subject: &Subject, rounds: usize) -> Result<Row, Box<dyn Error>> {
    let (mut status, mut hash) = (Vec::new(), Vec::new());
    let (mut plan, mut apply) = (Vec::new(), Vec::new());
    let (mut warm, mut one) = (Vec::new(), Vec::new());
    let (mut verify, mut hash_log) = (Vec::new(), Vec::new());
    let (mut show, mut user) = (Vec::new(), Vec::new());
    let (mut list, mut idle) = (Vec::new(), Vec::new());
    let recorded = &subject.recorded;
    for _ in 0..rounds {
        status.push(run(&mut subject.fresh.git_status())?);
        hash.push(run(&mut subject.fresh.sha256sum())?);
        plan.push(subject.cold_plan()?);
        apply.push(subject.first_apply()?);
        warm.push(run(&mut recorded.fleetform(&["plan"]))?);
        show.push(cached(&mut recorded.fleetform(&["show", "D025"]))?);
        user.push(cached(&mut recorded.fleetform(&["list", "--user", USER]))?);
        list.push(run(&mut recorded.fleetform(&["list"]))?);
        idle.push(run(&mut recorded.fleetform(APPLY))?);
        verify.push(run(&mut recorded.fleetform(&["audit", "verify"]))?);
        hash_log.push(run(&mut recorded.sha256sum_of_log())?);
    }
    for turn in 1..=rounds {
        one.push(subject.plan_one(turn)?);
    }
    subject.restore()?;
    subject.fresh.forget()?;
    Ok(Row {
        devices: subject.devices,
        status: median(status),
        hash: median(hash),
        plan: median(plan),
        apply: median(apply),
        warm: median(warm),
        one: median(one),
        verify: median(verify),
        show: median(show),
        user: median(user),
        list: median(list),
        idle: median(idle),
        hash_log: median(hash_log),
        memory: peak_memory(&mut subject.fresh.fleetform(APPLY))?,
    })
}

/// The time of a query that reads little, once what it reads is in the page cache: of a large fleet, what ran
/// before it has pushed that out.
fn cached(query: &mut Command) -> io::Result<Duration> {
    run(query)?;
    run(query)
}

/// The most resident memory of a first pass over one device, in bytes.
///
/// # Errors
/// If the pass fails.
pub fn base(scratch: &Path) -> Result<u64, Box<dyn Error>> {
    let home = scratch.join("one");
    remove(&home)?;
    let place = Place::new(home.join("fleet"), &home)?;
    fleet::write(&place.fleet, 1, SEED)?;
    Ok(peak_memory(&mut place.fleetform(APPLY))?)
}

/// The one in the middle.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Prints the table; `base` is what [`base`] gives.
///
/// # Errors
/// If it cannot be printed.
pub fn print(rows: &[Row], base: u64) -> std::io::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "\nMedians of rounds in which the programs take turns; times in seconds.\n")?;
    writeln!(
        out,
        "| devices | git status | sha256sum | cold plan | first apply | plan / sha256sum | \
         plan / git status | apply / plan | bytes a device |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )?;
    for Row { devices, status, hash, plan, apply, memory, .. } in rows {
        let [status, hash, plan, apply] = [status, hash, plan, apply].map(Duration::as_secs_f64);
        writeln!(
            out,
            "| {devices} | {status:.3} | {hash:.3} | {plan:.3} | {apply:.3} | {:.2} | {:.2} | {:.2} | {} |",
            plan / hash,
            plan / status,
            apply / plan,
            memory.saturating_sub(base) / *devices as u64
        )?;
    }
    writeln!(
        out,
        "\n| devices | git status | plan, nothing changed | plan, one changed | audit verify | \
         sha256sum of the log | nothing / git | one / git | verify / sha256sum |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )?;
    for Row { devices, status, warm, one, verify, hash_log, .. } in rows {
        let [status, warm, one] = [status, warm, one].map(Duration::as_secs_f64);
        let [verify, hash_log] = [verify, hash_log].map(Duration::as_secs_f64);
        writeln!(
            out,
            "| {devices} | {status:.3} | {warm:.3} | {one:.3} | {verify:.3} | {hash_log:.3} | {:.2} | {:.2} | {:.2} |",
            warm / status,
            one / status,
            verify / hash_log
        )?;
    }
    writeln!(
        out,
        "\n| devices | show | list --user | list | apply, nothing changed | show / smallest | \
         list --user / smallest |\n\
         |--:|--:|--:|--:|--:|--:|--:|"
    )?;
    let smallest = rows.first().map(|row| [row.show, row.user]).unwrap_or_default();
    for Row { devices, show, user, list, idle, .. } in rows {
        let [show, user] = [(show, smallest[0]), (user, smallest[1])]
            .map(|(time, least)| (time.as_secs_f64(), time.as_secs_f64() / least.as_secs_f64()));
        let [list, idle] = [list, idle].map(Duration::as_secs_f64);
        writeln!(
            out,
            "| {devices} | {:.3} | {:.3} | {list:.3} | {idle:.3} | {:.2} | {:.2} |",
            show.0, user.0, show.1, user.1
        )?;
    }
    writeln!(out, "\nBytes a device: the most resident memory of the first apply, less that of")?;
    writeln!(out, "one device ({} KiB).", base / 1024)
}
