//! Places in the fleet directory.

use std::sync::Arc;

/// A place in the fleet directory, fit for people and machines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Relative to the root of the fleet directory, with `/`.
    pub path: Arc<str>,
    /// From 1.
    pub(crate) line: u32,
}
