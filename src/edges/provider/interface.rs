//! What every provider can do.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use super::diagnosis::Diagnosis;
use super::effect::{
    LicenseTarget, Licensed, Prepared, Presence, ProfileSetup, Push, Receipt, Target, WipeOrder,
    Withdrawn,
};
use super::error::Error;
use super::observed::{Acknowledgement, Asked, Cursor, Observed};
use crate::domain::diagnosis::Check;
use crate::domain::plan::IssuableWipe;

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

/// When a provider wants to be asked what it has heard. It is always asked at the start, and
/// before `every` again only where a path was touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cadence {
    /// Where something new means that there is something to hear.
    pub wakes: Vec<WatchedDir>,
    /// At most so often otherwise; nothing where asking costs nothing, so that every pass may.
    pub every: Option<Duration>,
}

/// A directory where something new means that there is something to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedDir {
    /// Whether it exists or not yet.
    pub dir: PathBuf,
    /// Names in it that mean nothing; names that begin with a dot never do.
    pub ignoring: &'static [&'static str],
}

/// The MDM. What can be done to devices is a method for each kind of effect, so that its type says
/// what it takes: a push is repeated under its intent, a wipe needs a proof and is never repeated.
#[async_trait]
pub trait Provider: Send + Sync {
    /// How much it takes at once.
    fn limits(&self) -> Limits;

    /// When it wants to be asked.
    fn cadence(&self) -> Cadence;

    /// Whether it surely has heard nothing, as far as that can be told without asking anybody.
    fn is_quiet(&self) -> bool {
        false
    }

    /// What it has heard since a look that was acknowledged, or all that it knows; changes nothing
    /// anywhere. It bounds its own time. An error says nothing about
    /// devices: the caller goes on with what it knows, and gives no commands meanwhile.
    async fn observe(&self, asked: Asked<'_>) -> Result<Observed, Error>;

    /// Makes what a profile needs before devices get it, and puts right what somebody changed in it.
    /// Repeating it is harmless.
    async fn prepare(&self, setup: &ProfileSetup) -> Result<Prepared, Error>;

    /// Pushes a profile; one outcome for each target, in their order. An `Ok` is durable.
    async fn push(&self, push: Push) -> Vec<Result<(), Error>>;

    /// Gives a license to the users of devices; one outcome for each target, in their order. An `Ok` is
    /// durable. Repeating it changes nothing, and a license is never taken away.
    async fn assign_license(
        &self,
        sku: &str,
        targets: Vec<LicenseTarget>,
        intent: u64,
    ) -> Vec<Result<Licensed, Error>>;

    /// Asks devices to sync now; one outcome for each target, in their order. An `Ok` is durable: the
    /// request is with the MDM, and what comes of it is heard by observing. Repeating it under its
    /// intent changes nothing.
    async fn sync(&self, targets: Vec<Target>, intent: u64) -> Vec<Result<(), Error>>;

    /// Blocks the access of devices to corporate mail, or restores it; one outcome for each target, in
    /// their order. An `Ok` is durable. Repeating it under its intent changes nothing, and a later order
    /// takes the place of an earlier one.
    async fn set_access(
        &self,
        targets: Vec<Target>,
        blocked: bool,
        intent: u64,
    ) -> Vec<Result<(), Error>>;

    /// Gives the command to erase one device. An `Ok` is durable; any class but unknown means
    /// that the device surely does not get it: transient that it may be given again later, under
    /// a new intent, permanent that this never helps.
    async fn wipe(&self, wipe: &IssuableWipe, order: WipeOrder<'_>) -> Result<Receipt, Error>;

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

    /// Acknowledges what the observation that ended at `cursor` gave, now that the ledger has it: each
    /// report of it has one acknowledgement. What was observed by another look stays.
    async fn acknowledge(&self, cursor: &Cursor, done: Vec<Acknowledgement>) -> Result<(), Error>;

    /// Whether all that it needs is there, one check after the other and always in the same order;
    /// changes nothing anywhere. It ends by the time it is given.
    async fn diagnose(&self, asked: Diagnosis<'_>) -> Vec<Check>;
}
