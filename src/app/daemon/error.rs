//! Why a daemon cannot begin.

use crate::app::wiring::NoSink;
use crate::edges::ledger;

/// Why a daemon cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger cannot be opened, say because another process writes it.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// Somebody who is to be told cannot be reached as the configuration says.
    #[error(transparent)]
    Sink(#[from] NoSink),
}
