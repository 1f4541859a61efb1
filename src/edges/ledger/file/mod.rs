//! The default store: a data directory with `audit.jsonl`, `state.json`, `lock` and `clock`.
//!
//! Readers take no lock, write nothing and bear with a writer at work. Nobody guesses: whatever is
//! wrong with the files, but for a last line that nobody finished, is an error that says what was
//! found and where.

mod clock;
mod copy;
mod devices;
mod directory;
mod entries;
mod follow;
mod identity;
pub(super) mod layout;
mod lock;
mod log;
mod mark;
mod names;
mod reader;
mod restore;
mod scan;
mod state_json;
mod store;
mod trusted;
mod verify;

pub use self::clock::highest_time;
pub(crate) use self::copy::{Copy, copy};
pub use self::follow::{read, replay};
pub(crate) use self::layout::CUT;
pub use self::layout::LOG;
pub(crate) use self::reader::reader_of_all;
pub use self::reader::{entries, reader};
pub(crate) use self::restore::Restoring;
pub use self::store::open;
pub(crate) use self::store::open_as;
pub use self::verify::verify;

#[cfg(test)]
mod tests;
