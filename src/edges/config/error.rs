//! Why there is no configuration, or not all of it.

use std::path::PathBuf;

/// Settings that a merged change could have written, and that do not count for this reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is in the checkout {}, where a merged change can write it, so it must not set {}",
    path.display(),
    checkout.display(),
    keys.join(", ")
)]
pub(crate) struct Ignored {
    pub(crate) path: PathBuf,
    /// The top of the Git work tree, or the fleet directory.
    pub(crate) checkout: PathBuf,
    /// The keys, in the order of the alphabet.
    pub(crate) keys: Vec<String>,
}

impl Ignored {
    /// What to do about it.
    pub(crate) const HELP: &'static str = "keep these settings in a file outside of the checkout, such as \
        /etc/fleetform/fleetform.yaml, and name it with --config; in the checkout only `fleet` counts";
}

/// Why there is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("{}: {why}", path.display())]
    Unreadable {
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    #[error("{}:{line}:{column}: {message}", path.display())]
    Invalid {
        path: PathBuf,
        line: usize,
        column: usize,
        /// The key, what is wrong with it, and what is allowed.
        message: String,
    },
    /// It gives rights, and a merged change could have written it.
    #[error("{0}; {help}", help = Ignored::HELP)]
    GivesRights(Ignored),
    /// Nobody knows whether a merged change could write the file.
    #[error("{}: cannot tell whether it lies in a Git work tree: {why}", path.display())]
    Place { path: PathBuf, why: String },
}
