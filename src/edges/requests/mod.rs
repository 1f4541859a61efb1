//! What people ask of whoever holds the ledger, by command: files in `requests/` of the data
//! directory, the same for every provider.
//!
//! A request is handed in and taken as carefully as a report: it has its name only once it is
//! durable, only regular files within a limit are opened, and nothing but the file's owner is
//! believed of who asked. A file that cannot be used goes to `requests/rejected/` byte for byte,
//! with the reason beside it. [`read`] changes nothing; `Requests::let_go` follows once the log has
//! what came of them, and a file that has changed meanwhile stays.

mod crash_points;
mod document;
mod layout;
mod reading;
mod submit;
#[cfg(test)]
mod tests;

pub use crate::edges::fs::spool::Error;
pub use crash_points::CRASH_POINTS;
pub(crate) use layout::{DIRECTORY, REJECTED};
pub(crate) use reading::{RequestOutcome, UnreadRequest, UnusableRequest};
pub use reading::{Requests, read};
pub use submit::submit;
