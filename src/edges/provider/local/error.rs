//! What goes wrong with the directories of the local provider.

use std::path::PathBuf;

use rustix::io::Errno;

use super::records::Problem;
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::error as provider;

/// Why a directory or file could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("cannot {doing} {}: {}{}", path.display(), reason(*errno), advice(*errno))]
    Io { doing: &'static str, path: PathBuf, errno: Errno },
    /// It may or may not have reached the disk.
    #[error(
        "cannot make {} durable: {}; what was just written may be lost: check the disk",
        path.display(), reason(*errno)
    )]
    InDoubt { path: PathBuf, errno: Errno },
    /// A file of commands is not what this program writes.
    #[error(
        "{} is not a file of commands: {why}; move it away, \
         and the device gets its commands when that is tried again", path.display()
    )]
    Corrupt { path: PathBuf, why: String },
    /// What was to be handed in holds no report, and why.
    #[error("there is no report in it")]
    NoReports(Vec<Problem>),
    /// Somebody changed a file while it was read.
    #[error("{} was changed while it was read; it is looked at again", path.display())]
    Changed { path: PathBuf },
}

impl Error {
    /// What to make of it: whether trying again later can help.
    #[must_use]
    pub(crate) fn class(&self) -> ErrorClass {
        match self {
            // Whoever fixes a directory changes no manifest: only trying again finds out.
            Self::Io { .. } | Self::Corrupt { .. } | Self::Changed { .. } => ErrorClass::Transient,
            Self::InDoubt { .. } => ErrorClass::Unknown,
            Self::NoReports(_) => ErrorClass::Permanent,
        }
    }
}

impl From<Error> for provider::Error {
    fn from(error: Error) -> Self {
        Self::new(error.class(), error.to_string())
    }
}

/// What the system says of this number, without the number.
fn reason(errno: Errno) -> String {
    let text = std::io::Error::from(errno).to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn advice(errno: Errno) -> &'static str {
    match errno {
        Errno::ACCESS | Errno::PERM => "; give it to the user who runs fleetform",
        Errno::NOTDIR | Errno::ISDIR | Errno::LOOP => "; move away what is in its place",
        Errno::NOSPC | Errno::DQUOT => "; free some space",
        Errno::ROFS => "; mount the file system for writing",
        Errno::MFILE | Errno::NFILE => "; raise the limit of open files (ulimit -n)",
        Errno::IO => "; check the disk",
        _ => "",
    }
}
