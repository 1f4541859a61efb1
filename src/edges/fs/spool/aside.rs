//! What is refused and kept: parts of files byte for byte, or whole files, each with its reasons in
//! a file beside it. Nothing that is there is ever overwritten.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use super::dir::{Dir, Found, temporary};
use super::error::Error;
use crate::domain::wording::harmless_within;

/// Of the name of a file that is set aside, so that a suffix fits the 255 that file systems take.
const NAME_LIMIT: usize = 200;
/// Bytes of one reason.
pub(crate) const REASON_LIMIT: usize = 2000;

/// What of a file is set aside.
pub(crate) enum Kept {
    Nothing,
    /// These bytes, and a line of reasons each.
    Lines(Vec<u8>, String),
    /// All of it, and why.
    Whole(String),
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

/// What is about to be written aside.
#[derive(Default)]
pub(crate) struct Refusals {
    /// New files: name and content.
    files: Vec<(OsString, Vec<u8>)>,
    /// Where whole files go, by the name that they have where they came in.
    moves: Vec<(OsString, OsString)>,
}

impl Refusals {
    /// Of these files, under names that are free in the directory where they go.
    pub(crate) fn of<'a>(
        dir: &Dir,
        files: impl IntoIterator<Item = (&'a OsString, &'a Kept)>,
    ) -> Result<Self, Error> {
        let mut refusals = Self::default();
        let mut taken = HashSet::new();
        for (file, kept) in files {
            match kept {
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

    /// Sets aside, durably, what is refused of the files in `from`: their reasons first, and then
    /// the files that are refused as a whole leave their place.
    pub(crate) fn set_aside(self, from: &Dir, target: &Dir) -> Result<(), Error> {
        let moves = self.write(target)?;
        if moves.is_empty() {
            return Ok(());
        }
        let mut first = Ok(());
        for (file, name) in moves {
            first = first.and(from.move_to(&file, target, &name));
        }
        target.sync()?;
        first
    }

    /// Makes the files durable; gives the moves that are left to do.
    fn write(self, dir: &Dir) -> Result<Vec<(OsString, OsString)>, Error> {
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
