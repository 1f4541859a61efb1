//! What people and programs see: values in, bytes on [`out::Out`], nothing decided.
//!
//! Nothing here loads, asks or changes anything. Every text that others wrote goes through
//! [`text::safe`] or [`json`], so that no manifest, report or file name can move a
//! terminal's cursor or make a line read otherwise than it is. Colour is never the only
//! signal. JSON is versioned and keeps its keys.

pub mod applied;
mod change;
pub mod check;
pub mod device;
pub mod diff;
pub mod explain;
pub mod filter;
pub mod findings;
pub mod github;
pub mod history;
pub mod json;
pub mod list;
pub mod markdown;
pub mod out;
pub mod plan;
pub mod progress;
pub mod replayed;
pub mod sarif;
pub mod show;
pub mod summary;
pub mod table;
pub mod text;
pub mod trust;
pub mod verify;
pub mod wipe;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod tests;
