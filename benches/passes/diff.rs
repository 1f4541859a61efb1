//! What a change means, between two revisions: beside `git diff --stat` over the same two.
//!
//! One manifest edited needs nothing but its two versions. Whatever may clash with others (here
//! a new device, and a profile that nobody has) needs a look at all of them.

use std::error::Error;
use std::fs;
use std::io::{Write as _, stdout};
use std::time::Duration;

use crate::Subject;
use crate::table::median;
use crate::tools::{Place, run};

/// Takes turns that often; odd, for there to be one in the middle.
pub const ROUNDS: usize = 15;
const BASE: &str = "base";
/// Revisions that each differ from the base by one file.
pub const CHANGES: [&str; 3] = ["edited", "new-device", "new-profile"];

/// What was measured of one fleet: medians, of `git diff --stat` and of `diff`.
pub struct Row {
    devices: usize,
    times: Vec<(&'static str, Duration, Duration)>,
}

/// Commits the fleet and the changes of it; leaves the files as they were.
///
/// # Errors
/// If Git fails, or a file cannot be written.
pub fn commit(
    place: &Place,
    (manifest, text): (&std::path::Path, &str),
) -> Result<(), Box<dyn Error>> {
    place.commit(BASE)?;
    let new = |name: &str| place.fleet.join(name);
    let device =
        text.replace("device-000000", "new-device").replace("serialNumber: ", "serialNumber: NEW");
    let profile = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: New}\nspec: {platforms: [ios]}\n";
    let changes = [
        (manifest.to_owned(), text.replace("osVersion: \"10.0.", "osVersion: \"11.0.")),
        (new("new-device.yaml"), device),
        (new("new-profile.yaml"), profile.to_owned()),
    ];
    for (tag, (path, changed)) in CHANGES.into_iter().zip(changes) {
        fs::write(path, changed)?;
        place.commit(tag)?;
        place.back_to(BASE)?;
    }
    // As a clone has them.
    place.pack()?;
    Ok(())
}

/// Measures one fleet, the two programs taking turns.
///
/// # Errors
/// If one of them fails.
pub fn row(subject: &Subject, rounds: usize) -> Result<Row, Box<dyn Error>> {
    let place = &subject.fresh;
    let mut times = Vec::new();
    for change in CHANGES {
        let (mut git, mut own) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            git.push(run(&mut place.git_diff(BASE, change))?);
            own.push(run(&mut place.fleetform(&["diff", BASE, change]))?);
        }
        times.push((change, median(git), median(own)));
    }
    Ok(Row { devices: subject.devices, times })
}

/// Prints the table.
///
/// # Errors
/// If it cannot be printed.
pub fn print(rows: &[Row]) -> std::io::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "\nOne file changed between two revisions; medians in milliseconds.\n")?;
    writeln!(out, "| devices | change | git diff --stat | diff | ratio |\n|--:|:--|--:|--:|--:|")?;
    for Row { devices, times } in rows {
        for (change, git, own) in times {
            let [git, own] = [git, own].map(|time| time.as_secs_f64() * 1000.0);
            writeln!(out, "| {devices} | {change} | {git:.1} | {own:.1} | {:.1} |", own / git)?;
        }
    }
    Ok(())
}
