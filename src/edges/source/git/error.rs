//! Why Git could not tell.

use std::io;
use std::path::PathBuf;

use crate::domain::wording::quote;
use crate::edges::source::git_process;

/// Why Git could not tell.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Git cannot be started.
    #[error("cannot run git")]
    Start(#[source] io::Error),
    /// Neither the fleet directory nor the working directory is in a repository.
    #[error("{} is not in a Git repository", .0.display())]
    NoRepository(PathBuf),
    /// The fleet directory is outside of the repository.
    #[error("{} does not lie in the repository", .0.display())]
    Outside(PathBuf),
    /// There is no such commit here.
    #[error("there is no commit {} in this repository", quote(.revision))]
    NoCommit {
        revision: String,
        /// Whether the clone has only the latest commits.
        shallow: bool,
    },
    /// The revision has no such directory.
    #[error("{} has no directory {}", quote(.revision), quote(.directory))]
    NoDirectory {
        revision: String,
        /// From the root of the repository.
        directory: String,
    },
    /// An object is not there, as in a partial clone.
    #[error("the object {0} is not in this repository")]
    NoObject(String),
    #[error("git {command}: {message}")]
    Failed { command: &'static str, message: String },
    /// There are more manifests than can be read.
    #[error(
        "{} has more manifests than there is memory for: give it more, or split the fleet", quote(.0)
    )]
    TooMany(String),
    /// It gave no whole answer.
    #[error(transparent)]
    Git(git_process::Error),
}

impl From<git_process::Error> for Error {
    fn from(error: git_process::Error) -> Self {
        match error {
            git_process::Error::Start(cause) => Self::Start(cause),
            git_process::Error::Failed { command, message } => Self::Failed { command, message },
            other => Self::Git(other),
        }
    }
}
