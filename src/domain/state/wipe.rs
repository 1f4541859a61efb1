//! What the log says of wipe requests: the life of each, by the digest of its file.
//!
//! Expected flow: Held or Refused as long as something is missing, Accepted, Issued, then
//! Confirmed or Failed. Vetoed and RefusedForGood end it before it is issued; Expired also after that, when no
//! device confirmed it in time. A request that was issued is consumed: no entry can accept or
//! issue it again, whatever its file is called. The one exception is `wipe.deferred`, which says
//! that the provider surely did not get it: the request is then Accepted again.

use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::event::{WipeStage, WipeSubject};
use crate::domain::model::{Email, GraphId, Timestamp, words};
use crate::domain::wipe::target::LedgerId;
use crate::domain::wipe::verify::Reason;

words! {
    /// How a wipe request stands.
    pub(crate) enum WipeState {
        /// A rule does not hold.
        Refused = "refused",
        /// A rule does not hold, and nothing that happens later can change that.
        RefusedForGood = "refusedForGood",
        /// Signatures are missing, or the window is full.
        Held = "held",
        /// It holds, and is issued when cooling off is over.
        Accepted = "accepted",
        /// The provider has it, or whether it does is in doubt.
        Issued = "issued",
        /// The device said that it is erased.
        Confirmed = "confirmed",
        /// The provider did not take it.
        Failed = "failed",
        /// Its time ran out before it was issued, or before the device confirmed it.
        Expired = "expired",
        /// Somebody stopped it before it was issued.
        Vetoed = "vetoed",
    }
}

impl WipeState {
    /// Whether it may still be issued one day.
    #[must_use]
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Refused | Self::Held | Self::Accepted)
    }

    /// Whether nothing else is done to its device.
    #[must_use]
    pub(crate) const fn is_under_way(self) -> bool {
        matches!(self, Self::Accepted | Self::Issued)
    }
}

/// One wipe request, as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wipe {
    pub(crate) subject: WipeSubject,
    /// Its file when it was last spoken of, relative to the root of the fleet directory.
    pub(crate) path: Arc<str>,
    pub(crate) state: WipeState,
    pub(crate) since: Timestamp,
    /// Why it is refused, held, failed, expired or vetoed: stable.
    pub(crate) code: Option<CompactString>,
    pub(crate) detail: String,
    /// Distinct people who signed it, sorted.
    pub(crate) signers: Vec<Email>,
    /// End of cooling off, or of the wait after the provider did not get it; once accepted.
    pub issue_at: Option<Timestamp>,
    /// When it was issued: what the windows of the quorum count, whatever became of it, unless
    /// the provider surely did not get it.
    pub issued_at: Option<Timestamp>,
    /// Number of the intent, once issued.
    pub intent: Option<u64>,
    /// The approval that it needs in the MDM, where it needs one.
    pub approval: Option<Approval>,
    /// How far the command has come, where the MDM tells.
    pub progress: Option<Progress>,
}

/// The approval that a wipe needs in the MDM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// What the MDM calls the request for approval.
    pub code: CompactString,
    /// Whether it was given.
    pub given: bool,
}

/// How far the command of a wipe has come. The fields are sorted, as the keys of `state.json` are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// For people, without a full stop.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
    pub(crate) stage: WipeStage,
    /// The MDM's name for the device that got it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<GraphId>,
}

/// What `wipe.refused` makes of a request. Versions that did not say whether a refusal is final
/// logged this code for the one that is.
#[must_use]
pub(crate) fn refused(for_good: bool, code: &str) -> WipeState {
    if for_good || code == Reason::PersonalFull.as_str() {
        WipeState::RefusedForGood
    } else {
        WipeState::Refused
    }
}

/// The code of an accepted request that the provider did not get the last time.
pub(crate) const DEFERRED: &str = "deferred";

impl Wipe {
    /// Whether its request was written for a ledger before this lineage, so that it cannot be issued
    /// any more, and nothing has said so yet.
    #[must_use]
    pub(crate) fn is_void(&self, lineage: Option<uuid::Uuid>) -> bool {
        let is_other = self.subject.ledger.is_some_and(|LedgerId(of)| Some(of) != lineage);
        is_other && matches!(self.state, WipeState::Held | WipeState::Accepted)
    }

    /// Whether somebody has to approve it in the MDM before it can go on.
    #[must_use]
    pub(crate) fn awaits_approval(&self) -> bool {
        self.state == WipeState::Accepted
            && self.approval.as_ref().is_some_and(|approval| !approval.given)
    }

    /// Whether no other request for the device is accepted. One that was issued and not confirmed
    /// blocks until it expires: whether the provider has it may be in doubt for ever, and it
    /// is never repeated, so that people must be able to sign another one.
    #[must_use]
    pub(crate) fn blocks(&self, now: Timestamp) -> bool {
        match self.state {
            WipeState::Accepted => true,
            WipeState::Issued => now <= self.subject.expires_at,
            _ => false,
        }
    }

    /// Whether a device that is erased may have been erased by it: it was issued, and nobody
    /// knows yet what became of it. An expired one may have reached the device in time.
    #[must_use]
    pub(crate) fn may_be_confirmed(&self) -> bool {
        self.intent.is_some() && matches!(self.state, WipeState::Issued | WipeState::Expired)
    }
}
