//! Directories into which others put files, and out of which this program takes them.
//!
//! Nothing in them is trusted, nothing is changed in place, and a crash between any two steps
//! loses nothing: what is new has its name only once it is durable, and what is refused is kept
//! byte for byte, with the reason beside it, before it leaves its place.

mod aside;
mod dir;
mod error;
mod names;

pub(crate) use aside::{Kept, REASON_LIMIT, Refusals};
pub(crate) use dir::{Dir, Found, Stamp, temporary};
pub use error::Error;
pub(crate) use names::{is_unfinished, spell};
