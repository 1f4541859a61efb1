//! The ledger: the audit log, which says everything, and its latest snapshot.
//!
//! A [`Ledger`] is its one writer. What it appends is checked, folded and written, in that order,
//! and true only once [`Ledger::sync`] is through; after any error of writing it does nothing more.
//! The chain, the format of a line and the checks are pure; where entries are kept is the business
//! of a `store::Store`: [`mod@file`], by default.
//!
//! ```text
//! store::Store ── line ── chain ──┬── State::fold ──> State
//!      snapshot ──────────────────┘
//! ```

pub(crate) mod chain;
mod differences;
mod error;
pub mod file;
mod intern;
mod line;
mod raw;
mod rows;
mod saving;
pub(crate) mod snapshot;
pub(crate) mod store;
pub(crate) mod verify;
mod writer;
mod written;

pub(crate) use self::error::Error;
pub(crate) use self::file::{CUT, Copy, Restoring};
pub(crate) use self::raw::logged;
pub use self::store::{Expected, Reader};
pub(crate) use self::store::{Known, Logged, Terms};
pub(crate) use self::verify::{Problem, Verified};
pub(crate) use self::writer::Proof;
pub use self::writer::{Draft, Ledger};

#[cfg(test)]
mod tests;
