//! Values that cannot be wrong: every type here checks its text when it is made,
//! from a manifest, a flag, a log line or a snapshot alike.
//!
//! No value knows of files, clocks or YAML. Texts are bounded, so that whatever is
//! built from them fits a log line (64 KiB).

mod placeholder;
mod report;
mod reported_version;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hash;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use report::{
    AntivirusFact, EncryptionFact, Facts, Report, ReportId, ScreenLockFact, Unreadable,
};
pub use reported_version::ReportedVersion;

/// Why a text is not the value it was taken for; the sentence is fit for a finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Serde by the type's own `FromStr` and `Display`, from strings only:
/// a number or null where a string belongs is an error, not `"null"`.
macro_rules! as_string {
    ($type:ty) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                struct Text;
                impl ::serde::de::Visitor<'_> for Text {
                    type Value = $type;
                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str("a string")
                    }
                    fn visit_str<E: ::serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

/// Control characters and bidirectional controls can make a line read otherwise than it is.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}'
            | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// At most `max` bytes of the text, with `�` for every deceptive character and `…` at a cut.
#[must_use]
pub fn harmless(text: &str, max: usize) -> String {
    let mut safe = String::new();
    for c in text.chars().map(|c| if is_deceptive(c) { '\u{FFFD}' } else { c }) {
        if safe.len() + c.len_utf8() > max {
            while safe.len() + '…'.len_utf8() > max {
                safe.pop();
            }
            safe.push('…');
            break;
        }
        safe.push(c);
    }
    safe
}

/// Free text of at most `max` bytes without deceptive characters.
///
/// # Errors
/// Says which character or how many bytes are too much.
pub fn check_text(text: &str, max: usize) -> Result<(), Invalid> {
    if let Some(c) = text.chars().find(|c| is_deceptive(*c)) {
        return Err(Invalid::new(format!(
            "contains the control or bidirectional character U+{:04X}",
            u32::from(c)
        )));
    }
    if text.len() > max {
        return Err(Invalid::new(format!(
            "is {} bytes long; at most {max} are allowed",
            text.len()
        )));
    }
    Ok(())
}

/// A name of a manifest: `[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(CompactString);

impl FromStr for Name {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bytes = text.as_bytes();
        let inner = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        if bytes.len() > 63
            || !ends(bytes.first())
            || !ends(bytes.last())
            || !bytes.iter().all(inner)
        {
            return Err(Invalid::new(
                "is not a name: 1 to 63 of A-Z a-z 0-9 . _ -, beginning and ending with a letter or digit",
            ));
        }
        Ok(Self(text.into()))
    }
}
impl Name {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
as_string!(Name);

/// A serial number as vendors make them: 1 to 64 letters, digits and `. _ - + / :`, with single
/// spaces inside (VMware: `VMware-56 4d fa …`, Dell boards: `/77NDZ12/CN70…/`). Kept as written;
/// equal, ordered and hashed without regard to ASCII case.
///
/// What stands for a missing serial number is accepted here, since a ledger may hold it: see
/// [`Self::is_placeholder`].
#[derive(Debug, Clone)]
pub struct SerialNumber(CompactString);

impl SerialNumber {
    /// The serial as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The first 16 bytes, for sorting: serials are in the order of their prefixes, and only
    /// where these are equal it takes more to tell.
    #[must_use]
    pub fn prefix(&self) -> u128 {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(self.folded()).for_each(|(slot, b)| *slot = b);
        u128::from_be_bytes(bytes)
    }
    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|b| b.to_ascii_uppercase())
    }
}
impl PartialEq for SerialNumber {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}
impl Eq for SerialNumber {}
impl PartialOrd for SerialNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for SerialNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}
impl Hash for SerialNumber {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for b in self.folded() {
            state.write_u8(b);
        }
        state.write_u8(0xff);
    }
}
impl FromStr for SerialNumber {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let ok = |b: u8| plain(b) || matches!(b, b'+' | b'/' | b':' | b' ');
        // Spaces that nobody sees make two texts look like one serial number.
        let spaced = text.starts_with(' ') || text.ends_with(' ') || text.contains("  ");
        // The file that is searched for a serial number is searched for its words.
        let has_words = text.bytes().all(plain) || text.bytes().any(|b| b.is_ascii_alphanumeric());
        if text.is_empty() || text.len() > 64 || !text.bytes().all(ok) || spaced || !has_words {
            return Err(Invalid::new(
                "is not a serial number: 1 to 64 letters, digits and . _ - + / :, with single spaces inside",
            ));
        }
        Ok(Self(text.into()))
    }
}
impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
as_string!(SerialNumber);

/// An e-mail address as the procedure needs it: one `@`, a dotless-start local part of
/// RFC 5321 atoms and a host name of letters, digits, hyphens and at least one dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(CompactString);

impl Email {
    /// The address as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl FromStr for Email {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bad = || Invalid::new("is not an e-mail address like ana.ruiz@example.com");
        let (local, host) = text.split_once('@').ok_or_else(bad)?;
        let atom = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        };
        let label = |part: &str| {
            (1..=63).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        if local.len() > 64
            || text.len() > 254
            || !local.split('.').all(atom)
            || !host.contains('.')
            || !host.split('.').all(label)
        {
            return Err(bad());
        }
        Ok(Self(text.into()))
    }
}
impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
as_string!(Email);

/// Dotted numbers, at most eight of at most nine digits, compared number by number;
/// a missing number counts as 0, so `10.0` equals `10`.
#[derive(Debug, Clone)]
pub struct OsVersion(CompactString);

impl OsVersion {
    /// The version as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
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
as_string!(OsVersion);

/// A closed set of words, spelt in manifests, the log and on the command line alike.
macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $(#[doc = concat!("`", $word, "`")] #[doc = ""] $(#[$vdoc])* $variant),+ }
        impl $type {
            /// Every value, in the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// Their words, in the same order.
            pub const WORDS: &[&'static str] = &[$($word),+];
            /// The word that stands for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.pad(self.as_str()) }
        }
        impl ::std::str::FromStr for $type {
            type Err = $crate::domain::model::Invalid;
            fn from_str(text: &str) -> Result<Self, $crate::domain::model::Invalid> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::domain::model::Invalid(format!("must be one of {}", [$($word),+].join(", ")))),
                }
            }
        }
        $crate::domain::model::as_string!($type);
    };
}
pub(crate) use {as_string, words};

words! {
    /// The operating system family of a device.
    Platform { Windows = "windows", Macos = "macos", Ios = "ios", Android = "android" }
}
words! {
    /// Who owns the hardware; personal devices are only ever wiped selectively (sop.md §6).
    Ownership { Corporate = "corporate", Personal = "personal" }
}
words! {
    /// Where a device stands in its life (sop.md §3).
    Status {
        /// Enrolment is in progress.
        Pending = "Pending",
        /// Active.
        Enrolled = "Enrolled",
        /// Enrolment went wrong, or an operator set it so.
        Failed = "Failed",
        /// Data remotely erased; the end of this device id.
        Wiped = "Wiped",
    }
}
words! {
    /// The status that a manifest may ask for. Wiped is not among them: a wipe needs signatures.
    DesiredStatus { Enrolled = "Enrolled", Pending = "Pending", Failed = "Failed" }
}
words! {
    /// The verdict over a device's facts.
    ComplianceState { Compliant = "compliant", NonCompliant = "nonCompliant", Unknown = "unknown" }
}
words! {
    /// How much a wipe erases.
    WipeScope {
        /// Everything: a factory reset.
        Full = "full",
        /// Corporate data only.
        Selective = "selective",
    }
}
words! {
    /// Why a device is wiped (sop.md §6).
    WipeReason { Lost = "lost", Stolen = "stolen", Termination = "termination", Breach = "breach" }
}

/// `D001`, `D002`, …: at least three digits, from 1, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(u32);

impl DeviceId {
    /// The first id of a new ledger.
    pub const FIRST: Self = Self(1);
    /// The id after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("fewer than four billion devices"))
    }
}
impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.width().is_some() {
            return f.pad(&format!("D{:03}", self.0));
        }
        write!(f, "D{:03}", self.0)
    }
}
impl DeviceId {
    /// The id that a person means: as it is written, or with a small letter.
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        text.to_ascii_uppercase().parse().ok()
    }

    /// Whether the text can be taken for an id: `D` and at least three digits, in either case.
    #[must_use]
    pub fn is_like(text: &str) -> bool {
        let digits = text.strip_prefix(['D', 'd']).unwrap_or_default();
        digits.len() >= 3 && digits.bytes().all(|b| b.is_ascii_digit())
    }
}
impl FromStr for DeviceId {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bad = || Invalid::new("is not a device id like D001");
        let digits = text.strip_prefix('D').ok_or_else(bad)?;
        if digits.len() < 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let id = Self(digits.parse().map_err(|_| bad())?);
        // One spelling an id: D0001 is not D001.
        if id.0 == 0 || id.to_string() != text { Err(bad()) } else { Ok(id) }
    }
}
as_string!(DeviceId);

/// A SHA-256, spelt as 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// What stands before the first line of a log.
    pub const ZERO: Self = Self([0; 32]);
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, b) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = HEX[usize::from(b >> 4)];
            pair[1] = HEX[usize::from(b & 15)];
        }
        f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Digest {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bad = || Invalid::new("is not a SHA-256 of 64 lowercase hexadecimal digits");
        let nibble = |b: u8| match b {
            b'0'..=b'9' => Ok(b - b'0'),
            b'a'..=b'f' => Ok(b - b'a' + 10),
            _ => Err(bad()),
        };
        if text.len() != 64 {
            return Err(bad());
        }
        let mut digest = [0; 32];
        for (slot, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *slot = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(digest))
    }
}
as_string!(Digest);

/// A [`Digest`] in the making; also a writer, so that it can take what is serialised.
#[derive(Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Takes more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    /// The digest of all of them.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}
impl std::io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A moment in UTC, whole milliseconds, as the log spells it: `2026-11-22T10:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z.
    pub const EPOCH: Self = Self(0);
    /// Milliseconds since 1970; outside the years 0 to 9999 it saturates.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(-62_167_219_200_000, 253_402_300_799_999))
    }
    /// As [`Timestamp::from_millis`], of a number within these years.
    #[must_use]
    pub const fn at_millis(millis: i64) -> Self {
        Self(millis)
    }
    /// Milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }
    fn date(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
    /// To the second, for people.
    #[must_use]
    pub fn short(self) -> String {
        self.date().to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}
impl std::ops::Add<TimeDelta> for Timestamp {
    type Output = Self;
    fn add(self, delta: TimeDelta) -> Self {
        Self::from_millis(self.0.saturating_add(delta.num_milliseconds()))
    }
}
impl std::ops::Sub for Timestamp {
    type Output = TimeDelta;
    fn sub(self, other: Self) -> TimeDelta {
        TimeDelta::milliseconds(self.0 - other.0)
    }
}
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.date().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}
impl FromStr for Timestamp {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        DateTime::parse_from_rfc3339(text)
            .map(|date| Self::from_millis(date.timestamp_millis()))
            .map_err(|_| Invalid::new("is not a time like 2026-11-22T10:00:00Z (RFC 3339)"))
    }
}
as_string!(Timestamp);

/// Labels of a device; shared, since thousands of devices bear the same ones.
pub type Labels = Arc<BTreeMap<CompactString, CompactString>>;

/// What Intune needs to know of the hardware for some platforms.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hardware {
    /// As the firmware spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<CompactString>,
    /// As the firmware spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<CompactString>,
    /// Base64 of the Windows Autopilot hardware hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autopilot_hash: Option<CompactString>,
}

/// What a device is to be, and what the ledger says it is: the same words on both sides of a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceSpec {
    /// `metadata.name`.
    pub name: Name,
    /// The key of a device: a serial that moves to another file or name is the same device.
    pub serial_number: SerialNumber,
    /// The user whom the device is assigned to.
    pub user_email: Email,
    /// Name of its profile.
    pub profile: Name,
    /// From the manifest, or from a profile with just one.
    pub platform: Platform,
    /// What the device is provisioned with; what it reports later is telemetry.
    pub os_version: OsVersion,
    /// Corporate unless said otherwise.
    pub ownership: Ownership,
    /// `metadata.labels`.
    #[serde(default)]
    pub labels: Labels,
    /// `hardware`, where it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<Box<Hardware>>,
}

/// A profile's demands on a device's facts (sop.md §4); what is absent is not demanded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirements {
    /// The oldest acceptable version by platform.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub minimum_os_version: BTreeMap<Platform, OsVersion>,
    /// Antivirus must be on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub antivirus: Option<AntivirusRequirement>,
    /// The disk must be encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<EncryptionRequirement>,
    /// The screen must lock with a PIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen_lock: Option<ScreenLockRequirement>,
}

/// `compliance.antivirus` of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AntivirusRequirement {
    /// Whether it is demanded at all.
    pub required: bool,
    /// How old the signatures may be at the time of the report, in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_signature_age_days: Option<u32>,
}

/// `compliance.encryption` of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EncryptionRequirement {
    /// Whether it is demanded at all.
    pub required: bool,
}

/// `compliance.screenLock` of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScreenLockRequirement {
    /// Whether it is demanded at all.
    pub required: bool,
    /// Digits of the PIN; never below [`MIN_PIN_LENGTH`].
    #[serde(default = "min_pin_length")]
    pub min_pin_length: u32,
}

/// The procedure's least PIN (sop.md §4).
pub const MIN_PIN_LENGTH: u32 = 6;

fn min_pin_length() -> u32 {
    MIN_PIN_LENGTH
}

/// A named configuration for many devices.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// `metadata.name`.
    pub name: Name,
    /// For people.
    pub description: String,
    /// The platforms that it serves: at least one, sorted, each once.
    pub platforms: Vec<Platform>,
    /// Apps to install, in the order written.
    pub apps: Vec<String>,
    /// Free form, pushed as it is.
    pub settings: serde_json::Value,
    /// Assigned to the user at enrolment (sop.md, "Integration with Other Systems").
    pub licenses: Vec<String>,
    /// What its devices are judged by.
    pub compliance: Requirements,
    /// Over all of the above in canonical form: what has to be pushed anew when it changes.
    /// Comments, order of keys and layout of the manifest do not count.
    pub digest: Digest,
}

/// A place in the fleet directory, fit for people and machines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Relative to the root of the fleet directory, with `/`.
    pub path: Arc<str>,
    /// From 1.
    pub line: u32,
}

/// One valid device manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredDevice {
    /// What it is to be.
    pub spec: Arc<DeviceSpec>,
    /// Enrolled unless said otherwise.
    pub status: DesiredStatus,
    /// From 1; raised to enrol again.
    pub enrollment: u32,
    /// Where it is written.
    pub place: Place,
    /// Over the document's bytes as written.
    pub digest: Digest,
}
