//! What a plan was made of.

use crate::domain::model::Digest;
use crate::domain::wipe::target::LedgerId;
use crate::domain::wipe::trust_state::TrustState;

/// What a plan was made of, for its header.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The root of the fleet directory as given, for paths that an editor can open.
    pub root: &'a str,
    /// The Git commit.
    pub revision: Option<&'a str>,
    /// Sequence number of the ledger's last entry.
    pub seq: u64,
    /// Hash of its line.
    pub head: Digest,
    /// Which ledger that is; none where there is none yet.
    pub lineage: Option<LedgerId>,
    /// What signatures were checked against.
    pub trust: TrustState<'a>,
}
