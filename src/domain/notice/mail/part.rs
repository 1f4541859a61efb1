//! What a mail is made of.

use super::letter::Letter;
use crate::domain::model::Timestamp;
use crate::domain::notice::Topic;

/// One thing that a mail tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) topic: Topic,
    /// When it happened.
    pub(crate) at: Timestamp,
    pub(crate) letter: &'a Letter,
}

/// What every mail says beside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    /// Whom to ask.
    pub(crate) contact: Option<String>,
    /// Where to read more.
    pub(crate) help_url: Option<String>,
}

impl Extras {
    /// With everything.
    pub(super) fn example() -> Self {
        Self {
            contact: Some("the service desk, extension 1234".to_owned()),
            help_url: Some("https://it.example.com/devices".to_owned()),
        }
    }
}
