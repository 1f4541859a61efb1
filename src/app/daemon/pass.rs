//! One pass of the daemon: what is desired and heard, the decision, and what comes of it.
//!
//! Most wake-ups name the few files that were touched. Where these hold what they held but for
//! edits of their own devices, only they are read again, and only their devices planned: that
//! takes as long in a large fleet as in a small one. It rests on a pass over everything before it
//! that left nothing open, and it is dropped for another one as soon as the decision has
//! anything to do with other files, or with wipes. What events did not tell, the next pass over
//! everything finds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::heard::LastHeard;
use super::schedule::Next;
use super::settle::Unsettled;
use super::unattended::Daemon;
use crate::app::execute::{Control, Outcome, Unlicensed};
use crate::app::notices::log::tell;
use crate::app::reconcile::{
    self, Basis, Decision, Unacknowledged, carry_out, decide, decide_on, devices_of, heads,
    needs_full_read, observe,
};
use crate::app::wiring;
use crate::domain::backoff::{Admission, Lane, Went};
use crate::domain::fleet::IncrementalFleet;
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::plan::due::next_due;
use crate::domain::plan::{Action, ActionKind, Hold, HoldReason, Inputs, NO_NEWS, Plan, WipeView};
use crate::domain::state::State;
use crate::domain::state::event::ErrorClass;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::clock;
use crate::edges::ledger::Ledger;
use crate::edges::provider::{Error as ProviderError, Observed};
use crate::edges::requests;
use crate::edges::source;
use crate::edges::source::revision;
use crate::edges::watch::Touched;

/// How soon to plan again after a wipe was not issued: it may have been the disk's fault; and where
/// more was asked for than one pass takes.
const PLAN_ANEW: Duration = Duration::from_secs(1);
/// How often the index of the fleet directory is written at most: all of it, each time.
const BETWEEN_INDEXES: Duration = Duration::from_secs(10);

impl Daemon {
    /// Looks where something was touched, or everywhere, and does what follows.
    pub(super) async fn run_pass(
        &mut self,
        touched: Touched,
        ledger: &mut Ledger,
    ) -> Result<(), reconcile::Error> {
        let began = Instant::now();
        let whole = std::mem::take(&mut self.last.whole);
        let resync = std::mem::take(&mut self.last.resync);
        let everywhere = !whole || touched.anything;
        if everywhere {
            // Before anything is looked at, reports among it: what comes from now on wakes again.
            self.watch.arm();
        }
        let trust = Arc::new(wiring::trust(&self.config));
        let same_trust = trust.version() == self.last.trust.version();
        self.last.trust = trust;
        let only = match whole {
            true if resync && same_trust && self.is_unchanged() => Some(BTreeSet::new()),
            true => self.reread(&touched, ledger),
            false => None,
        };
        let touched = Touched { reports: touched.reports || resync, ..touched };
        let hear = only.is_none() || (touched.reports && self.publication.may_hear(began));
        self.touched.reports |= touched.reports && !hear;
        let mut observed =
            if hear { self.observe(touched.reports, ledger.state()).await } else { self.unheard() };
        tell(self.notices.of_trust(&self.last.trust));
        let few = only.and_then(|only| {
            let heard = observed.clone();
            Some((self.with_basis(ledger, |basis| decide_on(&only, basis, heard))?, only))
        });
        match few {
            Some((decision, only)) => self.act(decision, Some(&only), began, ledger).await,
            None => {
                if !everywhere {
                    self.watch.arm();
                }
                let reused = self.load(ledger.state());
                if !hear {
                    let woken = std::mem::take(&mut self.touched.reports);
                    observed = self.observe(woken, ledger.state()).await;
                }
                let twice = reused.then(|| observed.clone());
                let mut decision = self.with_basis(ledger, |basis| decide(basis, observed));
                if let Some(observed) = twice
                    && needs_full_read(decision.approved.plan(), ledger.state())
                {
                    self.last.live = IncrementalFleet::new(source::load(&self.config.fleet));
                    self.last.index = None;
                    decision = self.with_basis(ledger, |basis| decide(basis, observed));
                }
                self.act(decision, None, began, ledger).await
            }
        }
    }

    /// Looks at the whole fleet directory, and gives whether something was taken from its index.
    fn load(&mut self, recorded: &State) -> bool {
        let now = Instant::now();
        let keep = self.last.kept.is_none_or(|kept| kept + BETWEEN_INDEXES <= now);
        let loaded = wiring::fleet(&self.config, keep, Some(recorded));
        if keep {
            self.last.kept = Some(now);
        }
        let reused = loaded.rests_on_index();
        let (desired, index) = loaded.keep(&wiring::cache(&self.config));
        self.last.live = IncrementalFleet::new(desired);
        self.last.index = index;
        reused
    }

    /// Whether a look at the whole fleet directory would find what the last one found: nothing is read for
    /// that. It counts as such a look.
    fn is_unchanged(&mut self) -> bool {
        let Some(index) = self.last.index else { return false };
        let cache = wiring::cache(&self.config);
        let wipes = &self.last.live.desired().wipes;
        let same = source::unchanged(&self.config.fleet, &cache, wipes) == Some(index);
        if same {
            self.last.complete_at = Instant::now();
            self.metrics.committed_at = revision::committed_at(&self.config.fleet);
        }
        same
    }

    /// What the provider has heard, if it wants to be asked now; `woken` where there is something.
    async fn observe(&mut self, woken: bool, recorded: &State) -> Result<Observed, ProviderError> {
        let now = Instant::now();
        if !self.observing.is_due(woken, now) {
            return self.observing.unasked();
        }
        if let Some(heard) = &mut self.heard {
            self.touched.reports |= woken;
            return Ok(heard.no_more());
        }
        let cursor = self.observing.cursor.as_ref();
        let observed = tokio::select! {
            biased;
            observed = observe(self.provider.as_ref(), cursor, recorded) => observed,
            // Looking changes nothing: whoever stops does not wait for it.
            () = self.signals.stop() => {
                return Err(ProviderError::new(ErrorClass::Transient, "the daemon stops"));
            }
        };
        self.observing.asked(&observed, Instant::now());
        let failed = observed.as_ref().err().map(ToString::to_string);
        let again = self.observing.next().unwrap_or(now);
        tell(self.notices.of_observing(failed, again.saturating_duration_since(now)));
        observed
    }

    /// What a pass over a few devices goes by that does not ask: that there may be more, where reports wait.
    fn unheard(&self) -> Result<Observed, ProviderError> {
        let wait = self.touched.reports || self.heard.is_some();
        let unasked = self.observing.unasked()?;
        Ok(Observed { complete: !wait, ..unasked })
    }

    /// Reads the files that were touched: the devices in them, if nothing else can be concerned.
    fn reread(&mut self, touched: &Touched, ledger: &Ledger) -> Option<BTreeSet<DeviceId>> {
        let Touched { anything, files, reports: _, requests: _ } = touched;
        if *anything {
            return None;
        }
        let serials = source::reread(&self.config.fleet, files, &mut self.last.live)?;
        devices_of(&serials, ledger.state())
    }

    /// What is made of all that a decision depends on besides the observation.
    fn with_basis<T>(&self, ledger: &Ledger, decide: impl FnOnce(Basis<'_>) -> T) -> T {
        let (desired, recorded) = (self.last.live.desired(), ledger.state());
        let log = wiring::ledger(&self.config);
        let basis = Basis {
            now: clock::now(),
            settings: &self.config.settings,
            desired,
            recorded,
            requests: &requests::read(&self.config.data),
            trust: &self.last.trust,
            accept_removals: None,
            heads: &heads(log.as_ref(), desired, recorded),
            clock: log.highest_time(),
            only: None,
        };
        decide(basis)
    }

    /// Does what was decided, as far as it may be done now.
    async fn act(
        &mut self,
        decision: Decision,
        only: Option<&BTreeSet<DeviceId>>,
        began: Instant,
        ledger: &mut Ledger,
    ) -> Result<(), reconcile::Error> {
        tracing::debug!(
            actions = decision.approved.plan().actions.len(),
            everything = only.is_none(),
            "reconciliation decides"
        );
        // Not the time by now: what became due since then is still to be decided on.
        let now = decision.made;
        // Before anything is held back that `plan` would not hold.
        let settled_on = decision.only_holds().filter(|_| only.is_none()).map(<[Hold]>::to_vec);
        let (decision, unsettled) = self.hold_back(decision, ledger);
        let settled = unsettled.as_ref().is_none_or(|unsettled| !unsettled.holds_all());
        tell(self.notices.of_decision(&decision, ledger.state(), settled, now));
        let Plan { wipes, holds, findings, .. } = decision.approved.plan();
        let wipes = wipes.clone();
        self.last.findings = findings.len() as u64;
        if only.is_none() {
            self.last.complete_at = Instant::now();
            self.metrics.committed_at = revision::committed_at(&self.config.fleet);
            self.last.held_back = held_back(holds.iter().map(|hold| hold.reason));
        }
        let effects = effects(&decision.approved.plan().actions);
        // Deadlines begin with what a device reports, too.
        let concerned = only.map(|only| concerned(only, decision.approved.plan()));
        let idle = decision.is_empty();
        let unobserved = decision.unobserved().is_some();
        let (reports, more) = (decision.reports(), decision.has_more());
        let rest = decision.has_more_requests().then_some(PLAN_ANEW);
        let (outcome, heard) = self.carry_out(decision, ledger).await?;
        if only.is_none() {
            self.last.live.share(ledger.state());
        }
        let back = self.learn(&effects, &outcome);
        tell(self.notices.of_outcome(&outcome, began.elapsed()));
        self.count(&outcome, began);
        self.alert(ledger, &outcome, concerned.as_ref(), (&wipes, !settled))?;
        self.touched.reports |= more;
        let due = self.due(now, concerned.as_ref(), ledger, &wipes);
        // Deadlines that may have been met wait until more is heard.
        let left_open = self.heard.as_ref().is_some_and(|heard| heard.left_open);
        let index = self.last.index.filter(|_| ledger.is_saved() && !left_open);
        if let Some((holds, index)) = settled_on.zip(index) {
            let basis = (&self.config, &*self.last.trust);
            reconcile::keep(basis, (&holds, index), ledger.state(), (now, due));
        }
        let due = due.filter(|_| !left_open);
        let due = [due, self.next.due.filter(|_| only.is_some())].into_iter().flatten().min();
        let retry = self.backoff.next(self.elapsed()).map(|at| self.started + at);
        let waits_for_git = unsettled.as_ref().is_some_and(|unsettled| unsettled.for_git);
        let look = unsettled.as_ref().map(|unsettled| unsettled.again);
        let (git, again) = if waits_for_git { (look, None) } else { (None, look) };
        // What was planned and did not hold any more: the next plan says what becomes of it.
        let planned_anew = (!outcome.not_issued.is_empty()).then(|| Instant::now() + PLAN_ANEW);
        // Those that the provider was spared need wait no longer once it is back.
        let asked = self.observing.next().filter(|at| !left_open || *at > Instant::now());
        let rest = rest.map(|wait| Instant::now() + wait);
        let at = [again, retry, asked, back.then(Instant::now), planned_anew, rest]
            .into_iter()
            .flatten()
            .min();
        self.next = Next { due, at, git, not_before: None };
        match unsettled {
            Some(Unsettled { why, .. }) => {
                self.last.waiting = self.last.waiting.take().map(|_| why);
            }
            None => self.last.begun = true,
        }
        let open = look.is_some()
            || unobserved
            || planned_anew.is_some()
            || outcome.left > 0
            || ledger.state().frozen.is_some();
        self.last.whole = !open;
        if let Some(heard) = heard {
            self.heard = Some(LastHeard::new(heard, reports));
            self.publication.begin(began, more);
        } else if !idle || only.is_none_or(|only| !only.is_empty()) {
            // Holds and their places may have changed with a manifest that leads to no action.
            self.publication.want();
        }
        self.publish_numbers(ledger.state());
        Ok(())
    }

    /// Whose signatures count for wipes, or why nobody's do; before the first pass nothing is read yet.
    pub(super) fn trust_state(&self) -> &TrustState {
        let configured = self.config.trust.is_configured();
        if configured { &self.last.trust } else { &TrustState::NotConfigured }
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
        for (kind, n) in &outcome.fell_short {
            *metrics.fell_short.entry(*kind).or_default() += *n as u64;
        }
    }

    /// Holds back actions that a second pass must find too, and effects while the provider backs off.
    fn hold_back(&mut self, decision: Decision, ledger: &Ledger) -> (Decision, Option<Unsettled>) {
        let state = ledger.state();
        let (plan, desired) = (decision.approved.plan(), self.last.live.desired());
        let unsettled = self.settling.judge(plan, desired, state, &self.config.fleet);
        let now = self.elapsed();
        let admission = self.backoff.admission(now);
        let mut probed = false;
        let decision = decision.holding(|action| {
            if let Some(unsettled) = &unsettled
                && unsettled.holds(action)
            {
                return Some((HoldReason::Unsettled, unsettled.why.clone()));
            }
            action.effect()?;
            let spared = match admission {
                Admission::All => false,
                Admission::One => std::mem::replace(&mut probed, true),
                Admission::Nothing(_) => true,
            };
            let why = if spared {
                "the provider failed repeatedly; calls to it are paused for a while"
            } else if action
                .device()
                .is_some_and(|id| self.backoff.waits((id, lane(action)), now).is_some())
            {
                "the provider failed for this device; it is tried again later"
            } else {
                return None;
            };
            Some((HoldReason::BackingOff, why.to_owned()))
        });
        (decision, unsettled)
    }

    async fn carry_out(
        &self,
        decision: Decision,
        ledger: &mut Ledger,
    ) -> Result<(Outcome, Option<Unacknowledged>), reconcile::Error> {
        let revision = (!decision.approved.plan().actions.is_empty())
            .then(|| revision::of(&self.config.fleet))
            .flatten();
        let config = &self.config;
        let control = Control {
            stop: self.signals.flag(),
            progress: &|_, _| {},
            revision,
            reread: &|file| reconcile::reread_by(config, file),
        };
        carry_out(decision, ledger, &self.provider, &control).await
    }

    /// Counts failed effects, so that they back off. What the provider refused for good is held
    /// by the plan.
    /// Gives whether the provider, left alone until then, is back.
    fn learn(&mut self, effects: &[(DeviceId, Lane)], outcome: &Outcome) -> bool {
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
        let mut licenses: BTreeMap<DeviceId, Went> = BTreeMap::new();
        for Unlicensed { device, class, answered, .. } in &outcome.unlicensed {
            let went = if *answered { Went::Denied } else { Went::Failed };
            let worst = licenses.entry(*device).or_insert(went);
            if went == Went::Failed && *class != ErrorClass::Permanent {
                *worst = went;
            }
        }
        let untried = |id: &&DeviceId| outcome.not_issued.iter().all(|(other, _)| other != *id);
        for (id, lane) in effects.iter().filter(|(id, _)| untried(&id)) {
            let went = match lane {
                Lane::Commands if failed.contains(id) => Went::Failed,
                Lane::Commands => Went::Well,
                Lane::Licenses => licenses.get(id).copied().unwrap_or(Went::Well),
            };
            self.backoff.record((*id, *lane), went, now);
        }
        broken && self.backoff.admission(now) == Admission::All
    }

    fn due(
        &self,
        now: Timestamp,
        only: Option<&BTreeSet<DeviceId>>,
        ledger: &Ledger,
        wipes: &[WipeView],
    ) -> Option<Timestamp> {
        let recorded = ledger.state();
        let inputs = Inputs {
            now,
            settings: &self.config.settings,
            desired: self.last.live.desired(),
            recorded,
            heard: &[],
            news: &NO_NEWS,
            requests: &[],
            trust: &TrustState::NotConfigured,
            heads: &[],
            clock: wiring::ledger(&self.config).highest_time(),
        };
        match only {
            None => next_due(&inputs, recorded.devices.values(), wipes),
            Some(only) => {
                let devices = only.iter().filter_map(|id| recorded.devices.get(id));
                next_due(&inputs, devices, wipes)
            }
        }
    }
}

/// How often a reason of the daemon's own is among these.
fn held_back(reasons: impl Iterator<Item = HoldReason>) -> BTreeMap<HoldReason, u64> {
    let own = [HoldReason::Unsettled, HoldReason::BackingOff];
    let mut counts = BTreeMap::new();
    for reason in reasons.filter(|reason| own.contains(reason)) {
        *counts.entry(reason).or_default() += 1;
    }
    counts
}

/// The devices that a pass over some of them is about: also those that were heard from.
fn concerned(only: &BTreeSet<DeviceId>, plan: &Plan) -> BTreeSet<DeviceId> {
    let heard = plan.telemetry.iter().map(|said| said.device);
    let moved = plan.actions.iter().filter_map(|action| action.device());
    only.iter().copied().chain(heard).chain(moved).collect()
}

/// What of devices has an effect that will be tried.
fn effects(actions: &[Action]) -> Vec<(DeviceId, Lane)> {
    let tried = |action: &&Action| action.effect().is_some();
    let of = |action: &Action| Some((action.device()?, lane(action)));
    actions.iter().filter(tried).filter_map(of).collect()
}

fn lane(action: &Action) -> Lane {
    match action.kind() {
        ActionKind::License => Lane::Licenses,
        _ => Lane::Commands,
    }
}
