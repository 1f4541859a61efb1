//! Profiles: revisions are recorded before devices get them, and what somebody changed in the MDM
//! is put right.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, Cause, Op};
use super::decision::Plan;
use super::inputs::Inputs;
use super::news::{Drift, DriftSubject};
use super::subject::Subject;
use crate::domain::model::{DesiredDevice, Name};

/// Those of these devices that are new or changed, by name.
pub(super) fn record_profiles<'a>(
    inputs: &Inputs<'a>,
    devices: impl IntoIterator<Item = &'a DesiredDevice>,
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

/// What somebody changed in the MDM's objects of profiles that devices have, by name. A profile that
/// changes in this plan is written anew anyway.
pub(super) fn restore_profiles(inputs: &Inputs<'_>, plan: &mut Plan) {
    let mut drifted: BTreeMap<&Name, Vec<&Drift>> = BTreeMap::new();
    for drift in &inputs.news.drift {
        if let DriftSubject::Profile(name) = &drift.subject {
            drifted.entry(name).or_default().push(drift);
        }
    }
    for (name, drifts) in drifted {
        let (Some(desired), Some(recorded)) =
            (inputs.desired.profiles.get(name), inputs.recorded.profiles.get(name))
        else {
            continue;
        };
        if desired.digest != recorded.digest {
            continue;
        }
        let what: Vec<String> = drifts.iter().map(|drift| drift.what.clone()).collect();
        let by = drifts.iter().find_map(|drift| drift.by.clone());
        let settings: BTreeSet<_> = drifts.iter().map(|drift| drift.setting).collect();
        let (who, what_is) = (by.as_deref().unwrap_or("somebody"), what.join("; "));
        let reason = match settings.first() {
            Some(Some(setting)) if settings.len() == 1 => {
                format!("it is not as {setting} says, or {who} changed it in the MDM: {what_is}")
            }
            _ => format!("{who} changed it in the MDM: {what_is}"),
        };
        plan.actions.push(Action {
            subject: Subject::Profile(name.clone()),
            place: inputs.desired.profile_places.get(name).cloned(),
            cause: Cause::Intent,
            reason: reason.into(),
            op: Op::Restore { profile: desired.clone(), what, by },
        });
    }
}
