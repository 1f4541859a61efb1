//! `audit.jsonl`: appending to the hash chain, following it, and cutting a torn end.
//!
//! A batch is one write and one fsync. After an error of either the log is poisoned: what is on
//! the disk is unknown until somebody reads it anew, so nothing more is written and nothing
//! is tried again. Only a last line without newline is ever cut; it was never acknowledged.

#![expect(
    clippy::disallowed_methods,
    reason = "opened for writing, which waits for nobody, and compared with what was read"
)]

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::identity::Identity;
use super::layout::{BROKEN, LOG};
use super::scan::{self, End};
use super::trusted::Seen;
use crate::domain::model::Digest;
use crate::domain::state::event::{Entry, LogRepaired};
use crate::edges::fs::durable;
use crate::edges::fs::guarded::{Guarded, Opened};
use crate::edges::fs::memory;
use crate::edges::ledger::chain::{Chain, inspect};
use crate::edges::ledger::error::Error;
use crate::edges::ledger::line;
use crate::edges::ledger::store::Lines;

/// What to do where the log is not what this process wrote.
const ROTATED: &str = "was it rotated (logrotate), renamed, removed, restored or edited? It must never be \
                       rotated: take it out of logrotate, and put the very file back under its name";

/// How much is read for one line: nearly all are far shorter than the longest one.
pub(super) const USUAL: [usize; 2] = [4096, line::TOO_LONG + 1];

/// The hash of the line that ends where this one does; `None` where no line ends there.
///
/// # Errors
/// Those of reading.
pub(super) fn last_line(chain: &Chain, log: &File, path: &Path) -> Result<Option<Digest>, Error> {
    let mut last = None;
    for length in USUAL {
        let start = chain.end.saturating_sub(length as u64);
        let mut bytes = vec![0; usize::try_from(chain.end - start).unwrap_or(length)];
        match log.read_exact_at(&mut bytes, start) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read.map_err(durable::Error::at("read", path))?,
        }
        let Some(lines) = bytes.strip_suffix(b"\n") else { return Ok(None) };
        let begins = lines.iter().rposition(|b| *b == b'\n').map(|at| at + 1);
        last = Some(Digest::of(&lines[begins.unwrap_or(0)..]));
        if begins.is_some() || start == 0 {
            break;
        }
    }
    Ok(last)
}

/// Follows the rest of a log up to byte `until`; lines from byte `whole_from` on are looked at whole and their
/// entries handed on, of the others only that they were there.
///
/// # Errors
/// Those of reading, of [`Chain::follow`], and of `take`.
pub(super) fn follow_all(
    chain: &mut Chain,
    path: &Path,
    file: &File,
    until: u64,
    whole_from: u64,
    mut take: impl FnMut(&Chain, Option<&Entry>) -> Result<(), Error> + Send,
) -> Result<End, Error> {
    let mut at = file;
    let failed = |e| Error::from(durable::Error::at("read", path)(e));
    at.seek(SeekFrom::Start(chain.end)).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    memory::expect(until.min(length).saturating_sub(chain.end));
    scan::scan(
        file.take(until.saturating_sub(chain.end)),
        chain.end,
        failed,
        |share, line| inspect(line, line.offset == 0 || line.offset >= whole_from, share),
        |seen| {
            let followed = chain.follow(&seen);
            let entry = followed.map_err(|broken| Error::of_line(path.to_owned(), broken))?;
            take(chain, entry)
        },
    )
}
/// Opens a log for reading; `None` if there is none.
///
/// # Errors
/// Those of the system, and if it is no regular file: a FIFO or a device may never end.
pub(crate) fn open(path: &Path) -> Result<Option<File>, Error> {
    let opened = Guarded::stream().open_if_there(path);
    let opened = opened.map_err(|e| durable::Error::at("open", path)(e.into()))?;
    Ok(opened.map(Opened::into_file))
}

/// That an open log is still the one that has the name, and not shorter than what was read of
/// it, for who reads on in it.
///
/// # Errors
/// [`Error::Replaced`] if not, and those of the system.
pub(crate) fn still_named(log: &File, path: &Path, read: u64) -> Result<(), Error> {
    let failed = |e: rustix::io::Errno| durable::Error::at("access", path)(e.into());
    let ours = rustix::fs::fstat(log).map_err(failed)?;
    let what = match rustix::fs::stat(path) {
        Ok(named) if Identity::from(&named) == Identity::from(&ours) => {
            if u64::try_from(ours.st_size).is_ok_and(|length| length >= read) {
                return Ok(());
            }
            "the log that was being read was cut"
        }
        Ok(_) => "another file has the name of the log that was being read",
        Err(rustix::io::Errno::NOENT) => "the log that was being read is gone",
        Err(e) => return Err(failed(e).into()),
    };
    Err(Error::Replaced { path: path.to_owned(), what: what.into(), help: ROTATED })
}

/// Moves an unfinished last line to `audit.jsonl.broken`. After a crash in between it can be
/// done again: at worst the line is there twice.
///
/// # Errors
/// If a step fails; the log is then as it was, or cut.
pub(crate) fn cut(dir: &Path, end: End) -> Result<LogRepaired, Error> {
    let path = dir.join(LOG);
    let mut log = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(durable::Error::at("open", &path))?;
    let mut torn = Vec::new();
    log.seek(SeekFrom::Start(end.offset))
        .and_then(|_| log.read_to_end(&mut torn))
        .map_err(durable::Error::at("read", &path))?;

    let broken = dir.join(BROKEN);
    keep(&broken, &torn).map_err(durable::Error::at("write", &broken))?;
    durable::step("ledger.broken", "dirsync", || durable::sync_directory(dir))
        .map_err(durable::Error::at("fsync", dir))?;

    durable::step("ledger.cut", "truncate", || log.set_len(end.offset))
        .and_then(|()| durable::step("ledger.cut", "fsync", || log.sync_all()))
        .map_err(durable::Error::at("cut", &path))?;
    Ok(LogRepaired { bytes: torn.len() as u64, digest: Digest::of(&torn) })
}

fn keep(path: &Path, torn: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    durable::hand_over(&file, durable::parent(path))?;
    let mut bytes = Vec::with_capacity(torn.len() + 1);
    if file.metadata()?.len() > 0 {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(torn);
    durable::step("ledger.broken", "write", || file.write_all(&bytes))?;
    durable::step("ledger.broken", "fsync", || file.sync_all())
}

/// The end of a verified log, to append to.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: Option<File>,
    chain: Chain,
    /// How far it is durable.
    durable: Chain,
    unsynced: bool,
    created: bool,
    poisoned: bool,
    /// As this process verified it, or left it last; `None` once somebody else touched it.
    seen: Option<Seen>,
    /// Whether a test put another file in the log's place.
    #[cfg(test)]
    broken: bool,
}

impl LogFile {
    /// Appends after `chain`, the end of the log at `path`, which is made when it is needed; `seen` is
    /// what the log was before it was verified.
    /// What is there is made durable first: whoever wrote it may have died before the fsync.
    ///
    /// # Errors
    /// Those of opening and fsync.
    pub(super) fn new(path: PathBuf, chain: Chain, seen: Option<Seen>) -> Result<Self, Error> {
        let file = match OpenOptions::new().read(true).append(true).open(&path) {
            Ok(file) => Some(file),
            Err(e) if e.kind() == io::ErrorKind::NotFound && chain.end == 0 => None,
            Err(e) => return Err(durable::Error::at("open", &path)(e).into()),
        };
        if let Some(file) = file.as_ref().filter(|_| chain.end > 0) {
            file.sync_all().map_err(durable::Error::at("fsync", &path))?;
        }
        Ok(Self {
            path,
            created: chain.end == 0,
            file,
            chain,
            durable: chain,
            unsynced: false,
            poisoned: false,
            seen,
            #[cfg(test)]
            broken: false,
        })
    }

    /// How far the log is durable.
    pub(crate) fn durable(&self) -> Chain {
        self.durable
    }

    /// That the log by its name is the file that this process writes, as long as it should be,
    /// and that it ends with the line that was written last.
    ///
    /// # Errors
    /// [`Error::Replaced`] if not, and those of the system.
    pub(crate) fn prove(&self) -> Result<(), Error> {
        #[cfg(test)]
        if self.broken {
            return Ok(());
        }
        let failed = |e: rustix::io::Errno| durable::Error::at("access", &self.path)(e.into());
        let replaced = |what| Err(Error::Replaced { path: self.path.clone(), what, help: ROTATED });
        let named = match rustix::fs::stat(&self.path) {
            Ok(stat) => Some(stat),
            Err(rustix::io::Errno::NOENT) => None,
            Err(e) => return Err(failed(e).into()),
        };
        let (file, named) = match (&self.file, named) {
            (None, None) => return Ok(()),
            (None, Some(_)) => return replaced("somebody else began a log here".into()),
            (Some(_), None) => return replaced("the log that this process writes is gone".into()),
            (Some(file), Some(named)) => (file, named),
        };
        let ours = rustix::fs::fstat(file).map_err(failed)?;
        if Identity::from(&named) != Identity::from(&ours) {
            return replaced(
                "another file has the name of the log that this process writes".into(),
            );
        }
        let (length, end) = (ours.st_size, self.chain.end);
        if u64::try_from(length) != Ok(end) {
            return replaced(format!(
                "it is {length} bytes long and should be {end}: something else wrote to it"
            ));
        }
        if self.chain.seq > 0 && last_line(&self.chain, file, &self.path)? != Some(self.chain.head)
        {
            return replaced(format!("it does not end with entry {} any more", self.chain.seq));
        }
        Ok(())
    }

    /// How far the log goes.
    pub(crate) fn chain(&self) -> Chain {
        self.chain
    }

    /// What the log is now, if nobody else touched it since it was verified.
    pub(super) fn untouched(&self) -> Option<Seen> {
        self.seen.filter(|seen| Seen::of(&self.path) == Some(*seen))
    }

    /// Whether nothing can be written any more.
    ///
    /// # Errors
    /// [`Error::Poisoned`] if so.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.poisoned { Err(Error::Poisoned { path: self.path.clone() }) } else { Ok(()) }
    }

    /// From now on nothing is written.
    pub(crate) fn poison(&mut self) {
        self.poisoned = true;
    }

    /// Writes lines at once; not durable before [`LogFile::sync`].
    ///
    /// # Errors
    /// If they cannot be written; the log is then poisoned.
    pub(crate) fn write(
        &mut self,
        Lines { text, each: _, seq, head }: Lines<'_>,
    ) -> Result<(), Error> {
        self.check()?;
        self.poisoned = true;
        let end = self.chain.end;
        let untouched = self.file.is_none() || self.untouched().is_some();
        let mut file = self.file()?;
        durable::step("ledger.append", "write", || file.write_all(text))
            .map_err(durable::Error::at("append to", &self.path))?;
        self.chain = Chain { seq, head, end: end + text.len() as u64 };
        self.seen = untouched.then(|| Seen::of(&self.path)).flatten();
        self.unsynced = true;
        self.poisoned = false;
        Ok(())
    }

    /// Makes all that was written durable.
    ///
    /// # Errors
    /// If that fails; the log is then poisoned.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        self.check()?;
        let Some(file) = self.file.as_ref().filter(|_| self.unsynced) else { return Ok(()) };
        self.poisoned = true;
        durable::step("ledger.append", "fsync", || file.sync_all())
            .map_err(durable::Error::at("fsync", &self.path))?;
        if self.created {
            let dir = durable::parent(&self.path);
            durable::step("ledger.append", "dirsync", || durable::sync_directory(dir))
                .map_err(durable::Error::at("fsync", dir))?;
        }
        self.poisoned = false;
        self.created = false;
        self.unsynced = false;
        self.durable = self.chain;
        Ok(())
    }

    fn file(&mut self) -> Result<&File, Error> {
        let file = match self.file.take() {
            Some(file) => file,
            // A log that somebody else began meanwhile is not taken for ours.
            None => {
                let file = OpenOptions::new()
                    .read(true)
                    .append(true)
                    .create_new(true)
                    .open(&self.path)
                    .map_err(durable::Error::at("create", &self.path))?;
                durable::hand_over(&file, durable::parent(&self.path))
                    .map_err(durable::Error::at("change the owner of", &self.path))?;
                file
            }
        };
        Ok(self.file.insert(file))
    }
}

#[cfg(test)]
impl LogFile {
    /// From now on writes to the end of this file.
    pub(crate) fn break_file(&mut self, file: File) {
        self.chain.end = file.metadata().unwrap().len();
        self.file = Some(file);
        self.broken = true;
    }
}
