//! Wake-ups: that something may have changed where the fleet comes from, never what.
//!
//! An event only wakes, and says at most where to look first; what counts is what the look finds,
//! and whoever is woken looks at everything again every so often. So events may be lost, doubled
//! or come late: every directory is watched before it is listed, the way to each place (every
//! directory and symlink on it) is watched too, and after an overflow, an error or a directory
//! that is another one than before all is watched anew. Where watching is impossible, it looks
//! itself every few seconds, and says so once. Reading never wakes.

mod filter;
mod paths;
mod prints;
mod survey;
mod touched;
mod watcher;

pub(crate) use self::touched::{Entrance, Places, Touched};
pub use self::watcher::Pace;
pub(crate) use self::watcher::{Mode, Watch};

#[cfg(test)]
mod tests;
