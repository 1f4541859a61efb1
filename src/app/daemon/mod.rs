//! Pass after pass, until stopped: wake, observe, decide, carry out.
//!
//! What a pass does is [`reconcile`](super::reconcile)'s business; here is only when, how carefully, and what
//! happens when it fails. A failed ledger is closed at once, and effects stop with it; it is
//! opened again, by reading the whole log, until it can be. Large and destructive changes wait
//! for a second pass that finds the same. What takes longer the larger the fleet is, the
//! snapshot and the copy for readers, are published between passes, for a tenth of the
//! time at most; what was heard is acknowledged when the snapshot is there.

mod alert;
mod error;
mod heard;
mod last_pass;
mod observing;
mod options;
mod pass;
mod publication;
mod publish;
mod run;
mod schedule;
mod settle;
mod unattended;
mod watchdog;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use options::Options;
pub use unattended::Daemon;
