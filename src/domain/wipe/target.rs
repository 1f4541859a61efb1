//! Which ledger a request is meant for, and which entry of its log was known when it was written.
//!
//! A request names its ledger, so that it cannot be used again in another one, or in a new one
//! that knows nothing of it. It may name a recent entry as well: whoever holds a key for a moment
//! then cannot date requests ahead, because the hash of an entry to come is not known yet.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::domain::model::{Digest, Invalid, Timestamp, as_string};

/// The lineage of a ledger: the UUID that `ledger.created` gives it, or `ledger.restored` if it was
/// restored since, in lowercase with hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LedgerId(pub(crate) Uuid);

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

impl FromStr for LedgerId {
    type Err = Invalid;

    /// One form only, the one that the ledger writes.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let id = Uuid::try_parse(text).ok().map(Self).filter(|id| id.to_string() == text);
        id.ok_or_else(|| {
            Invalid("is not a UUID like 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21".to_owned())
        })
    }
}

as_string!(LedgerId);

/// An entry of the log: `SEQ:HASH`, the number of the entry and the hash of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogHead {
    /// From 1.
    pub(crate) seq: u64,
    /// SHA-256 of the line without its newline.
    pub(crate) hash: Digest,
}

impl fmt::Display for LogHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for LogHead {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bad = || {
            Invalid("is not SEQ:HASH, the number of an entry of the log and its SHA-256".to_owned())
        };
        let (seq, hash) = text.split_once(':').ok_or_else(bad)?;
        let digits = seq.len() <= 16 && seq.bytes().all(|b| b.is_ascii_digit());
        let seq = if digits && !seq.starts_with('0') { seq.parse().ok() } else { None };
        Ok(Self { seq: seq.ok_or_else(bad)?, hash: hash.parse().map_err(|_| bad())? })
    }
}

as_string!(LogHead);

/// An entry that the log really has: looked up for the requests that name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoggedHead {
    /// Its number and hash.
    pub(crate) head: LogHead,
    /// When it was logged.
    pub(crate) at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_written_in_one_form() {
        let text = "4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21";
        assert_eq!(text.parse::<LedgerId>().unwrap().to_string(), text);
        for wrong in [
            "",
            "x",
            "4F0C6A1E-2B7D-4C1A-9E55-0D8F3A6B7C21",
            "4f0c6a1e2b7d4c1a9e550d8f3a6b7c21",
            "{4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21}",
            "urn:uuid:4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21",
        ] {
            assert!(wrong.parse::<LedgerId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_entry_is_a_number_and_a_hash() {
        let hash = "ab".repeat(32);
        let text = format!("17:{hash}");
        assert_eq!(text.parse::<LogHead>().unwrap().to_string(), text);
        for wrong in ["", ":", "17", "17:", "0:HASH", "-1:HASH", "017:HASH", "+1:HASH", " 1:HASH"] {
            let wrong = wrong.replace("HASH", &hash);
            assert!(wrong.parse::<LogHead>().is_err(), "{wrong}");
        }
        for cut in [63, 62] {
            assert!(format!("1:{}", &hash[..cut]).parse::<LogHead>().is_err());
        }
    }
}
