//! Reading a snapshot: quickly as it is written, and at all events as any JSON.
//!
//! The layout says where one device ends and the next begins, so that blocks of the text are
//! read on every core, in bounded memory. Whatever does not come out right that way is read
//! again as one JSON document: that gives the same, or says where it is wrong.

use std::io::{self, BufRead as _};

use super::device::DeviceIn;
use super::devices::Devices;
use super::document::{Snapshot, SnapshotIn};
use crate::domain::model::DeviceId;
use crate::domain::shares;
use crate::domain::state::{Device, State};
use crate::edges::ledger::intern::Interner;

/// About as long as the text of a device at least.
const LEAST: u64 = 900;
/// How much is read at once: some thousand devices.
pub(super) const BLOCK: usize = 4 << 20;
/// Bytes that may stand around the devices; a snapshot with more is read the slow way.
pub(super) const AROUND: usize = 16 << 20;

/// Reads what [`super::write::write_state`] wrote, in bounded memory but for the state itself;
/// `None` if it is anything else.
///
/// # Errors
/// Those of `input`.
pub(crate) fn read_state(mut input: impl io::Read) -> io::Result<Option<State>> {
    Ok(as_written(&mut input, 0)?.map(|snapshot| snapshot.state))
}

/// `None` if it is not laid out as this program does, or wrong. `length` is that of the whole, where it
/// is known.
pub(in crate::edges::ledger) fn as_written(
    file: &mut impl io::Read,
    length: u64,
) -> io::Result<Option<Snapshot>> {
    // At once: what growing leaves behind is memory that is not given back.
    // Where there is not so much, the file may only claim to be so long.
    let mut devices = Vec::new();
    devices.try_reserve(usize::try_from(length / LEAST).unwrap_or_default()).unwrap_or_default();
    let mut parts = Parts { devices, ..Parts::default() };
    let mut buffer = vec![0; BLOCK];
    let mut filled = 0;
    loop {
        let read = match file.read(&mut buffer[filled..]) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        filled += read;
        let Some(used) = parts.take(&buffer[..filled]) else { return Ok(None) };
        buffer.copy_within(used..filled, 0);
        filled -= used;
        if read == 0 {
            return Ok(if filled == 0 { parts.whole() } else { None });
        }
        if filled == BLOCK {
            return Ok(None);
        }
    }
}

/// The document in pieces.
#[derive(Default)]
struct Parts {
    /// All lines but those between the braces of `devices`.
    around: Vec<u8>,
    within: bool,
    /// Whether a comma promises another device.
    promised: bool,
    devices: Vec<(DeviceId, Device)>,
    share: Interner,
}

impl Parts {
    /// Takes the whole lines and devices of a block, and says how many bytes they are; `None` if
    /// they are not what they should be.
    fn take(&mut self, block: &[u8]) -> Option<usize> {
        let mut members = Vec::new();
        let (mut used, mut rest) = (0, block);
        while let Ok(length @ 1..) = rest.skip_until(b'\n') {
            let end = block.len() - rest.len();
            match &block[end - length..end] {
                line if line.last() != Some(&b'\n') => break,
                line @ (b"    },\n" | b"    }\n") if self.within && self.promised => {
                    self.promised = line == b"    },\n";
                    members.push(&block[used..end]);
                    used = end;
                }
                line @ (b"  },\n" | b"  }\n") if self.within && !self.promised => {
                    self.around.extend_from_slice(line);
                    self.within = false;
                    used = end;
                }
                _ if self.within && self.promised => {}
                _ if self.within => return None,
                line => {
                    self.around.extend_from_slice(line);
                    self.within = line == b"  \"devices\": {\n";
                    self.promised = self.within;
                    used = end;
                }
            }
        }
        let read: Option<Vec<_>> =
            shares::map(members, |_, text| member(text)).into_iter().collect();
        for (id, device) in read? {
            self.devices.push((id, device.device(&mut self.share).ok()?));
        }
        (self.around.len() <= AROUND).then_some(used)
    }

    fn whole(self) -> Option<Snapshot> {
        let mut wire: SnapshotIn = serde_json::from_slice(&self.around).ok()?;
        if !self.devices.is_empty() {
            if !wire.devices.is_empty() {
                return None;
            }
            wire.devices = Devices::collect(self.devices).ok()?;
        }
        wire.snapshot().ok()
    }
}

/// `    "D001": {…},` with its lines.
fn member(text: &[u8]) -> Option<(DeviceId, DeviceIn<'_>)> {
    let text = text.strip_suffix(b"\n")?;
    let text = text.strip_suffix(b",").unwrap_or(text).strip_prefix(b"    \"")?;
    let quote = text.iter().position(|b| *b == b'"')?;
    let id = std::str::from_utf8(&text[..quote]).ok()?.parse().ok()?;
    let device = serde_json::from_slice(text[quote..].strip_prefix(b"\": ")?).ok()?;
    Some((id, device))
}

/// What stands around the devices of a snapshot.
pub(in crate::edges::ledger) fn read_around(text: &[u8]) -> Option<Snapshot> {
    let wire: SnapshotIn = serde_json::from_slice(text).ok()?;
    if wire.devices.is_empty() { wire.snapshot().ok() } else { None }
}

/// A device out of a snapshot: its lines, as they stand there.
pub(in crate::edges::ledger) fn read_member(
    text: &[u8],
    share: &mut Interner,
) -> Option<(DeviceId, Device)> {
    let (id, device) = member(text)?;
    Some((id, device.device(share).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_only_claims_to_be_long_takes_no_memory() {
        for length in [1 << 50, u64::MAX] {
            assert!(as_written(&mut io::empty(), length).unwrap().is_none(), "{length}");
        }
    }
}
