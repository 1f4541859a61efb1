//! Where requests are, below the data directory.

/// Requests come in here.
pub(crate) const DIRECTORY: &str = "requests";
/// What cannot be used goes here, below it.
pub(crate) const REJECTED: &str = "rejected";
