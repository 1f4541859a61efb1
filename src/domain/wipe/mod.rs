//! Wipes: what has to hold before a device is erased, decided without any file, clock or log.
//!
//! `sshsig` says which key signed some bytes, [`trust`] whose key that is and what it may do,
//! `verify` whether a request holds, and [`quorum`] whether enough people signed it for the
//! number of wipes there were lately. Whatever is in doubt is refused, with a stable code and
//! a sentence that says what to do.
//!
//! Signers are people (principals), never keys or signature files: someone with three keys is
//! one signer. Signature bytes are no identity either: a request is known by the digest of its file.

pub(crate) mod clock;
mod file;
pub mod quorum;
mod request;
mod rules;
pub(crate) mod sshsig;
pub(crate) mod target;
#[cfg(test)]
pub(crate) mod testing;
pub mod trust;
pub mod trust_state;
pub(crate) mod verify;

pub use file::WipeFile;
pub(crate) use request::{Namespace, Request};
