//! What answers about access rest on, beside the recorded state.

use std::sync::Arc;

use crate::domain::access::{Directory, Knowledge};
use crate::domain::model::Timestamp;

/// What answers about access rest on.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccessBasis {
    /// Of the recorded state that is shown; only where access is configured.
    pub(crate) directory: Option<Arc<Directory>>,
    /// When all that is recorded was known to be so.
    pub(crate) as_of: Option<Timestamp>,
    /// Whether the ledger could not be opened.
    pub(crate) unreadable: bool,
}

impl AccessBasis {
    /// How good the recorded state is: without a directory nobody's devices are known.
    pub(super) fn knowledge(&self) -> Knowledge {
        match (self.as_of, &self.directory) {
            _ if self.unreadable => Knowledge::Unreadable,
            (Some(at), Some(_)) => Knowledge::AsOf(at),
            (Some(_) | None, _) => Knowledge::Nothing,
        }
    }
}
