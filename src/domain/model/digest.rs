//! SHA-256 digests, and what makes them.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::macros::as_string;
use super::text::Invalid;

/// A SHA-256, spelled as 64 lowercase hexadecimal digits.
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
    /// One that was written as it is.
    #[must_use]
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// To write it as it is.
    #[must_use]
    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
/// The two digits of each byte.
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut all = [[0; 2]; 256];
    let mut b = 0;
    while b < 256 {
        all[b] = [digits[b >> 4], digits[b & 15]];
        b += 1;
    }
    all
};

/// What each digit stands for; 16 is no digit.
const NIBBLE: [u8; 256] = {
    let mut all = [16; 256];
    let mut digit: u8 = 0;
    while digit < 16 {
        all[HEX[digit as usize][1] as usize] = digit;
        digit += 1;
    }
    all
};

impl Digest {
    /// Its spelling.
    #[must_use]
    pub(crate) fn hex(&self) -> [u8; 64] {
        let mut text = [0; 64];
        for (pair, b) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&HEX[usize::from(b)]);
        }
        text
    }
}
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.hex()).map_err(|_| fmt::Error)?)
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
        let text: &[u8; 64] = text.as_bytes().try_into().map_err(|_| bad())?;
        let mut digest = [0; 32];
        // Of all digits at once: that one is none is seen at the end.
        let mut seen = 0;
        for (slot, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
            let (high, low) = (NIBBLE[usize::from(pair[0])], NIBBLE[usize::from(pair[1])]);
            seen |= high | low;
            *slot = high << 4 | low;
        }
        if seen < 16 { Ok(Self(digest)) } else { Err(bad()) }
    }
}
as_string!(Digest, |this, serializer| {
    serializer.serialize_str(std::str::from_utf8(&this.hex()).map_err(serde::ser::Error::custom)?)
});

/// A [`Digest`] in the making; also a writer, so that it can take what is serialised.
#[derive(Default)]
pub(crate) struct Hasher(Sha256);

impl Hasher {
    /// Takes more bytes in.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    /// The digest of all of them.
    #[must_use]
    pub(crate) fn finish(self) -> Digest {
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
