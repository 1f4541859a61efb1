//! The real daemon: what wakes it, what stops it, what it does when the disk fails, and what
//! others see beside it. Every wait is for a condition, with a deadline; none is for time.

#![expect(clippy::disallowed_methods, reason = "tests write plainly, and read how long to soak")]

mod beside;
mod failing;
mod http;
mod soak;
mod support;
mod watching;
