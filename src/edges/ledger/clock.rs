//! `clock`: the highest time that this ledger's writers have seen.
//!
//! The log only knows when something happened, and a quiet fleet writes a quiet log: a clock set
//! back by hours would revive a request that has expired since the last entry. So the time of
//! passes is kept, in a file of its own, because neither the log nor the snapshot changes then. A
//! forged time can only be too late, or be gone: the first stops wipes, the second leaves the log.
//!
//! A write costs two fsyncs, and few passes need one. Nothing is issued by a clock more than
//! [`TOLERANCE`] behind the kept time, so a request that expired longer than that before the kept
//! time stays expired, whatever the clock says later. Any other request that a pass knows of, in
//! the log or in the fleet directory, makes that pass keep its time at once: it is as if every
//! pass did. Without such a request the kept time is at most [`INTERVAL`] behind that of the last
//! pass, also after a crash; what a clock set back by so little could revive is a request that
//! expired within that minute and that no pass had seen by then. A writer keeps its time when it
//! opens the ledger, with every snapshot, and so when it stops.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use chrono::TimeDelta;

use crate::domain::model::Timestamp;
use crate::domain::wipe::clock::{TOLERANCE, UNKNOWN_MILLIS};
use crate::edges::fs::durable;

/// The file, below the data directory.
const CLOCK: &str = "clock";
/// Between two writes while nothing depends on the time.
const INTERVAL: TimeDelta = TimeDelta::seconds(60);

/// The highest time seen; none where no writer kept one. A file that cannot be read, or holds
/// something else, counts as a time that never comes.
#[must_use]
pub fn highest_time(dir: &Path) -> Option<Timestamp> {
    match read(&dir.join(CLOCK)) {
        Ok(at) => Some(at),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(Timestamp::from_millis(UNKNOWN_MILLIS)),
    }
}

fn read(path: &Path) -> io::Result<Timestamp> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(64).read_to_string(&mut text)?;
    text.trim_end().parse().map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Whether a pass at `now` has to keep its time, given what is kept and when the last request
/// expires that a clock set back could revive.
pub(super) fn is_due(kept: Option<Timestamp>, now: Timestamp, until: Option<Timestamp>) -> bool {
    kept.is_none_or(|kept| {
        now >= kept + INTERVAL || until.is_some_and(|until| kept <= until + TOLERANCE)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_keeps_its_time_where_a_request_depends_on_it_or_a_minute_has_gone_by() {
        let at = |seconds| Timestamp::from_millis(1_763_800_000_000 + seconds * 1_000);
        let due = |now, until: Option<i64>| is_due(Some(at(0)), at(now), until.map(at));
        assert!(is_due(None, at(0), None), "nothing is kept yet");
        assert!(!due(1, None) && !due(59, None) && due(60, None) && due(61, None));
        // A request that has not expired yet, and one that expired within the tolerance.
        assert!(due(1, Some(3_600)) && due(1, Some(0)) && due(1, Some(-5)));
        assert!(!due(1, Some(-6)), "the kept time is proof enough that it expired");
    }
}
