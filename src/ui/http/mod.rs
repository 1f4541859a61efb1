//! What the daemon shows: read-only, the same JSON as `-o json`, and never in the way of a pass; and
//! who may come in (`access`).
//!
//! Every answer comes from what was published after the last pass ([`crate::app::status::View`]); the log is
//! read as any other reader reads it. Connections are few and short (`listener`), answers that
//! take a core fewer still, and a slow client delays nobody else. Beyond loopback a client must
//! send a token, and everywhere it must ask for a host name that is known (`host`). The other end
//! is [`crate::ui::client`].

mod access;
mod answer;
mod api;
mod documents;
mod door;
mod error;
mod host;
mod listener;
mod metrics;
mod query;
mod server;
mod shared;
mod signal_cache;
mod signals;
mod state;
mod token;

pub(crate) use host::Names;
pub(crate) use server::Server;
pub(crate) use token::Token;

#[cfg(test)]
mod tests;
