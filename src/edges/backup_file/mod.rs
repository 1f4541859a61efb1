//! A backup: one file that holds a ledger, to be put aside and read again elsewhere.
//!
//! It is a plain `tar` archive, so that it can be looked at without this program. Reading is
//! strict: there are exactly these members, in this order, with the headers that this program
//! writes, and each has the length and the digest that the first one says. Nothing of the file
//! decides where anything is written.

mod contents;
mod error;
mod read;
mod tar;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use contents::{About, LOG, OUTBOX, STATE};
pub(crate) use error::Error;
pub(crate) use read::open;
pub(crate) use write::{Member, write};
