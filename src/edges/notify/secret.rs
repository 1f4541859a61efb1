//! Files with secrets: read for each use, so that a new one counts at once.

use std::path::Path;

use crate::domain::notice::Attempt;
use crate::edges::fs::guarded::Guarded;

/// Of a file: tokens are short, and a few keys of 4096 bits take less.
const LARGEST: usize = 32 << 10;

/// The bytes of a file with a secret.
///
/// # Errors
/// If it cannot be read, or others can read it too: what to put right, and nothing that it holds.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Attempt> {
    let read = Guarded::up_to(LARGEST).secret().read(path);
    read.map_err(|why| Attempt::Misconfigured { why: why.to_string() })
}

/// That a file does not hold what it should.
pub(crate) fn unusable(path: &Path, why: &str) -> Attempt {
    Attempt::Misconfigured { why: format!("{}: {why}", path.display()) }
}
