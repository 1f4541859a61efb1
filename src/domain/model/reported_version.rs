//! An operating system version as a device reports it: kept as text, compared where it can be.
//!
//! Vendors do not write dotted numbers alone: `13.3.1 (a)`, `10.0.26100.2314 (24H2)`,
//! `17.0 beta`, `Android 14`. What cannot be compared is neither new enough nor too old.

use std::cmp::Ordering;
use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::version::OsVersion;
use crate::domain::wording::harmless_within;

/// Bytes of a reported version that are kept: the longest real ones have about forty.
const TEXT_LIMIT: usize = 100;

/// What may stand in front of the number, in lower case. `windows 11` is a name for people and
/// not the number 11, so Windows needs its full number.
const NAMES: &[&str] =
    &["android", "ios", "ipados", "mac", "macos", "microsoft", "os", "version", "windows", "x"];

/// A version in the device's own words; harmless, at most 100 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "CompactString", into = "CompactString")]
pub(crate) struct ReportedVersion(CompactString);

/// What follows the number, as far as it says how the version relates to the plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suffix {
    /// A beta or a release candidate: lower than the plain number.
    Before,
    /// Nothing, or the name of a release or a build: the plain number.
    Plain,
    /// A rapid security response: higher than the plain number.
    After,
    /// It may be either.
    Unclear,
}

impl ReportedVersion {
    /// In the device's own words.
    #[must_use]
    pub(crate) fn new(text: &str) -> Self {
        Self(harmless_within(text.trim(), TEXT_LIMIT).into())
    }
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this version or a later one; `None` where that cannot be told.
    #[must_use]
    pub(crate) fn at_least(&self, minimum: &OsVersion) -> Option<bool> {
        let (number, suffix) = self.parts()?;
        match (number.cmp(minimum), suffix) {
            (Ordering::Less, _) | (Ordering::Equal, Suffix::Before) => Some(false),
            (Ordering::Greater, _) | (Ordering::Equal, Suffix::Plain | Suffix::After) => Some(true),
            (Ordering::Equal, Suffix::Unclear) => None,
        }
    }

    fn parts(&self) -> Option<(OsVersion, Suffix)> {
        let text = self.0.to_ascii_lowercase().replace(['[', ']'], " ");
        let start = text.find(|c: char| c.is_ascii_digit())?;
        let (before, rest) = text.split_at(start);
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let number: OsVersion = number.parse().ok()?;
        let mut names: Vec<&str> = before.split_whitespace().collect();
        // `v14.5`, and nothing else may be glued to the number.
        if before.ends_with('v') && names.last() == Some(&"v") {
            names.pop();
        } else if !(before.is_empty() || before.ends_with(char::is_whitespace)) {
            return None;
        }
        if !names.iter().all(|name| NAMES.contains(name)) {
            return None;
        }
        let full = number.as_str().split('.').count() >= 3;
        if names.contains(&"windows") && !full {
            return None;
        }
        Some((number, suffix(after)?))
    }
}

/// `None` where the number is not a version at all: `23F79` is a build, `2024-09-05` a date.
fn suffix(after: &str) -> Option<Suffix> {
    let glued = after.chars().next().is_some_and(|c| !(c.is_whitespace() || "(-+,".contains(c)));
    if glued || after.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_numeric)) {
        return None;
    }
    let words: Vec<&str> =
        after.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let early = |word: &&str| {
        let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
        matches!(name, "alpha" | "beta" | "rc" | "preview" | "seed" | "dev" | "developer")
    };
    let known = |word: &&str| {
        // `24h2`, `23f79`, `2314`: names of releases and builds; `build` introduces one.
        *word == "build" || (word.len() > 1 && word.starts_with(|c: char| c.is_ascii_digit()))
    };
    Some(match words.as_slice() {
        _ if words.iter().any(early) => Suffix::Before,
        [] => Suffix::Plain,
        // Apple's rapid security responses: (a), (b), (c).
        [letter] if letter.len() == 1 && letter.as_bytes()[0].is_ascii_lowercase() => Suffix::After,
        words if words.iter().all(known) => Suffix::Plain,
        _ => Suffix::Unclear,
    })
}

impl From<CompactString> for ReportedVersion {
    fn from(text: CompactString) -> Self {
        Self::new(&text)
    }
}
impl From<ReportedVersion> for CompactString {
    fn from(version: ReportedVersion) -> Self {
        version.0
    }
}
impl fmt::Display for ReportedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_vendors_write_them_are_compared() {
        let table: &[(&str, &str, Option<bool>)] = &[
            ("13.3.1", "13.3.1", Some(true)),
            ("13.3.1 (a)", "13.3.1", Some(true)),
            ("13.3.1(c)", "13.3.1", Some(true)),
            ("13.3.1 (a)", "13.3.2", Some(false)),
            ("13.3.1 (a)", "13.3", Some(true)),
            ("10.0.26100.2314 (24H2)", "10.0.26100.2314", Some(true)),
            ("10.0.26100.2314 (24H2)", "10.0.26100.2315", Some(false)),
            ("10.0.26100 Build 26100.2314", "10.0.26100", Some(true)),
            ("Microsoft Windows [Version 10.0.26100.2314]", "10.0.26100", Some(true)),
            ("Version 14.5 (Build 23F79)", "14.5", Some(true)),
            ("macOS 14.5 (23F79)", "14.6", Some(false)),
            ("Mac OS X 10.15.7", "10.15", Some(true)),
            ("iOS 17.5.1", "17.5", Some(true)),
            ("Android 14", "14", Some(true)),
            ("Android 14", "15", Some(false)),
            ("v14.5", "14.5", Some(true)),
            ("17.0 beta", "16.7", Some(true)),
            ("17.0 beta", "17.0", Some(false)),
            ("17.0 beta 3", "17", Some(false)),
            ("17.0-rc2", "17.0", Some(false)),
            ("14.5 (Developer Beta)", "14.5", Some(false)),
            // More than the number is not understood: it counts where the number decides.
            ("14.5 Enterprise", "14.4", Some(true)),
            ("14.5 Enterprise", "14.6", Some(false)),
            ("14.5 Enterprise", "14.5", None),
            // No versions that could be compared.
            ("seventeen", "1", None),
            ("", "1", None),
            ("23F79", "14", None),
            ("24H2", "10.0", None),
            ("Windows 11", "10.0.26100", None),
            ("Windows 11 24H2", "10.0.26100", None),
            ("2024-09-05", "14", None),
            ("UP1A.231005.007", "14", None),
            ("Ubuntu 22.04", "14", None),
            ("14.5abc", "14", None),
            ("1.2.3.4.5.6.7.8.9", "1", None),
            ("99999999999", "1", None),
            ("14..5", "14", None),
        ];
        let wrong: Vec<_> = table
            .iter()
            .map(|(text, minimum, expected)| {
                let found = ReportedVersion::new(text).at_least(&minimum.parse().unwrap());
                (text, minimum, *expected, found)
            })
            .filter(|(.., expected, found)| expected != found)
            .collect();
        assert_eq!(wrong, []);
    }

    #[test]
    fn any_text_is_kept_harmless_and_short() {
        let version = ReportedVersion::new(&format!(" 14\u{1b}[2J\u{202e}{}", "é".repeat(500)));
        assert!(version.as_str().starts_with("14\u{FFFD}[2J\u{FFFD}é"), "{version}");
        assert!(version.as_str().len() <= TEXT_LIMIT);
        let again: ReportedVersion =
            serde_json::from_value(serde_json::to_value(&version).unwrap()).unwrap();
        assert_eq!(again, version);
    }
}
