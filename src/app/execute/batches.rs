//! Batch after batch: intents, effects, outcomes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use compact_str::CompactString;

use super::calls::{CallResult, in_calls, one_call};
use super::commands::{Command, What};
use super::control::{Control, Patience};
use super::licenses::Licensing;
use super::outcome::Outcome;
use super::profiles::{self, Leaving};
use super::wipes;
use crate::domain::guard::ApprovedPlan;
use crate::domain::model::{DeviceId, Digest, Email, Profile};
use crate::domain::plan::effect::{Effect, pushed};
use crate::domain::plan::{Action, ActionKind, Telemetry};
use crate::domain::state::State;
use crate::domain::state::event::{Event, ProfileFailed, Source};
use crate::edges::ledger::{self, Draft, Ledger, Proof};
use crate::edges::provider::{
    Error as ProviderError, LicenseTarget, Provider, Push, PushTarget, Target,
};

/// Actions between two fsyncs of the log: enough that the fsync (4 ms) does not count, few
/// enough that a stop is quick.
const BATCH: usize = 4096;

/// Does what the plan says, and takes its telemetry in.
///
/// # Errors
/// If the log cannot be written; what is durable by then is carried on by the next pass.
pub(crate) async fn execute(
    approved: ApprovedPlan,
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
    control: &Control<'_>,
) -> Result<Outcome, ledger::Error> {
    let plan = approved.into_plan();
    let mut telemetry = plan.telemetry.as_slice();
    let total = plan.actions.len();
    let mut outcome = Outcome::default();
    let mut begun = 0;
    let patience = Patience::new(control.stop);
    let going_on = wipes::going_on(&plan.wipes);
    for batch in batches(plan.actions) {
        if control.stop.load(Ordering::Relaxed) {
            break;
        }
        // What a device said goes in with its actions: were it taken in ahead of a stop, its
        // report would be old news to the next pass, and what follows from it be lost.
        let last = batch.last().and_then(|action| action.device());
        let due = telemetry.partition_point(|said| Some(said.device) <= last);
        observe(telemetry.split_off(..due).unwrap_or_default(), ledger);
        begun += batch.len();
        match batch.as_slice() {
            [action] if goes_alone(action) => match action.effect() {
                Some(Effect::Restore { profile }) => {
                    profiles::restore(action, profile, ledger, provider, &mut outcome).await?;
                }
                _ => {
                    let issuing = wipes::Issuing { provider, control, going_on: &going_on };
                    issuing.run(action, ledger, &mut outcome).await?;
                }
            },
            batch => {
                let given_up =
                    run_batch(batch, ledger, provider, control, &patience, &mut outcome).await?;
                begun -= given_up;
            }
        }
        (control.progress)(begun, total);
    }
    ledger.sync()?;
    outcome.left = total - begun;
    if outcome.left == 0 {
        observe(telemetry, ledger);
    }
    Ok(outcome)
}

fn observe(telemetry: &[Telemetry], ledger: &mut Ledger) {
    for Telemetry { device, last, passed_over } in telemetry {
        if let Some((at, facts)) = last {
            ledger.observe(*device, *at, facts);
        }
        ledger.pass_over(*device, *passed_over);
    }
}

/// All actions in their order, in batches of their own, so that each is freed once it is
/// done: the record grows into the memory that the plan leaves.
fn batches(mut actions: Vec<Action>) -> impl Iterator<Item = Vec<Action>> {
    let mut begins = vec![0];
    while let Some(end) = begins.last().map(|begin| batch_end(&actions, *begin))
        && end < actions.len()
    {
        begins.push(end);
    }
    let mut split = |begin| {
        let batch = actions.split_off(begin);
        actions.shrink_to_fit();
        batch
    };
    let mut batches: Vec<_> = begins.into_iter().rev().map(&mut split).collect();
    std::iter::from_fn(move || batches.pop()).filter(|batch| !batch.is_empty())
}

/// Whether it is a batch of its own: all that has to do with orders to erase, and what is about no
/// device.
fn goes_alone(action: &Action) -> bool {
    matches!(
        action.effect(),
        Some(Effect::Wipe { .. } | Effect::Withdraw { .. } | Effect::Restore { .. })
    )
}

/// A batch ends where a device's actions end, so that a stop leaves no device half done, and
/// before and after what goes alone.
fn batch_end(actions: &[Action], begin: usize) -> usize {
    let full = (begin + BATCH).min(actions.len());
    if let Some(alone) = actions[begin..full].iter().position(goes_alone) {
        return begin + alone.max(1);
    }
    let mut end = full;
    while end < actions.len()
        && !goes_alone(&actions[end])
        && actions[end].device().is_some()
        && actions[end].device() == actions[end - 1].device()
    {
        end += 1;
    }
    end
}

/// Gives how many of its actions a stop gave up: their intents are in doubt.
async fn run_batch(
    batch: &[Action],
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
    control: &Control<'_>,
    patience: &Patience<'_>,
    outcome: &mut Outcome,
) -> Result<usize, ledger::Error> {
    let Intents { mut drafts, licenses, pushes, commands } =
        intents(batch, ledger.next_seq(), control.revision.as_ref());
    let former = former_users(&pushes, ledger.state());
    for draft in &mut drafts {
        if let (Event::ProfileIntended(push), Some(id)) = (&mut draft.event, draft.device) {
            push.former_users = former.get(&id).cloned().unwrap_or_default();
        }
    }
    ledger.append(drafts)?;
    ledger.sync()?;
    let pushes = leaving_others(pushes, &former, ledger.state());
    let mut outcomes = Vec::new();
    // Devices for which the provider gave no answer, by the kind of action.
    let mut given_up: Vec<(ActionKind, DeviceId)> = Vec::new();
    // First: without a license nobody enrolls a device.
    for license in licenses {
        let proof = ledger.prove()?;
        let results = license.carry_out(proof, provider, patience, ledger.state()).await;
        let ids = license.targets.iter().map(|target| target.id);
        given_up.extend(untold(ids, &results).map(|id| (ActionKind::License, id)));
        outcomes.extend(license.told(results, ledger.state(), outcome));
    }
    let of_push = [ActionKind::Push, ActionKind::Provision];
    let before = outcome.failed.len();
    for push in pushes {
        let ids = push.targets.iter().map(|target| target.id);
        if patience.is_over() {
            given_up.extend(ids.map(|id| (ActionKind::Push, id)));
            continue;
        }
        match profiles::prepare(push.intent, &push.profile, ledger, provider).await? {
            Ok(()) => {
                let proof = ledger.prove()?;
                let results = carry_out(&push, proof, provider, patience).await;
                given_up.extend(untold(ids, &results).map(|id| (ActionKind::Push, id)));
                for (id, result) in results {
                    outcomes.push(told(&push, id, result, outcome));
                }
            }
            // Its devices have to wait for it.
            Err(error) => {
                for target in &push.targets {
                    outcomes.push(told(&push, target.id, Err(error.clone()), outcome));
                }
            }
        }
    }
    let mut fell_short: HashSet<(ActionKind, Option<DeviceId>)> = HashSet::new();
    for (id, ..) in &outcome.failed[before..] {
        fell_short.extend(of_push.map(|kind| (kind, Some(*id))));
    }
    for command in commands {
        let proof = ledger.prove()?;
        let before = outcome.failed.len();
        let results = command.carry_out(proof, provider, patience).await;
        let ids = command.targets.iter().map(|target| target.id);
        given_up.extend(untold(ids, &results).map(|id| (command.what.kind(), id)));
        for (id, result) in results {
            outcomes.extend(command.told(id, result, outcome));
        }
        let failed = outcome.failed[before..].iter();
        fell_short.extend(failed.map(|(id, ..)| (command.what.kind(), Some(*id))));
    }
    for (kind, id) in &given_up {
        let kinds =
            if *kind == ActionKind::Push { &of_push[..] } else { std::slice::from_ref(kind) };
        fell_short.extend(kinds.iter().map(|kind| (*kind, Some(*id))));
    }
    // Proves the ledger once more, also where there is nothing to log: what was in its place during
    // an effect is found now, and not at the next one.
    ledger.append(outcomes)?;
    for action in batch {
        *outcome.done.entry(action.kind()).or_default() += 1;
        if fell_short.contains(&(action.kind(), action.device())) {
            *outcome.fell_short.entry(action.kind()).or_default() += 1;
        }
    }
    Ok(given_up.len())
}

/// Devices for which the provider gave no answer.
fn untold<R>(
    ids: impl Iterator<Item = DeviceId>,
    results: &[CallResult<R>],
) -> impl Iterator<Item = DeviceId> {
    let told: HashSet<DeviceId> = results.iter().map(|(id, _)| *id).collect();
    ids.filter(move |id| !told.contains(id))
}

/// What the log says before the effects, and the effects.
#[derive(Default)]
struct Intents {
    drafts: Vec<Draft>,
    licenses: Vec<Licensing>,
    pushes: Vec<Push>,
    commands: Vec<Command>,
}

/// What an action asks of the provider, of many devices at a time.
#[derive(Debug, Clone, Copy)]
enum Order<'a> {
    License { sku: &'a CompactString, user: &'a Email },
    Push(&'a Arc<Profile>),
    Command(What),
}

impl<'a> Order<'a> {
    /// With the intent to finish, where there is one.
    fn of(action: &'a Action) -> Option<(Self, Option<u64>)> {
        match action.effect()? {
            Effect::License { sku, user, resume } => Some((Self::License { sku, user }, resume)),
            Effect::Push { profile, resume } => Some((Self::Push(profile), resume)),
            Effect::Sync { resume } => Some((Self::Command(What::Sync), resume)),
            Effect::Access { blocked, resume } => {
                Some((Self::Command(What::Access { blocked }), resume))
            }
            Effect::Wipe { .. } | Effect::Withdraw { .. } | Effect::Restore { .. } => None,
        }
    }

    fn key(self) -> Key<'a> {
        match self {
            Self::License { sku, user: _ } => Key::License(sku),
            Self::Push(profile) => Key::Push(profile.digest),
            Self::Command(what) => Key::Command(what),
        }
    }
}

/// Orders that are the same for all of their devices go out under one intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'a> {
    License(&'a str),
    Push(Digest),
    Command(What),
}

/// One call for each license and intent, one push for each profile and intent, and one command for each kind and intent. The number of a
/// new intent is that of the first entry that announces it.
fn intents(batch: &[Action], next_seq: u64, revision: Option<&Arc<str>>) -> Intents {
    let mut intents = Intents { drafts: Vec::with_capacity(batch.len()), ..Intents::default() };
    let mut numbers: HashMap<Key<'_>, u64> = HashMap::new();
    let mut calls: HashMap<(u64, Key<'_>), usize> = HashMap::new();
    for action in batch {
        let seq = next_seq + intents.drafts.len() as u64;
        let order = Order::of(action);
        let intent = order.map_or(seq, |(order, resume)| {
            resume.unwrap_or_else(|| *numbers.entry(order.key()).or_insert(seq))
        });
        let source: Option<Source> = action.source(revision);
        if let Some(event) = action.event(intent) {
            intents.drafts.push(Draft { device: action.device(), source, event });
        }
        let (Some((order, _)), Some(id), Some(spec)) = (order, action.device(), action.spec())
        else {
            continue;
        };
        let place = calls.entry((intent, order.key()));
        match order {
            Order::License { sku, user } => {
                let at = *place.or_insert_with(|| {
                    let sku = sku.clone();
                    intents.licenses.push(Licensing { intent, sku, targets: Vec::new() });
                    intents.licenses.len() - 1
                });
                let (serial, user) = (spec.serial_number.clone(), user.clone());
                let target = LicenseTarget { id, serial, user, given: false };
                intents.licenses[at].targets.push(target);
            }
            Order::Push(profile) => {
                let at = *place.or_insert_with(|| {
                    let profile: Arc<Profile> = profile.clone();
                    intents.pushes.push(Push { intent, profile, targets: Vec::new() });
                    intents.pushes.len() - 1
                });
                let (spec, leaves, former_users) = (spec.clone(), Vec::new(), Vec::new());
                intents.pushes[at].targets.push(PushTarget { id, spec, leaves, former_users });
            }
            Order::Command(what) => {
                let at = *place.or_insert_with(|| {
                    intents.commands.push(Command { intent, what, targets: Vec::new() });
                    intents.commands.len() - 1
                });
                let serial = spec.serial_number.clone();
                intents.commands[at].targets.push(Target { id, serial });
            }
        }
    }
    intents
}

/// Whose devices these were, before the intents are recorded: only of those that get another user now,
/// or got one by a push that did not come to its end.
fn former_users(pushes: &[Push], recorded: &State) -> HashMap<DeviceId, Vec<Email>> {
    let mut former = HashMap::new();
    for Push { profile, targets, intent: _ } in pushes {
        // Without objects in an MDM there is nothing to leave.
        for target in targets.iter().filter(|_| profile.intune.is_some()) {
            let Some(device) = recorded.devices.get(&target.id) else { continue };
            let mut users = device.push.progress.former_users.to_vec();
            users.push(device.spec.user_email.clone());
            // In the eyes of an MDM, addresses in other letters are the same.
            let is = &target.spec.user_email;
            users.retain(|was| !was.as_str().eq_ignore_ascii_case(is.as_str()));
            users.sort();
            users.dedup();
            if !users.is_empty() {
                former.insert(target.id, users);
            }
        }
    }
    former
}

/// With the profiles that their devices and users leave behind, by what is recorded now.
fn leaving_others(
    mut pushes: Vec<Push>,
    former: &HashMap<DeviceId, Vec<Email>>,
    recorded: &State,
) -> Vec<Push> {
    if pushes.is_empty() {
        return pushes;
    }
    let leaving = Leaving::new(recorded);
    for target in pushes.iter_mut().flat_map(|push| &mut push.targets) {
        target.leaves = leaving.of(&target.spec);
        let former = former.get(&target.id).into_iter().flatten();
        target.former_users = former.map(|email| leaving.former(email)).collect();
    }
    pushes
}

/// Calls the provider within its limits; in order of the targets.
async fn carry_out(
    push: &Push,
    _: Proof,
    provider: &Arc<dyn Provider>,
    patience: &Patience<'_>,
) -> Vec<CallResult> {
    let limits = provider.limits();
    let call = |targets: Vec<PushTarget>| {
        let call = Push { intent: push.intent, profile: push.profile.clone(), targets };
        let provider = provider.clone();
        async move {
            let ids = call.targets.iter().map(|target| target.id).collect();
            one_call(ids, limits, provider.push(call)).await
        }
    };
    in_calls(&push.targets, limits, patience, call).await
}

fn told(
    push: &Push,
    id: DeviceId,
    result: Result<(), ProviderError>,
    outcome: &mut Outcome,
) -> Draft {
    let event = match result {
        Ok(()) => Event::ProfilePushed(pushed(&push.profile, push.intent)),
        Err(ProviderError { class, message, .. }) => {
            outcome.failed.push((id, class, message.clone()));
            Event::ProfileFailed(ProfileFailed { intent: push.intent, class, error: message })
        }
    };
    Draft { device: Some(id), source: None, event }
}
