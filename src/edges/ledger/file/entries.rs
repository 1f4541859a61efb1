//! The log's entries one by one, for people: the chain is not looked at.
//!
//! At the end of the log the iterator ends, and goes on when there is more: for `--follow`. While
//! a writer is at work, the log ends for it where the last whole pass did.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::follow::whole;
use super::layout::LOG;
use super::log;
use crate::edges::fs::durable;
use crate::edges::ledger::chain::Broken;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::line;
use crate::edges::ledger::store::Logged;

/// See [`entries_from`].
#[derive(Debug)]
pub(super) struct LogEntries {
    path: PathBuf,
    log: Option<BufReader<File>>,
    offset: u64,
    /// Up to which byte there are whole passes, when it was last looked at.
    whole: u64,
    /// Of the last entry, as far as it is known.
    seq: u64,
}

/// The entries of the log in `dir` from byte `offset` on, where a line begins. There
/// need not be a log yet. `None` means that there are no more now; later there may be.
#[must_use]
pub(super) fn entries(dir: &Path, offset: u64) -> LogEntries {
    LogEntries { path: dir.join(LOG), log: None, offset, whole: 0, seq: 0 }
}

/// As [`entries`], from the entry of this number on, or from one not far before it: found without
/// reading what goes before. A log whose lines do not say their numbers is read from its beginning.
#[must_use]
pub(super) fn entries_from(dir: &Path, seq: u64) -> LogEntries {
    if seq <= 1 {
        return entries(dir, 0);
    }
    let found = log::open(&dir.join(LOG)).ok().flatten().and_then(|log| find(&log, seq).ok());
    entries(dir, found.unwrap_or_default())
}

/// Where a line begins that is the one of this number, or not far before it: by halving.
fn find(log: &File, seq: u64) -> io::Result<u64> {
    let (mut from, mut to) = (0, log.metadata()?.len());
    while to - from > line::TOO_LONG as u64 {
        let middle = from + (to - from) / 2;
        let begin = match next_line(log, middle)? {
            Some((begin, found)) if begin < to => (found <= seq).then_some(begin),
            _ => None,
        };
        match begin {
            Some(begin) => from = begin,
            None => to = middle,
        }
    }
    Ok(from)
}

/// The first line that begins after this byte, and its number; `None` where there is none.
fn next_line(log: &File, after: u64) -> io::Result<Option<(u64, u64)>> {
    let mut bytes = vec![0; line::TOO_LONG + 64];
    let mut filled = 0;
    while filled < bytes.len() {
        match log.read_at(&mut bytes[filled..], after + filled as u64)? {
            0 => break,
            n => filled += n,
        }
    }
    let Some(end) = bytes[..filled].iter().position(|b| *b == b'\n') else { return Ok(None) };
    let line = &bytes[end + 1..filled];
    let seq = line.strip_prefix(b"{\"seq\":").and_then(|rest| {
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        // A number that ends where the file does may go on.
        rest.get(digits).filter(|b| **b == b',')?;
        std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
    });
    match seq {
        Some(seq) => Ok(Some((after + end as u64 + 1, seq))),
        None if !line.contains(&b'\n') => Ok(None),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

impl LogEntries {
    /// Where the next line begins.
    #[cfg(test)]
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    fn read(&mut self) -> Result<Option<Logged>, Error> {
        let log = match self.log.take() {
            Some(log) => self.log.insert(log),
            None => {
                let Some(file) = log::open(&self.path)? else { return Ok(None) };
                let mut log = BufReader::with_capacity(line::TOO_LONG, file);
                log.seek(SeekFrom::Start(self.offset))
                    .map_err(durable::Error::at("read", &self.path))?;
                self.log.insert(log)
            }
        };
        if self.offset >= self.whole {
            self.whole = whole(durable::parent(&self.path), log.get_ref())
                .map_err(durable::Error::at("read", &self.path))?
                .0;
            if self.offset >= self.whole {
                log::still_named(log.get_ref(), &self.path, self.offset)?;
                return Ok(None);
            }
        }
        let mut raw = Vec::new();
        let limit = line::TOO_LONG as u64 + 1;
        let length = log
            .take(limit)
            .read_until(b'\n', &mut raw)
            .map_err(durable::Error::at("read", &self.path))? as u64;
        if raw.pop_if(|b| *b == b'\n').is_none() && length < limit {
            // Unfinished: its writer is at work, or will cut it. Read anew next time.
            log::still_named(log.get_ref(), &self.path, self.offset)?;
            self.log = None;
            return Ok(None);
        }
        let offset = self.offset;
        self.offset += length;
        self.seq += 1;
        let (entry, prev) = line::read(&raw).map_err(|line::Error { what, newer }| {
            let broken = Broken { seq: self.seq, offset, what, newer };
            Error::of_line(self.path.clone(), broken)
        })?;
        self.seq = entry.seq;
        Ok(Some(Logged { raw, entry, prev }))
    }
}

impl Iterator for LogEntries {
    type Item = Result<Logged, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
