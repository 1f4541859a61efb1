//! Whose signatures count for wipes, or why nobody's do.

use super::trust::Trust;
use crate::domain::model::words;

words! {
    /// What there is to check signatures against.
    pub(crate) enum TrustWord {
        /// The trust files can be relied on.
        Usable = "usable",
        /// No trust file is configured: every wipe is refused, and nobody expected otherwise.
        NotConfigured = "notConfigured",
        /// Trust files are configured and cannot be relied on: every wipe is refused.
        Broken = "broken",
    }
}

/// What there is of trust files.
#[derive(Debug, Clone)]
pub enum TrustState {
    /// They can be relied on.
    Usable(Trust),
    /// The configuration names none: every wipe is refused, and nobody expected otherwise.
    NotConfigured,
    /// The configuration names them, and they cannot be relied on, for this reason (a clause without
    /// a full stop): every wipe is refused.
    Broken(String),
}

impl TrustState {
    /// The word for output.
    #[must_use]
    pub(crate) const fn word(&self) -> TrustWord {
        match self {
            Self::Usable(_) => TrustWord::Usable,
            Self::NotConfigured => TrustWord::NotConfigured,
            Self::Broken(_) => TrustWord::Broken,
        }
    }

    /// What changes whenever the trust files do.
    #[must_use]
    pub(crate) fn version(&self) -> String {
        match self {
            Self::Usable(trust) => format!("{:?} {:?}", trust.digest(), trust.revoked_digest()),
            Self::NotConfigured => String::new(),
            Self::Broken(why) => format!("broken {why}"),
        }
    }

    /// The trust files, where they can be relied on.
    ///
    /// # Errors
    /// Why every wipe is refused: a clause without a full stop.
    pub(crate) fn usable(&self) -> Result<&Trust, &str> {
        match self {
            Self::Usable(trust) => Ok(trust),
            Self::NotConfigured => Err("no trust file is configured (trust.allowedSigners)"),
            Self::Broken(why) => Err(why),
        }
    }

    /// Why configured trust files cannot be relied on: what an operator has to know.
    #[must_use]
    pub(crate) fn broken(&self) -> Option<&str> {
        match self {
            Self::Broken(why) => Some(why),
            Self::Usable(_) | Self::NotConfigured => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_configured_is_not_broken() {
        let of = |state: TrustState| (state.word(), state.broken().map(str::to_owned));
        let trust = Trust::parse(b"", None).unwrap();
        assert_eq!(of(TrustState::Usable(trust)), (TrustWord::Usable, None));
        assert_eq!(of(TrustState::NotConfigured), (TrustWord::NotConfigured, None));
        let why = "is cut short".to_owned();
        assert_eq!(of(TrustState::Broken(why.clone())), (TrustWord::Broken, Some(why)));
    }
}
