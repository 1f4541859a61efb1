//! What was heard and is not acknowledged yet: that waits for a snapshot, and no pass waits for that.
//!
//! Until then the provider would say it again, so nothing more is heard. A pass over everything does without, and
//! leaves open what a report could have come for in time; it is made again afterwards.

use crate::app::reconcile::{ReportCounts, Unacknowledged};
use crate::edges::provider::Observed;

/// What is to be acknowledged.
pub(super) struct LastHeard {
    pub(super) what: Unacknowledged,
    pub(super) reports: ReportCounts,
    /// Whether the snapshot that is being written says it.
    pub(super) is_saving: bool,
    /// Whether a pass over everything did without hearing more: deadlines are looked at again afterwards.
    pub(super) left_open: bool,
}

impl LastHeard {
    pub(super) fn new(what: Unacknowledged, reports: ReportCounts) -> Self {
        Self { what, reports, is_saving: false, left_open: false }
    }

    /// What a pass over everything hears meanwhile: that there may be more.
    pub(super) fn no_more(&mut self) -> Observed {
        self.left_open = true;
        Observed { complete: false, ..Observed::default() }
    }
}
