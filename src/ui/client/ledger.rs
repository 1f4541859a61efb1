//! The ledger of a running daemon, read like one that lies here.
//!
//! What a command asks for is fetched then: the state, or the lines of the log, page by page. To check
//! the chain or to replay the log all of its lines are copied first, and judged here: the daemon's
//! word is not taken for it.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tempfile::TempDir;

use super::remote::{self, Remote};
use crate::app::wiring;
use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::state::State;
use crate::edges::config::Config;
use crate::edges::ledger::snapshot::Snapshot;
use crate::edges::ledger::store::{Beginning, Entries, KnownName};
use crate::edges::ledger::{Error, Logged, Reader, Verified, logged};
use crate::ui::wire::log::PAGE;

/// The ledger of the daemon there.
#[must_use]
pub(crate) fn ledger(remote: Arc<Remote>) -> Arc<dyn Reader> {
    Arc::new(RemoteLedger(remote))
}

struct RemoteLedger(Arc<Remote>);

/// A ledger like any other.
fn reader(copy: &TempDir) -> Arc<dyn Reader> {
    wiring::ledger(&Config { data: copy.path().to_owned(), ..Config::default() })
}

fn elsewhere(error: remote::Error) -> Error {
    Error::Elsewhere { what: format!("{error}: {}", error.help()) }
}

impl RemoteLedger {
    /// All lines of the log, in a directory that is gone with the value.
    fn copy(&self) -> Result<TempDir, Error> {
        let failed = |error: std::io::Error| Error::Elsewhere {
            what: format!("cannot keep a copy of the log for the moment: {error}"),
        };
        let dir = tempfile::Builder::new().prefix("fleetform-").tempdir().map_err(failed)?;
        let mut log = tempfile::NamedTempFile::new_in(dir.path()).map_err(failed)?;
        for entry in self.entries_from(1) {
            log.write_all(&entry?.raw).and_then(|()| log.write_all(b"\n")).map_err(failed)?;
        }
        log.persist(dir.path().join("audit.jsonl")).map_err(|error| failed(error.error))?;
        Ok(dir)
    }

    fn entries(&self, since: u64, device: Option<DeviceId>) -> Entries {
        let (remote, lines) = (self.0.clone(), VecDeque::new());
        Box::new(RemoteEntries { remote, device, next: since.max(1), lines, more: true })
    }
}

impl Reader for RemoteLedger {
    fn exists(&self) -> Result<bool, Error> {
        Ok(true)
    }

    fn state(&self) -> Result<State, Error> {
        self.0.recorded().map_err(elsewhere)
    }

    /// The daemon proved its own when it began; who has to know for sure verifies.
    fn proven(&self) -> Result<State, Error> {
        self.state()
    }

    fn replay(&self) -> Result<Snapshot, Error> {
        let copy = self.copy()?;
        reader(&copy).replay()
    }

    fn verify(&self) -> Result<Verified, Error> {
        let copy = self.copy()?;
        reader(&copy).verify()
    }

    fn entries_from(&self, seq: u64) -> Entries {
        self.entries(seq, None)
    }

    fn entries_of(&self, device: DeviceId) -> Entries {
        self.entries(1, Some(device))
    }

    fn highest_time(&self) -> Option<Timestamp> {
        None
    }

    fn version(&self) -> Option<Digest> {
        None
    }

    fn writer(&self) -> Option<String> {
        None
    }

    fn snapshot_at(&self) -> Option<SystemTime> {
        None
    }

    fn names(&self, _: Beginning<'_>, _: Instant, _: &mut dyn FnMut(KnownName<'_>)) -> Option<()> {
        None
    }
}

/// Lines of the log, a page at a time; after the last one it asks again when it is asked again.
struct RemoteEntries {
    remote: Arc<Remote>,
    device: Option<DeviceId>,
    next: u64,
    lines: VecDeque<Vec<u8>>,
    /// Whether the last page was full.
    more: bool,
}

impl RemoteEntries {
    fn read(&mut self) -> Result<Option<Logged>, Error> {
        if self.lines.is_empty() {
            if !std::mem::replace(&mut self.more, true) {
                return Ok(None);
            }
            let page = self.remote.log(self.next, self.device).map_err(elsewhere)?;
            let lines = page.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            self.lines = lines.map(<[u8]>::to_vec).collect();
            self.more = self.lines.len() >= PAGE;
        }
        let Some(raw) = self.lines.pop_front() else {
            self.more = true;
            return Ok(None);
        };
        let logged = logged(raw, &PathBuf::from(self.remote.url()))?;
        // A daemon that repeats itself would go on for ever.
        if logged.entry.seq < self.next {
            let what = format!("{} repeats entry {}", self.remote.url(), logged.entry.seq);
            return Err(Error::Elsewhere { what });
        }
        self.next = logged.entry.seq + 1;
        Ok(Some(logged))
    }
}

impl Iterator for RemoteEntries {
    type Item = Result<Logged, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
