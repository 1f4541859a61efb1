//! What an execution is told from outside, and tells.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::domain::fleet::WipeFile;
use crate::domain::plan::Fresh;

/// Reads again what a wipe was judged by: its request, and the manifest of its device at this path
/// from the root of the fleet directory.
pub type Reread<'a> = dyn Fn(&WipeFile, &str) -> Fresh + Sync + 'a;

/// Whatever an execution is told from outside, and tells.
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
