//! What is left to do after a pass, and how many there are of everything.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::app::reconcile::{Basis, approve};
use crate::domain::guard::ApprovedPlan;
use crate::domain::model::{
    ComplianceState, DesiredStatus, Digest, SerialNumber, Status as DeviceStatus,
};
use crate::domain::plan::{HoldReason, NO_NEWS};
use crate::domain::state::State;
use crate::domain::wipe::target::LedgerId;
use crate::domain::wipe::trust_state::TrustState;

/// As of one moment.
#[derive(Debug)]
pub(crate) struct Status {
    /// What is left to do.
    pub(crate) left: ApprovedPlan,
    pub(crate) made_of: MadeOf,
    pub(crate) counts: Counts,
    /// The statuses that manifests declare, but for Enrolled.
    pub(crate) declared: HashMap<SerialNumber, DesiredStatus>,
}

/// What the plan was made of.
#[derive(Debug)]
pub(crate) struct MadeOf {
    /// The root of the fleet directory as it was given.
    pub(crate) root: String,
    /// The Git commit.
    pub(crate) revision: Option<Arc<str>>,
    /// Sequence number of the ledger's last entry, and the hash of its line.
    pub(crate) seq: u64,
    pub(crate) head: Digest,
    pub(crate) lineage: Option<LedgerId>,
    /// What signatures were checked against.
    pub(crate) trust: Arc<TrustState>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Holds of the plan, by reason.
    pub(crate) holds: BTreeMap<HoldReason, u64>,
    /// Devices, by status.
    pub(crate) devices: BTreeMap<DeviceStatus, u64>,
    /// Devices, by compliance.
    pub(crate) compliance: BTreeMap<ComplianceState, u64>,
    /// Devices whose manifest is gone, but for those that are archived.
    pub(crate) orphaned: u64,
    /// Devices that are archived.
    pub(crate) archived: u64,
    /// Devices that the MDM no longer lists.
    pub(crate) missing: u64,
    /// Wipes that wait for approval in the MDM.
    pub(crate) awaiting_approval: u64,
    /// Devices that report that they were erased without a wipe request.
    pub(crate) erased: u64,
}

impl Status {
    /// Plans what is left after a pass; reports that came since are not asked for.
    pub(crate) fn new(basis: Basis<'_>, made_of: MadeOf) -> Self {
        let left = approve(basis, (&[], &NO_NEWS), []);
        let counts = Counts::of(basis.recorded, &left);
        let declared = basis.desired.devices.iter();
        let declared = declared.filter(|device| device.status != DesiredStatus::Enrolled);
        let declared = declared.map(|d| (d.spec.serial_number.clone(), d.status)).collect();
        Self { left, made_of, counts, declared }
    }
}

impl Counts {
    fn of(recorded: &State, left: &ApprovedPlan) -> Self {
        let mut counts = Self::default();
        for hold in &left.plan().holds {
            *counts.holds.entry(hold.reason).or_default() += 1;
        }
        for device in recorded.devices.values() {
            *counts.devices.entry(device.status).or_default() += 1;
            *counts.compliance.entry(device.compliance.state).or_default() += 1;
            let missing = device.rare.missing_since.is_some() && !device.is_wiped();
            counts.missing += u64::from(missing);
            let archived = device.rare.archived_since.is_some();
            counts.archived += u64::from(archived);
            counts.orphaned += u64::from(device.rare.orphaned_since.is_some() && !archived);
            let erased = device.rare.unrequested_wipe.is_some() && !device.is_wiped();
            counts.erased += u64::from(erased);
        }
        let awaiting = recorded.wipes.values().filter(|wipe| wipe.awaits_approval());
        counts.awaiting_approval = awaiting.count() as u64;
        counts
    }
}
