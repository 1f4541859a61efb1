//! What goes wrong with a pass.

use crate::edges::{ledger, provider, requests};

/// What goes wrong with a pass as a whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// What was asked for by command is done, and could not be let go of.
    #[error("requests were carried out, but cannot be removed: {0}")]
    Requests(requests::Error),
    /// The provider could not be told that its reports are taken.
    #[error("the provider failed: {0}")]
    Provider(provider::Error),
}

impl Error {
    /// What to do about it, or what is done.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Ledger(_) => {
                "nothing is done until the ledger can be opened and written again; look at the disk"
            }
            Self::Provider(_) => "it is asked again later",
            Self::Requests(_) => "that is tried again later, and nothing is requested twice",
        }
    }
}
