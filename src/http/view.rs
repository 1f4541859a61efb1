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
use crate::wipe::trust::Trust;
use crate::{clock, revision};

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
    /// What was not done, by reason.
    pub holds: BTreeMap<HoldReason, u64>,
    /// Findings of manifests and reports.
    pub findings: u64,
    /// What was counted until then.
    pub metrics: Metrics,
    /// Made when somebody asks for it.
    plan: OnceCell<Arc<[u8]>>,
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
            holds: BTreeMap::new(),
            findings: 0,
            metrics: Metrics::default(),
            plan: OnceCell::new(),
        }
    }

    /// The same, to be changed and published.
    #[must_use]
    pub fn next(&self) -> Self {
        let Self { config, recorded, desired, trust, not_ready, holds, findings, metrics, plan: _ } =
            self;
        Self {
            config: config.clone(),
            recorded: recorded.clone(),
            desired: desired.clone(),
            trust: trust.clone(),
            not_ready: not_ready.clone(),
            holds: holds.clone(),
            findings: *findings,
            metrics: metrics.clone(),
            plan: OnceCell::new(),
        }
    }

    /// What the pass left to do, as `plan -o json`; reports that came since are not asked for.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub(super) async fn plan(self: &Arc<Self>) -> Result<Arc<[u8]>, String> {
        let view = self.clone();
        let made = self.plan.get_or_try_init(|| async move {
            let made = tokio::task::spawn_blocking(move || view.make_plan()).await;
            made.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
        });
        made.await.cloned()
    }

    fn make_plan(&self) -> std::io::Result<Arc<[u8]>> {
        let Self { config, recorded, desired, trust, .. } = self;
        let trust = trust.as_ref().as_ref().map_err(String::as_str);
        let settings = &config.settings;
        let now = clock::now();
        let plan = plan(&Inputs { now, settings, desired, recorded, heard: &[], trust });
        let approved = guard(plan, desired, recorded, settings.limits, None);
        let (root, revision) = (config.fleet.display().to_string(), revision::of(&config.fleet));
        let context = Context {
            root: &root,
            revision: revision.as_deref(),
            seq: recorded.seq,
            head: recorded.head.0,
        };
        let mut body = Vec::new();
        render::plan::json(&mut body, &approved, context)?;
        Ok(body.into())
    }
}
