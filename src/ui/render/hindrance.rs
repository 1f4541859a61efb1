//! What stands between a device and its manifest, by a plan.

use std::sync::Arc;

use crate::domain::guard::ApprovedPlan;
use crate::domain::model::{DesiredStatus, DeviceId, Status};
use crate::domain::plan::{Hold, HoldReason};
use crate::domain::state::Device;
use crate::domain::state::event::PassFrozen;

/// What the plan holds back of a device, in the plan's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) reason: HoldReason,
    pub(crate) detail: Arc<str>,
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
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Hindrance {
    /// Why the guard refuses the plan for the whole fleet.
    pub(crate) refused: Option<PassFrozen>,
    /// What of the device the plan holds back.
    pub(crate) held: Vec<Held>,
    /// The status that its manifest declares, unless that is Enrolled.
    pub(crate) declared: Option<DesiredStatus>,
}

impl Hindrance {
    /// What a plan says of this device, whose manifest declares a status.
    #[must_use]
    pub(crate) fn of(
        approved: &ApprovedPlan,
        id: DeviceId,
        declared: Option<DesiredStatus>,
    ) -> Self {
        let holds = approved.plan().holds.iter().filter(|hold| hold.device == Some(id));
        Self {
            refused: approved.refusal().map(|refusal| refusal.why.clone()),
            held: holds.map(Held::from).collect(),
            declared: declared.filter(|status| *status != DesiredStatus::Enrolled),
        }
    }

    /// The same of a plan that was kept without the manifests; `None` where these matter.
    #[must_use]
    pub(crate) fn of_kept(approved: &ApprovedPlan, id: DeviceId, device: &Device) -> Option<Self> {
        let hindrance = Self::of(approved, id, None);
        let enrolls = |held: &Held| {
            matches!(held.reason, HoldReason::AwaitingReport | HoldReason::EnrollmentFailed)
        };
        match device.status {
            Status::Enrolled | Status::Wiped => Some(hindrance),
            Status::Pending | Status::Failed => {
                hindrance.held.iter().any(enrolls).then_some(hindrance)
            }
        }
    }
}
