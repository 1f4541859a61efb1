//! Where sinks go on from: a file each in `deliveries/` of the data directory, and what somebody wants
//! to be tried again.
//!
//! Nothing here is relied on: what it says follows from the log, and a file that is lost or cannot be read
//! costs time only.

mod files;

pub(crate) use files::{ask_again, asked_again, forget_asked, load, save, sinks};
