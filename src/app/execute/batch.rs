//! One batch: its intents, its effects, and what came of them.
//!
//! Only the effects need nothing of the ledger: meanwhile the intents of the next batch go into it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::calls::{CallResult, in_calls, one_call};
use super::commands::Command;
use super::control::Patience;
use super::intents::{Intents, former_users, intents, leaving_others};
use super::licenses::Licensing;
use super::outcome::Outcome;
use super::profiles;
use crate::domain::model::{DeviceId, Email};
use crate::domain::plan::effect::pushed;
use crate::domain::plan::{Action, ActionKind};
use crate::domain::state::State;
use crate::domain::state::event::{Event, ProfileFailed};
use crate::edges::ledger::{self, Draft, Ledger, Proof};
use crate::edges::provider::{Error as ProviderError, Licensed, Provider, Push, PushTarget};

/// A batch whose intents are durable.
pub(super) struct Begun {
    actions: Vec<Action>,
    licenses: Vec<Licensing>,
    pushes: Vec<Push>,
    commands: Vec<Command>,
    /// Whose devices these were before.
    former: HashMap<DeviceId, Vec<Email>>,
}

impl Begun {
    /// Logs the intents.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub(super) fn begin(
        actions: Vec<Action>,
        ledger: &mut Ledger,
        revision: Option<&Arc<str>>,
    ) -> Result<Self, ledger::Error> {
        let Intents { mut drafts, licenses, pushes, commands } =
            intents(&actions, ledger.next_seq(), revision);
        let former = former_users(&pushes, ledger.state());
        for draft in &mut drafts {
            if let (Event::ProfileIntended(push), Some(id)) = (&mut draft.event, draft.device) {
                push.former_users = former.get(&id).cloned().unwrap_or_default();
            }
        }
        ledger.append(drafts)?;
        ledger.sync()?;
        Ok(Self { actions, licenses, pushes, commands, former })
    }

    /// Whether what came of the batch before has a say in its effects: who has which license, and what
    /// devices leave behind in an MDM.
    pub(super) fn rests_on_others(&self, recorded: &State) -> bool {
        let in_mdm = recorded.profiles.values().any(|profile| profile.intune.is_some());
        in_mdm || !self.licenses.is_empty()
    }

    /// Looks up what the effects depend on, and has the provider prepare the profiles.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub(super) async fn prepare(
        self,
        ledger: &mut Ledger,
        provider: &Arc<dyn Provider>,
        patience: &Patience<'_>,
    ) -> Result<Ready, ledger::Error> {
        let Self { actions, mut licenses, pushes, commands, former } = self;
        for license in &mut licenses {
            license.look_up(ledger.state());
        }
        let (mut ready, mut not_ready) = (Vec::new(), Vec::new());
        for push in leaving_others(pushes, &former, ledger.state()) {
            if patience.is_over() {
                not_ready.push((push, Vec::new()));
                continue;
            }
            match profiles::prepare(push.intent, &push.profile, ledger, provider).await? {
                Ok(()) => ready.push(push),
                // Its devices have to wait for it.
                Err(error) => {
                    let failed = |target: &PushTarget| (target.id, Err(error.clone()));
                    let results = push.targets.iter().map(failed).collect();
                    not_ready.push((push, results));
                }
            }
        }
        let proof = ledger.prove()?;
        Ok(Ready { actions, licenses, ready, not_ready, commands, proof })
    }
}

/// A batch of which only the effects are missing.
pub(super) struct Ready {
    actions: Vec<Action>,
    licenses: Vec<Licensing>,
    /// Pushes of profiles that the provider has prepared.
    ready: Vec<Push>,
    /// Pushes that are not made, and what that means for each device.
    not_ready: Vec<(Push, Vec<CallResult>)>,
    commands: Vec<Command>,
    proof: Proof,
}

impl Ready {
    /// Has the provider do it.
    pub(super) async fn carry_out(
        self,
        provider: &Arc<dyn Provider>,
        patience: &Patience<'_>,
    ) -> Done {
        let Self { actions, licenses, ready, not_ready, commands, proof } = self;
        let mut licensed = Vec::with_capacity(licenses.len());
        // First: without a license nobody enrolls a device.
        for license in licenses {
            let results = license.carry_out(&proof, provider, patience).await;
            licensed.push((license, results));
        }
        let mut pushed = push_all(ready, &proof, provider, patience).await;
        pushed.extend(not_ready);
        let mut told = Vec::with_capacity(commands.len());
        for command in commands {
            let results = command.carry_out(&proof, provider, patience).await;
            told.push((command, results));
        }
        Done { actions, licensed, pushed, told }
    }
}

/// A batch whose effects are over: what came of them is still to be logged.
pub(super) struct Done {
    actions: Vec<Action>,
    licensed: Vec<(Licensing, Vec<CallResult<Licensed>>)>,
    pushed: Vec<(Push, Vec<CallResult>)>,
    told: Vec<(Command, Vec<CallResult>)>,
}

impl Done {
    /// Logs what came of it. Gives how many actions were carried out: those that a stop gave up are not, and
    /// their intents are in doubt.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub(super) fn end(
        self,
        ledger: &mut Ledger,
        outcome: &mut Outcome,
    ) -> Result<usize, ledger::Error> {
        let Self { actions, licensed, pushed, told } = self;
        let mut drafts = Vec::new();
        // Devices for which the provider gave no answer, by the kind of action.
        let mut given_up: Vec<(ActionKind, DeviceId)> = Vec::new();
        for (license, results) in licensed {
            let ids = license.targets.iter().map(|target| target.id);
            given_up.extend(untold(ids, &results).map(|id| (ActionKind::License, id)));
            drafts.extend(license.told(results, ledger.state(), outcome));
        }
        let of_push = [ActionKind::Push, ActionKind::Provision];
        let mut fell_short: HashSet<(ActionKind, Option<DeviceId>)> = HashSet::new();
        let before = outcome.failed.len();
        for (push, results) in pushed {
            let ids = push.targets.iter().map(|target| target.id);
            given_up.extend(untold(ids, &results).map(|id| (ActionKind::Push, id)));
            drafts
                .extend(results.into_iter().map(|(id, result)| draft(&push, id, result, outcome)));
        }
        for (id, ..) in &outcome.failed[before..] {
            fell_short.extend(of_push.map(|kind| (kind, Some(*id))));
        }
        for (command, results) in told {
            let before = outcome.failed.len();
            let ids = command.targets.iter().map(|target| target.id);
            given_up.extend(untold(ids, &results).map(|id| (command.what.kind(), id)));
            for (id, result) in results {
                drafts.extend(command.told(id, result, outcome));
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
        ledger.append(drafts)?;
        for action in &actions {
            *outcome.done.entry(action.kind()).or_default() += 1;
            if fell_short.contains(&(action.kind(), action.device())) {
                *outcome.fell_short.entry(action.kind()).or_default() += 1;
            }
        }
        Ok(actions.len() - given_up.len())
    }
}

/// Devices for which the provider gave no answer.
fn untold<R>(
    ids: impl Iterator<Item = DeviceId>,
    results: &[CallResult<R>],
) -> impl Iterator<Item = DeviceId> {
    let told: HashSet<DeviceId> = results.iter().map(|(id, _)| *id).collect();
    ids.filter(move |id| !told.contains(id))
}

/// Calls the provider within its limits, for all pushes at a time: with what came of each, in order of its
/// targets.
async fn push_all(
    pushes: Vec<Push>,
    _: &Proof,
    provider: &Arc<dyn Provider>,
    patience: &Patience<'_>,
) -> Vec<(Push, Vec<CallResult>)> {
    let limits = provider.limits();
    let parts = pushes.iter().enumerate().flat_map(|(at, push)| {
        push.targets.chunks(limits.batch.max(1)).map(move |targets| (at, push, targets))
    });
    let calls = parts.map(|(at, Push { intent, profile, .. }, targets)| {
        let call = Push { intent: *intent, profile: profile.clone(), targets: targets.to_vec() };
        let provider = provider.clone();
        async move {
            let ids = call.targets.iter().map(|target| target.id).collect();
            (at, one_call(ids, limits, provider.push(call)).await)
        }
    });
    let told = in_calls(calls, limits, patience).await;
    let mut all: Vec<_> = pushes.into_iter().map(|push| (push, Vec::new())).collect();
    for (at, told) in told {
        all[at].1.extend(told);
    }
    all
}

/// What the log says of a push to a device afterwards.
fn draft(
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
