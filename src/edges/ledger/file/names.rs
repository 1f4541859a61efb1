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

/// Id, name and serial number of a device by the lines that it has in a snapshot.
pub(super) fn device(lines: &[u8]) -> Option<(&str, &str, &str)> {
    let id = plain(lines.strip_prefix(b"    \"")?)?;
    let Keys { name, serial, .. } = Keys::new();
    Some((id, field(lines, &name)?, field(lines, &serial)?))
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
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::state::State;
    use crate::edges::ledger::snapshot::{Snapshot, write};

    /// What is seen in a snapshot, as `id name serial` and `profile`.
    fn seen(state: &State) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = Vec::new();
        write(&Snapshot { state: state.clone(), log_bytes: 0 }, &mut bytes).unwrap();
        put(dir.path(), &bytes);
        seen_in(dir.path()).unwrap()
    }

    fn put(dir: &Path, bytes: &[u8]) {
        std::fs::write(dir.join(STATE), bytes).unwrap();
    }

    fn seen_in(dir: &Path) -> Option<Vec<String>> {
        let mut seen = Vec::new();
        names(dir, Instant::now() + Duration::from_secs(60), &mut |peeked| {
            seen.push(match peeked {
                KnownName::Device { id, name, serial } => format!("{id} {name} {serial}"),
                KnownName::Profile(name) => name.to_owned(),
            });
        })?;
        Some(seen)
    }

    fn all(state: &State) -> Vec<String> {
        let devices = state.devices.iter().map(|(id, device)| {
            let spec = &device.spec;
            format!("{id} {} {}", spec.name, spec.serial_number)
        });
        devices.chain(state.profiles.keys().map(ToString::to_string)).collect()
    }

    #[test]
    fn every_name_is_seen_and_nothing_else() {
        let mut state = crate::ui::render::testing::state();
        assert_eq!(all(&state).len(), 5);
        assert_eq!(seen(&state), all(&state));
        assert_eq!(seen(&State::default()), Vec::<String>::new());
        // Without profiles, the keys of what follows are no profiles; so with what is frozen.
        state.profiles.clear();
        let digest = crate::domain::model::Digest::of(b"x");
        let trust = serde_json::json!({"allowedSigners": digest, "revokedKeys": digest});
        state.trust = serde_json::from_value(trust).unwrap();
        assert_eq!(seen(&state), all(&state));
        state.devices = crate::domain::state::Devices::default();
        assert_eq!(seen(&state), Vec::<String>::new());
    }

    #[test]
    fn a_snapshot_of_many_pieces_is_seen_whole() {
        let mut state = crate::ui::render::testing::state();
        let device = state.devices.values().next().unwrap().clone();
        for _ in 0..3000 {
            state.devices.insert(state.next_id(), device.clone());
        }
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        // The keys of the snapshot are sorted as text: D1000 comes before D999.
        assert_eq!(sorted(seen(&state)), sorted(all(&state)));
    }

    #[test]
    fn what_is_broken_is_silent() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(seen_in(dir.path()), None);
        for text in [
            "",
            "{}",
            "\n    \"D001",
            "\n  \"devices\": {\n    \"D001\": {",
            "\n  \"devices\": {\n    \"D0\u{1b}\": {\n      \"name\": \"x\",\n      \"serialNumber\": \"y\"",
            "\n  \"devices\": {\n    \"D001\": {\n      \"name\": \"a;b\",\n      \"serialNumber\": \"y\"",
        ] {
            put(dir.path(), text.as_bytes());
            assert_eq!(seen_in(dir.path()), Some(vec![]), "{text:?}");
        }
        assert_eq!(names(dir.path(), Instant::now() - Duration::from_secs(1), &mut |_| ()), None);
    }
}
