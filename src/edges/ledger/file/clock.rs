//! `clock`: the highest time that this ledger's writers have seen.
//!
//! The log only knows when something happened, and a quiet fleet writes a quiet log: a clock set
//! back by hours would revive a request that has expired since the last entry. So the time of
//! passes is kept, in a file of its own, because neither the log nor the snapshot changes then. A
//! forged time can only be too late, or be gone: the first stops wipes, the second leaves the log.
//! A write costs two fsyncs; [`crate::domain::wipe::clock::must_be_kept`] says which pass needs one.

use std::io::Write as _;
use std::path::Path;

use super::layout::CLOCK;
use crate::domain::model::Timestamp;
use crate::domain::wipe::clock::UNKNOWN_MILLIS;
use crate::edges::fs::durable;
use crate::edges::fs::guarded::Guarded;

/// The highest time seen; none where no writer kept one. A file that cannot be read, or holds
/// something else, counts as a time that never comes.
#[must_use]
pub fn highest_time(dir: &Path) -> Option<Timestamp> {
    let opened = Guarded::up_to(64).open_if_there(&dir.join(CLOCK)).transpose()?;
    let mut bytes = Vec::new();
    let read = opened.and_then(|file| file.read(&mut bytes));
    let text = read.ok().and_then(|()| std::str::from_utf8(&bytes).ok());
    let at = text.and_then(|text| text.trim_end().parse().ok());
    Some(at.unwrap_or(Timestamp::from_millis(UNKNOWN_MILLIS)))
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
