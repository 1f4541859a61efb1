//! Revisions of profiles: recorded before devices get them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::action::{Action, Cause, Op, Subject};
use super::decision::Plan;
use super::inputs::Inputs;
use crate::domain::model::{DesiredDevice, Name};

/// Those of these devices that are new or changed, by name.
pub(super) fn record_profiles<'a>(
    inputs: &Inputs<'a>,
    devices: impl IntoIterator<Item = &'a Arc<DesiredDevice>>,
    plan: &mut Plan,
) {
    let used: BTreeSet<&Name> = devices.into_iter().map(|d| &d.spec.profile).collect();
    for name in used {
        let Some(to) = inputs.desired.profiles.get(name) else { continue };
        let from = inputs.recorded.profiles.get(name);
        if from.is_none_or(|from| from.digest != to.digest) {
            plan.actions.push(Action {
                subject: Subject::Profile(name.clone()),
                place: inputs.desired.profile_places.get(name).cloned(),
                cause: Cause::Intent,
                reason: if from.is_some() { "the profile changed" } else { "the profile is new" }
                    .into(),
                op: Op::RecordProfile { from: from.cloned(), to: to.clone() },
            });
        }
    }
}
