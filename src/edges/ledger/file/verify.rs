//! `audit verify` of a data directory.

use std::path::Path;

use super::layout::{BROKEN, LOCK, LOG, STATE};
use super::log::follow_all;
use super::scan::{self, End};
use super::{log, mark, state_json};
use crate::domain::state::State;
use crate::edges::fs::durable;
use crate::edges::ledger::chain::{self, Chain};
use crate::edges::ledger::error::Error;
use crate::edges::ledger::snapshot::Outline;
use crate::edges::ledger::verify::{Checker, Problem, Verified};

/// Looks at all of the ledger in `dir`; an absent one is well.
///
/// # Errors
/// Only if a file cannot be read; what is wrong in it is a [`Problem`].
pub fn verify(dir: &Path) -> Result<Verified, Error> {
    well(dir).map_or_else(|| problems(dir), Ok)
}

/// What there is to say of a ledger in which nothing is wrong at all; `None` if anything may be: every
/// line follows the one before it, and the snapshot is to the letter what would be written of a replay.
pub(super) fn well(dir: &Path) -> Option<Verified> {
    let outline = Outline::of(state_json::open(&dir.join(STATE)).ok()??).ok()??;
    // Before the log, which only grows.
    let marked = mark::read(dir).map_or(0, |mark| mark.whole);
    let path = dir.join(LOG);
    let log = log::open(&path).ok()??;
    let (mut state, mut same) = (State::default(), false);
    state.expect_devices(outline.about());
    let mut chain = Chain::START;
    let end = follow_all(&mut chain, &path, &log, u64::MAX, 0, |chain, entry| {
        if entry.is_none_or(|entry| state.fold(entry, chain.head).is_err()) {
            return Err(Error::Poisoned { path: path.clone() });
        }
        if chain.seq == outline.made.seq {
            same = *chain == outline.made && outline.says(&state, chain.end).unwrap_or(false);
        }
        Ok(())
    });
    // Nobody waits for its memory.
    rayon::spawn(move || drop(state));
    let End { offset, torn } = end.ok()?;
    log::still_named(&log, &path, offset).ok()?;
    (same && torn == 0 && marked <= offset).then_some(Verified {
        lines: chain.seq,
        bytes: offset,
        head: chain.head,
        seq: chain.seq,
        snapshot_seq: Some(outline.made.seq),
        problems: Vec::new(),
        more: false,
    })
}

/// Everything that is wrong.
pub(super) fn problems(dir: &Path) -> Result<Verified, Error> {
    let mut checker = Checker::new(STATE);
    match state_json::load(dir) {
        Ok(snapshot) => checker.compare_with(snapshot),
        Err(e @ Error::Snapshot { .. }) => checker.problem(None, e.to_string()),
        Err(e) => return Err(e),
    }
    // Before the log, which only grows.
    let marked = mark::read(dir).map_or(0, |mark| mark.whole);
    let path = dir.join(LOG);
    let end = match log::open(&path)? {
        None => End { offset: 0, torn: 0 },
        Some(log) => {
            let end = scan::scan(
                &log,
                0,
                |e| Error::from(durable::Error::at("read", &path)(e)),
                |share, line| chain::inspect(line, true, share),
                |seen| {
                    checker.next(seen);
                    Ok(())
                },
            )?;
            log::still_named(&log, &path, end.offset)?;
            end
        }
    };
    let unfinished = |seq| {
        format!(
            "entry {seq} (at byte {}) is unfinished: {} bytes without a newline; unless a writer is at \
             work, the next one moves them to {BROKEN}",
            end.offset, end.torn
        )
    };
    let mut verified = checker.finish(end.offset + end.torn, (end.torn > 0).then_some(unfinished));
    // Where something else is wrong than an unfinished line, the length says nothing.
    if marked > end.offset && verified.problems.len() == usize::from(end.torn > 0) {
        let message = format!(
            "{LOCK} says that the log was whole up to byte {marked}, but it ends at byte {}: its end is missing",
            end.offset
        );
        verified.problems.push(Problem { seq: Some(verified.seq.saturating_add(1)), message });
    }
    Ok(verified)
}
