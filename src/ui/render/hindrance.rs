//! What stands between a device and its manifest, by a plan.

use crate::domain::guard::ApprovedPlan;
use crate::domain::model::DeviceId;
use crate::domain::plan::{Hold, HoldReason};
use crate::domain::state::event::FreezeCause;

/// What the plan holds back of a device, in the plan's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) reason: HoldReason,
    pub(crate) detail: String,
    /// `madrid/ana.yaml:7`, below the fleet directory.
    pub(crate) place: Option<String>,
}

impl From<&Hold> for Held {
    fn from(hold: &Hold) -> Self {
        let place = hold.place.as_ref().map(|place| format!("{}:{}", place.path, place.line));
        Self { reason: hold.reason, detail: hold.detail.clone(), place }
    }
}

/// What a plan holds back of a device; empty if nobody planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hindrance {
    /// Why the guard refuses the plan for the whole fleet.
    pub(crate) refused: Option<FreezeCause>,
    /// What of the device the plan holds back.
    pub(crate) held: Vec<Held>,
}

impl Hindrance {
    /// What a plan says of this device.
    #[must_use]
    pub(crate) fn of(approved: &ApprovedPlan, id: DeviceId) -> Self {
        let holds = approved.plan().holds.iter().filter(|hold| hold.device == Some(id));
        Self {
            refused: approved.refusal().map(|refusal| refusal.why.cause),
            held: holds.map(Held::from).collect(),
        }
    }
}
