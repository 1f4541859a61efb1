//! Commands that are taken back: issued, and expired before the device confirmed them.

use std::collections::BTreeSet;

use crate::domain::model::{Digest, Place};
use crate::domain::plan::action::{Action, Cause, Op};
use crate::domain::plan::inputs::Inputs;
use crate::domain::plan::subject::Subject;
use crate::domain::state::event::WipeStopped;
use crate::domain::state::{Wipe, WipeState};
use crate::domain::wipe::clock;

/// Every such command, but for those that `planned` confirms: a report that was heard in the
/// same pass goes before time.
pub(crate) fn withdraw(inputs: &Inputs<'_>, planned: &[Action]) -> Vec<Action> {
    let recorded = inputs.recorded;
    // A clock that was set back does not make a request valid again.
    let seen = recorded.at.max(clock::known(inputs.clock));
    let now = seen.map_or(inputs.now, |at| at.max(inputs.now));
    let over = |wipe: &&Wipe| wipe.state == WipeState::Issued && wipe.subject.expires_at < now;
    let over: Vec<_> = recorded.wipes.values().filter(over).collect();
    if over.is_empty() {
        return vec![];
    }
    let confirmed: BTreeSet<Digest> = planned
        .iter()
        .filter_map(|action| match &action.op {
            Op::ConfirmWipe { confirmed } => Some(confirmed.request),
            _ => None,
        })
        .collect();
    let over = over.into_iter().filter(|wipe| !confirmed.contains(&wipe.subject.request));
    over.filter_map(|wipe| {
        let id = wipe.subject.device_id;
        let spec = recorded.devices.get(&id)?.spec.clone();
        let stopped = Box::new(WipeStopped {
            subject: wipe.subject.clone(),
            code: "withdrawn".into(),
            detail: "expired unconfirmed; the command was taken back, unless the device had read \
                     it before"
                .to_owned(),
            signers: wipe.signers.clone(),
            for_good: false,
            intent: wipe.intent,
        });
        Some(Action {
            subject: Subject::Device { id, spec },
            op: Op::WithdrawWipe { stopped, path: wipe.path.clone() },
            place: Some(Place { path: wipe.path.clone(), line: 1 }),
            // No intent of the fleet directory: a freeze must not keep a command alive.
            cause: Cause::Fact,
            reason: "the wipe expired, and the device did not confirm it".into(),
        })
    })
    .collect()
}
