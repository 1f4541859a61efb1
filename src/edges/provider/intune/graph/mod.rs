//! The client of Microsoft Graph: tokens, calls, pages, batches, and what goes wrong with them.
//!
//! - A token goes to the one host that is named as Graph, encrypted but for loopback; redirects
//!   are not followed, and pages lead to no other host.
//! - One app registration makes everyday calls, another one wipes and retires: [`Everyday`] and
//!   [`Wiping`]. Neither makes a call of the other.
//! - A call that must not be made twice is made once: [`client::Graph::write_once`]. Others are repeated,
//!   within what a pass may wait altogether.
//! - No token, secret, or body is ever shown.
//!
//! It knows nothing of devices. Calls are blocking and run on threads of their own; dropping one
//! of these futures gives up waiting, not what was sent already.

mod answer;
mod batch;
mod budget;
mod call;
mod certificate;
mod client;
mod credentials;
mod der;
mod endpoints;
mod failure;
mod limiter;
mod pages;
mod reach;
mod registrations;
mod tenant;
#[cfg(test)]
pub(super) mod tests;
mod token;
mod token_error;
mod unwrap;

pub(super) use answer::Answer;
pub(super) use call::{Call, Version, odata_text, segment};

pub(super) use credentials::{Credentials, Proof};
pub(super) use endpoints::Endpoints;
pub(super) use failure::Failure;
pub(super) use reach::{Host, Reached};
pub(super) use registrations::{Everyday, Wiping};
pub(super) use tenant::Tenant;
