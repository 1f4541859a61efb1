//! Whether anybody's signature counts, as it is told to people and programs.

use super::trust::Trust;
use crate::domain::model::words;

words! {
    /// What there is to check signatures against.
    TrustWord {
        /// The trust files can be relied on.
        Usable = "usable",
        /// No trust file is configured: every wipe is refused, and nobody expected otherwise.
        NotConfigured = "notConfigured",
        /// Trust files are configured and cannot be relied on: every wipe is refused.
        Broken = "broken",
    }
}

/// The word, and why where there is nobody to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustState<'a> {
    pub word: TrustWord,
    /// A clause without a full stop; nothing where the files are usable.
    pub why: Option<&'a str>,
}

impl<'a> TrustState<'a> {
    /// `configured`: whether the configuration names a trust file at all.
    #[must_use]
    pub fn new(configured: bool, trust: Result<&Trust, &'a str>) -> Self {
        match (trust, configured) {
            (Ok(_), _) => Self { word: TrustWord::Usable, why: None },
            (Err(why), false) => Self { word: TrustWord::NotConfigured, why: Some(why) },
            (Err(why), true) => Self { word: TrustWord::Broken, why: Some(why) },
        }
    }

    /// Why configured trust files cannot be relied on: what somebody has to be told.
    #[must_use]
    pub fn broken(&self) -> Option<&'a str> {
        self.why.filter(|_| self.word == TrustWord::Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_configured_is_not_broken() {
        let trust = Trust::parse(b"", None).unwrap();
        let of = |configured, trust| {
            let state = TrustState::new(configured, trust);
            (state.word, state.broken())
        };
        assert_eq!(of(true, Ok(&trust)), (TrustWord::Usable, None));
        assert_eq!(of(false, Err("none")), (TrustWord::NotConfigured, None));
        assert_eq!(of(true, Err("is cut short")), (TrustWord::Broken, Some("is cut short")));
    }
}
