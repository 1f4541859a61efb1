//! How wipes go on in an MDM: commands that come further or fail, approvals that are given.

use crate::domain::plan::action::{Action, Cause, Op};
use crate::domain::plan::inputs::Inputs;
use crate::domain::plan::news::{WipeNews, WipeStep};
use crate::domain::plan::subject::Subject;
use crate::domain::state::event::{ErrorClass, WipeDeferred, WipeFailed, WipeProgress, WipeStage};
use crate::domain::state::{Wipe, WipeState};
use crate::domain::wipe::WipeFile;

/// What the log does not have yet of what the provider tells, but that a device is erased: that
/// is a matter of the device.
pub(crate) fn news(inputs: &Inputs<'_>) -> Vec<Action> {
    let known = |news: &&WipeNews| inputs.recorded.wipes.contains_key(&news.request);
    inputs.news.wipes.iter().filter(known).filter_map(|news| one(inputs, news)).collect()
}

fn one(inputs: &Inputs<'_>, news: &WipeNews) -> Option<Action> {
    let wipe = inputs.recorded.wipes.get(&news.request)?;
    let (op, reason) = match news.step {
        WipeStep::Stage(stage) if is_further(wipe, news, stage) => {
            let progress = Box::new(WipeProgress {
                request: news.request,
                intent: news.intent,
                stage,
                target: news.target.clone(),
                client_request_id: None,
                detail: news.detail.clone(),
            });
            (Op::WipeProgress { progress }, "the MDM says how far the wipe has come")
        }
        WipeStep::Failed if wipe.state == WipeState::Issued && wipe.intent == news.intent => {
            let failed = Box::new(WipeFailed {
                request: news.request,
                intent: news.intent?,
                class: ErrorClass::Permanent,
                error: news.detail.clone(),
            });
            (Op::FailWipe { failed }, "the MDM says that the device was not erased")
        }
        // An expired one is no business of the provider any more, and another request of the device
        // that waits goes before it.
        WipeStep::NotTaken if wipe.blocks(inputs.now) && is_in_doubt(inputs, wipe, news) => {
            let deferred = Box::new(WipeDeferred {
                request: news.request,
                intent: news.intent?,
                reason: news.detail.clone(),
                until: inputs.now,
                approval: None,
            });
            (Op::DeferWipe { deferred }, "the MDM did not accept the command")
        }
        WipeStep::Stage(_)
        | WipeStep::Failed
        | WipeStep::NotTaken
        | WipeStep::NotApproved(_)
        | WipeStep::Done(_) => return None,
    };
    let id = wipe.subject.device_id;
    let spec = inputs.recorded.devices.get(&id)?.spec.clone();
    Some(Action {
        subject: Subject::Device { id, spec },
        op,
        place: None,
        cause: Cause::Fact,
        reason: reason.into(),
    })
}

/// Whether nobody knows yet if the provider has it.
fn is_in_doubt(inputs: &Inputs<'_>, wipe: &Wipe, news: &WipeNews) -> bool {
    let accepted = |other: &Wipe| other.state == WipeState::Accepted;
    wipe.state == WipeState::Issued
        && wipe.intent == news.intent
        && wipe.progress.is_none()
        && !inputs.recorded.wipes_of(wipe.subject.device_id).any(accepted)
}

/// Whether the log does not have it yet.
fn is_further(wipe: &Wipe, news: &WipeNews, stage: WipeStage) -> bool {
    if wipe.intent != news.intent {
        return false;
    }
    match stage {
        WipeStage::Approved => wipe.approval.as_ref().is_some_and(|approval| !approval.given),
        WipeStage::Delivered | WipeStage::Sent => {
            wipe.may_be_confirmed()
                && wipe.progress.as_ref().is_none_or(|known| known.stage < stage)
        }
    }
}

/// How the approval stands that an accepted request needs in the MDM.
pub(super) enum ApprovalState {
    /// It needs none, or has it.
    Given,
    /// It waits: the code of the request for approval.
    Awaited(String),
    /// It was not given: a stable code, and why.
    Refused(&'static str, String),
}

/// How the approval stands, by what is recorded and by what the provider tells now.
pub(super) fn approval(inputs: &Inputs<'_>, file: &WipeFile) -> ApprovalState {
    let request = file.request.digest;
    let known = inputs.recorded.wipes.get(&request);
    let Some(approval) = known.and_then(|wipe| wipe.approval.as_ref()) else {
        return ApprovalState::Given;
    };
    let mut given = approval.given;
    for news in inputs.news.of(request) {
        match news.step {
            WipeStep::Stage(WipeStage::Approved) => given = true,
            WipeStep::NotApproved(code) => {
                return ApprovalState::Refused(code, news.detail.clone());
            }
            WipeStep::Stage(_) | WipeStep::Done(_) | WipeStep::Failed | WipeStep::NotTaken => {}
        }
    }
    if given { ApprovalState::Given } else { ApprovalState::Awaited(approval.code.to_string()) }
}

/// What to do about an approval that is awaited.
pub(super) fn awaited(code: &str) -> String {
    format!(
        "waits for approval in the MDM (code {code}): another administrator approves it in the Intune \
         admin center under Tenant administration > Multi Admin Approval; then the command is sent \
         again by itself"
    )
}
