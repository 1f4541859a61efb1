//! What names something: manifests, hardware, people and recorded devices.

use std::cmp::Ordering;
use std::fmt;
use std::hash::Hash;
use std::str::FromStr;

use compact_str::CompactString;

use super::macros::as_string;
use super::text::Invalid;

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
                "is not a valid name: use 1 to 63 letters (A-Z, a-z), digits, `.`, `_` or `-`; \
                 start and end with a letter or digit",
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
as_string!(Name, |this, serializer| serializer.serialize_str(&this.0));

/// A serial number as vendors make them: 1 to 64 letters, digits and `. _ - + / :`, with single
/// spaces inside (VMware: `VMware-56 4d fa …`, Dell boards: `/77NDZ12/CN70…/`). Kept as written;
/// equal, ordered and hashed without regard to ASCII case.
///
/// What stands for a missing serial number is accepted here, since a ledger may hold it: see
/// `is_placeholder`.
#[derive(Debug, Clone)]
pub struct SerialNumber(CompactString);

impl SerialNumber {
    /// The serial as written.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
    /// The first 16 bytes, for sorting: serials are in the order of their prefixes, and only
    /// where these are equal it takes more to tell.
    #[must_use]
    pub(crate) fn prefix(&self) -> u128 {
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
        // All at once: hashers take their time for each call.
        let mut folded = [0xff; 64 + 1];
        folded.iter_mut().zip(self.folded()).for_each(|(slot, b)| *slot = b);
        state.write(&folded[..=self.0.len()]);
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
                "is not a valid serial number: use 1 to 64 letters, digits, `.`, `_`, `-`, `+`, \
                 `/` or `:`, and single spaces inside",
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
as_string!(SerialNumber, |this, serializer| serializer.serialize_str(&this.0));

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
    /// What stands behind the `@`.
    #[must_use]
    pub(crate) fn host(&self) -> &str {
        self.0.rsplit('@').next().unwrap_or_default()
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
as_string!(Email, |this, serializer| serializer.serialize_str(&this.0));

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
    pub(crate) fn typed(text: &str) -> Option<Self> {
        text.to_ascii_uppercase().parse().ok()
    }

    /// The number in it: from 1 on, none is left out.
    #[must_use]
    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    /// Whether the text can be taken for an id: `D` and at least three digits, in either case.
    #[must_use]
    pub(crate) fn is_like(text: &str) -> bool {
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
        let is_padded = digits.len() > 3 && digits.starts_with('0');
        if id.0 == 0 || is_padded { Err(bad()) } else { Ok(id) }
    }
}
as_string!(DeviceId);
