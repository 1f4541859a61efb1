//! A snapshot that is being written beside everything else.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::error::Error;
use super::store::Writing;

/// The thread that writes a snapshot. Whoever drops this waits for it: nobody else may write one
/// meanwhile.
pub(super) struct Saving {
    thread: Option<JoinHandle<Result<(), Error>>>,
    /// Set before whoever began it is told.
    over: Arc<AtomicBool>,
}

impl Saving {
    /// Begins; `done` is called at the end.
    pub(super) fn begin(writing: Writing, done: impl FnOnce() + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let written = over.clone();
        let thread = thread::spawn(move || {
            let outcome = writing();
            written.store(true, Ordering::Relaxed);
            done();
            outcome
        });
        Self { thread: Some(thread), over }
    }

    /// Whether it is written, or never will be.
    pub(super) fn is_over(&self) -> bool {
        let ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        ended || self.over.load(Ordering::Relaxed)
    }

    /// Waits for the end, and gives what came of it.
    pub(super) fn end(mut self) -> Result<(), Error> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(written)) => written,
            Some(Err(panic)) => resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // Whoever did not ask what came of it finds in the log what the snapshot lacks.
            let _ = thread.join();
        }
    }
}
