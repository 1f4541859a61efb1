//! What an execution gets from its caller, and reports to it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::domain::plan::Fresh;
use crate::domain::wipe::WipeFile;

/// Reads again what a wipe was judged by.
pub type Reread<'a> = dyn Fn(&WipeFile) -> Fresh + Sync + 'a;

/// What an execution gets from its caller, and reports to it.
pub struct Control<'a> {
    /// Set to stop after the batch under way.
    pub stop: &'a AtomicBool,
    /// Called after each batch: actions done, of how many.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
    /// The Git commit of the fleet directory.
    pub revision: Option<Arc<str>>,
    /// How to read again what a wipe was judged by.
    pub reread: &'a Reread<'a>,
}
