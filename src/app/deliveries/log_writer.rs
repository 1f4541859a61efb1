//! What a sink says in the log, written by the one writer that there is.

use tokio::sync::{mpsc, oneshot};

use crate::edges::ledger::{self, Draft, Ledger};

/// What to write, given the number of the first entry.
type Write = Box<dyn FnOnce(u64) -> Vec<Draft> + Send>;

/// Entries to be written.
pub(crate) struct Request {
    write: Write,
    done: oneshot::Sender<u64>,
}

/// Where requests arrive at the writer.
pub(crate) type Requests = mpsc::Receiver<Request>;

/// The writer, from a sink's side.
#[derive(Clone)]
pub(crate) struct LogWriter(mpsc::Sender<Request>);

/// The writer cannot write now, or is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unwritten;

impl LogWriter {
    pub(crate) fn new() -> (Self, Requests) {
        let (sender, requests) = mpsc::channel(64);
        (Self(sender), requests)
    }

    /// Writes entries, durably; gives the number of the first.
    pub(crate) async fn write(
        &self,
        write: impl FnOnce(u64) -> Vec<Draft> + Send + 'static,
    ) -> Result<u64, Unwritten> {
        let (done, written) = oneshot::channel();
        let request = Request { write: Box::new(write), done };
        self.0.send(request).await.map_err(|_| Unwritten)?;
        written.await.map_err(|_| Unwritten)
    }
}

impl Request {
    /// Writes what was asked for. Whoever asked hears of it only if all of it is durable.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub(crate) fn carry_out(self, ledger: &mut Ledger) -> Result<(), ledger::Error> {
        let first = ledger.next_seq();
        ledger.append((self.write)(first))?;
        ledger.end_pass()?;
        // Who does not wait any more has the log.
        let _ = self.done.send(first);
        Ok(())
    }
}
