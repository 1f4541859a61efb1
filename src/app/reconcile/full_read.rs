//! What destroys or touches much: it is never done after a single look, nor by what a cache says.

use crate::domain::plan::{Action, Cause, Op, Plan};
use crate::domain::state::State;
use crate::domain::wipe::WipeFile;

/// A change of so many devices is never large.
const FEW: usize = 10;
/// A change of more than this share of the active devices is large.
const LARGE_PERCENT: usize = 10;

/// Whether a decision must not rest on an index of the fleet: everything is read, and it is made anew.
#[must_use]
pub(crate) fn needs_full_read(plan: &Plan, recorded: &State) -> bool {
    plan.actions.iter().any(|action| removes(&action) || request(action).is_some())
        || is_many(plan, recorded)
}

/// Whether manifests that are gone are behind it.
pub(crate) fn removes(action: &&Action) -> bool {
    matches!(action.op, Op::Orphan | Op::Freeze(_))
}

/// Whether the fleet directory, or its absence, is behind it.
pub(crate) fn is_intent(action: &Action) -> bool {
    match action.cause {
        Cause::Intent => true,
        Cause::Guard => matches!(action.op, Op::Freeze(_)),
        Cause::Fact | Cause::Request | Cause::Clock => false,
    }
}

/// The request behind a wipe, or behind its acceptance.
pub(crate) fn request(action: &Action) -> Option<&WipeFile> {
    match &action.op {
        Op::Wipe { file, .. } | Op::AcceptWipe { file, .. } => Some(file),
        _ => None,
    }
}

/// What manifests change, but for wipes.
pub(crate) fn changes(plan: &Plan) -> impl Iterator<Item = &Action> {
    plan.actions.iter().filter(|action| is_intent(action) && request(action).is_none())
}

/// Whether so many devices change that half a checkout may be behind it.
pub(crate) fn is_many(plan: &Plan, recorded: &State) -> bool {
    let mut devices: Vec<_> = changes(plan).filter_map(|action| action.device()).collect();
    devices.dedup();
    devices.len() > FEW && devices.len() * 100 > LARGE_PERCENT * recorded.active().count()
}
