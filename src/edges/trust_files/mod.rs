//! Reads the trust files, and sees to it that nobody else could have written them.
//!
//! The path is walked component by component, through every symbolic link: each step must
//! belong to root or the current user, no one else may be able to replace it, and none may be
//! the fleet directory or the top of a Git work tree that holds it: their content strangers propose,
//! and a merged change writes it. The file is opened without following
//! links and without waiting, so that a FIFO cannot hang a pass. It never writes.

mod error;
mod read;

pub(crate) use self::error::Error;
pub use self::read::read;

#[cfg(test)]
mod tests;
