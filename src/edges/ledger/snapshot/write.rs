//! Writing a snapshot.

use std::io::{self, Write};

use super::devices::{AFTER, BEFORE, devices_out};
use super::document::{Snapshot, SnapshotOut};
use crate::domain::state::State;

/// Writes a snapshot as its text stands.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(snapshot: &Snapshot, out: impl Write) -> io::Result<()> {
    write_state(&snapshot.state, snapshot.log_bytes, out)
}

/// As [`write()`], of a state that is not in a snapshot.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_state(state: &State, log_bytes: u64, mut out: impl Write) -> io::Result<()> {
    let mut whole = serde_json::to_vec_pretty(&SnapshotOut::of(state, log_bytes))?;
    whole.push(b'\n');
    if state.devices.is_empty() {
        return out.write_all(&whole);
    }
    let gap = whole.windows(BEFORE.len()).position(|w| w == BEFORE).map(|at| at + BEFORE.len());
    let (before, after) = whole.split_at(gap.expect("the devices have their place"));
    out.write_all(before)?;
    devices_out(state, &mut out)?;
    out.write_all(AFTER)?;
    out.write_all(&after[b"}".len()..])
}
