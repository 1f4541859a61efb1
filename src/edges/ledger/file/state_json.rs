//! `state.json`: the file that holds the snapshot.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek as _};
use std::path::Path;

use super::layout::STATE;
use crate::domain::state::State;
use crate::edges::fs::durable;
use crate::edges::fs::guarded::{Guarded, Opened};
use crate::edges::fs::memory;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::snapshot::{Snapshot, SnapshotIn, as_written, write_state};

/// Opens a snapshot; `None` if there is none. Whatever is no file of its own there was not put
/// there by this program: a link may lead anywhere, and a FIFO may never end.
pub(super) fn open(path: &Path) -> io::Result<Option<File>> {
    let opened = Guarded::stream().without_links().open_if_there(path)?;
    Ok(opened.map(Opened::into_file))
}

/// Reads `state.json` in `dir`; `None` if there is none.
///
/// # Errors
/// If it cannot be read, or is not what this program writes.
pub(crate) fn load(dir: &Path) -> Result<Option<Snapshot>, Error> {
    let path = dir.join(STATE);
    let Some(mut file) = open(&path).map_err(durable::Error::at("open", &path))? else {
        return Ok(None);
    };
    let length = file.metadata().map_or(0, |of| of.len());
    memory::expect(length);
    let laid_out = as_written(&mut file, length).map_err(durable::Error::at("read", &path))?;
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

/// Replaces `state.json` in `dir`.
///
/// # Errors
/// If a step fails; the old one is then still there.
pub(super) fn save(dir: &Path, state: &State, log_bytes: u64) -> Result<(), durable::Error> {
    durable::replace_file("ledger.snapshot", &dir.join(STATE), |out: &mut BufWriter<File>| {
        write_state(state, log_bytes, out)
    })
}
