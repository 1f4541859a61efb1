//! What is in the fleet directory and could not be used.

use crate::domain::model::{Name, Place, SerialNumber};

/// The path of the fleet directory itself.
pub(crate) const ROOT: &str = ".";

/// Something in the fleet directory that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unusable {
    pub(crate) place: Place,
    pub(crate) what: UnusableKind,
}

/// What could not be used, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum UnusableKind {
    /// A directory, and so everything below it: [`ROOT`] stands for all. Also a symlink, which
    /// may stand where a file or a directory was.
    Directory,
    File,
    /// A file or directory that the system did not let us read: it may hold anything.
    Unread,
    /// One document of a file, whose kind is Device or cannot be told.
    Device {
        /// Where it could be read.
        serial: Option<SerialNumber>,
        /// Where it could be read.
        name: Option<Name>,
    },
    /// A valid device whose profile is there, but itself unusable.
    ProfileOf {
        serial: SerialNumber,
        name: Name,
        profile: Name,
    },
}
