//! What goes wrong with a directory that others put files into.

use std::path::PathBuf;

use rustix::io::Errno;

/// Why a directory or a file in it could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error("cannot {doing} {}: {}{}", path.display(), reason(*errno), advice(*errno))]
    Io {
        /// A verb.
        doing: &'static str,
        /// Of what.
        path: PathBuf,
        /// What the system said.
        errno: Errno,
    },
    /// It may or may not have reached the disk.
    #[error(
        "cannot make {} durable: {}; what was just written may be lost: check the disk",
        path.display(), reason(*errno)
    )]
    InDoubt {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        errno: Errno,
    },
    /// Somebody changed a file while it was read.
    #[error("{} was changed while it was read; it is looked at again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
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
