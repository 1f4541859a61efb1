//! What comes of one try to tell somebody.

use std::time::Duration;

/// What came of one try to tell somebody. Texts are shown to people: they hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The far side has it.
    Done {
        /// What it is called there: a number of a ticket, an id of a message.
        reference: Option<String>,
    },
    /// There is nothing to tell any more, by what the far side says: nothing was written there.
    NotNeeded {
        /// Without a full stop.
        why: String,
    },
    /// Surely not taken; later it may be.
    Retry {
        /// Without a full stop.
        why: String,
        /// How long the far side asks to wait, where it does.
        after: Option<Duration>,
    },
    /// Nobody knows whether it was taken: repeated under the same id, or looked up first.
    InDoubt {
        /// Without a full stop.
        why: String,
    },
    /// This one will never be taken.
    Refused {
        /// Without a full stop.
        why: String,
    },
    /// Nothing is taken until somebody changes the configuration or a secret: the sink rests, and is
    /// probed.
    Misconfigured {
        /// Without a full stop, and what to do.
        why: String,
    },
}

impl Attempt {
    /// Why it failed, if it did.
    #[must_use]
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::Done { .. } | Self::NotNeeded { .. } => None,
            Self::Retry { why, .. }
            | Self::InDoubt { why }
            | Self::Refused { why }
            | Self::Misconfigured { why } => Some(why),
        }
    }
}
