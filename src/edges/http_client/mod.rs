//! Calls to servers of others over HTTP: the foundation of every edge that makes some.
//!
//! One exchange at a time, within limits of time and size, without redirects, over TLS that the
//! system trusts, through the proxy of the environment but never to loopback. What goes wrong is said
//! in words that an administrator can act on, and says whether anything may have arrived. What is
//! sent, and what proves who asks, is up to the caller and shown nowhere.

mod addresses;
mod encode;
mod loopback;
mod lost;
mod retry_after;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod transport;

pub(crate) use addresses::Addresses;
pub(crate) use encode::encode;
pub(crate) use loopback::{is_loopback, is_loopback_host};
pub(crate) use lost::Lost;
pub(crate) use retry_after::retry_after;
pub(crate) use text::{clean, id};
pub(crate) use transport::{Network, Outgoing, Reply, Transport};
