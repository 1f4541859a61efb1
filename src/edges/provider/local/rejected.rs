//! What of a file goes to `inbox/rejected/`: refused reports byte for byte, or all of it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};

use super::records::Stretch;
use super::seen::Seen;
use crate::domain::wording::harmless_within;
use crate::edges::fs::spool::{Dir, Error, Found, Kept, REASON_LIMIT};

/// A file of the inbox that is acknowledged, and so removed.
pub(super) struct Released {
    pub(crate) file: OsString,
    /// From where on it stays.
    pub(crate) rest: Option<u64>,
    pub(crate) refused: Kept,
}

impl Released {
    pub(super) fn keeps_something(&self) -> bool {
        !matches!(self.refused, Kept::Nothing)
    }
}

/// What is refused of a file, byte for byte in its order, and a line each that says why.
pub(super) fn lines(dir: &Dir, seen: &Seen, refused: &[(Stretch, &str)]) -> Result<Kept, Error> {
    let bad = seen.bad.iter().map(|(at, why)| (*at, why.as_str()));
    let mut kept: Vec<(Stretch, &str)> = bad.chain(refused.iter().copied()).collect();
    if kept.is_empty() {
        return Ok(Kept::Nothing);
    }
    kept.sort_by_key(|(at, _)| at.start);
    let changed = || Error::Changed { path: dir.path(&seen.file) };
    let mut file = match dir.file(&seen.file)? {
        Found::File(stamp, file) if stamp == seen.stamp => file,
        _ => return Err(changed()),
    };
    let (mut bytes, mut reason, mut line) = (Vec::new(), String::new(), 1);
    for (at, why) in kept {
        if !(bytes.is_empty() || bytes.ends_with(b"\n")) {
            bytes.push(b'\n');
            line += 1;
        }
        let before = bytes.len();
        copy(&mut file, at, &mut bytes).map_err(|error| dir.read_failed(&seen.file, &error))?;
        reason.push_str(&format!("line {line}: {}\n", harmless_within(why, REASON_LIMIT)));
        line += memchr::memchr_iter(b'\n', &bytes[before..]).count();
    }
    Ok(Kept::Lines(bytes, reason))
}

fn copy(file: &mut File, at: Stretch, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(at.start))?;
    let length = at.end - at.start;
    let copied = file.take(length).read_to_end(bytes)? as u64;
    if copied == length { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
}
