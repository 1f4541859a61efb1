//! `clock`: the highest time that this ledger's writers have seen.
//!
//! The log only knows when something happened, and a quiet fleet writes a quiet log: a clock set
//! back by hours would revive a request that has expired since the last entry. So the time of every
//! pass is kept, in a file of its own, because neither the log nor the snapshot changes then. A
//! forged time can only be too late, or be gone: the first stops wipes, the second leaves the log.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::domain::model::Timestamp;
use crate::edges::fs::durable;

/// The file, below the data directory.
const CLOCK: &str = "clock";
/// What a file that cannot be read counts as: no time is known to be later, so wipes wait:
/// the last second of the year 9999.
const FAR_MILLIS: i64 = 253_402_300_799_000;

/// The highest time seen; none where no writer kept one. A file that cannot be read, or holds
/// something else, counts as a time that never comes.
#[must_use]
pub fn highest_time(dir: &Path) -> Option<Timestamp> {
    match read(&dir.join(CLOCK)) {
        Ok(at) => Some(at),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(Timestamp::from_millis(FAR_MILLIS)),
    }
}

fn read(path: &Path) -> io::Result<Timestamp> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(64).read_to_string(&mut text)?;
    text.trim_end().parse().map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Keeps `now`, if it is later than what is kept.
///
/// # Errors
/// If it cannot be written.
pub(super) fn keep(
    dir: &Path,
    kept: &mut Option<Timestamp>,
    now: Timestamp,
) -> Result<(), durable::Error> {
    if kept.is_some_and(|kept| now <= kept) {
        return Ok(());
    }
    durable::replace_file("clock.file", &dir.join(CLOCK), |out| writeln!(out, "{now}"))?;
    *kept = Some(now);
    Ok(())
}
