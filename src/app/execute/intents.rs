//! What a batch of actions has the provider do, and what the log says before.

use std::collections::HashMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::commands::{Command, What};
use super::licenses::Licensing;
use super::profiles::Leaving;
use crate::domain::model::{DeviceId, Digest, Email, Profile};
use crate::domain::plan::effect::Effect;
use crate::domain::plan::{Action, ActionKind, Op};
use crate::domain::state::State;
use crate::domain::state::event::Source;
use crate::edges::ledger::Draft;
use crate::edges::provider::{LicenseTarget, Push, PushTarget, Target};

/// What the log says before the effects, and the effects.
#[derive(Default)]
pub(super) struct Intents {
    pub(super) drafts: Vec<Draft>,
    pub(super) licenses: Vec<Licensing>,
    pub(super) pushes: Vec<Push>,
    pub(super) commands: Vec<Command>,
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

/// The actions as the log has them. Where a device enrolls again and gets its profile for that, the push is
/// announced first: if a power cut loses the end of the write, the device still has to enroll, and is
/// pushed to again.
fn in_order_of_entries(batch: &[Action]) -> Vec<&Action> {
    let mut ordered = Vec::with_capacity(batch.len());
    let mut enrolls = None;
    for (at, action) in batch.iter().enumerate() {
        if is_pushed_with(action, &batch[at + 1..]) {
            enrolls = Some(action);
            continue;
        }
        ordered.push(action);
        if action.kind() == ActionKind::Push {
            ordered.extend(enrolls.take());
        }
    }
    ordered
}

/// Whether the device enrolls again with this action, and gets its profile for that: `rest` is what comes
/// after it.
fn is_pushed_with(action: &Action, rest: &[Action]) -> bool {
    let own = rest.iter().take_while(|next| next.device() == action.device());
    let mut kinds = own.map(Action::kind).take_while(|kind| *kind != ActionKind::Status);
    matches!(action.op, Op::Status { enrollment: Some(_), .. })
        && kinds.any(|kind| kind == ActionKind::Push)
}

/// One call for each license and intent, one push for each profile and intent, and one command for each kind and intent. The number of a
/// new intent is that of the first entry that announces it.
pub(super) fn intents(batch: &[Action], next_seq: u64, revision: Option<&Arc<str>>) -> Intents {
    let mut intents = Intents { drafts: Vec::with_capacity(batch.len()), ..Intents::default() };
    let mut numbers: HashMap<Key<'_>, u64> = HashMap::new();
    let mut calls: HashMap<(u64, Key<'_>), usize> = HashMap::new();
    for action in in_order_of_entries(batch) {
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
pub(super) fn former_users(pushes: &[Push], recorded: &State) -> HashMap<DeviceId, Vec<Email>> {
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
pub(super) fn leaving_others(
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
