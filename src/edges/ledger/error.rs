//! Why a ledger cannot be read or written; each says where, and what to do.

use std::path::PathBuf;

use super::chain::Broken;
use super::file::layout::{CUT, LOG, STATE};
use super::line;
use crate::domain::state::FoldError;
use crate::edges::fs::durable;

/// Why the ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    File(#[from] durable::Error),
    #[error("{}: {holder} is writing to this ledger; wait until it is done, or stop it", path.display())]
    Locked {
        path: PathBuf,
        /// "process 123", as far as it can be told.
        holder: String,
    },
    #[error(
        "{}: entry {seq} (at byte {offset}): {what}; nothing was changed: see `fleetform audit verify` for all \
         that is wrong, and restore {LOG} from a backup", path.display()
    )]
    Log {
        path: PathBuf,
        /// That the entry should have.
        seq: u64,
        /// Where its line begins.
        offset: u64,
        what: String,
    },
    #[error(
        "{}: entry {seq} (at byte {offset}): {what} Then use that one, and restore nothing. If there never was \
         one, see `fleetform audit verify`. Nothing was changed", path.display()
    )]
    Newer {
        path: PathBuf,
        /// As in [`Error::Log`].
        seq: u64,
        /// As in [`Error::Log`].
        offset: u64,
        what: String,
    },
    #[error(
        "{}:{line}:{column}: {what}; if a newer fleetform wrote it, use that one, else remove the file: \
         all but the last reports come back from {LOG}", path.display()
    )]
    Snapshot {
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        what: String,
    },
    /// Log and snapshot do not belong together.
    #[error("{}: {what}; nothing was changed: restore {LOG} and {STATE} from one backup", dir.display())]
    Disagree { dir: PathBuf, what: String },
    /// The log lacks entries that it had.
    #[error("{}: the end of the log is missing: {what}; nothing was changed: {CUT}", path.display())]
    Cut { path: PathBuf, what: String },
    /// Something else in the data directory shows that this log is not the one it belongs to.
    #[error("{}: {what}; nothing was changed", dir.display())]
    Contradicted { dir: PathBuf, what: String },
    /// It is another machine's, and could not be read from here.
    #[error("{what}")]
    Elsewhere {
        /// Why, and what to do.
        what: String,
    },
    #[error(
        "there is no ledger in {}: is the path right, and the file system mounted? To create a \
         new ledger there, run `fleetform apply --new-ledger` once", dir.display()
    )]
    Absent { dir: PathBuf },
    #[error(
        "there is already a ledger in {}; omit --new-ledger: it is for the first run \
         only", dir.display()
    )]
    Present { dir: PathBuf },
    /// A backup was to be restored where something is already.
    #[error(
        "{} is not empty: {}; a backup is restored into a new or empty directory, so move what is there away, \
         or name another one with --data",
        dir.display(), if *.ledger { "it holds a ledger".to_owned() } else { format!("it holds {name:?}") }
    )]
    Occupied {
        dir: PathBuf,
        /// Whether it is a ledger.
        ledger: bool,
        /// The first thing in it, by name.
        name: String,
    },
    /// What this process holds no longer exists under its name.
    #[error("{}: {what}; nothing more is done: {help}", path.display())]
    Replaced { path: PathBuf, what: String, help: &'static str },
    /// The lock was taken away from the process that held it.
    #[error(
        "{}: the lock file was removed or replaced while this process held it; no other writer was let in, \
         and the file was created again: do not touch it", path.display()
    )]
    LockRemoved { path: PathBuf },
    /// An entry that the log cannot hold; nothing was written.
    #[error("nothing was written to the log: {0}")]
    Line(line::Error),
    /// An entry that cannot follow what was recorded: a mistake in the program. Nothing was written.
    #[error(
        "nothing was written to the log: {0}; this is a bug in fleetform, start it again and report it"
    )]
    Refused(FoldError),
    #[error(
        "{}: nothing more is written after an earlier error; look at the disk and start again", path.display()
    )]
    Poisoned { path: PathBuf },
}

impl Error {
    /// Whether it says that what is recorded may be another thing by now. Another writer and a full
    /// disk only keep this process from going on.
    pub(crate) fn hides_the_log(&self) -> bool {
        match self {
            Self::File(error) => error.cause.kind() != std::io::ErrorKind::StorageFull,
            Self::Locked { .. } | Self::LockRemoved { .. } => false,
            Self::Log { .. }
            | Self::Newer { .. }
            | Self::Snapshot { .. }
            | Self::Disagree { .. }
            | Self::Cut { .. }
            | Self::Contradicted { .. }
            | Self::Absent { .. }
            | Self::Present { .. }
            | Self::Occupied { .. }
            | Self::Replaced { .. }
            | Self::Line(_)
            | Self::Refused(_)
            | Self::Elsewhere { .. }
            | Self::Poisoned { .. } => true,
        }
    }

    /// That a line is no entry, or not the one that follows.
    pub(super) fn of_line(path: PathBuf, broken: Broken) -> Self {
        let Broken { seq, offset, what, newer } = broken;
        if newer {
            Self::Newer { path, seq, offset, what }
        } else {
            Self::Log { path, seq, offset, what }
        }
    }
}
