//! Why there is nobody to trust.

use std::io;
use std::path::PathBuf;

use crate::domain::wipe::trust::{List, Malformed};

/// Far more than any company has administrators.
pub(super) const MAX_BYTES: usize = 1024 * 1024;
/// As many as Linux itself follows.
pub(super) const MAX_LINKS: u32 = 40;

/// Why there is nobody to trust; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration does not name it.
    #[error("no trust file is configured (trust.allowedSigners)")]
    NotConfigured,
    #[error("{list} {path} does not exist: create it, or correct trust.{list} in fleetform.yaml")]
    Missing {
        list: List,
        /// As configured, or where a link led.
        path: PathBuf,
    },
    /// It, or something on the way to it, cannot be read.
    #[error("{list}: cannot read {path}")]
    Unreadable {
        list: List,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The fleet directory cannot be looked at, so nobody knows whether the file is in it.
    #[error("cannot tell whether {list} lies outside the fleet directory {fleet}")]
    Fleet {
        list: List,
        fleet: PathBuf,
        #[source]
        source: io::Error,
    },
    /// It lies in the fleet directory, or the way to it leads through there.
    #[error(
        "{list} {path} lies inside the fleet directory, where a merged pull request could change \
         it: keep it elsewhere, such as /etc/fleetform"
    )]
    InsideFleet {
        list: List,
        /// As configured.
        path: PathBuf,
    },
    /// It lies in a Git work tree that holds the fleet directory, or the way to it leads through
    /// there.
    #[error(
        "{list} {path} lies in the Git work tree {tree}, where a merged pull request could change \
         it: keep it elsewhere, such as /etc/fleetform"
    )]
    InsideWorkTree {
        list: List,
        /// As configured.
        path: PathBuf,
        /// The top of the work tree.
        tree: PathBuf,
    },
    /// A FIFO, socket, device or directory.
    #[error("{list} {path} is not a regular file: put a text file there")]
    NotAFile {
        list: List,
        /// What is not one.
        path: PathBuf,
    },
    /// Too many symbolic links.
    #[error(
        "{list} {path} leads through more than {MAX_LINKS} symbolic links: configure the file itself"
    )]
    TooManyLinks {
        list: List,
        /// As configured.
        path: PathBuf,
    },
    /// Somebody else owns it or a directory above it.
    #[error("{list}: {path} belongs to user {owner}, who could change it: `chown root {path}`")]
    ForeignOwner { list: List, path: PathBuf, owner: u32 },
    /// Group or others can write to it or a directory above it.
    #[error(
        "{list}: {path} is writable by others than its owner ({mode:04o}): `chmod go-w {path}`"
    )]
    Writable { list: List, path: PathBuf, mode: u32 },
    /// No trust file is that large.
    #[error("{list} {path} is larger than {} MiB: is it the right file?", MAX_BYTES / 1024 / 1024)]
    TooLarge {
        list: List,
        /// As configured.
        path: PathBuf,
    },
    /// Nobody is trusted because of one line.
    #[error("{path}, line {}: {}; until it is fixed, no signature \
             counts", malformed.line, malformed.why)]
    Malformed { path: PathBuf, malformed: Malformed },
}

impl Error {
    /// Whether another user, or another machine with the same configuration, may find otherwise.
    #[must_use]
    pub(crate) fn is_of_this_machine(&self) -> bool {
        match self {
            Self::Missing { .. }
            | Self::Unreadable { .. }
            | Self::Fleet { .. }
            | Self::ForeignOwner { .. } => true,
            Self::NotConfigured
            | Self::InsideFleet { .. }
            | Self::InsideWorkTree { .. }
            | Self::NotAFile { .. }
            | Self::TooManyLinks { .. }
            | Self::Writable { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. } => false,
        }
    }
}
