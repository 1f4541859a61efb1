//! What a provider is asked to do to devices, and what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::error::Error;
use crate::domain::model::{DeviceId, DeviceSpec, Email, GraphId, Platform, Profile, SerialNumber};

/// What a profile needs in the provider before devices get it.
#[derive(Debug, Clone)]
pub struct ProfileSetup {
    /// Idempotency key.
    pub intent: u64,
    /// The ledger whose profile it is: objects are marked with it.
    pub ledger: Option<uuid::Uuid>,
    /// What it is to be.
    pub profile: Arc<Profile>,
    /// The compliance policies that it has, as far as the ledger knows.
    pub(crate) policies: BTreeMap<Platform, GraphId>,
}

/// What a profile has in the provider now.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// Its compliance policies, by platform.
    pub(crate) policies: BTreeMap<Platform, GraphId>,
    /// What was written, for people, each with the id of the call.
    pub written: Vec<String>,
    /// Why it is not all that it needs; what is said above happened all the same.
    pub failed: Option<Error>,
}

/// One effect on many devices.
#[derive(Debug, Clone)]
pub struct Push {
    /// Idempotency key towards each target.
    pub(crate) intent: u64,
    /// What to push.
    pub(crate) profile: Arc<Profile>,
    /// Each device once; a call takes at most as many as the provider's limits say.
    pub targets: Vec<PushTarget>,
}

/// A device that gets a profile.
#[derive(Debug, Clone)]
pub struct PushTarget {
    /// The ledger's name for it.
    pub id: DeviceId,
    /// What it is to be.
    pub spec: Arc<DeviceSpec>,
    /// What it may have had before.
    pub leaves: Vec<Left>,
    /// Whose it was, and who may still have what came with the profile.
    pub former_users: Vec<FormerUser>,
}

/// Somebody who had a device, and has it no more.
#[derive(Debug, Clone)]
pub struct FormerUser {
    /// Who.
    pub email: Email,
    /// Profiles that no device of theirs has any more.
    pub leaves: Vec<Arc<Profile>>,
}

/// A profile that a device does not have, or not any more.
#[derive(Debug, Clone)]
pub struct Left {
    /// The profile.
    pub profile: Arc<Profile>,
    /// Whether no other device of its user has it either.
    pub user: bool,
}

/// How a wipe is to be ordered.
#[derive(Debug, Clone, Copy)]
pub struct WipeOrder<'a> {
    /// Number of the intent.
    pub intent: u64,
    /// The approval that was given for it in the MDM, by its code.
    pub approval: Option<&'a str>,
}

/// What a provider says of a command that it took; an embedded one has nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Its own name for the device.
    pub target: Option<GraphId>,
    /// Of the call.
    pub client_request_id: Option<CompactString>,
}

/// A device as a provider knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The ledger's name for it.
    pub(crate) id: DeviceId,
    /// What the provider finds the device by.
    pub serial: SerialNumber,
}

/// A device whose user gets a license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseTarget {
    /// The ledger's name for the device.
    pub id: DeviceId,
    /// What the provider finds the device by.
    pub serial: SerialNumber,
    /// Who gets it.
    pub user: Email,
    /// Whether the user was given it already with another device, as far as is recorded. A provider that
    /// knows better looks for itself.
    pub given: bool,
}

/// Whether a user has a license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Licensed {
    /// The user got it.
    Assigned,
    /// The user had it before.
    Had,
    /// The user cannot have it now: why, and what to do about it, without a full stop. Nothing is wrong
    /// with the provider.
    Lacks(String),
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
    /// It no longer exists; a device that had read it before may still obey.
    Gone,
    /// This provider cannot take it back: why, without a full stop.
    NotPossible(String),
}
