//! What a decision depends on: all of it, and nothing else.

use std::sync::Arc;

use super::news::News;
use crate::domain::fleet::Desired;
use crate::domain::model::{Report, ReportId, SyncFile, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::wipe::target::LoggedHead;
use crate::domain::wipe::trust_state::TrustState;

/// All that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The moment of the decision; a plan reads no clock.
    pub now: Timestamp,
    /// The numbers of the configuration.
    pub settings: &'a Settings,
    /// What the manifests want.
    pub desired: &'a Desired,
    /// What the ledger says.
    pub recorded: &'a State,
    /// What the provider has heard since the last pass.
    pub heard: &'a [Heard],
    /// What the provider knows beside.
    pub news: &'a News,
    /// What was asked for by command.
    pub requests: &'a [SyncFile],
    /// Whose signatures count for wipes, or why nobody's do.
    pub trust: &'a TrustState,
    /// The entries that wipe requests name, as far as the log has them; in any order.
    pub heads: &'a [LoggedHead],
    /// The highest time that this ledger has seen, where it is known: a clock behind it was set back.
    pub clock: Option<Timestamp>,
}

/// A report and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The provider's own name for it.
    pub(crate) id: ReportId,
    /// Where it came from, for people: a file, say.
    pub(crate) origin: Arc<str>,
    pub(crate) report: Report,
}
