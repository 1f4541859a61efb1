//! The decision over wipe requests.
//!
//! Requests are taken in a fixed order, those accepted before first, then by `issuedAt`, each
//! counting for the next. A request is known by the digest of its content: once issued it is
//! consumed, under whatever name it comes back. Every pass judges anew, up to the moment of
//! issue: a key revoked or a veto committed while a wipe cools off still stops it.

mod capacity;
mod clock;
mod decide;
mod issuable;
mod news;
mod ownership;
mod quorum;
mod request;
mod show;
mod unsigned;
mod view;
mod withdraw;

pub(crate) use capacity::left_today;
pub(super) use clock::CLOCK_BEHIND;
pub(crate) use clock::{clock_behind, time_ahead};
pub(super) use decide::{WipePlan, decide};
pub use issuable::{Fresh, IssuableWipe};
pub(crate) use issuable::{NotIssued, ahead_of, issuable};
pub(super) use news::news;
pub(crate) use request::verify_request;
pub(crate) use view::WipeStanding;
pub use view::WipeView;
pub(super) use withdraw::withdraw;

#[cfg(test)]
mod tests;
