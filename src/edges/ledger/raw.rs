//! A line of a log that came from elsewhere.

use std::path::Path;

use super::chain::Broken;
use super::error::Error;
use super::line;
use super::store::Logged;

/// The entry of a line, without its newline; `origin` says where it came from.
///
/// # Errors
/// If it is none.
pub(crate) fn logged(raw: Vec<u8>, origin: &Path) -> Result<Logged, Error> {
    match line::read(&raw) {
        Ok((entry, prev)) => Ok(Logged { raw, entry, prev }),
        Err(line::Error { what, newer }) => {
            Err(Error::of_line(origin.to_owned(), Broken { seq: 0, offset: 0, what, newer }))
        }
    }
}
