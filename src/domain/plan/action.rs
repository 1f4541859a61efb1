//! What an action is, is about and changes: for output, the digest and the guard.

use serde_json::{Value, json};

use super::changes::{profile_changes, provision_changes};
use super::{Action, ActionKind, Op, Plan};
use crate::domain::model::{DeviceSpec, Email};
use crate::domain::state::WipeState;
use crate::domain::state::event::{Change, WipeSubject};

impl Plan {
    /// Whether it may be carried out though it rests on a look at a few files: it neither destroys
    /// nor touches anything but recorded devices.
    #[must_use]
    pub fn may_be_narrow(&self) -> bool {
        self.actions.iter().all(|action| match action.op {
            Op::Update { .. }
            | Op::Status { .. }
            | Op::Push { .. }
            | Op::Compliance { .. }
            | Op::UnrequestedWipe { .. }
            | Op::ConfirmWipe { .. } => true,
            Op::RecordProfile { .. }
            | Op::Provision { .. }
            | Op::Adopt { .. }
            | Op::Trust(_)
            | Op::AcceptWipe { .. }
            | Op::StopWipe { .. }
            | Op::Wipe { .. }
            | Op::WithdrawWipe { .. }
            | Op::Orphan { .. }
            | Op::Freeze(_)
            | Op::Thaw { .. } => false,
        })
    }
}

impl Action {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ActionKind {
        match &self.op {
            Op::RecordProfile { .. } => ActionKind::Profile,
            Op::Provision { .. } => ActionKind::Provision,
            Op::Adopt { .. } => ActionKind::Adopt,
            Op::Update { .. } => ActionKind::Update,
            Op::Status { .. } => ActionKind::Status,
            Op::Push { .. } => ActionKind::Push,
            Op::Compliance { .. } => ActionKind::Compliance,
            Op::Orphan { .. } => ActionKind::Orphan,
            Op::Trust(_) => ActionKind::Trust,
            Op::AcceptWipe { .. } => ActionKind::AcceptWipe,
            Op::StopWipe { state, .. } => match state {
                WipeState::Held => ActionKind::HoldWipe,
                WipeState::Expired => ActionKind::ExpireWipe,
                WipeState::Vetoed => ActionKind::VetoWipe,
                WipeState::Refused
                | WipeState::RefusedForGood
                | WipeState::Accepted
                | WipeState::Issued
                | WipeState::Confirmed
                | WipeState::Failed => ActionKind::RefuseWipe,
            },
            Op::Wipe { .. } => ActionKind::Wipe,
            Op::WithdrawWipe { .. } => ActionKind::WithdrawWipe,
            Op::ConfirmWipe { .. } => ActionKind::ConfirmWipe,
            Op::UnrequestedWipe { .. } => ActionKind::UnrequestedWipe,
            Op::Freeze(_) => ActionKind::Freeze,
            Op::Thaw { .. } => ActionKind::Thaw,
        }
    }

    /// The device's specification, as it is to be or as recorded.
    #[must_use]
    pub fn spec(&self) -> Option<&DeviceSpec> {
        match &self.op {
            Op::Provision { to, .. } | Op::Update { to, .. } => Some(&to.spec),
            Op::Adopt { spec, .. }
            | Op::Status { spec, .. }
            | Op::Push { spec, .. }
            | Op::Compliance { spec, .. }
            | Op::ConfirmWipe { spec, .. }
            | Op::WithdrawWipe { spec, .. }
            | Op::UnrequestedWipe { spec, .. }
            | Op::Orphan { spec } => Some(spec),
            Op::RecordProfile { .. }
            | Op::Freeze(_)
            | Op::Thaw { .. }
            | Op::Trust(_)
            | Op::AcceptWipe { .. }
            | Op::StopWipe { .. }
            | Op::Wipe { .. } => None,
        }
    }

    /// Field by field, what it changes; `null` stands for absent.
    #[must_use]
    pub fn changes(&self) -> Vec<Change<&'static str>> {
        let one = |field, from: Value, to: Value| vec![Change { field, from, to }];
        match &self.op {
            Op::RecordProfile { from, to } => profile_changes(from.as_deref(), to),
            Op::Provision { to, .. } => provision_changes(to),
            Op::Update { changes, .. } => changes
                .iter()
                .map(|c| Change { field: c.field.as_str(), from: c.from.clone(), to: c.to.clone() })
                .collect(),
            Op::Status { from, to, enrollment, .. } => {
                let mut changes = one("status", json!(from), json!(to));
                if let Some(enrollment) = enrollment {
                    changes.push(Change {
                        field: "enrollment",
                        from: Value::Null,
                        to: json!(enrollment),
                    });
                }
                changes
            }
            Op::Compliance { from, verdict, .. } => {
                one("compliance", json!(from), json!(verdict.state))
            }
            Op::Push { profile, .. } => one("pushedProfile", Value::Null, json!(profile.name)),
            Op::Adopt { .. } => one("orphaned", json!(true), json!(false)),
            Op::Orphan { .. } => one("orphaned", json!(false), json!(true)),
            Op::Freeze(_) => one("frozen", json!(false), json!(true)),
            Op::Thaw { .. } => one("frozen", json!(true), json!(false)),
            Op::Trust(changed) => one("trust", json!(changed.from), json!(changed.to)),
            Op::AcceptWipe { accepted, .. } => {
                wipe_change(&accepted.subject, WipeState::Accepted, &accepted.signers)
            }
            Op::StopWipe { state, stopped, .. } => {
                wipe_change(&stopped.subject, *state, &stopped.signers)
            }
            Op::Wipe { wipe, .. } => {
                wipe_change(&wipe.request().subject(), WipeState::Issued, wipe.signers())
            }
            Op::WithdrawWipe { stopped, .. } => {
                wipe_change(&stopped.subject, WipeState::Expired, &stopped.signers)
            }
            Op::ConfirmWipe { confirmed, .. } => {
                let request = json!({"request": confirmed.request, "state": WipeState::Confirmed});
                one("wipe", Value::Null, request)
            }
            Op::UnrequestedWipe { .. } => one("erased", json!(false), json!(true)),
        }
    }
}

fn wipe_change(
    subject: &WipeSubject,
    state: WipeState,
    signers: &[Email],
) -> Vec<Change<&'static str>> {
    let to = json!({
        "request": subject.request,
        "state": state,
        "scope": subject.scope,
        "reason": subject.reason,
        "requestedBy": subject.requested_by,
        "signers": signers,
        "expiresAt": subject.expires_at,
    });
    vec![Change { field: "wipe", from: Value::Null, to }]
}
