//! The Windows Autopilot hardware hash: it stands for the hardware, and whoever has it can register the
//! device with a tenant of their own.
//!
//! Only the manifest has it. The ledger, the log and whatever is shown have its SHA-256, which is enough
//! to see that it changed.

use std::fmt;

use compact_str::CompactString;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use super::digest::Digest;

const PREFIX: &str = "sha256:";

/// A hardware hash, or what is kept of it. Equal to another one where their digests are.
#[derive(Clone)]
pub(crate) struct HardwareHash {
    digest: Digest,
    /// Base64; nothing where it is only recorded.
    text: Option<CompactString>,
}

impl HardwareHash {
    /// As a manifest has it.
    pub(crate) fn new(base64: &str) -> Self {
        Self { digest: Digest::of(base64.as_bytes()), text: Some(base64.into()) }
    }

    /// Whether the text is base64, as every hash is: RFC 4648 §4, with its padding.
    pub(crate) fn is_base64(text: &str) -> bool {
        let digits = text.trim_end_matches('=');
        text.len().is_multiple_of(4)
            && text.len() - digits.len() <= 2
            && digits.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
    }

    /// The hash itself, for whoever registers the device; nothing where it is only recorded.
    pub(crate) fn expose(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

impl PartialEq for HardwareHash {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for HardwareHash {}

impl fmt::Display for HardwareHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.digest)
    }
}

impl fmt::Debug for HardwareHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for HardwareHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HardwareHash {
    /// Logs of older versions have the hash itself: of that, too, only the digest is kept.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CompactString::deserialize(deserializer)?;
        let digest = match text.strip_prefix(PREFIX) {
            Some(digest) => digest.parse().map_err(D::Error::custom)?,
            None => Digest::of(text.as_bytes()),
        };
        Ok(Self { digest, text: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "aGFyZHdhcmUgaGFzaA==";

    #[test]
    fn what_is_shown_or_kept_is_its_digest_and_never_the_hash() {
        let hash = HardwareHash::new(TEXT);
        let kept = serde_json::to_string(&hash).unwrap();
        for shown in [kept.clone(), hash.to_string(), format!("{hash:?}")] {
            assert!(!shown.contains(TEXT) && shown.contains("sha256:"), "{shown}");
        }
        let read: HardwareHash = serde_json::from_str(&kept).unwrap();
        assert_eq!(read, hash);
        assert_eq!((read.expose(), hash.expose()), (None, Some(TEXT)));
        assert_eq!(serde_json::to_string(&read).unwrap(), kept);
    }

    #[test]
    fn what_an_older_version_logged_is_the_same_hash_and_is_not_kept() {
        let old: HardwareHash = serde_json::from_value(TEXT.into()).unwrap();
        assert_eq!((old.expose(), &old), (None, &HardwareHash::new(TEXT)));
        assert_ne!(old, HardwareHash::new("b3RoZXI="));
    }
}
