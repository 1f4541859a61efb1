//! Shared signals: security event tokens that are pushed (RFC 8935) to configured receivers, and what
//! receivers look up to believe them.

mod documents;
mod keys;
mod push;

pub(crate) use documents::Documents;
pub(crate) use push::Stream;
