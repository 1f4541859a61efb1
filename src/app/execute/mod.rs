//! Carries an approved plan out: log the intent, call the provider, log the outcome.
//!
//! It chooses nothing. Actions go in batches: all entries of a batch are durable before any
//! of its effects, and the outcomes become durable with the next batch, or at the end. A stop
//! is honoured between batches. If the log cannot be written, nothing more is done. A wipe goes by
//! itself: see `execute/wipes.rs`.

mod batches;
mod calls;
mod commands;
mod control;
mod licenses;
mod outcome;
mod profiles;
mod wipes;

pub(crate) use batches::execute;
pub use control::{Control, Reread};
pub use outcome::Outcome;
pub(crate) use outcome::Unlicensed;
