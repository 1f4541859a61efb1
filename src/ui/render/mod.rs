//! What people and programs see: values in, bytes on [`out::Out`], nothing decided.
//!
//! Nothing here loads, asks or changes anything. Every text that others wrote goes through
//! [`text::safe`] or [`json`], so that no manifest, report or file name can move a
//! terminal's cursor or make a line read otherwise than it is. Color is never the only
//! signal. JSON is versioned and keeps its keys.

pub(crate) mod access;
pub(crate) mod applied;
pub(crate) mod backup;
mod change;
pub(crate) mod check;
pub(crate) mod custom_columns;
pub(crate) mod deliveries;
pub(crate) mod device;
pub(crate) mod diff;
pub(crate) mod doctor;
mod episode;
pub(crate) mod explain;
pub(crate) mod filter;
pub(crate) mod findings;
pub(crate) mod github;
pub(crate) mod hindrance;
pub(crate) mod history;
pub(crate) mod imported;
pub(crate) mod json;
pub(crate) mod jsonpath;
mod last_sync;
mod license;
pub(crate) mod licenses;
pub(crate) mod list;
pub(crate) mod markdown;
mod mdm;
mod next_status;
pub(crate) mod orphans;
pub(crate) mod out;
pub(crate) mod patch;
pub(crate) mod plan;
pub(crate) mod profile;
pub(crate) mod rejected;
pub(crate) mod replayed;
pub(crate) mod sarif;
pub(crate) mod saved;
pub(crate) mod server_verdict;
pub(crate) mod show;
pub(crate) mod sync;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod trust;
pub(crate) mod trust_check;
pub(crate) mod unified;
pub(crate) mod unmanaged;
pub(crate) mod verify;
pub(crate) mod why;
pub(crate) mod wipe;
pub(crate) mod wipes;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod tests;
