//! What the far side knows a notice by: the same for the same entry and sink, after any restart.

use crate::domain::state::State;

/// Of an entry, for a sink; of letters, digits, `-` and `_`, since a signature ends at a full stop.
#[must_use]
pub(super) fn job_id(recorded: &State, entry: u64, sink: &str) -> String {
    let ledger = recorded.lineage_of(entry).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("{ledger}-{entry}-{}", sink.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_has_the_same_name_after_every_start_and_that_of_the_ledger_that_told_it() {
        let [old, new] = [1, 2].map(uuid::Uuid::from_u128);
        let mut state = State::default();
        state.lineage = Some(new);
        state.lineages = vec![(6, old)];
        let expected =
            |lineage| format!("{lineage}-{}-webhook_siem", if lineage == old { 6 } else { 7 });
        assert_eq!(job_id(&state, 6, "webhook:siem"), expected(old));
        assert_eq!(job_id(&state, 7, "webhook:siem"), expected(new));
    }
}
