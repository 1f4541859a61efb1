//! The snapshot's format (`state.json`): the state as of one line of the log, with the telemetry
//! that no line holds.
//!
//! Written as `jq -S .` would print it: two spaces, keys sorted at every level (the structs
//! here have their fields in that order), a newline at the end. Read strictly. Neither holds
//! more than some thousand devices in this form at a time. A lost or unreadable snapshot costs only
//! telemetry: the log has all else.

mod compare;
mod device;
mod devices;
mod document;
mod episode;
mod layout;
mod license;
mod read;
mod sync;
mod wipes;
mod write;

pub(super) use self::compare::Outline;
pub(super) use self::device::differences;
pub(crate) use self::document::Snapshot;
pub(super) use self::document::SnapshotIn;
pub(crate) use self::read::read_state;
pub(super) use self::read::{as_written, read_around, read_member};
#[cfg(test)]
pub(super) use self::wipes::WipeWire;
pub(crate) use self::write::{write, write_state};
