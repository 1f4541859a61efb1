//! Reading `state.json`: quickly as it is written, and at all events as any JSON.
//!
//! The layout says where one device ends and the next begins, so that blocks of the file are
//! read on every core, in bounded memory. Whatever does not come out right that way is read
//! again as one JSON document: that gives the same, or says where it is wrong.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rayon::prelude::*;
use rustix::fs::OFlags;

use super::share::Share;
use super::snapshot::{DeviceIn, Devices, Snapshot, SnapshotIn};
use super::{Error, STATE};
use crate::domain::model::DeviceId;
use crate::domain::state::{Device, State};
use crate::edges::fs::durable;

/// How much is read at once: some thousand devices.
const BLOCK: usize = 4 << 20;
/// So much may stand around the devices; more is not worth the hurry.
const AROUND: usize = 16 << 20;

/// Opens a snapshot; `None` if there is none. Whatever is no file of its own there was not put
/// there by this program: a link may lead anywhere, and a FIFO may never end.
pub(super) fn open(path: &Path) -> io::Result<Option<File>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => Err(io::Error::other("it is not a regular file")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Reads `state.json` in `dir`; `None` if there is none.
///
/// # Errors
/// If it cannot be read, or is not what this program writes.
pub fn load(dir: &Path) -> Result<Option<Snapshot>, Error> {
    let path = dir.join(STATE);
    let Some(mut file) = open(&path).map_err(durable::Error::at("open", &path))? else {
        return Ok(None);
    };
    let laid_out = as_written(&mut file).map_err(durable::Error::at("read", &path))?;
    // Nothing is saved before the first entry: what says otherwise was not written by us.
    if laid_out.as_ref().is_some_and(|snapshot| snapshot.state.seq > 0) {
        return Ok(laid_out);
    }
    file.rewind().map_err(durable::Error::at("read", &path))?;
    let wire: SnapshotIn = match serde_json::from_reader(BufReader::with_capacity(1 << 18, file)) {
        Ok(wire) => wire,
        Err(e) if e.is_io() => return Err(durable::Error::at("read", &path)(e.into()).into()),
        Err(e) => {
            let (line, column, text) = (e.line(), e.column(), e.to_string());
            let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what).to_owned();
            return Err(Error::Snapshot { path, line, column, what });
        }
    };
    let saved = wire.snapshot().and_then(|snapshot| match snapshot.state.seq {
        0 => Err("its `seq` 0 is the number of no entry".to_owned()),
        _ => Ok(snapshot),
    });
    saved.map(Some).map_err(|what| Error::Snapshot { path, line: 1, column: 1, what })
}

/// Reads what [`super::snapshot::write_state`] wrote, in bounded memory but for the state itself;
/// `None` if it is anything else.
///
/// # Errors
/// Those of `input`.
pub fn read_state(mut input: impl io::Read) -> io::Result<Option<State>> {
    Ok(as_written(&mut input)?.map(|snapshot| snapshot.state))
}

/// `None` if it is not laid out as this program does, or wrong.
pub(super) fn as_written(file: &mut impl io::Read) -> io::Result<Option<Snapshot>> {
    let mut parts = Parts::default();
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
    share: Share,
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
        let read: Option<Vec<_>> = members.into_par_iter().with_min_len(64).map(member).collect();
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
fn member(text: &[u8]) -> Option<(DeviceId, DeviceIn)> {
    let text = text.strip_suffix(b"\n")?;
    let text = text.strip_suffix(b",").unwrap_or(text).strip_prefix(b"    \"")?;
    let quote = text.iter().position(|b| *b == b'"')?;
    let id = std::str::from_utf8(&text[..quote]).ok()?.parse().ok()?;
    let device = serde_json::from_slice(text[quote..].strip_prefix(b"\": ")?).ok()?;
    Some((id, device))
}
