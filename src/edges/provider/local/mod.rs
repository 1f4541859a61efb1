//! The embedded provider: devices report into `inbox/` and read what to do from `outbox/`.
//!
//! Observing changes nothing. What was observed is removed only after the ledger has it,
//! and only if it still is what was observed. No step is lost or half done by a crash:
//! a repetition of the whole is harmless. It expects one writer, as the ledger's lock
//! guarantees; [`submit()`] may be called by anyone at any time.

pub(crate) mod backup;
mod command;
mod crash_points;
mod doctor;
mod embedded;
mod error;
mod inbox;
mod outbox;
mod pending;
mod records;
mod rejected;
mod report;
mod retry;
mod seen;
mod submit;
#[cfg(test)]
mod tests;
mod witness;

pub use crash_points::CRASH_POINTS;
pub use embedded::Local;
pub use records::parse as parse_reports;
pub use submit::submit;

pub(crate) use error::Error;
pub(crate) use inbox::FILE_LIMIT as BATCH_LIMIT;
pub(crate) use records::{Problem, Records};
pub(crate) use retry::{Rejected, rejected, retry};
pub(crate) use witness::{Foreign, foreign};
