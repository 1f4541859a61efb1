//! A device that begins: its first entries.

use std::borrow::Cow;

use super::action::{Action, Cause, Op};
use super::decision::Plan;
use super::device::{desire, too_long};
use super::hold::{Hold, HoldReason};
use super::inputs::Inputs;
use super::licenses::{Lacking, lacking};
use super::subject::Subject;
use crate::domain::lifecycle::{LifeState, Stimulus, step};
use crate::domain::model::{DesiredDevice, DeviceId, Status};
use crate::domain::state::Licenses;

/// Begins a device that the ledger does not know; whether its manifest can be used.
pub(super) fn provision(
    inputs: &Inputs<'_>,
    id: DeviceId,
    desired: &DesiredDevice,
    plan: &mut Plan,
) -> bool {
    if let Some(why) = too_long(inputs, desired) {
        plan.holds.push(Hold {
            place: Some(desired.place.clone()),
            device: None,
            serial: Some(desired.spec.serial_number.clone()),
            name: Some(desired.spec.name.clone()),
            reason: HoldReason::ManifestInvalid,
            detail: why.into(),
        });
        return false;
    }
    let profile = &inputs.desired.profiles[&desired.spec.profile];
    let again = inputs.recorded.by_serial(&desired.spec.serial_number);
    let reason: Cow<'static, str> = match again {
        None => "the manifest is new".into(),
        Some((old, _)) => format!("the hardware of wiped {old} enrolls again").into(),
    };
    let place = Some(desired.place.clone());
    let op = Op::Provision { to: desired.clone(), profile: profile.clone() };
    let subject = Subject::Device { id, spec: desired.spec.clone() };
    plan.actions.push(Action {
        subject: subject.clone(),
        op,
        place: place.clone(),
        cause: Cause::Intent,
        reason,
    });
    let fresh = LifeState {
        status: Status::Pending,
        since: inputs.now,
        enrollment: desired.enrollment,
        erased: false,
    };
    let mut status = fresh.status;
    if let Some(transition) = step(fresh, Some(desire(desired)), Stimulus::Manifest) {
        status = transition.to;
        plan.actions.push(Action {
            subject: subject.clone(),
            op: Op::Status {
                from: Status::Pending,
                to: transition.to,
                enrollment: transition.enrollment,
                last_sync: None,
                manifest: Some(desired.clone()),
            },
            place: place.clone(),
            cause: Cause::Intent,
            reason: transition.reason.into(),
        });
    }
    for lacking in lacking(inputs, desired, status, (&Licenses::default(), true)) {
        if let Lacking::Order(op, reason) = lacking {
            let (subject, place) = (subject.clone(), place.clone());
            plan.actions.push(Action { subject, op, place, cause: Cause::Intent, reason });
        }
    }
    true
}
