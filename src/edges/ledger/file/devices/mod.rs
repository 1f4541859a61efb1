//! An index of the recorded devices: where each stands in `state.json`, which of them have a serial
//! number, name, user, profile, status or label, how their names and serial numbers begin, and where
//! the log speaks of each.
//!
//! A cache that follows from the snapshot and the log: `devices` is made anew with each snapshot,
//! and `history` is only appended to. Readers look a few blocks up, each with a check, and add
//! what the log says after the snapshot. Where anything is off there is no index, and all of the
//! snapshot is read. What acts never asks it.

mod blocks;
mod build;
mod format;
mod gather;
mod history;
mod index;
mod names;
mod places;
mod query;
mod recent;

pub(super) use self::build::{build, is_built};
pub(super) use self::gather::{Fresh, Gathered, gather};
pub(super) use self::names::names;
pub(super) use self::query::{entries_of, state_of};
pub(super) use self::recent::Recent;
