//! What comes next, and when.

use tokio::time::Instant;

use crate::app::deliveries::Request;
use crate::domain::model::Timestamp;

/// What there is to do.
pub(super) enum NextStep {
    Pass,
    Publish,
    /// Look what came of the snapshot that was being written.
    Saved,
    /// Write what somebody who tells others says of it.
    Write(Request),
}

/// When the next pass is made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Next {
    /// At the latest, by the clock on the wall.
    pub(crate) due: Option<Timestamp>,
    /// At the latest, for another reason.
    pub(crate) at: Option<Instant>,
    /// When to see whether Git is done with the work tree: as long as it is not, no pass is made for that.
    pub(crate) git: Option<Instant>,
    /// Not earlier than this, even if something changes.
    pub(crate) not_before: Option<Instant>,
}
