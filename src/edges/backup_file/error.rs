//! Why a backup cannot be written or read.

use std::path::PathBuf;

use crate::edges::fs::durable;
use crate::edges::fs::guarded::Refused;

/// Each says which file, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    File(#[from] durable::Error),
    #[error("{}: {why}", path.display())]
    Refused { path: PathBuf, why: Refused },
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: std::io::Error },
    #[error(
        "{} is not a backup of a ledger: {what}; give a file that `fleetform backup` wrote", path.display()
    )]
    NotABackup { path: PathBuf, what: String },
    #[error(
        "{} is a backup of format {version}, and this fleetform reads {}: use the newer fleetform that wrote it",
        path.display(), super::contents::VERSION
    )]
    Newer { path: PathBuf, version: u64 },
    #[error(
        "{} is damaged, or was changed since it was made: {what}; nothing was restored: use another backup",
        path.display()
    )]
    Damaged { path: PathBuf, what: String },
    #[error("{name} has {bytes} bytes, and a member of a backup has at most {most}", most = super::tar::MOST)]
    TooLarge { name: &'static str, bytes: u64 },
}
