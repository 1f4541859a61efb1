//! Licenses of users: who has a device gets those that its profile names (docs/intune.md). What was assigned is never taken away.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::action::{Cause, Op};
use super::device::DevicePlanner;
use super::hold::HoldReason;
use super::inputs::Inputs;
use crate::domain::model::{DesiredDevice, DesiredStatus, Email, Status};
use crate::domain::settings::LicenseStart;
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{License, LicenseState, Licenses};

/// For so long after a license was recorded as given a look may not show it yet: the tenant's directory
/// is copied from one data center to another.
const SETTLES: TimeDelta = TimeDelta::hours(1);

/// A license that a user has yet to get.
pub(super) enum Lacking {
    /// The user had it, and does not have it any more: why.
    Missing(Op, String),
    /// It is ordered.
    Order(Op, Cow<'static, str>),
    /// The provider refused it for good: why.
    Refused(String),
}

/// What the user of a device lacks of the licenses of its profile, by what was ordered before. `status`
/// is the device's, as it is once this plan is carried out; with an order of the profile `anew` what failed
/// is forgotten.
pub(super) fn lacking(
    inputs: &Inputs<'_>,
    desired: &DesiredDevice,
    status: Status,
    (ordered, anew): (&Licenses, bool),
) -> Vec<Lacking> {
    let begins = match inputs.settings.provider.licenses {
        None => false,
        // Without one it may have failed, and it still enrolls if it reports after all.
        Some(LicenseStart::Declared) => status != Status::Wiped,
        Some(LicenseStart::Enrolled) => status == Status::Enrolled,
    };
    if !begins || desired.status != DesiredStatus::Enrolled {
        return Vec::new();
    }
    let profile = &inputs.desired.profiles[&desired.spec.profile];
    let wanted: BTreeSet<&str> = profile.licenses.iter().map(String::as_str).collect();
    let user = &desired.spec.user_email;
    let mut lacking = Vec::new();
    for sku in wanted {
        let order = |resume, reason: Cow<'static, str>| {
            let op = Op::License { sku: sku.into(), user: user.clone(), resume };
            Lacking::Order(op, reason)
        };
        let failed = |state: &LicenseState| matches!(state, LicenseState::Failed(..));
        let last = ordered.get(sku, user).filter(|last| !(anew && failed(&last.state)));
        let Some(last) = last else {
            let reason = format!("profile {} has it for {user}", profile.name);
            lacking.push(order(None, reason.into()));
            continue;
        };
        if let Some(why) = missing(inputs, last) {
            let (sku, user, intent) = (last.sku.clone(), user.clone(), last.intent);
            let again = order(Some(intent), does_not_have(&user, why).into());
            let op = Op::LicenseMissing { sku, user, intent };
            lacking.extend([Lacking::Missing(op, why.to_owned()), again]);
            continue;
        }
        lacking.push(match &last.state {
            LicenseState::Assigned | LicenseState::Found => continue,
            LicenseState::Intended => {
                order(Some(last.intent), "it is not known whether it was assigned".into())
            }
            LicenseState::Failed(ErrorClass::Permanent, why) => {
                Lacking::Refused(format!("the provider refused to give {sku} to {user}: {why}"))
            }
            LicenseState::Failed(ErrorClass::Transient | ErrorClass::Unknown, why) => {
                order(Some(last.intent), does_not_have(user, why).into())
            }
        });
    }
    lacking
}

fn does_not_have(user: &Email, why: &str) -> String {
    format!("{user} does not have it: {why}")
}

/// Why the user does not have a license any more, where that is certain.
fn missing<'a>(inputs: &Inputs<'a>, last: &License) -> Option<&'a str> {
    inputs.news.unlicensed(last).filter(|_| inputs.now - last.since >= SETTLES)
}

impl DevicePlanner<'_, '_> {
    /// Orders the licenses that its user lacks.
    pub(super) fn license(&mut self, desired: &DesiredDevice) {
        if self.state.erased {
            return;
        }
        let ordered = (&*self.device.licenses, self.pushes_anew);
        for lacking in lacking(self.inputs, desired, self.state.status, ordered) {
            match lacking {
                Lacking::Missing(op, why) => {
                    self.act_as(desired.spec.clone(), op, Cause::Fact, why);
                }
                Lacking::Order(op, reason) => {
                    self.act_as(desired.spec.clone(), op, Cause::Intent, reason);
                }
                Lacking::Refused(why) => {
                    self.hold(Some(desired.place.clone()), HoldReason::ProviderRefused, why);
                }
            }
        }
    }
}
