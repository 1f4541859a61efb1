//! What the daemon published after its last pass: whole, unchanging, shared by all who read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::access::AccessBasis;
use super::metrics::Metrics;
use super::summary::Status;
use crate::app::deliveries::SinkStatuses;
use crate::domain::access::{Directory, Judge};
use crate::domain::model::Timestamp;
use crate::domain::plan::HoldReason;
use crate::domain::state::State;
use crate::edges::config::Config;

/// A pass, as it was when it ended.
#[derive(Debug, Clone)]
pub struct View {
    /// What the pass was made by.
    pub(crate) config: Arc<Config>,
    /// What is recorded.
    pub recorded: Arc<State>,
    /// What is shown of it; nothing before the first pass.
    pub(crate) status: Option<Arc<Status>>,
    /// Why the daemon is not ready: it does not reconcile now; nothing where it does.
    pub not_ready: Vec<String>,
    /// What it cannot do beside its work, and needs somebody's hand.
    pub degraded: Vec<String>,
    /// What only the daemon held back, by reason.
    pub(crate) held_back: BTreeMap<HoldReason, u64>,
    /// Findings of manifests and reports.
    pub(crate) findings: u64,
    /// What was counted until then.
    pub(crate) metrics: Metrics,
    /// What answers about access rest on, beside what is recorded.
    pub(crate) access: AccessBasis,
    /// How those stand who are told what happens, at any moment.
    pub(crate) statuses: Arc<SinkStatuses>,
}

impl View {
    /// Before the first pass.
    #[must_use]
    pub fn first(config: Config) -> Self {
        Self {
            config: Arc::new(config),
            recorded: Arc::default(),
            status: None,
            not_ready: vec!["the first reconciliation is not done".into()],
            degraded: Vec::new(),
            held_back: BTreeMap::new(),
            findings: 0,
            metrics: Metrics::default(),
            access: AccessBasis::default(),
            statuses: Arc::default(),
        }
    }

    /// Who answers whether a device may come in, where that is configured; `nobody` stands for the
    /// directory before there is one.
    pub(crate) fn judge<'a>(&'a self, nobody: &'a Directory, now: Timestamp) -> Option<Judge<'a>> {
        Some(Judge {
            recorded: &self.recorded,
            directory: self.access.directory.as_deref().unwrap_or(nobody),
            knowledge: self.access.knowledge(),
            rules: &self.config.access.as_ref()?.rules,
            settings: &self.config.settings,
            now,
        })
    }
}
