//! Whether a wipe request holds: every rule's outcome as data, and what follows.
//!
//! [`VerifiedWipe`] is the permission that everything after this asks for, and [`verify`] its
//! only source. It judges one request by itself: how many signatures are enough for the number
//! of wipes lately is [`super::quorum`]'s question, and whether a request was consumed before,
//! or another one for the device is under way, the ledger's.
//!
//! Whoever can write to the fleet repository can put a file beside a request, so a signature
//! file that does not count spoils nothing: it is reported, and the others count. One that
//! cannot be read, or is no signature at all, holds the request: it may be a veto that was damaged.
//! A veto is one by its namespace, whatever its file is called.

mod evidence;
mod judge;
mod judgement;
mod signed_file;
mod verified;

#[cfg(test)]
mod tests;

pub(crate) use super::rules::{Reason, Rule};
pub(crate) use evidence::{Evidence, Recorded};
pub(crate) use judge::verify;
pub(crate) use judgement::{Conclusion, Discounted, FileCheck, Judgement};
pub(crate) use signed_file::{MAX_FILES, SignedFile, signed_files};
pub(crate) use verified::VerifiedWipe;
