//! Telling others: what is sent where, and what comes of it ([`Attempt`]).
//!
//! Nothing here decides what is told, when, or how often: it tries once, within limits of time and
//! size, and says what came of it. Secrets are read from their files for each use, and are shown
//! nowhere, nor is a URL beyond its host.
//!
//! [`Attempt`]: crate::domain::notice::Attempt

pub(crate) mod events;
mod http;
pub(crate) mod mail;
mod secret;
pub(crate) mod service_now;
pub(crate) mod webhook;

pub(crate) use secret::check_file;

#[cfg(test)]
mod tests;
