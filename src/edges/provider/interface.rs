//! The MDM that holds the devices, seen from the controller.
//!
//! Observing and applying are separate, and observing changes nothing. Calls are
//! asynchronous and bounded: by [`Limits`], and by the caller's time limit. An effect is
//! repeated only under the number of its intent, which a provider must take as an
//! idempotency key. What went wrong is transient, permanent, or unknown: never a guess.

pub mod local;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::model::{DeviceId, Profile, Report, SerialNumber};
use crate::domain::plan::IssuableWipe;
use crate::domain::state::event::ErrorClass;

/// What a provider has heard since it was last acknowledged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// In a fixed order: by batch name, then as written.
    pub batches: Vec<Batch>,
    /// What could not be looked at: it is tried again, and nothing is concluded from it.
    pub troubles: Vec<Trouble>,
    /// Fields of reports that this version does not know and passed over.
    pub unknown_fields: BTreeSet<String>,
    /// Whether there is more than one pass takes.
    pub more: bool,
}

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What: for `local` a path below the data directory.
    pub path: String,
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
    /// What to do about it, likewise.
    pub help: String,
}

/// What was handed over at once (for `local`: a file of the inbox, or as much of it as one
/// pass takes).
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Names it towards [`Provider::acknowledge`] (for `local`: the file name).
    pub name: String,
    /// The reports, or why the batch cannot be used at all.
    pub reports: Result<Vec<Report>, String>,
    /// What of it is no report: a sentence each, that says where.
    pub bad: Vec<String>,
}

/// What became of a batch; the snapshot that holds its telemetry is durable by now.
#[derive(Debug, Clone, PartialEq)]
pub struct Acknowledgement {
    /// As in [`Batch`].
    pub name: String,
    /// Reports that were taken: their `completed` commands are done.
    pub taken: Vec<Report>,
    /// Wipes, by serial number and intent, that they confirm, whether or not they name the
    /// command: it must not wait for the hardware to enrol again.
    pub confirmed: Vec<(SerialNumber, u64)>,
    /// Reports that were refused; the whole batch where it could not be used.
    pub rejected: Rejected,
}

/// What of a batch was refused, besides what is no report.
#[derive(Debug, Clone, PartialEq)]
pub enum Rejected {
    /// Nothing.
    None,
    /// Some reports.
    Reports(Vec<Refused>),
    /// All of it: it could not be used.
    Batch(String),
}

/// A report that was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Which one of its batch, from 0.
    pub index: usize,
    /// Whose.
    pub serial: SerialNumber,
    /// Why, in a sentence without a full stop.
    pub why: String,
}

/// One effect on many devices.
#[derive(Debug, Clone)]
pub struct Push {
    /// Idempotency key towards each target.
    pub intent: u64,
    /// What to push.
    pub profile: Arc<Profile>,
    /// To whom.
    pub targets: Vec<Target>,
}

/// A device as a provider knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The ledger's name for it.
    pub id: DeviceId,
    /// The provider's.
    pub serial: SerialNumber,
}

/// How much a provider takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Targets in one call.
    pub batch: usize,
    /// Calls under way.
    pub concurrency: usize,
    /// After which a call is given up, its outcome unknown.
    pub timeout: Duration,
}

/// Why an effect did not, or may not have, come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What to make of it.
    pub class: ErrorClass,
    /// What happened, where, and what to do.
    pub message: String,
    /// How long the provider asks to be left alone, where it says so.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// Without a wish to be left alone.
    #[must_use]
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), retry_after: None }
    }

    /// A call that was given up.
    #[must_use]
    pub fn timed_out(limit: Duration) -> Self {
        Self::new(ErrorClass::Unknown, format!("no answer within {}s", limit.as_secs()))
    }
}

/// Whether a provider has the command of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It has it, durably, or the device was seen to have it.
    There,
    /// It surely does not have it and never had it: under a new intent it may be given again.
    NotThere,
    /// Nobody can tell.
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

/// The MDM.
#[async_trait]
pub trait Provider: Send + Sync {
    /// How much it takes at once.
    fn limits(&self) -> Limits;

    /// What it has heard; changes nothing anywhere.
    async fn observe(&self) -> Result<Observation, Error>;

    /// Pushes a profile; one outcome for each target, in their order. An `Ok` is durable.
    async fn push(&self, push: Push) -> Vec<Result<(), Error>>;

    /// Gives the command to erase one device. An `Ok` is durable; any class but unknown means
    /// that the device surely does not get it: transient that it may be given again later, under
    /// a new intent, permanent that this never helps.
    async fn wipe(&self, wipe: &IssuableWipe, intent: u64) -> Result<(), Error>;

    /// Whether it has the command to erase a device: asked of intents that an earlier process
    /// may have been stopped in the middle of. `witness` is the intent of a push that the provider
    /// must still have for the device, where there is one: without it, it has forgotten things,
    /// and the answer is [`Presence::Unknown`]. So it is while a call of this process for the
    /// intent may still be under way. An error means that it can be asked again.
    async fn has(
        &self,
        target: &Target,
        intent: u64,
        witness: Option<u64>,
    ) -> Result<Presence, Error>;

    /// Takes the command to erase a device back, as far as that is possible. An `Ok` is durable.
    /// Repeating it is harmless.
    async fn withdraw(&self, target: &Target, intent: u64) -> Result<Withdrawn, Error>;

    /// Lets go of what was observed, now that the ledger has it.
    async fn acknowledge(&self, done: Vec<Acknowledgement>) -> Result<(), Error>;
}
