//! What a provider is told that is to say what is wrong with it.

use tokio::time::Instant;

use crate::domain::diagnosis::Needed;
use crate::domain::fleet::Desired;
use crate::domain::model::Timestamp;

/// What a provider is told that is to say what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub struct Diagnosis<'a> {
    /// The fleet directory.
    pub fleet: Needed<&'a Desired>,
    /// Whether the data directory can be used.
    pub data: Needed<()>,
    /// What time it is by our clock.
    pub now: Timestamp,
    /// When to answer at the latest.
    pub until: Instant,
}
