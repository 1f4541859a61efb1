//! The threads that share heavy work.

use std::io;

/// Starts them, if they do not run yet: where there are none, no call that shares work may be made.
///
/// # Errors
/// If the system starts no more threads.
pub(crate) fn start() -> io::Result<()> {
    let Err(error) = rayon::ThreadPoolBuilder::new().build_global() else { return Ok(()) };
    // Without a cause they run already.
    match std::error::Error::source(&error) {
        None => Ok(()),
        Some(_) => Err(io::Error::other(error)),
    }
}
