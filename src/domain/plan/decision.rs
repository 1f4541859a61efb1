//! The decision over the whole fleet, and what reports leave beside it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::action::{Action, Op};
use super::hold::Hold;
use super::wipes::WipeView;
use crate::domain::manifest::finding::Finding;
use crate::domain::model::{DeviceId, Facts, ReportId, Timestamp};

/// What is to be done, what is held back, and what else was noticed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// What is to be done, in order.
    pub actions: Vec<Action>,
    /// What is desired and not done, by place.
    pub holds: Vec<Hold>,
    /// Of the manifests and of the reports.
    pub findings: Vec<Finding>,
    /// What the devices last said, for the snapshot; never an action.
    pub telemetry: Vec<Telemetry>,
    /// Every wipe request that is there or was until now, by path: for a section of its own.
    pub wipes: Vec<WipeView>,
    /// Reports that nobody can use, and why.
    pub rejected: Vec<(ReportId, String)>,
    /// Devices that have to wait for what was asked for them, each with the origin of the request.
    pub(crate) held_requests: BTreeSet<(Arc<str>, DeviceId)>,
    /// Requests that nobody can use, by their origin, and why.
    pub(crate) refused_requests: Vec<(Arc<str>, String)>,
    /// What of the reports and requests that are used is odd: sentences without a full stop.
    pub(crate) notes: Vec<String>,
}

impl Plan {
    /// Whether it may be carried out though only the changed files were read again: it neither
    /// destroys nor touches anything but recorded devices.
    #[must_use]
    pub fn may_be_incremental(&self) -> bool {
        self.actions.iter().all(|action| match action.op {
            Op::Update { .. }
            | Op::Status { .. }
            | Op::Push { .. }
            | Op::License { .. }
            | Op::LicenseMissing { .. }
            | Op::Sync { .. }
            | Op::Compliance { .. }
            | Op::EvidenceMissing { .. }
            | Op::EvidenceReturned
            | Op::Access { .. }
            | Op::Missing { .. }
            | Op::Found
            | Op::UnrequestedWipe { .. }
            | Op::ConfirmWipe { .. } => true,
            Op::RecordProfile { .. }
            | Op::Provision { .. }
            | Op::Restore { .. }
            | Op::WipeProgress { .. }
            | Op::DeferWipe { .. }
            | Op::FailWipe { .. }
            | Op::Adopt { .. }
            | Op::Trust(_)
            | Op::AcceptWipe { .. }
            | Op::StopWipe { .. }
            | Op::Wipe { .. }
            | Op::WithdrawWipe { .. }
            | Op::Orphan
            | Op::Archive
            | Op::Freeze(_)
            | Op::Thaw { .. } => false,
        })
    }
}

/// What reports leave in the snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    /// Whose facts these are.
    pub device: DeviceId,
    /// When the last report counts, and its raw facts.
    pub(crate) last: Option<(Timestamp, Facts)>,
    /// Reports that were passed over, because a later one was heard before.
    pub(crate) passed_over: u64,
}
