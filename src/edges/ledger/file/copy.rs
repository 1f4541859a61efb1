//! A copy of the ledger, taken beside its writer.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use super::follow;
use crate::domain::state::State;
use crate::edges::ledger::chain::Chain;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::snapshot::write_state;

/// A ledger as of the end of a whole pass. The log only grows, so what was read of it stays what
/// it was, whatever its writer does meanwhile.
pub(crate) struct Copy {
    state: State,
    log: File,
    chain: Chain,
}

/// Reads and proves the whole ledger in `dir`; takes no lock.
///
/// # Errors
/// If there is none, it cannot be read, or something is wrong with it.
pub(crate) fn copy(dir: &Path) -> Result<Copy, Error> {
    let (state, log) = follow::read_whole(dir)?;
    let log = log.filter(|(_, chain)| chain.seq > 0);
    let (log, chain) = log.ok_or_else(|| Error::Absent { dir: dir.to_owned() })?;
    Ok(Copy { state, log, chain })
}

impl Copy {
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Writes the lines of the log, byte for byte.
    ///
    /// # Errors
    /// Those of reading and of `out`; if the log was cut since.
    pub(crate) fn log(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut log = &self.log;
        log.seek(SeekFrom::Start(0))?;
        let copied = io::copy(&mut log.take(self.chain.end), out)?;
        if copied == self.chain.end {
            return Ok(());
        }
        Err(io::Error::other("the log was cut while it was copied"))
    }

    /// Writes the snapshot at the last of these lines.
    ///
    /// # Errors
    /// Those of `out`.
    pub(crate) fn snapshot(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        write_state(&self.state, self.chain.end, &mut out)?;
        out.flush()
    }
}
