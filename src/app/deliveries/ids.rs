//! What the far side knows a notice by: the same for the same entry and sink, after any restart.

use crate::domain::state::State;

/// Of an entry, for a sink; of letters, digits, `-` and `_`, since a signature ends at a full stop.
#[must_use]
pub(super) fn job_id(recorded: &State, entry: u64, sink: &str) -> String {
    let ledger = recorded.lineage_of(entry).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("{ledger}-{entry}-{}", sink.chars().map(plain).collect::<String>())
}
