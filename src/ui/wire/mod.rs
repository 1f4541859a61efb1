//! What the daemon's HTTP server and its client must agree on.

pub(crate) mod documents;
pub(crate) mod log;
pub(crate) mod settings;
pub(crate) mod state;
