//! What the daemon published after its last pass: whole, unchanging, shared by all who read.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::metrics::Metrics;
use crate::config::Config;
use crate::fleet::Desired;
use crate::guard::guard;
use crate::plan::{HoldReason, Inputs, plan};
use crate::render;
use crate::render::plan::Context;
use crate::state::State;
use crate::wipe::target::LedgerId;
use crate::wipe::trust::Trust;
use crate::{ledger, reconcile, revision};

/// A pass, as it was when it ended.
#[derive(Debug)]
pub struct View {
    /// What the pass was made by.
    pub config: Arc<Config>,
    /// What is recorded.
    pub recorded: Arc<State>,
    /// What the manifests want.
    pub desired: Arc<Desired>,
    /// Whom wipes are taken from, or why from nobody.
    pub trust: Arc<Result<Trust, String>>,
    /// Why the daemon does not do its work now; nothing where it does.
    pub not_ready: Vec<String>,
    /// What only the daemon held back, by reason.
    pub held_back: BTreeMap<HoldReason, u64>,
    /// Findings of manifests and reports.
    pub findings: u64,
    /// What was counted until then.
    pub metrics: Metrics,
    /// Made when somebody asks for it.
    left: OnceCell<Arc<Left>>,
}

/// What a pass left to do; reports that came since are not asked for.
#[derive(Debug)]
pub(super) struct Left {
    /// As `plan -o json`.
    pub json: Vec<u8>,
    /// How many holds there are, by reason.
    pub holds: BTreeMap<HoldReason, u64>,
}

impl View {
    /// Before the first pass.
    #[must_use]
    pub fn first(config: Config) -> Self {
        Self {
            config: Arc::new(config),
            recorded: Arc::default(),
            desired: Arc::default(),
            trust: Arc::new(Err("not read yet".into())),
            not_ready: vec!["the first pass is not done".into()],
            held_back: BTreeMap::new(),
            findings: 0,
            metrics: Metrics::default(),
            left: OnceCell::new(),
        }
    }

    /// The same, to be changed and published.
    #[must_use]
    pub fn next(&self) -> Self {
        let Self {
            config,
            recorded,
            desired,
            trust,
            not_ready,
            held_back,
            findings,
            metrics,
            left: _,
        } = self;
        Self {
            config: config.clone(),
            recorded: recorded.clone(),
            desired: desired.clone(),
            trust: trust.clone(),
            not_ready: not_ready.clone(),
            held_back: held_back.clone(),
            findings: *findings,
            metrics: metrics.clone(),
            left: OnceCell::new(),
        }
    }

    /// What the pass left to do.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub(super) async fn left(self: &Arc<Self>) -> Result<Arc<Left>, String> {
        let view = self.clone();
        let made = self.left.get_or_try_init(|| async move {
            let made = tokio::task::spawn_blocking(move || view.make_left()).await;
            Ok(Arc::new(made.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?))
        });
        made.await.cloned()
    }

    fn make_left(&self) -> std::io::Result<Left> {
        let Self { config, recorded, desired, trust, .. } = self;
        let trust = trust.as_ref().as_ref().map_err(String::as_str);
        let settings = &config.settings;
        let now = crate::clock::now();
        let clock = ledger::highest_time(&config.data);
        let heads = &reconcile::heads(&config.data, desired, recorded);
        let plan =
            plan(&Inputs { now, settings, desired, recorded, heard: &[], trust, heads, clock });
        let approved = guard(plan, desired, recorded, settings.limits, None);
        let (root, revision) = (config.fleet.display().to_string(), revision::of(&config.fleet));
        let context = Context {
            root: &root,
            revision: revision.as_deref(),
            seq: recorded.seq,
            head: recorded.head.0,
            lineage: recorded.lineage.map(LedgerId),
        };
        let mut json = Vec::new();
        render::plan::json(&mut json, &approved, context)?;
        let mut holds = self.held_back.clone();
        for hold in &approved.plan().holds {
            *holds.entry(hold.reason).or_default() += 1;
        }
        Ok(Left { json, holds })
    }
}
