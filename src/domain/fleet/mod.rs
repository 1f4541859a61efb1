//! From documents to the desired fleet: the rules that need more than one document.
//!
//! [`assemble()`] is pure, and blind to the order of files: equal documents give an equal
//! [`Desired`]. What is in conflict is in conflict for all that take part; none of them wins.

mod affected_files;
mod assemble;
mod clash;
mod desired;
mod exemptions;
mod incremental;
mod local_change;
mod misleading;
mod partial_devices;
mod profiles;
mod wipe_requests;

#[cfg(test)]
mod tests;

pub(crate) use affected_files::AffectedFiles;
pub use assemble::assemble;
pub use desired::Desired;
pub use incremental::IncrementalFleet;
pub(crate) use local_change::local_change;
