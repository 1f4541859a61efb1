//! Texts that give rights: tokens, passwords. They are never shown: not in logs, not in errors.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;

use super::guarded::{Guarded, Refused};
use crate::domain::model::Digest;

/// Shorter tokens can be guessed.
const SHORTEST: usize = 16;
const LONGEST: usize = 4096;

/// A secret of visible ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The bearer token that clients and the daemon share: 16 to 4096 characters. Whitespace
    /// around it does not count: files end in a newline.
    ///
    /// # Errors
    /// Says what a token is, and nothing of this one.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        Self::of(text, SHORTEST..=LONGEST).ok_or_else(|| {
            format!(
                "is not a token: at least {SHORTEST} visible ASCII characters, say from \
                 `openssl rand -hex 32`"
            )
        })
    }

    /// What is left without the whitespace around it, if it is of such a length and visible ASCII.
    pub(crate) fn of(text: &str, lengths: RangeInclusive<usize>) -> Option<Self> {
        let text = text.trim();
        let fine = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fine.then(|| Self(text.to_owned()))
    }

    /// The daemon's token in a file.
    ///
    /// # Errors
    /// If it cannot be read, or is no token.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let mut bytes = Vec::new();
        let read = Guarded::up_to(2 * LONGEST).open(path).and_then(|file| file.read(&mut bytes));
        match read {
            Ok(()) => Self::new(&String::from_utf8_lossy(&bytes)),
            Err(Refused::System(errno)) => Err(std::io::Error::from(errno).to_string()),
            Err(refused) => Err(refused.to_string()),
        }
    }

    /// Only digests are compared, so that neither content nor length shows in the time.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// The value of the header `Authorization`.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// The text itself, for whom it is meant.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_visible_and_never_shown() {
        let token = Secret::new(" 0123456789abcdef\n").unwrap();
        assert_eq!(token.bearer(), "Bearer 0123456789abcdef");
        assert_eq!(format!("{token:?}"), "Secret(…)");
        let long = "x".repeat(LONGEST + 1);
        for bad in ["", "0123456789abcde", "0123456789 abcdef", "0123456789äbcdef", &long] {
            let why = Secret::new(bad).unwrap_err();
            assert!(why.contains("at least 16") && (bad.is_empty() || !why.contains(bad)), "{why}");
        }
    }
}
