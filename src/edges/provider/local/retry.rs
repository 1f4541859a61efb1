//! Refused reports, looked at and handed in again.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::error::Error;
use super::submit::fresh_name;
use crate::domain::model::Timestamp;
use crate::edges::fs::spool::{Dir, Found, REASON_LIMIT};

/// A file of `inbox/rejected/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) file: OsString,
    /// In bytes.
    pub(crate) size: u64,
    /// Why, a line each; empty where nobody wrote it down.
    pub(crate) reasons: Vec<String>,
}

/// Reasons of a file that are read: more are never written for one file of the inbox.
const REASONS: usize = 1 << 20;

fn rejected_dir(data: &Path) -> Result<Option<Dir>, Error> {
    Ok(Dir::open(&data.join("inbox/rejected"), "rejected")?)
}

/// What was refused, by name.
///
/// # Errors
/// If the directory cannot be read.
pub(crate) fn rejected(data: &Path) -> Result<Vec<Rejected>, Error> {
    let Some(dir) = rejected_dir(data)? else { return Ok(Vec::new()) };
    let mut names = dir.names()?;
    names.sort();
    let mut found = Vec::new();
    for file in names.into_iter().filter(|name| is_content(name)) {
        let Some(stamp) = dir.stamp(&file)? else { continue };
        let reasons = match dir.read(&reason_of(&file), REASONS)? {
            Found::File(_, bytes) => String::from_utf8_lossy(&bytes)
                .lines()
                .map(|line| line.chars().take(REASON_LIMIT).collect())
                .collect(),
            _ => Vec::new(),
        };
        found.push(Rejected { file, size: stamp.size(), reasons });
    }
    Ok(found)
}

/// Moves all of it back into the inbox, byte for byte: what is still refused comes back with its
/// reason. Gives how many files that were.
///
/// # Errors
/// If a file cannot be moved; those before it are.
pub(crate) fn retry(data: &Path, now: Timestamp) -> Result<usize, Error> {
    let Some(dir) = rejected_dir(data)? else { return Ok(0) };
    let inbox = Dir::create(&data.join("inbox"), "submit")?;
    let files = rejected(data)?;
    for Rejected { file, .. } in &files {
        dir.move_to(file, &inbox, &fresh_name(now, &file.to_string_lossy()))?;
        // After the move: a reason without its file is passed over, the other way round it is lost.
        dir.remove(&reason_of(file))?;
    }
    inbox.sync()?;
    dir.sync()?;
    Ok(files.len())
}

fn is_content(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    !name.starts_with(b".") && !name.ends_with(b".reason")
}

fn reason_of(file: &OsStr) -> OsString {
    let mut name = file.to_owned();
    name.push(".reason");
    name
}
