//! Names out of `state.json`, without reading it as JSON: for completion, which has a tenth of a
//! second where a fleet of 100,000 devices takes several to read.
//!
//! It relies on how the snapshot is laid out (two spaces a level, keys sorted), takes only what
//! is a valid name, and is silent about all else: what it misses is not offered, nothing more.

use std::io::Read as _;
use std::path::Path;
use std::time::Instant;

use memchr::memmem::{Finder, find};

use super::layout::STATE;
use super::state_json;
use crate::edges::ledger::store::KnownName;

/// Far larger than a device, so that hardly any lies across two pieces.
const PIECE: usize = 1 << 18;

/// Shows every device and profile to `visit`; `None` if there is no snapshot that can be read,
/// or it is not at its end before the deadline: half of the names would be as good as wrong.
pub(super) fn names(
    dir: &Path,
    deadline: Instant,
    visit: &mut dyn FnMut(KnownName<'_>),
) -> Option<()> {
    let mut file = state_json::open(&dir.join(STATE)).ok()??;
    let mut reader = Reader { keys: Keys::new(), section: Section::Other };
    let key = Finder::new(b"\n    \"");
    let mut piece = vec![0; PIECE];
    let mut length = 0;
    loop {
        let read = file.read(&mut piece[length..]).ok()?;
        if Instant::now() > deadline {
            return None;
        }
        length += read;
        // Each block begins with a key of the second level and ends before the next one.
        let text = &piece[..length];
        let mut from = 0;
        for to in key.find_iter(text).chain((read == 0).then_some(length)) {
            reader.take(&text[from..to], visit);
            from = to;
        }
        if read == 0 {
            return Some(());
        }
        piece.copy_within(from..length, 0);
        length -= from;
        if length == piece.len() {
            piece.resize(2 * length, 0);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Devices,
    Profiles,
    Other,
}

/// What is looked for, made ready once.
struct Keys {
    name: Finder<'static>,
    serial: Finder<'static>,
    first_level: Finder<'static>,
}

impl Keys {
    fn new() -> Self {
        Self {
            name: Finder::new(b"\n      \"name\": \""),
            serial: Finder::new(b"\n      \"serialNumber\": \""),
            first_level: Finder::new(b"\n  \""),
        }
    }
}

struct Reader {
    keys: Keys,
    section: Section,
}

impl Reader {
    /// One block, and the section that the next one is in.
    fn take(&mut self, block: &[u8], visit: &mut dyn FnMut(KnownName<'_>)) {
        let key = block.strip_prefix(b"\n    \"").and_then(plain);
        let key = key.filter(|key| block[6 + key.len()..].starts_with(b"\": {"));
        match (self.section, key) {
            (Section::Devices, Some(id)) => {
                let name = field(block, &self.keys.name);
                let serial = field(block, &self.keys.serial);
                if let (Some(name), Some(serial)) = (name, serial) {
                    visit(KnownName::Device { id, name, serial });
                }
            }
            (Section::Profiles, Some(name)) => visit(KnownName::Profile(name)),
            _ => {}
        }
        if let Some(next) = self.keys.first_level.find(block) {
            self.section = Section::after(&block[next..]);
        }
    }
}

impl Section {
    /// Of several sections that begin, all but the last are empty.
    fn after(text: &[u8]) -> Self {
        let begins = |key: &[u8]| find(text, key).is_some();
        if begins(b"\n  \"wipes\": {") {
            Self::Other
        } else if begins(b"\n  \"profiles\": {") {
            Self::Profiles
        } else if begins(b"\n  \"devices\": {") {
            Self::Devices
        } else {
            Self::Other
        }
    }
}

fn field<'a>(block: &'a [u8], key: &Finder<'_>) -> Option<&'a str> {
    plain(&block[key.find(block)? + key.needle().len()..])
}

/// Up to the quote, if it is made of what names are made of.
fn plain(text: &[u8]) -> Option<&str> {
    let text = &text[..memchr::memchr(b'"', text)?];
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let text = Some(text).filter(|text| !text.is_empty() && text.iter().all(is_plain))?;
    str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests;
