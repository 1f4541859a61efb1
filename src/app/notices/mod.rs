//! What newly became true and an operator should know, each thing once.
//!
//! [`Notices`] compares what a pass found with what was told before and gives notices: data,
//! without a clock, a log or a network. [`log`] is the one sink there is: it writes them to the
//! program's own log. Another sink (mail, tickets, webhooks) is one more function over the same
//! notices; one that must not lose any across a restart reads the entries of the ledger from a
//! sequence number that it stores itself, and not these.

pub(crate) mod log;
mod notice;
mod told;

pub(crate) use notice::{Notice, SHOWN, of_reports};
pub(crate) use told::Notices;
