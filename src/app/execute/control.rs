//! What an execution gets from its caller, and reports to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::plan::Fresh;
use crate::domain::wipe::WipeFile;

/// Reads again what a wipe was judged by.
pub type Reread<'a> = dyn Fn(&WipeFile) -> Fresh + Sync + 'a;

/// What an execution gets from its caller, and reports to it.
pub struct Control<'a> {
    /// Set to stop after the batches under way.
    pub stop: &'a AtomicBool,
    /// Called after each batch: actions done, of how many.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
    /// The Git commit of the fleet directory.
    pub revision: Option<Arc<str>>,
    /// How to read again what a wipe was judged by.
    pub reread: &'a Reread<'a>,
}

/// How long a stop waits for the batches under way: shorter than [`crate::app::signals`] does, so that what
/// was done by then is logged.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is asked whether there is to be a stop.
const ASKED: Duration = Duration::from_millis(100);

/// What a stop leaves to the calls under way: all of one execution share it.
#[derive(Debug)]
pub(super) struct Patience<'a> {
    stop: &'a AtomicBool,
    /// When the stop was noticed.
    since: OnceLock<Instant>,
}

impl<'a> Patience<'a> {
    pub(super) fn new(stop: &'a AtomicBool) -> Self {
        Self { stop, since: OnceLock::new() }
    }

    pub(super) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
            && self.since.get_or_init(Instant::now).elapsed() >= PATIENCE
    }

    pub(super) async fn over(&self) {
        while !self.is_over() {
            tokio::time::sleep(ASKED).await;
        }
    }
}
