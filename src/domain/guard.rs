//! The safety veto over a plan (docs/concepts.md): absence never destroys.
//!
//! When the fleet directory is missing, empty or suddenly much smaller, every intent and every
//! deadline is refused. Only what devices report goes through, and what somebody asks them to
//! report. There is no switch that skips the guard: an operator names the number of removals, and
//! the log keeps it.
//! [`ApprovedPlan`] has no other constructor than [`guard`].

use crate::domain::fleet::Desired;
use crate::domain::model::{DeviceId, Digest};
use crate::domain::plan::{
    Action, Cause, Hold, HoldReason, Op, Plan, Subject, digest, shared_detail,
};
use crate::domain::settings::FreezeLimits;
use crate::domain::state::State;
use crate::domain::state::event::{FreezeCause, PassFrozen};

/// A plan that may be carried out as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovedPlan {
    plan: Plan,
    refusal: Option<Refusal>,
    digest: Digest,
}

/// What the guard refused, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub(crate) why: PassFrozen,
    /// What is wrong with the fleet directory, where it cannot be read.
    pub(crate) missing: Option<String>,
    /// How many actions it withheld.
    pub(crate) withheld: usize,
    /// The number given with `--accept-removals`, if it was not the number of removals.
    pub(crate) named: Option<u64>,
}

impl Refusal {
    /// How many devices would have been orphaned.
    #[must_use]
    pub(crate) fn removed(&self) -> u64 {
        self.why.removed
    }
}

impl ApprovedPlan {
    /// What is to be done, and what is not.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
    /// Why actions were withheld, if the guard froze the fleet.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
    /// What a person approves of: a SHA-256 over the actions, without their places and reasons.
    #[must_use]
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }
    /// Less of the same plan: actions for which `why` has a reason become holds, and where that is a push,
    /// so does what would make the next plan forget that it is due.
    #[must_use]
    pub(crate) fn holding(
        mut self,
        mut why: impl FnMut(&Action) -> Option<(HoldReason, String)>,
    ) -> Self {
        let mut kept: Vec<Action> = Vec::with_capacity(self.plan.actions.len());
        let before = self.plan.holds.len();
        let mut waiting: Option<WaitingPush> = None;
        for action in std::mem::take(&mut self.plan.actions) {
            waiting = waiting.filter(|push| Some(push.device) == action.device());
            let found = why(&action).or_else(|| {
                let push = waiting.as_ref().filter(|push| push.holds(&action))?;
                Some((push.reason, push.detail.clone()))
            });
            let Some((reason, detail)) = found else {
                kept.push(action);
                continue;
            };
            if let (Op::Push { .. }, Some(device)) = (&action.op, action.device()) {
                let from = due_with(&kept, device);
                let first = kept.get(from);
                let enrolls = first.is_some_and(|first| matches!(first.op, Op::Status { .. }));
                for action in kept.drain(from..) {
                    hold(&mut self.plan, action, reason, detail.clone());
                }
                waiting = Some(WaitingPush { device, reason, detail: detail.clone(), enrolls });
            }
            hold(&mut self.plan, action, reason, detail);
        }
        self.plan.actions = kept;
        if self.plan.holds.len() > before {
            self.plan.holds.sort();
            self.digest = digest(&self.plan.actions);
        }
        self
    }
    /// With nothing to do.
    #[must_use]
    pub(crate) fn idle() -> Self {
        approve(Plan::default(), None)
    }
    /// The same, with what is held of devices that it is not about.
    #[must_use]
    pub(crate) fn beside(mut self, holds: Vec<Hold>) -> Self {
        self.plan.holds.extend(holds);
        self.plan.holds.sort();
        self
    }
    /// What is held, if there is nothing to do, to refuse, to find or to tell besides.
    #[must_use]
    pub(crate) fn only_holds(&self) -> Option<&[Hold]> {
        let Plan {
            actions,
            holds,
            findings,
            telemetry,
            wipes,
            rejected,
            held_requests,
            refused_requests,
            notes,
        } = &self.plan;
        let nothing = actions.is_empty()
            && findings.is_empty()
            && telemetry.is_empty()
            && wipes.is_empty()
            && rejected.is_empty()
            && held_requests.is_empty()
            && refused_requests.is_empty()
            && notes.is_empty();
        (nothing && self.refusal.is_none()).then_some(holds)
    }
    /// Gives the plan out for execution, once.
    #[must_use]
    pub fn into_plan(self) -> Plan {
        self.plan
    }
}

/// Approves what may be done of a plan; `accepted` is the number of removals that an operator
/// named.
#[must_use]
pub fn guard(
    mut plan: Plan,
    desired: &Desired,
    recorded: &State,
    limits: FreezeLimits,
    accepted: Option<u64>,
) -> ApprovedPlan {
    let frozen = recorded.frozen.as_ref().map(|frozen| frozen.why.cause);
    let Some(why) = implausible(&plan, desired, recorded, limits) else {
        if frozen.is_some() {
            thaw(&mut plan, None);
        }
        return approve(plan, None);
    };
    // Nobody can accept what nobody has seen: a directory that cannot be read proves no removal.
    if accepted == Some(why.removed) && why.cause != FreezeCause::Missing {
        thaw(&mut plan, accepted);
        if frozen.is_none() {
            plan.actions.insert(0, freeze(why));
        }
        return approve(plan, None);
    }
    let withheld = withhold(&mut plan, &why);
    if frozen != Some(why.cause) {
        plan.actions.insert(0, freeze(why.clone()));
    }
    let missing = desired.missing.clone();
    approve(plan, Some(Refusal { why, missing, withheld, named: accepted }))
}

fn approve(plan: Plan, refusal: Option<Refusal>) -> ApprovedPlan {
    let digest = digest(&plan.actions);
    ApprovedPlan { plan, refusal, digest }
}

/// Why the fleet directory cannot be what its owners want.
fn implausible(
    plan: &Plan,
    desired: &Desired,
    recorded: &State,
    limits: FreezeLimits,
) -> Option<PassFrozen> {
    let removed =
        plan.actions.iter().filter(|action| matches!(action.op, Op::Orphan)).count() as u64;
    if removed == 0 && desired.missing.is_none() && desired.device_documents > 0 {
        // Counting 100,000 devices takes longer than planning one.
        return None;
    }
    let of = recorded.active().count() as u64;
    let nothing_at_all = desired.profiles.is_empty() && desired.unusable.is_empty();
    let empty = desired.device_documents == 0
        && (of > 0 || (recorded.devices.is_empty() && nothing_at_all));
    let shrunken = shrinks_too_much(removed, of, limits);
    let cause = if desired.missing.is_some() {
        FreezeCause::Missing
    } else if empty {
        FreezeCause::Empty
    } else if shrunken {
        FreezeCause::Shrunken
    } else {
        return None;
    };
    Some(PassFrozen { cause, removed, of })
}

fn shrinks_too_much(removed: u64, of: u64, limits: FreezeLimits) -> bool {
    of >= limits.min_fleet && removed * 100 > u64::from(limits.max_removed_percent) * of
}

/// What the guard would say of a change of the manifests that removes so many devices, where all of
/// those that `was` had are recorded and none of them is orphaned; `is` are the devices that are left.
#[must_use]
pub(crate) fn would_freeze(
    removed: u64,
    was: u64,
    is: u64,
    limits: FreezeLimits,
) -> Option<PassFrozen> {
    let cause = if is == 0 {
        FreezeCause::Empty
    } else if shrinks_too_much(removed, was, limits) {
        FreezeCause::Shrunken
    } else {
        return None;
    };
    Some(PassFrozen { cause, removed, of: was })
}

/// Turns what is neither a fact nor asked for by command into holds; how many actions that were.
fn withhold(plan: &mut Plan, why: &PassFrozen) -> usize {
    let before = plan.actions.len();
    let goes_through = |action: &Action| matches!(action.cause, Cause::Fact | Cause::Request);
    let (through, refused): (Vec<Action>, Vec<Action>) =
        std::mem::take(&mut plan.actions).into_iter().partition(goes_through);
    plan.actions = through;
    for action in refused {
        let detail = format!("{}: {}", action.kind().undone(), why.cause.explain());
        hold(plan, action, HoldReason::Frozen, detail);
    }
    plan.holds.sort();
    before - plan.actions.len()
}

/// A push that waits, while the rest of its device's actions is looked at.
struct WaitingPush {
    device: DeviceId,
    reason: HoldReason,
    detail: String,
    /// Whether the device enrolls again with it: whatever comes after that rests on it.
    enrolls: bool,
}

impl WaitingPush {
    /// Whether this action of its device waits with it.
    fn holds(&self, action: &Action) -> bool {
        self.enrolls || matches!(action.op, Op::Update { .. })
    }
}

/// Where in the actions before a push that begins without which it would not be due: that the device
/// enrolls again, or what its manifest says now.
fn due_with(before: &[Action], device: DeviceId) -> usize {
    let since = before.iter().rposition(|action| action.device() != Some(device));
    let own = since.map_or(0, |since| since + 1);
    let begins = |action: &Action| {
        matches!(action.op, Op::Update { .. } | Op::Status { enrollment: Some(_), .. })
    };
    before[own..].iter().position(begins).map_or(before.len(), |at| own + at)
}

fn hold(plan: &mut Plan, action: Action, reason: HoldReason, detail: String) {
    // Whoever asked for it is not forgotten.
    if let (Op::Sync { request, .. }, Some(id)) = (&action.op, action.device()) {
        plan.held_requests.insert((request.origin.clone(), id));
    }
    let spec = action.spec();
    let held = Hold {
        device: action.device(),
        serial: spec.map(|spec| spec.serial_number.clone()),
        name: spec.map(|spec| spec.name.clone()),
        detail: shared_detail(detail, &plan.holds),
        place: action.place,
        reason,
    };
    plan.holds.push(held);
}

fn freeze(why: PassFrozen) -> Action {
    by_guard(why.cause.explain(), Op::Freeze(why))
}

fn thaw(plan: &mut Plan, accepted_removals: Option<u64>) {
    let reason = match accepted_removals {
        Some(_) => "an operator accepted the removals",
        None => "the fleet directory is plausible again",
    };
    plan.actions.insert(0, by_guard(reason, Op::Thaw { accepted_removals }));
}

fn by_guard(reason: &'static str, op: Op) -> Action {
    Action { subject: Subject::Fleet, op, place: None, cause: Cause::Guard, reason: reason.into() }
}
