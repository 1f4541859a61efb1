//! What goes to `inbox/rejected/`: refused reports byte for byte, or whole files, each with its
//! reasons in a file beside it. Nothing there is ever overwritten.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use super::error::Error;
use super::files::{Dir, Found, temporary};
use super::records::Stretch;
use super::seen::Seen;
use crate::domain::wording::harmless_within;

/// Of a rejected file's name, so that a suffix fits the 255 that file systems take.
const NAME_LIMIT: usize = 200;
/// Bytes of one reason beside a rejected file.
const REASON_LIMIT: usize = 2000;

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

/// What of a file goes to `rejected/`.
pub(super) enum Kept {
    Nothing,
    /// These bytes, and a line of reasons each.
    Lines(Vec<u8>, String),
    /// All of it, and why.
    Whole(String),
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

/// The first of NAME, NAME.1, NAME.2 … that can be had, and its `.reason` too: not there
/// yet, or left there by a crash with the very content that it is about to get.
fn free(
    dir: &Dir,
    taken: &HashSet<OsString>,
    file: &OsStr,
    content: Option<&[u8]>,
    reason: &str,
) -> Result<OsString, Error> {
    let bytes = file.as_bytes();
    let base = OsString::from_vec(bytes[..bytes.len().min(NAME_LIMIT)].to_vec());
    let mut name = base.clone();
    for number in 1_u64.. {
        let beside = suffixed(&name, ".reason");
        if !taken.contains(&name)
            && !taken.contains(&beside)
            && can_hold(dir, &name, content)?
            && can_hold(dir, &beside, Some(reason.as_bytes()))?
        {
            break;
        }
        name = suffixed(&base, &format!(".{number}"));
    }
    Ok(name)
}

fn can_hold(dir: &Dir, name: &OsStr, content: Option<&[u8]>) -> Result<bool, Error> {
    if dir.stamp(name)?.is_none() {
        return Ok(true);
    }
    let Some(content) = content else { return Ok(false) };
    let found = dir.read(name, content.len())?;
    Ok(matches!(found, Found::File(_, bytes) if bytes == content))
}

fn suffixed(name: &OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// What is about to be written to `rejected/`.
#[derive(Default)]
pub(super) struct Refusals {
    /// New files: name and content.
    files: Vec<(OsString, Vec<u8>)>,
    /// Where whole files go, by the name that they have in the inbox.
    moves: Vec<(OsString, OsString)>,
}

impl Refusals {
    /// Under names that are free in `rejected/`.
    pub(super) fn of(dir: &Dir, released: &[Released]) -> Result<Self, Error> {
        let mut refusals = Self::default();
        let mut taken = HashSet::new();
        for Released { file, refused, .. } in released {
            match refused {
                Kept::Nothing => {}
                Kept::Whole(why) => {
                    let reason = format!("{}\n", harmless_within(why, REASON_LIMIT));
                    let name = free(dir, &taken, file, None, &reason)?;
                    refusals.reason(&mut taken, &name, reason);
                    refusals.moves.push((file.clone(), name));
                }
                Kept::Lines(lines, reason) => {
                    let name = free(dir, &taken, file, Some(lines), reason)?;
                    refusals.reason(&mut taken, &name, reason.clone());
                    refusals.files.push((name, lines.clone()));
                }
            }
        }
        Ok(refusals)
    }

    fn reason(&mut self, taken: &mut HashSet<OsString>, name: &OsStr, reason: String) {
        let beside = suffixed(name, ".reason");
        taken.extend([name.to_owned(), beside.clone()]);
        self.files.push((beside, reason.into_bytes()));
    }

    /// Makes the files durable; gives the moves that are left to do.
    pub(super) fn write(self, dir: &Dir) -> Result<Vec<(OsString, OsString)>, Error> {
        let mut temps = Vec::new();
        let written = self.files.iter().try_for_each(|(_, bytes)| {
            let temp = temporary();
            dir.write_new(&temp, bytes)?;
            temps.push(temp);
            Ok(())
        });
        let names: Vec<_> = temps.iter().map(OsString::as_os_str).collect();
        let named = written.and_then(|()| dir.sync_contents(&names)).and_then(|()| {
            let mut files = names.iter().zip(&self.files);
            files.try_for_each(|(temp, (name, _))| dir.replace(temp, name))
        });
        if let Err(error) = named {
            temps.iter().for_each(|temp| dir.discard(temp));
            return Err(error);
        }
        if !temps.is_empty() {
            dir.sync()?;
        }
        Ok(self.moves)
    }
}
