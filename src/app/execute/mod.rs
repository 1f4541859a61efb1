//! Carries an approved plan out: log the intent, call the provider, log the outcome.
//!
//! It chooses nothing. Actions go in batches: all entries of a batch are durable before any
//! of its effects, and the outcomes become durable with a later batch, or at the end. While one has its
//! effects, the intents of the next one are logged: a stop is honored after both. If the log cannot be written, nothing more is done. A wipe goes by
//! itself: see `execute/wipes.rs`.

mod batch;
mod batches;
mod calls;
mod commands;
mod control;
mod intents;
mod licenses;
mod outcome;
mod profiles;
mod wipes;

pub(crate) use batches::execute;
pub use control::{Control, Reread};
pub use outcome::Outcome;
pub(crate) use outcome::Unlicensed;
