//! Pass after pass, until stopped: wake, load, decide, carry out.
//!
//! What a pass does is [`reconcile`]'s business; here is only when, how carefully, and what
//! happens when it fails. A failed ledger is let go of at once, and effects with it; it is
//! opened again, by reading the whole log, until it can be. Large and destructive changes wait
//! for a second look that finds the same. Whoever reads beside it reads what was
//! published after the last pass, so that no reader delays one.

mod caution;
mod signals;
mod systemd;
mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use self::caution::Caution;
use self::signals::Request;
pub use self::signals::Signals;
use self::systemd::Heart;
use self::tell::Told;
use crate::backoff::{Admission, Backoff, Growth};
use crate::config::Config;
use crate::event::ErrorClass;
use crate::execute::{Control, Outcome};
use crate::fleet::Desired;
use crate::guard::{ApprovedPlan, guard};
use crate::http::metrics::Metrics;
use crate::http::view::View;
use crate::ledger::{self, Ledger};
use crate::model::{DeviceId, Timestamp};
use crate::plan::due::next_due;
use crate::plan::{Action, HoldReason, Inputs, Op, WipeView, plan};
use crate::provider::Provider;
use crate::reconcile::{self, Basis, Decision, carry_out, decide};
use crate::watch::{Mode, Pace, Places, Watch};
use crate::wipe::trust::Trust;
use crate::{clock, revision, source};

/// Between tries to open a ledger or ask a provider that failed: soon enough that a mended disk
/// is noticed, late enough that a broken one is not worn out.
const TROUBLE: Growth =
    Growth { first: Duration::from_secs(1), most: Duration::from_secs(60), seed: 0 };
/// Between tries of one device's effect.
const DEVICE: Growth =
    Growth { first: Duration::from_secs(30), most: Duration::from_secs(3600), seed: 0 };

/// Why it is not ready yet, where no pass failed.
const UNSETTLED: &str = "the first pass is not done: a large change waits for a second look";

/// How the daemon runs; what it does is in the configuration.
pub struct Options {
    /// For the log.
    pub actor: Arc<str>,
    /// How often to look though nothing woke it.
    pub resync: Duration,
    /// When an event leads to a look.
    pub pace: Pace,
    /// Reads the configuration again, given the one that holds, and all that belongs to it and
    /// not to the daemon; or says why nothing of it is taken.
    pub reload: Box<dyn Fn(&Config) -> Result<Config, String> + Send>,
    /// Where to publish what others read; without it nothing is kept for them.
    pub views: Option<watch::Sender<Arc<View>>>,
}

/// The reconciler that runs unattended.
pub struct Daemon {
    config: Config,
    options: Options,
    signals: Signals,
    provider: Arc<dyn Provider>,
    ledger: Option<Ledger>,
    watch: Watch,
    caution: Caution,
    backoff: Backoff,
    started: Instant,
    /// Passes that failed as a whole, in a row.
    failures: u32,
    /// Whether a pass went through of which nothing waited for a second look.
    settled: bool,
    told: Told,
    metrics: Metrics,
    heart: Heart,
    /// When the event came that led to this pass.
    woken: Option<Instant>,
}

/// When to look again.
#[derive(Debug, Clone, Copy, Default)]
struct Next {
    /// At the latest, by the clock on the wall.
    due: Option<Timestamp>,
    /// At the latest, for another reason.
    at: Option<Instant>,
    /// Not before that, whatever changes.
    not_before: Option<Instant>,
}

/// Where a configuration's fleet directory, reports and trust are to be watched.
fn places(config: &Config) -> Places {
    let trust = &config.trust;
    Places {
        fleet: config.fleet.clone(),
        inbox: config.data.join("inbox"),
        files: trust
            .allowed_signers
            .iter()
            .chain(&trust.revoked_keys)
            .cloned()
            .collect::<Vec<PathBuf>>(),
    }
}

impl Daemon {
    /// Opens the ledger, whose one writer it is from now on.
    ///
    /// # Errors
    /// If that fails: a daemon that cannot begin says so and ends.
    pub fn start(
        config: Config,
        options: Options,
        signals: Signals,
    ) -> Result<Self, ledger::Error> {
        let ledger = Ledger::open(&config.data, options.actor.clone(), clock::now)?;
        let seed = u64::from(std::process::id());
        Ok(Self {
            provider: reconcile::provider(&config),
            watch: Watch::new(places(&config), options.pace),
            caution: Caution::new(options.pace.quiet),
            backoff: Backoff::new(Growth { seed, ..DEVICE }),
            ledger: Some(ledger),
            started: Instant::now(),
            failures: 0,
            settled: false,
            told: Told::default(),
            metrics: Metrics::default(),
            heart: Heart::start(options.resync),
            woken: None,
            config,
            options,
            signals,
        })
    }

    /// Runs until a signal stops it; the snapshot is then up to date.
    ///
    /// # Errors
    /// If the last snapshot fails; the log has all that it would have held.
    pub async fn run(mut self) -> Result<(), ledger::Error> {
        tracing::info!(fleet = ?self.config.fleet, data = ?self.config.data, "the daemon runs");
        while !self.signals.stopping() {
            self.heart.beat();
            let passed = self.pass().await;
            let next = self.settle(passed);
            if !self.signals.stopping() {
                self.wait(next).await;
            }
        }
        tracing::info!("the daemon stops");
        systemd::stopping();
        self.ledger.as_mut().map_or(Ok(()), Ledger::snapshot)
    }

    /// Until there is a reason for another pass.
    async fn wait(&mut self, next: Next) {
        let mut until = Instant::now() + self.options.resync;
        if let Some(due) = next.due {
            let wait = (due - clock::now()).to_std().unwrap_or_default();
            until = until.min(Instant::now() + wait);
        }
        until = next.at.map_or(until, |at| until.min(at));
        until = next.not_before.map_or(until, |at| at);
        let watching = next.not_before.is_none();
        tokio::select! {
            biased;
            request = self.signals.next() => match request {
                Request::Stop => {}
                Request::Reload => self.reload(),
            },
            first = self.watch.settled(), if watching => self.woken = Some(first),
            () = tokio::time::sleep_until(until) => {}
        }
    }

    /// One pass; the ledger is let go of where it failed.
    async fn pass(&mut self) -> Result<Next, reconcile::Error> {
        self.watch.arm();
        let mut ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => {
                let actor = self.options.actor.clone();
                Ledger::open(&self.config.data, actor, clock::now)?
            }
        };
        let passed = self.pass_with(&mut ledger).await;
        if !matches!(passed, Err(reconcile::Error::Ledger(_))) {
            self.ledger = Some(ledger);
        }
        passed
    }

    async fn pass_with(&mut self, ledger: &mut Ledger) -> Result<Next, reconcile::Error> {
        let began = Instant::now();
        let desired = source::load(&self.config.fleet);
        let trust = reconcile::trust(&self.config);
        let (now, settings) = (clock::now(), self.config.settings.clone());
        let basis = Basis {
            now,
            settings: &settings,
            desired: &desired,
            recorded: ledger.state(),
            trust: trust.as_ref().map_err(String::as_str),
            accept_removals: None,
        };
        let decision = decide(basis, self.provider.as_ref()).await?;
        tracing::debug!(actions = decision.approved.plan().actions.len(), "a look");
        let (decision, again) = self.hold_back(decision, ledger);
        self.told.decision(&decision, ledger.state(), again.is_none());
        let wipes = decision.approved.plan().wipes.clone();
        let effects = effects(&decision.approved);
        let standing = Standing::of(&decision.approved);
        let outcome = self.carry_out(decision, ledger).await?;
        let mended = self.learn(&effects, &outcome);
        self.told.outcome(&outcome, began.elapsed());
        self.count(&outcome, began);
        let due = self.due(now, &desired, ledger, &wipes);
        self.publish(ledger, desired, trust, standing, &outcome);
        let retry = self.backoff.next(self.elapsed()).map(|at| self.started + at);
        // Those that were spared need wait no longer.
        let at = again.into_iter().chain(retry).chain(mended.then(Instant::now)).min();
        Ok(Next { due, at, not_before: None })
    }

    fn count(&mut self, outcome: &Outcome, began: Instant) {
        let metrics = &mut self.metrics;
        metrics.passes += 1;
        metrics.pass.observe(began.elapsed());
        if let Some(woken) = self.woken.take() {
            metrics.lag.observe(woken.elapsed());
        }
        for (kind, n) in &outcome.done {
            *metrics.done.entry(*kind).or_default() += *n as u64;
        }
        metrics.failed_effects += outcome.failed.len() as u64;
    }

    /// For whoever reads beside it: nothing of it is ever changed again.
    fn publish(
        &mut self,
        ledger: &Ledger,
        desired: Desired,
        trust: Result<Trust, String>,
        mut standing: Standing,
        outcome: &Outcome,
    ) {
        if !outcome.done.is_empty() && self.options.views.is_some() {
            // What the pass has done changed what is left: provisioned devices wait by now.
            let recorded = ledger.state();
            let settings = &self.config.settings;
            let trust = trust.as_ref().map_err(String::as_str);
            let now = clock::now();
            let inputs = Inputs { now, settings, desired: &desired, recorded, heard: &[], trust };
            let left = guard(plan(&inputs), &desired, recorded, settings.limits, None);
            standing = standing.after(&left);
        }
        self.settled |= !standing.holds.contains_key(&HoldReason::Unsettled);
        let unsettled = (!self.settled).then(|| UNSETTLED.to_owned());
        self.show(|view| {
            let recorded = ledger.state();
            // A copy costs time and memory: only where something is new.
            if *view.recorded != *recorded {
                view.recorded = Arc::new(recorded.clone());
            }
            (view.desired, view.trust) = (Arc::new(desired), Arc::new(trust));
            let frozen = recorded.frozen.as_ref().map(|frozen| &frozen.why.cause);
            view.not_ready = frozen
                .map(|cause| format!("frozen: {}; {}", cause.explain(), cause.help()))
                .into_iter()
                .chain(unsettled)
                .collect();
            (view.holds, view.findings) = (standing.holds, standing.findings);
        });
    }

    fn show(&self, change: impl FnOnce(&mut View)) {
        let Some(views) = &self.options.views else { return };
        let mut view = views.borrow().next();
        view.config = Arc::new(self.config.clone());
        let now = self.elapsed();
        view.metrics = Metrics {
            watching: *self.watch.mode() == Mode::Watching,
            backing_off: self.backoff.waiting(now),
            breaker: Some(self.backoff.admission(now)),
            ..self.metrics.clone()
        };
        change(&mut view);
        views.send_replace(Arc::new(view));
    }

    /// Less than was approved: what wants a second look, and what the provider is to be spared.
    fn hold_back(&mut self, decision: Decision, ledger: &Ledger) -> (Decision, Option<Instant>) {
        let state = ledger.state();
        let unsettled = self.caution.judge(decision.approved.plan(), state, &self.config.fleet);
        let now = self.elapsed();
        let admission = self.backoff.admission(now);
        let mut probed = false;
        let decision = decision.holding(|action| {
            if let Some((why, _)) = &unsettled
                && caution::is_intent(action)
            {
                return Some((HoldReason::Unsettled, why.clone()));
            }
            if action.effect().is_none() && !matches!(action.op, Op::Wipe { .. }) {
                return None;
            }
            let spared = match admission {
                Admission::All => false,
                Admission::One => std::mem::replace(&mut probed, true),
                Admission::Nothing(_) => true,
            };
            let why = if spared {
                "the provider failed again and again; it is left alone for a while"
            } else if action.device.is_some_and(|id| self.backoff.waits(id, now).is_some()) {
                "the provider failed for this device; it is tried again later"
            } else {
                return None;
            };
            Some((HoldReason::BackingOff, why.to_owned()))
        });
        (decision, unsettled.map(|(_, again)| again))
    }

    async fn carry_out(
        &self,
        decision: Decision,
        ledger: &mut Ledger,
    ) -> Result<Outcome, reconcile::Error> {
        let revision = (!decision.approved.plan().actions.is_empty())
            .then(|| revision::of(&self.config.fleet))
            .flatten();
        let control = Control { stop: self.signals.flag(), progress: &|_, _| {}, revision };
        carry_out(decision, ledger, &self.provider, &control).await
    }

    /// Remembers whom the provider failed. What it refused for good is the plan's business.
    /// Gives whether the provider, left alone until then, is back.
    fn learn(&mut self, effects: &[DeviceId], outcome: &Outcome) -> bool {
        if outcome.left > 0 {
            return false;
        }
        let now = self.elapsed();
        let broken = self.backoff.admission(now) != Admission::All;
        let failed: BTreeSet<DeviceId> = outcome
            .failed
            .iter()
            .filter(|(_, class, _)| *class != ErrorClass::Permanent)
            .map(|(id, ..)| *id)
            .collect();
        for id in effects {
            self.backoff.record(*id, !failed.contains(id), now);
        }
        broken && self.backoff.admission(now) == Admission::All
    }

    fn due(
        &self,
        now: Timestamp,
        desired: &Desired,
        ledger: &Ledger,
        wipes: &[WipeView],
    ) -> Option<Timestamp> {
        let inputs = Inputs {
            now,
            settings: &self.config.settings,
            desired,
            recorded: ledger.state(),
            heard: &[],
            trust: Err("not asked"),
        };
        next_due(&inputs, wipes)
    }

    /// After a pass: when the next one comes, sooner or later where it failed.
    fn settle(&mut self, passed: Result<Next, reconcile::Error>) -> Next {
        match passed {
            Ok(next) => {
                if self.failures > 0 {
                    tracing::info!("it works again");
                }
                self.failures = 0;
                self.heart.ready();
                next
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                let wait = TROUBLE.wait(std::process::id(), self.failures);
                self.told.trouble(&error, wait);
                self.metrics.failed_passes += 1;
                let why = format!("{error}; {}", tell::help(&error));
                self.show(|view| view.not_ready = vec![why]);
                Next { not_before: Some(Instant::now() + wait), ..Next::default() }
            }
        }
    }

    /// Takes the configuration anew: all of it, or nothing.
    fn reload(&mut self) {
        self.heart.reloading();
        match (self.options.reload)(&self.config) {
            Ok(config) => {
                let (before, after) = (places(&self.config), places(&config));
                if before != after {
                    self.watch = Watch::new(after, self.options.pace);
                }
                self.config = config;
                tracing::info!("the configuration was read again");
            }
            Err(why) => tracing::error!(%why, "the configuration was not taken; the old one stays"),
        }
        self.heart.reloaded();
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// What a decision leaves undone, in numbers.
struct Standing {
    holds: BTreeMap<HoldReason, u64>,
    findings: u64,
}

impl Standing {
    fn of(approved: &ApprovedPlan) -> Self {
        let plan = approved.plan();
        let mut holds = BTreeMap::new();
        for hold in &plan.holds {
            *holds.entry(hold.reason).or_default() += 1;
        }
        Self { holds, findings: plan.findings.len() as u64 }
    }

    /// As a later plan has it, but for what only the daemon holds back.
    fn after(self, left: &ApprovedPlan) -> Self {
        let mut after = Self::of(left);
        for reason in [HoldReason::Unsettled, HoldReason::BackingOff] {
            after.holds.extend(self.holds.get(&reason).map(|n| (reason, *n)));
        }
        // Findings of reports that the pass has taken are in no later plan.
        Self { findings: self.findings.max(after.findings), ..after }
    }
}

/// Devices with an effect that will be tried.
fn effects(approved: &ApprovedPlan) -> Vec<DeviceId> {
    let tried = |action: &&Action| action.effect().is_some();
    approved.plan().actions.iter().filter(tried).filter_map(|action| action.device).collect()
}
