//! The real daemon: what wakes it, what stops it, what it does when the disk fails, and what
//! others see beside it. Every wait is for a condition, with a deadline; none is for time.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod access;
mod afar;
mod beside;
pub mod client;
mod failing;
mod freezing;
mod http;
mod incremental;
mod limits;
mod missed;
mod remote;
mod reports;
mod resting;
mod service;
mod settling;
mod signals;
mod soak;
mod taken;
mod time;
mod trust;
mod unheard;
mod watching;
