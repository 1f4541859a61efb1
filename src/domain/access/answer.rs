//! What is answered.

use super::reason::Reason;
use crate::domain::model::{DeviceId, Timestamp};

/// Yes, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) denial: Option<Denial>,
    /// By the later of the clock and what was known.
    pub(crate) at: Timestamp,
    /// A client may rely on it until then.
    pub(crate) valid_until: Timestamp,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    pub(crate) reason: Reason,
    /// Because of which device.
    pub(crate) device: Option<DeviceId>,
    /// For whoever runs the fleet.
    pub(crate) admin: String,
    /// For the user.
    pub(crate) user: String,
}
