//! The log's entries one by one, for people: the chain is not looked at.
//!
//! At the end of the log the iterator ends, and goes on when there is more: for `--follow`.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Error, LOG, audit, line};
use crate::durable;
use crate::event::Entry;
use crate::model::Digest;

/// One entry, and its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// Where the line begins, in bytes.
    pub offset: u64,
    /// The line, without its newline.
    pub raw: Vec<u8>,
    /// What it says.
    pub entry: Entry,
    /// The hash of the line before it, as it says; not checked here.
    pub prev: Digest,
}

/// See [`entries`].
#[derive(Debug)]
pub struct Entries {
    path: PathBuf,
    log: Option<BufReader<File>>,
    offset: u64,
    /// Of the last entry, as far as it is known.
    seq: u64,
}

/// The entries of the log in `dir` from byte `offset` on, where a line begins. There
/// need not be a log yet. `None` means that there are no more now; later there may be.
#[must_use]
pub fn entries(dir: &Path, offset: u64) -> Entries {
    Entries { path: dir.join(LOG), log: None, offset, seq: 0 }
}

impl Entries {
    /// Where the next line begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn read(&mut self) -> Result<Option<Logged>, Error> {
        let log = match self.log.take() {
            Some(log) => self.log.insert(log),
            None => {
                let Some(file) = audit::open(&self.path)? else { return Ok(None) };
                let mut log = BufReader::with_capacity(line::TOO_LONG, file);
                log.seek(SeekFrom::Start(self.offset))
                    .map_err(durable::Error::at("read", &self.path))?;
                self.log.insert(log)
            }
        };
        let mut raw = Vec::new();
        let limit = line::TOO_LONG as u64 + 1;
        let length = log
            .take(limit)
            .read_until(b'\n', &mut raw)
            .map_err(durable::Error::at("read", &self.path))? as u64;
        if raw.pop_if(|b| *b == b'\n').is_none() && length < limit {
            // Unfinished: its writer is at work, or will cut it. Read anew next time.
            self.log = None;
            return Ok(None);
        }
        let offset = self.offset;
        self.offset += length;
        self.seq += 1;
        let (entry, prev) = line::read(&raw).map_err(|e| Error::Log {
            path: self.path.clone(),
            seq: self.seq,
            offset,
            what: e.0,
        })?;
        self.seq = entry.seq;
        Ok(Some(Logged { offset, raw, entry, prev }))
    }
}

impl Iterator for Entries {
    type Item = Result<Logged, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
