//! The recorded fleet: a fold over the log.
//!
//! [`State::fold`] is the only code that changes it, in a pass and in a replay alike;
//! `State::observe` adds telemetry, which is never logged. A log that this module
//! refuses was not written by it.

mod by_serial;
mod device;
mod devices;
mod episode;
pub mod event;
mod fold;
mod fold_notices;
mod fold_wipes;
mod license;
mod shared;
mod sparse;
mod sync;
mod wipe;

pub(crate) use device::{
    Checks, Compliance, Device, LastPush, Manifest, PushProgress, PushState, Rare,
};
pub use devices::Devices;
pub(crate) use episode::{Before, Block, BlockState, Episode, EpisodeKind, NoticeResult, Ticket};
pub use fold::State;
pub(crate) use fold::{FoldError, Frozen, HeadHash, Restored};
pub(crate) use license::{License, LicenseState, Licenses};
pub(crate) use shared::Alike;
pub(crate) use sparse::Sparse;
pub(crate) use sync::{LastSync, SyncStanding};
pub(crate) use wipe::{Approval, DEFERRED, Progress, Wipe, WipeState, refused};
