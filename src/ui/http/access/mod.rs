//! "May this device come in?" over HTTP: OpenID AuthZEN Authorization API 1.0.
//!
//! Every answer comes from the published view, and takes microseconds; a pass delays none. A "no"
//! is a 200 with its reason; only what is no question at all is an error. Nothing here changes
//! anything but what is counted and said in the program's log.

mod decisions;
mod evaluate;
mod request;
mod routes;

pub(super) use decisions::{Counts, Decisions};
pub(super) use routes::{METADATA, metadata, router};

#[cfg(test)]
mod tests;
