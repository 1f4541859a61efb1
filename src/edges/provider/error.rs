//! What goes wrong with a provider, and what to make of it.

use std::time::Duration;

use compact_str::CompactString;

use crate::domain::state::event::ErrorClass;

/// Why a look failed, or an effect did not, or may not have, come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What to make of it.
    pub class: ErrorClass,
    /// What happened, where, and what to do.
    pub message: String,
    /// How long the provider asks to be left alone, where it says so.
    pub retry_after: Option<Duration>,
    /// What the MDM calls the request for the approval that the command needs first.
    pub approval: Option<CompactString>,
}

impl Error {
    /// Without a wish to be left alone.
    #[must_use]
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), retry_after: None, approval: None }
    }

    /// A call that was given up.
    #[must_use]
    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self::new(ErrorClass::Unknown, format!("no answer within {}s", limit.as_secs()))
    }
}
