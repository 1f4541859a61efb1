//! What devices have to say: every file of `inbox/` is one batch of reports.
//!
//! Names that start with `.` are a writer's temporaries, and `rejected/` is where refused
//! batches and reports go, each with a `.reason` beside it. Only regular files are opened.
//! A file is let go only while it is the one that was observed; what is refused is durable
//! in `rejected/`, with its reason, before the original goes.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::files::{Dir, Error, Found, Stamp, temporary};
use super::report::{self, Problem, harmless};
use crate::model::{Report, Timestamp, is_deceptive};
use crate::provider::{Acknowledgement, Batch, Observation, Rejected};

/// About 200,000 reports; above it a file is a mistake or malice.
pub const FILE_LIMIT: u64 = 64 << 20;
/// Of a rejected file's name, so that a suffix fits the 255 that file systems take.
const NAME_LIMIT: usize = 200;
/// Bytes of one reason beside a rejected file.
const REASON_LIMIT: usize = 2000;
const REJECTED: &str = "rejected";

/// What was last observed.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// By name of the batch: the file's name, and which file had it.
    seen: HashMap<String, (OsString, Stamp)>,
    /// Whether what a crash left behind in `rejected/` is gone.
    swept: bool,
}

impl Inbox {
    /// Reads every file, in the order of their names; changes nothing. Without a directory
    /// there is nothing to read.
    pub(super) fn observe(&mut self, data: &Path) -> Result<Observation, Error> {
        self.seen.clear();
        let Some(dir) = Dir::open(&data.join("inbox"), "inbox")? else {
            return Ok(Observation::default());
        };
        let mut names = dir.names()?;
        names.retain(|name| !name.as_bytes().starts_with(b".") && name != REJECTED);
        names.sort_unstable();
        let found: Vec<_> =
            names.par_iter().map(|name| observe(&dir, name)).collect::<Result<_, _>>()?;
        let mut observation = Observation::default();
        for (name, found) in names.into_iter().zip(found) {
            // What is gone since the directory was listed was never there.
            let Some((stamp, reports)) = found else { continue };
            let batch = Batch { name: spell(&name), reports };
            self.seen.insert(batch.name.clone(), (name, stamp));
            observation.batches.push(batch);
        }
        Ok(observation)
    }

    /// Lets go of what was observed: moves what was refused away, removes the rest.
    /// What went wrong with one batch does not keep the others.
    pub(super) fn release(&mut self, data: &Path, done: &[&Acknowledgement]) -> Result<(), Error> {
        let Some(dir) = Dir::open(&data.join("inbox"), "inbox")? else { return Ok(()) };
        let mut first = Ok(());
        let mut batches = Vec::new();
        for acknowledged in done {
            match self.unchanged(&dir, &acknowledged.name) {
                Ok(Some(file)) => batches.push((file, &acknowledged.rejected)),
                Ok(None) => {}
                Err(error) => first = first.and(Err(error)),
            }
        }
        if batches.is_empty() {
            return first;
        }
        // First, and all at once, what must be durable before anything goes.
        if batches.iter().any(|(_, rejected)| **rejected != Rejected::None) {
            match self.refuse(data, &dir, &batches) {
                Ok(()) => {}
                Err(error) => {
                    first = first.and(Err(error));
                    batches.retain(|(_, rejected)| **rejected == Rejected::None);
                }
            }
        }
        for (file, rejected) in &batches {
            if !matches!(rejected, Rejected::Batch(_)) {
                first = first.and(dir.remove(file));
            }
        }
        dir.sync()?;
        first
    }

    /// Writes what is refused, with the reasons, then moves the batches refused as a whole.
    fn refuse(&mut self, data: &Path, dir: &Dir, batches: &[Refusal<'_>]) -> Result<(), Error> {
        let target = self.open_rejected(data)?;
        let moves = Refusals::of(&target, batches)?.write(&target)?;
        if moves.is_empty() {
            return Ok(());
        }
        let mut first = Ok(());
        for (file, name) in moves {
            first = first.and(dir.move_to(&file, &target, &name));
        }
        target.sync()?;
        first
    }

    /// The file of a batch, if it still is the one that was observed.
    fn unchanged(&self, dir: &Dir, batch: &str) -> Result<Option<OsString>, Error> {
        let Some((file, stamp)) = self.seen.get(batch) else { return Ok(None) };
        // A writer who takes the name between this look and the removal, microseconds later,
        // loses what it wrote; `submit` never uses a name twice.
        let now = dir.stamp(file)?;
        Ok((now == Some(*stamp)).then(|| file.clone()))
    }

    fn open_rejected(&mut self, data: &Path) -> Result<Dir, Error> {
        let dir = Dir::create(&data.join("inbox").join(REJECTED), REJECTED)?;
        if !self.swept {
            dir.sweep()?;
            self.swept = true;
        }
        Ok(dir)
    }
}

/// A file, and what of it was refused.
type Refusal<'a> = (OsString, &'a Rejected);
type Reports = Result<Vec<Report>, String>;

fn observe(dir: &Dir, name: &OsStr) -> Result<Option<(Stamp, Reports)>, Error> {
    Ok(match dir.read(name, FILE_LIMIT)? {
        Found::Nothing => None,
        Found::Unusable(stamp, why) => Some((stamp, Err(format!("the file {why}")))),
        Found::File(stamp, bytes) => Some((stamp, report::parse(&bytes).map_err(summary))),
    })
}

/// The first problems, in one line.
fn summary(problems: Vec<Problem>) -> String {
    let mut texts: Vec<_> = problems.iter().take(3).map(ToString::to_string).collect();
    if problems.len() > texts.len() {
        texts.push(format!("and {} more", problems.len() - texts.len()));
    }
    texts.join("; ")
}

/// A file name fit for people: `%XX` for bytes that are not UTF-8 or deceive, and for `%`,
/// so that no two names are spelt alike.
fn spell(name: &OsStr) -> String {
    let mut spelt = String::new();
    let escape = |bytes: &[u8]| bytes.iter().map(|b| format!("%{b:02X}")).collect::<String>();
    for chunk in name.as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '%' || is_deceptive(c) {
                spelt.push_str(&escape(c.encode_utf8(&mut [0; 4]).as_bytes()));
            } else {
                spelt.push(c);
            }
        }
        spelt.push_str(&escape(chunk.invalid()));
    }
    spelt
}

/// What is about to be written to `rejected/`.
#[derive(Default)]
struct Refusals {
    /// New files: name and content.
    files: Vec<(OsString, Vec<u8>)>,
    /// Where whole batches go, by the name that they have in the inbox.
    moves: Vec<(OsString, OsString)>,
}

impl Refusals {
    fn of(dir: &Dir, batches: &[Refusal<'_>]) -> Result<Self, Error> {
        let mut refusals = Self::default();
        let mut taken = HashSet::new();
        for (file, rejected) in batches {
            match rejected {
                Rejected::None => {}
                Rejected::Reports(reports) if reports.is_empty() => {}
                Rejected::Batch(why) => {
                    let reason = format!("{}\n", harmless(why, REASON_LIMIT));
                    let name = free(dir, &taken, file, None, &reason)?;
                    refusals.reason(&mut taken, &name, reason);
                    refusals.moves.push((file.clone(), name));
                }
                Rejected::Reports(reports) => {
                    let (lines, reason) = lines(reports);
                    let name = free(dir, &taken, file, Some(&lines), &reason)?;
                    refusals.reason(&mut taken, &name, reason);
                    refusals.files.push((name, lines));
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

/// JSON Lines of the reports, and a line each that says why.
fn lines(reports: &[(Report, String)]) -> (Vec<u8>, String) {
    let (mut lines, mut reason) = (Vec::new(), String::new());
    for (number, (report, why)) in reports.iter().enumerate() {
        lines.extend(serde_json::to_vec(report).expect("a report is plain data"));
        lines.push(b'\n');
        reason.push_str(&format!("line {}: {}\n", number + 1, harmless(why, REASON_LIMIT)));
    }
    (lines, reason)
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
    let found = dir.read(name, content.len() as u64)?;
    Ok(matches!(found, Found::File(_, bytes) if bytes == content))
}

fn suffixed(name: &OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// Hands reports to the inbox, whole: it is there durably on return, under a name that
/// sorts by `now` and that nothing else ever has. `hint` becomes a part of the name.
///
/// # Errors
/// [`Error::Reports`] with every problem if they are no reports; nothing is written then.
pub fn submit(data: &Path, hint: &str, bytes: &[u8], now: Timestamp) -> Result<PathBuf, Error> {
    report::parse(bytes).map_err(Error::Reports)?;
    let dir = Dir::create(&data.join("inbox"), "submit")?;
    let time: String = now.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let hint: String = hint.chars().filter(plain).take(64).collect();
    let name = OsString::from(format!("{time}-{}-{hint}", uuid::Uuid::new_v4().simple()));
    let mut temp = OsString::from(".");
    temp.push(&name);
    dir.write_new(&temp, bytes)?;
    let named = dir.sync_contents(&[&temp]).and_then(|()| dir.replace(&temp, &name));
    if let Err(error) = named {
        dir.discard(&temp);
        return Err(error);
    }
    dir.sync()?;
    Ok(dir.path(&name))
}
