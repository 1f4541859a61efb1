//! Files with secrets: read for each use, so that a new one counts at once.

use std::path::Path;

use crate::domain::notice::Attempt;
use crate::edges::fs::guarded::Guarded;
use crate::edges::fs::secret::Secret;

/// Of a file: tokens are short, and a few keys of 4096 bits take less.
const LARGEST: usize = 32 << 10;
/// Longer texts are none that anybody proves anything with.
const LONGEST: usize = 16 << 10;

/// The bytes of a file with a secret.
///
/// # Errors
/// If it cannot be read, or others can read it too: what to put right, and nothing that it holds.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Attempt> {
    read(path).map_err(|why| Attempt::Misconfigured { why })
}

/// Whether a file with a secret can be read now.
///
/// # Errors
/// Why not, with the path.
pub(crate) fn check_file(path: &Path) -> Result<(), String> {
    read(path).map(drop)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    Guarded::up_to(LARGEST).secret().read(path).map_err(|why| why.to_string())
}

/// The one secret that a file holds.
///
/// # Errors
/// If there is none: it says of `what`.
pub(crate) fn one(path: &Path, what: &str) -> Result<Secret, Attempt> {
    let bytes = bytes(path)?;
    Secret::of(&String::from_utf8_lossy(&bytes), 1..=LONGEST)
        .ok_or_else(|| unusable(path, &format!("holds no {what} of visible ASCII characters")))
}

/// That a file does not hold what it should.
pub(crate) fn unusable(path: &Path, why: &str) -> Attempt {
    Attempt::Misconfigured { why: format!("{}: {why}", path.display()) }
}

/// Reads files on a thread that may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Attempt> + Send + 'static,
) -> Result<T, Attempt> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
