//! The bearer token that clients and the daemon share. It is never shown: not in logs, not in
//! errors.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use crate::domain::model::Digest;

/// Shorter tokens can be guessed.
const SHORTEST: usize = 16;
const LONGEST: usize = 4096;

/// A bearer token: 16 to 4096 visible ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Whitespace around it does not count: files end in a newline.
    ///
    /// # Errors
    /// Says what a token is, and nothing of this one.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let token = text.trim();
        let long = (SHORTEST..=LONGEST).contains(&token.len());
        if !long || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(format!(
                "is not a token: at least {SHORTEST} visible ASCII characters, say from \
                 `openssl rand -hex 32`"
            ));
        }
        Ok(Self(token.to_owned()))
    }

    /// The content of a file.
    ///
    /// # Errors
    /// If it cannot be read, or is no token.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let metadata = std::fs::metadata(path).map_err(|e| e.to_string())?;
        if !metadata.is_file() {
            return Err("is not a file".into());
        }
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
        let read = file.take(2 * LONGEST as u64).read_to_string(&mut text);
        read.map_err(|e| e.to_string())?;
        Self::new(&text)
    }

    /// Only digests are compared, so that neither content nor length shows in the time.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// The value of the header `Authorization`.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
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
