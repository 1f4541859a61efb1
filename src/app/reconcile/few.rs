//! A decision over a few devices, where nothing else can have changed: for the daemon, which follows
//! each file, and for `plan`, which knows the decision before.
//!
//! It rests on a decision over everything that left nothing to do, and on manifests that hold the devices
//! that they held. Whatever is not certain is not decided here: the caller reads everything.

use std::collections::BTreeSet;

use super::basis::Basis;
use super::decide::decide;
use super::decision::Decision;
use crate::domain::model::{DeviceId, SerialNumber};
use crate::domain::state::State;
use crate::edges::provider::{self, Observed};

/// The devices that have these serial numbers; `None` if one is not recorded.
pub(crate) fn devices_of(serials: &[SerialNumber], recorded: &State) -> Option<BTreeSet<DeviceId>> {
    serials.iter().map(|serial| Some(recorded.by_serial(serial)?.0)).collect()
}

/// Decides on these devices alone; `None` where that is not all there is to decide.
pub(crate) fn decide_on(
    few: &BTreeSet<DeviceId>,
    basis: Basis<'_>,
    observed: Result<Observed, provider::Error>,
) -> Option<Decision> {
    let decision = decide(Basis { only: Some(few), ..basis }, observed);
    decision.approved.plan().may_be_incremental().then_some(decision)
}
