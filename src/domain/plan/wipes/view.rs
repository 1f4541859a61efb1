//! How wipe requests stand in a plan, for people.

use crate::domain::model::{Email, Place, Timestamp, words};
use crate::domain::state::event::WipeSubject;

words! {
    /// How a wipe request stands in a plan.
    pub enum WipeStanding {
        /// It is issued in this pass.
        Issue = "issue",
        /// Accepted, and issued when cooling off is over.
        CoolingOff = "coolingOff",
        /// Accepted, and waiting for approval in the MDM.
        AwaitingApproval = "awaitingApproval",
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
    pub(crate) subject: WipeSubject,
    /// Where it is, or was last seen.
    pub place: Place,
    /// The user of the device, where the ledger knows it.
    pub(crate) user: Option<Email>,
    /// Where it stands on its way from a file to a confirmed wipe.
    pub standing: WipeStanding,
    /// Whether it came to that in this pass.
    pub(crate) new: bool,
    /// Why it stands there: a stable word.
    pub code: String,
    /// Why it stands there, for people: a clause without a full stop.
    pub detail: String,
    /// Distinct people whose signatures hold, sorted.
    pub(crate) signers: Vec<Email>,
    /// Distinct people needed now, where a number is known.
    pub(crate) needs: Option<u32>,
    /// When it may go on by itself.
    pub(crate) until: Option<Timestamp>,
}

impl WipeView {
    /// Whether the guard's exit code speaks of it: held or refused, or stopped in this pass.
    #[must_use]
    pub(crate) fn is_withheld(&self) -> bool {
        match self.standing {
            WipeStanding::Held
            | WipeStanding::CoolingOff
            | WipeStanding::AwaitingApproval
            | WipeStanding::Refused => true,
            WipeStanding::Vetoed | WipeStanding::Expired => self.new,
            WipeStanding::Issue
            | WipeStanding::Issued
            | WipeStanding::Confirmed
            | WipeStanding::Failed => false,
        }
    }
}
