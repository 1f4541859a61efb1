//! What goes wrong with the directories of the local provider.

use std::path::PathBuf;

use super::records::Problem;
use crate::domain::state::event::ErrorClass;
use crate::edges::fs::spool;
use crate::edges::provider::error as provider;

/// Why a directory or file could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A directory or a file cannot be read or written.
    #[error(transparent)]
    Files(#[from] spool::Error),
    /// A file of commands is not what this program writes.
    #[error(
        "{} is not a file of commands: {why}; move it away, \
         and the device gets its commands when that is tried again", path.display()
    )]
    Corrupt { path: PathBuf, why: String },
    /// What was to be handed in holds no report, and why.
    #[error("there is no report in it")]
    NoReports(Vec<Problem>),
}

impl Error {
    /// What to make of it: whether trying again later can help.
    #[must_use]
    pub(crate) fn class(&self) -> ErrorClass {
        match self {
            // Whoever fixes a directory changes no manifest: only trying again finds out.
            Self::Files(spool::Error::Io { .. } | spool::Error::Changed { .. })
            | Self::Corrupt { .. } => ErrorClass::Transient,
            Self::Files(spool::Error::InDoubt { .. }) => ErrorClass::Unknown,
            Self::NoReports(_) => ErrorClass::Permanent,
        }
    }
}

impl From<Error> for provider::Error {
    fn from(error: Error) -> Self {
        Self::new(error.class(), error.to_string())
    }
}
