//! What came of a plan.

use std::collections::BTreeMap;

use crate::domain::model::{DeviceId, Name};
use crate::domain::plan::ActionKind;
use crate::domain::state::event::ErrorClass;

/// What came of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Actions done, by kind.
    pub(crate) done: BTreeMap<ActionKind, usize>,
    /// Of these, actions whose effect did not, or may not have, come about.
    pub(crate) fell_short: BTreeMap<ActionKind, usize>,
    /// Effects that did not, or may not have, come about: whose, and why.
    pub failed: Vec<(DeviceId, ErrorClass, String)>,
    /// Profiles whose objects in the provider are not what they should be: whose, and why.
    pub profiles_failed: Vec<(Name, ErrorClass, String)>,
    /// Wipes that somebody has to approve in the MDM first: whose, and what to do.
    pub awaiting_approval: Vec<(DeviceId, String)>,
    /// Wipes that were planned and did not hold any more when they were to be issued: whose, and
    /// why. The next plan says what becomes of them.
    pub not_issued: Vec<(DeviceId, String)>,
    /// Actions not begun because of a stop.
    pub left: usize,
}
