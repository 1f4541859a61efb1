//! What a provider is asked to do to devices, and what it answers.

use std::sync::Arc;

use crate::domain::model::{DeviceId, Profile, SerialNumber};

/// One effect on many devices.
#[derive(Debug, Clone)]
pub struct Push {
    /// Idempotency key towards each target.
    pub(crate) intent: u64,
    pub(crate) profile: Arc<Profile>,
    /// Each device once; a call takes at most as many as the provider's limits say.
    pub targets: Vec<Target>,
}

/// A device as a provider knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The ledger's name for it.
    pub(crate) id: DeviceId,
    /// What the provider finds the device by.
    pub serial: SerialNumber,
}

/// Whether a provider has the command of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It has it, durably, or the device was seen to have it.
    There,
    /// It surely does not have it and never had it: under a new intent it may be given again.
    NotThere,
    /// The provider cannot tell: the wipe stays in doubt, and is not given again.
    Unknown,
}

/// What became of a command that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withdrawn {
    /// It is not there any more; a device that had read it before may still obey.
    Gone,
    /// This provider cannot take it back: why, without a full stop.
    NotPossible(String),
}
