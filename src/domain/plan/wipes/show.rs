//! How wipe requests stand, for people: in a section of the plan, and among its holds.

use super::Deciding;
use crate::domain::model::{Email, Place, Timestamp, words};
use crate::domain::plan::{Hold, HoldReason};
use crate::domain::state::event::WipeSubject;
use crate::domain::state::{Wipe, WipeState};
use crate::domain::wipe::WipeFile;

words! {
    /// How a wipe request stands in a plan.
    WipeStanding {
        /// It is issued in this pass.
        Issue = "issue",
        /// Accepted, and issued when cooling off is over.
        CoolingOff = "coolingOff",
        /// Signatures are missing, the window is full, or the clock cannot be relied on.
        Held = "held",
        /// A rule does not hold.
        Refused = "refused",
        /// Somebody stopped it.
        Vetoed = "vetoed",
        /// Its time ran out.
        Expired = "expired",
        /// Issued before; the device has not confirmed it yet.
        Issued = "issued",
        /// The device confirmed it.
        Confirmed = "confirmed",
        /// The provider did not take it.
        Failed = "failed",
    }
}

/// One wipe request, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WipeView {
    /// What it asks for.
    pub subject: WipeSubject,
    /// Where it is, or was last seen.
    pub place: Place,
    /// The user of the device, where the ledger knows it.
    pub user: Option<Email>,
    /// How it stands.
    pub standing: WipeStanding,
    /// Whether it came to that in this pass.
    pub new: bool,
    /// Why: stable.
    pub code: String,
    /// Why, for people.
    pub detail: String,
    /// Distinct people whose signatures hold, sorted.
    pub signers: Vec<Email>,
    /// Distinct people needed now, where a number is known.
    pub needs: Option<u32>,
    /// When it may go on by itself.
    pub until: Option<Timestamp>,
}

impl WipeView {
    /// Whether the guard's exit code speaks of it: held or refused, or stopped in this pass.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        match self.standing {
            WipeStanding::Held | WipeStanding::CoolingOff | WipeStanding::Refused => true,
            WipeStanding::Vetoed | WipeStanding::Expired => self.new,
            WipeStanding::Issue
            | WipeStanding::Issued
            | WipeStanding::Confirmed
            | WipeStanding::Failed => false,
        }
    }
}

impl Deciding<'_, '_> {
    /// A request whose life has ended; its file is still there.
    pub(super) fn over(&mut self, file: &WipeFile, wipe: &Wipe) {
        let since = wipe.since.short();
        let (standing, detail) = match wipe.state {
            WipeState::Issued => (
                WipeStanding::Issued,
                format!("issued at {since}; confirmed by the device's next sync"),
            ),
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
            WipeStanding::Held | WipeStanding::CoolingOff => Some(HoldReason::WipeHeld),
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
                detail: detail.to_owned(),
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
