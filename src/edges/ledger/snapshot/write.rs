//! Writing a snapshot.

use std::io::{self, Write};

use memchr::memmem;

use super::devices::{BEFORE, devices_out};
use super::document::{Snapshot, SnapshotOut};
use super::layout;
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
    let (before, after) = around(state, log_bytes)?;
    out.write_all(&before)?;
    devices_out(state, &mut out)?;
    out.write_all(&after)
}

/// What stands before the devices and after them.
///
/// # Errors
/// If the state is nothing that JSON has words for.
pub(super) fn around(state: &State, log_bytes: u64) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut before = Vec::new();
    layout::write(&SnapshotOut::of(state, log_bytes), 0, &mut before)?;
    before.push(b'\n');
    let gap = memmem::find(&before, BEFORE).map(|at| at + BEFORE.len());
    let end = before.split_off(gap.expect("the devices have their place"));
    let newline = if state.devices.is_empty() { b"".as_slice() } else { b"\n  " };
    Ok((before, [newline, &end].concat()))
}
