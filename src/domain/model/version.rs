//! An operating system version as manifests write it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;

use super::macros::as_string;
use super::text::Invalid;

/// Dotted numbers, at most eight of at most nine digits, compared number by number;
/// a missing number counts as 0, so `10.0` equals `10`.
#[derive(Debug, Clone)]
pub(crate) struct OsVersion(CompactString);

impl OsVersion {
    /// The version as written.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
    fn numbers(&self) -> [u32; 8] {
        let mut numbers = [0; 8];
        for (slot, part) in numbers.iter_mut().zip(self.0.split('.')) {
            *slot = part.parse().unwrap_or(0);
        }
        numbers
    }
}
impl PartialEq for OsVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for OsVersion {}
impl PartialOrd for OsVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for OsVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers().cmp(&other.numbers())
    }
}
impl FromStr for OsVersion {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let number = |p: &str| (1..=9).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
        if text.split('.').count() > 8 || !text.split('.').all(number) {
            return Err(Invalid::new("is not a version of dotted numbers like 10.0.26100.2314"));
        }
        Ok(Self(text.into()))
    }
}
impl fmt::Display for OsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
as_string!(OsVersion, |this, serializer| serializer.serialize_str(&this.0));
