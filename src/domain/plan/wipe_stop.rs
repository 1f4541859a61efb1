//! How a wipe request is stopped before it is issued.

use crate::domain::state::WipeState;

/// A request that does not go on, now or for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WipeStop {
    /// Signatures are missing, the window is full, or the clock cannot be relied on.
    Held,
    /// A rule does not hold.
    Refused {
        /// Nothing that happens later can change that.
        for_good: bool,
    },
    /// Its time ran out.
    Expired,
    /// Somebody objects, or removed its file.
    Vetoed,
}

impl WipeStop {
    /// How the request stands once this is in the log.
    pub(crate) const fn state(self) -> WipeState {
        match self {
            Self::Held => WipeState::Held,
            Self::Refused { for_good: false } => WipeState::Refused,
            Self::Refused { for_good: true } => WipeState::RefusedForGood,
            Self::Expired => WipeState::Expired,
            Self::Vetoed => WipeState::Vetoed,
        }
    }
}
