//! Values in few bytes, for caches: whoever reads them checks all that they say.

use super::model::Digest;

/// Values, one after the other. What does not fit gives `None`.
#[derive(Debug, Default)]
pub(crate) struct Packer(Vec<u8>);

impl Packer {
    /// With room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// All that was packed so far.
    pub(crate) fn packed(&self) -> &[u8] {
        &self.0
    }

    /// All that was packed.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Bytes whose length who reads them knows.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    pub(crate) fn number(&mut self, number: u32) {
        self.0.extend(number.to_le_bytes());
    }

    pub(crate) fn long(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    pub(crate) fn digest(&mut self, digest: &Digest) {
        self.0.extend(digest.as_bytes());
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.0.push(flag.into());
    }

    /// One of a closed set.
    pub(crate) fn word<T: PartialEq>(&mut self, all: &[T], word: T) -> Option<()> {
        let at = all.iter().position(|other| *other == word)?;
        self.0.push(u8::try_from(at).ok()?);
        Some(())
    }

    pub(crate) fn text(&mut self, text: &str) -> Option<()> {
        self.0.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
        self.0.extend(text.as_bytes());
        Some(())
    }

    pub(crate) fn optional(&mut self, text: Option<&str>) -> Option<()> {
        self.flag(text.is_some());
        text.map_or(Some(()), |text| self.text(text))
    }
}

/// What is left to unpack, in the order in which it was packed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed<'p>(&'p [u8]);

impl<'p> Packed<'p> {
    pub(crate) const fn of(bytes: &'p [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) const fn rest(&self) -> &'p [u8] {
        self.0
    }

    /// Passes these bytes over, if they come next.
    pub(crate) fn skip(&mut self, bytes: &[u8]) -> bool {
        let rest = self.0.strip_prefix(bytes);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    pub(crate) fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.0.split_off(..4)?.first_chunk()?))
    }

    pub(crate) fn long(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.0.split_off(..8)?.first_chunk()?))
    }

    pub(crate) fn digest(&mut self) -> Option<Digest> {
        Some(Digest::from_bytes(*self.0.split_off(..32)?.first_chunk()?))
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.0.split_off_first()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn word<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(usize::from(*self.0.split_off_first()?)).copied()
    }

    pub(crate) fn text(&mut self) -> Option<&'p str> {
        let length = u16::from_le_bytes(*self.0.split_off(..2)?.first_chunk()?);
        std::str::from_utf8(self.0.split_off(..usize::from(length))?).ok()
    }

    pub(crate) fn optional(&mut self) -> Option<Option<&'p str>> {
        if self.flag()? { self.text().map(Some) } else { Some(None) }
    }
}
