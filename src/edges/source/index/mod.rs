//! What an earlier look at the fleet directory read, so that a file that nobody touched need be
//! neither opened nor parsed.
//!
//! It is a cache: whoever holds the ledger writes it into the data directory, everybody reads it,
//! and where anything about it is off it is as if there were none. A file counts as untouched only
//! if its inode, its length and both of its times are what they were and older than the look that
//! read it; one that was only moved, copied or checked out anew is known again by its digest.
//! Nothing irreversible rests on it: see [`crate::app::reconcile`].

mod cache;
mod collect;
mod file;
mod format;

pub use self::cache::Cache;
pub(super) use self::collect::{Collected, Collector};
pub(super) use self::file::{Index, Known, Names};

#[cfg(test)]
mod tests;
