//! Shows how a request stands: in a section of the plan, and among its holds.

use super::decide::WipePlanner;
use super::view::{WipeStanding, WipeView};
use crate::domain::model::{Email, Place};
use crate::domain::plan::hold::{Hold, HoldReason};
use crate::domain::state::event::WipeSubject;
use crate::domain::state::{Progress, Wipe, WipeState};
use crate::domain::wipe::WipeFile;

impl WipePlanner<'_, '_> {
    /// A request whose life has ended; its file is still there.
    pub(super) fn over(&mut self, file: &WipeFile, wipe: &Wipe) {
        let since = wipe.since.short();
        let (standing, detail) = match wipe.state {
            WipeState::Issued => (WipeStanding::Issued, issued(wipe)),
            WipeState::Confirmed => {
                (WipeStanding::Confirmed, format!("confirmed at {since}; the file can go"))
            }
            WipeState::Failed => (
                WipeStanding::Failed,
                format!(
                    "failed at {since} and is never repeated: {}; write a new request",
                    wipe.detail
                ),
            ),
            WipeState::Expired if wipe.intent.is_some() => {
                (WipeStanding::Expired, format!("{}; write a new request", wipe.detail))
            }
            WipeState::Expired => {
                (WipeStanding::Expired, "expired; write a new request".to_owned())
            }
            WipeState::RefusedForGood => {
                let code = wipe.code.clone().unwrap_or_default();
                let detail =
                    format!("refused for good at {since}: {}; write a new request", wipe.detail);
                return self.show(file, &wipe.signers, WipeStanding::Refused, &code, &detail);
            }
            WipeState::Vetoed | WipeState::Refused | WipeState::Held | WipeState::Accepted => (
                WipeStanding::Vetoed,
                format!("stopped for good at {since}: {}; write a new request", wipe.detail),
            ),
        };
        self.show(file, &wipe.signers, standing, wipe.state.as_str(), &detail);
    }

    pub(super) fn show(
        &mut self,
        file: &WipeFile,
        signers: &[Email],
        standing: WipeStanding,
        code: &str,
        detail: &str,
    ) {
        let subject = file.request.subject();
        self.view(subject, file.place.clone(), signers.to_vec(), standing, code, detail);
    }

    pub(super) fn show_known(
        &mut self,
        wipe: &Wipe,
        place: Place,
        standing: WipeStanding,
        code: &str,
        detail: &str,
    ) {
        let signers = wipe.signers.clone();
        self.view(wipe.subject.clone(), place, signers, standing, code, detail);
        if let Some(view) = self.plan.wipes.last_mut() {
            view.new = standing == WipeStanding::Vetoed;
        }
    }

    fn view(
        &mut self,
        subject: WipeSubject,
        place: Place,
        signers: Vec<Email>,
        standing: WipeStanding,
        code: &str,
        detail: &str,
    ) {
        let device = self.inputs.recorded.devices.get(&subject.device_id);
        let reason = match standing {
            WipeStanding::Issue => None,
            WipeStanding::Held | WipeStanding::CoolingOff | WipeStanding::AwaitingApproval => {
                Some(HoldReason::WipeHeld)
            }
            WipeStanding::Refused => Some(HoldReason::WipeRefused),
            WipeStanding::Issued => Some(HoldReason::WipeUnderWay),
            WipeStanding::Vetoed
            | WipeStanding::Expired
            | WipeStanding::Confirmed
            | WipeStanding::Failed => Some(HoldReason::WipeOver),
        };
        if let Some(reason) = reason {
            self.plan.holds.push(Hold {
                place: Some(place.clone()),
                device: device.map(|_| subject.device_id),
                serial: Some(subject.serial_number.clone()),
                name: Some(subject.name.clone()),
                reason,
                detail: detail.into(),
            });
        }
        let user = device.map(|device| device.spec.user_email.clone());
        self.plan.wipes.push(WipeView {
            subject,
            place,
            user,
            standing,
            new: false,
            code: code.to_owned(),
            detail: detail.to_owned(),
            signers,
            needs: None,
            until: None,
        });
    }
}

/// How far the command has come.
fn issued(wipe: &Wipe) -> String {
    let since = wipe.since.short();
    match &wipe.progress {
        None => format!("issued at {since}; confirmed by the device's next sync"),
        Some(Progress { detail, since: at, .. }) => {
            format!(
                "issued at {since}; {detail} ({}); confirmed when the device is erased",
                at.short()
            )
        }
    }
}
