//! What a plan was made of.

use crate::domain::model::Digest;
use crate::domain::wipe::target::LedgerId;
use crate::domain::wipe::trust_state::TrustState;

/// What a plan was made of, for its header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The root of the fleet directory as given, for paths that an editor can open.
    pub(crate) root: &'a str,
    /// The Git commit.
    pub(crate) revision: Option<&'a str>,
    /// Sequence number of the ledger's last entry.
    pub(crate) seq: u64,
    /// Hash of its line.
    pub(crate) head: Digest,
    /// Which ledger that is; none where there is none yet.
    pub(crate) lineage: Option<LedgerId>,
    /// What signatures were checked against.
    pub(crate) trust: &'a TrustState,
}
