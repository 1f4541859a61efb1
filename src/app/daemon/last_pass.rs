//! What the last pass saw: the next one may rest on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;

use crate::domain::fleet::IncrementalFleet;
use crate::domain::model::Digest;
use crate::domain::plan::HoldReason;
use crate::domain::wipe::trust_state::TrustState;

/// What the last pass saw.
pub(super) struct LastPass {
    /// The fleet directory.
    pub(crate) live: IncrementalFleet,
    /// The digest of the index that says the same, where there is one.
    pub(crate) index: Option<Digest>,
    /// When what was read of it was kept for the next look.
    pub(crate) kept: Option<Instant>,
    /// Whose signatures count for wipes, or why nobody's do.
    pub(crate) trust: Arc<TrustState>,
    /// When everything was looked at.
    pub(crate) complete_at: Instant,
    /// Whether a pass over a few files may rest on it.
    pub(crate) whole: bool,
    /// Whether the next one is made only because time has passed since everything was looked at.
    pub(crate) resync: bool,
    /// Why the first reconciliation is not done yet, as far as that was published.
    pub(crate) waiting: Option<String>,
    pub(crate) begun: bool,
    /// What only the daemon held back in the last pass.
    pub(crate) held_back: BTreeMap<HoldReason, u64>,
    /// Findings of manifests, and of the reports of the last pass.
    pub(crate) findings: u64,
    /// Whether the ledger could not be opened.
    pub(crate) unreadable: bool,
}

impl Default for LastPass {
    fn default() -> Self {
        Self {
            live: IncrementalFleet::default(),
            index: None,
            kept: None,
            trust: Arc::new(TrustState::Broken("not read yet".into())),
            complete_at: Instant::now(),
            whole: false,
            resync: false,
            waiting: Some("the first reconciliation is not done".into()),
            begun: false,
            held_back: BTreeMap::new(),
            findings: 0,
            unreadable: false,
        }
    }
}
