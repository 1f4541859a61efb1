//! What devices have to say: every file of `inbox/` holds reports.
//!
//! Names that start with `.` or end like a file that is being written are not looked at, and
//! `rejected/` is where refused reports go, byte for byte, each file with a `.reason` beside it.
//! Only regular files are opened. A file is removed only while it is the one that was observed;
//! what is refused is durable in `rejected/`, with its reason, before the original goes. A pass
//! takes a bounded number of reports: of a file with more, the rest stays under its name. What
//! cannot be read is tried again, and never rejected.

use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io::{BufReader, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use super::records::{self, Records, Stretch};
use super::rejected::{Released, lines};
use super::seen::{Said, Seen};
use crate::domain::model::ReportId;
use crate::domain::wording::harmless_within;
use crate::edges::fs::spool::{Dir, Error, Found, Kept, Refusals, Stamp, is_unfinished, spell};
use crate::edges::provider::observed::{
    Cursor, Observation, Observed, ReadProblem, ReportOutcome, UnusableReport,
};

/// About 200,000 reports; above it a file is a mistake or malice.
pub(crate) const FILE_LIMIT: u64 = 64 << 20;
/// Reports that one pass takes, and bytes of them: some ten megabytes in memory.
const PASS_REPORTS: usize = 50_000;
const PASS_BYTES: u64 = 16 << 20;
/// What is said of a file that nobody can use, and of a part of one that is no report.
const UNUSABLE: &str = "a file of the inbox is invalid";
const NO_REPORT: &str = "this is not a report; it goes to inbox/rejected";
/// Where refused reports go.
pub(super) const REJECTED: &str = "rejected";
/// How temporaries for the rest of a file begin.
const REST: &str = ".fleetform-rest-";
/// So many different observations are remembered: a decision may rest on an earlier one than the last,
/// since somebody planned again meanwhile.
const KEPT_OBSERVATIONS: usize = 3;
/// What became of reports.
pub(super) type ReportOutcomes<'a> = HashMap<&'a ReportId, &'a ReportOutcome>;

/// What was last observed.
#[derive(Debug)]
pub(super) struct Inbox {
    /// How many different observations there were: the cursor of the last one.
    observations: u64,
    /// What was observed, the last time at the end.
    seen: VecDeque<(Cursor, Vec<Seen>)>,
    /// Whether what a crash left behind in `rejected/` is gone.
    swept: bool,
    /// See [`PASS_REPORTS`]; tests take less.
    pub(super) pass_reports: usize,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { observations: 0, seen: VecDeque::new(), swept: false, pass_reports: PASS_REPORTS }
    }
}

impl Inbox {
    /// Reads files in the order of their names, as many as one pass takes; changes nothing.
    /// Without a directory there is nothing to read.
    pub(super) fn observe(&mut self, data: &Path) -> Observed {
        let mut seen = Vec::new();
        let mut observed = Observed { complete: true, ..Observed::default() };
        let (dir, names) = match open(data) {
            Ok(Some(Listed { dir, names, unfinished })) => {
                observed.unfinished = unfinished.iter().map(|name| spell(name)).collect();
                (dir, names)
            }
            Ok(None) => return observed,
            Err(error) => {
                observed.complete = false;
                observed.troubles.push(trouble("inbox", &error));
                return observed;
            }
        };
        let mut budget = Budget { reports: self.pass_reports, bytes: PASS_BYTES };
        for name in names {
            if budget.is_spent() {
                observed.more = true;
                break;
            }
            match observe(&dir, &name, &mut budget) {
                // Removed since the directory was listed.
                Ok(None) => {}
                Ok(Some(read)) => seen.push(take(name, read, &mut observed)),
                Err(error) => {
                    let path = format!("inbox/{}", spell(&name));
                    observed.troubles.push(trouble(&path, &error));
                }
            }
        }
        observed.complete = observed.troubles.is_empty() && !observed.more;
        if !seen.is_empty() {
            observed.cursor = Some(self.remember(seen));
        }
        observed
    }

    /// The cursor of an observation. One that saw the same as the last has the same.
    fn remember(&mut self, seen: Vec<Seen>) -> Cursor {
        let same = |(_, last): &&(Cursor, Vec<Seen>)| {
            last.len() == seen.len() && last.iter().zip(&seen).all(|(a, b)| a.is_as_before(b))
        };
        if let Some((cursor, _)) = self.seen.back().filter(same) {
            return cursor.clone();
        }
        self.observations += 1;
        let cursor = Cursor::new(self.observations.to_string());
        self.seen.push_back((cursor.clone(), seen));
        while self.seen.len() > KEPT_OBSERVATIONS {
            self.seen.pop_front();
        }
        cursor
    }

    /// The files of the observation that ended at `cursor`, as far as all their reports have an outcome.
    pub(super) fn settled<'a>(
        &'a self,
        cursor: &Cursor,
        outcomes: &ReportOutcomes<'_>,
    ) -> Vec<&'a Seen> {
        let observed = self.seen.iter().find(|(of, _)| of == cursor);
        let is_settled =
            |seen: &&Seen| seen.good.iter().all(|said| outcomes.contains_key(&said.id));
        observed.into_iter().flat_map(|(_, seen)| seen).filter(is_settled).collect()
    }

    /// Removes the files that are acknowledged, except `stays`: moves what was refused away,
    /// removes the rest. What went wrong with one file does not keep the others.
    pub(super) fn release(
        &mut self,
        data: &Path,
        cursor: &Cursor,
        outcomes: &ReportOutcomes<'_>,
        stays: impl Fn(&Seen) -> bool,
    ) -> Result<(), Error> {
        let Some(dir) = Dir::open(&data.join("inbox"), "inbox")? else { return Ok(()) };
        let mut first = Ok(());
        let mut files = Vec::new();
        for seen in self.settled(cursor, outcomes).into_iter().filter(|seen| !stays(seen)) {
            match released(&dir, seen, outcomes) {
                Ok(Some(file)) => files.push(file),
                Ok(None) => {}
                Err(error) => first = first.and(Err(error)),
            }
        }
        if files.is_empty() {
            return first;
        }
        // First, and all at once, what must be durable before anything goes.
        if files.iter().any(Released::keeps_something) {
            match self.refuse(data, &dir, &files) {
                Ok(()) => {}
                Err(error) => {
                    first = first.and(Err(error));
                    files.retain(|file| !file.keeps_something());
                }
            }
        }
        for Released { file, rest, refused } in &files {
            first = first.and(match (refused, rest) {
                (Kept::Whole(_), _) => Ok(()),
                (_, None) => dir.remove(file),
                (_, Some(offset)) => shorten(&dir, file, *offset),
            });
        }
        dir.sync()?;
        first
    }

    /// Writes what is refused, with the reasons, then moves the files refused as a whole.
    fn refuse(&mut self, data: &Path, dir: &Dir, files: &[Released]) -> Result<(), Error> {
        let target = self.open_rejected(data)?;
        let files = files.iter().map(|file| (&file.file, &file.refused));
        Refusals::of(&target, files)?.set_aside(dir, &target)
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

/// Takes in what a file holds.
fn take(file: OsString, read: ReadFile, observed: &mut Observed) -> Seen {
    let ReadFile { stamp, records } = read;
    let name = spell(&file);
    let origin: Arc<str> = format!("inbox/{name}").into();
    let unusable = |why, what, whole| UnusableReport { origin: origin.clone(), what, why, whole };
    let (good, bad, unknown, rest, useless) = match records {
        Ok(Records { good, bad, unknown, rest }) => (good, bad, unknown, rest, None),
        Err(why) => {
            let why = format!("the file {why}");
            observed.unusable.push(unusable(why.clone(), UNUSABLE, true));
            (Vec::new(), Vec::new(), Default::default(), None, Some(why))
        }
    };
    observed.unknown_fields.extend(unknown);
    observed.more |= rest.is_some();
    observed
        .unusable
        .extend(bad.iter().map(|(_, problem)| unusable(problem.to_string(), NO_REPORT, false)));
    let bad = bad.into_iter().map(|(at, problem)| (at, problem.message)).collect();
    let mut said = Vec::with_capacity(good.len());
    for (at, report) in good {
        let id = ReportId::new(format!("{name}:{}", at.start));
        // What is no id of a command names none; no such report gets here.
        let completed = report.completed.iter().filter_map(|id| id.parse().ok()).collect();
        said.push(Said { id: id.clone(), at, serial: report.serial_number.clone(), completed });
        observed.reports.push(Observation { id, origin: origin.clone(), report });
    }
    Seen { file, stamp, good: said, bad, rest, unusable: useless }
}

/// A file to be removed, if it still is the one that was observed.
fn released(
    dir: &Dir,
    seen: &Seen,
    outcomes: &ReportOutcomes<'_>,
) -> Result<Option<Released>, Error> {
    // A writer who takes the name between this look and the removal, microseconds later,
    // loses what it wrote; `submit` never uses a name twice.
    if dir.stamp(&seen.file)? != Some(seen.stamp) {
        return Ok(None);
    }
    let refused: Vec<(Stretch, &str)> = seen
        .good
        .iter()
        .filter_map(|said| match outcomes.get(&said.id)? {
            ReportOutcome::Refused(why) => Some((said.at, why.as_str())),
            ReportOutcome::Taken { .. } => None,
        })
        .collect();
    let refused = match &seen.unusable {
        Some(why) => Kept::Whole(why.clone()),
        None => lines(dir, seen, &refused)?,
    };
    Ok(Some(Released { file: seen.file.clone(), rest: seen.rest, refused }))
}

/// The inbox, and the names in it.
struct Listed {
    dir: Dir,
    /// That may be reports, sorted.
    names: Vec<OsString>,
    /// Of files that somebody is still writing.
    unfinished: Vec<OsString>,
}

/// It must be possible to remove what is read: else every pass would hear the same again.
fn open(data: &Path) -> Result<Option<Listed>, Error> {
    let path = data.join("inbox");
    let Some(dir) = Dir::open(&path, "inbox")? else { return Ok(None) };
    dir.check_access()?;
    match Dir::open(&path.join(REJECTED), REJECTED) {
        Ok(Some(rejected)) => rejected.check_access()?,
        Err(error @ Error::Io { errno: Errno::ACCESS, .. }) => return Err(error),
        // Anything else in its place is an error only once something has to be moved there.
        Ok(None) | Err(_) => {}
    }
    let mut names = dir.names()?;
    names.retain(|name| !(name.as_bytes().starts_with(b".") || name == REJECTED));
    names.sort_unstable();
    let (unfinished, names) = names.into_iter().partition(|name| is_unfinished(name));
    Ok(Some(Listed { dir, names, unfinished }))
}

fn trouble(path: &str, error: &Error) -> ReadProblem {
    ReadProblem {
        path: path.to_owned(),
        message: harmless_within(&error.to_string(), 2000),
        help: "its reports are not read until that is fixed; give it the \
               owner and the mode of the data directory (chown --reference, chmod --reference)"
            .into(),
    }
}

/// What a pass still takes.
struct Budget {
    reports: usize,
    bytes: u64,
}

impl Budget {
    fn is_spent(&self) -> bool {
        self.reports == 0 || self.bytes == 0
    }
}

struct ReadFile {
    stamp: Stamp,
    /// What is in it, or why it cannot be used at all.
    records: Result<Records, String>,
}

fn observe(dir: &Dir, name: &OsStr, budget: &mut Budget) -> Result<Option<ReadFile>, Error> {
    let (stamp, file) = match dir.file(name)? {
        Found::Nothing => return Ok(None),
        Found::Unusable(stamp, why) => return Ok(Some(ReadFile { stamp, records: Err(why) })),
        Found::File(stamp, file) => (stamp, file),
    };
    if stamp.size() > FILE_LIMIT {
        let records = Err(format!("is larger than {FILE_LIMIT} bytes"));
        return Ok(Some(ReadFile { stamp, records }));
    }
    let records = match records::read(BufReader::new(file), budget.reports, budget.bytes) {
        Ok(records) => records,
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            return Ok(Some(ReadFile { stamp, records: Err(error.to_string()) }));
        }
        Err(error) => return Err(dir.read_failed(name, &error)),
    };
    let found = records.good.len() + records.bad.len();
    if found == 0 && records.rest.is_none() {
        let records = Err("holds no report".to_owned());
        return Ok(Some(ReadFile { stamp, records }));
    }
    budget.reports = budget.reports.saturating_sub(found);
    budget.bytes = budget.bytes.saturating_sub(records.rest.unwrap_or(stamp.size()));
    Ok(Some(ReadFile { stamp, records: Ok(records) }))
}

/// Leaves only what follows `offset` under the name of a file.
fn shorten(dir: &Dir, file: &OsStr, offset: u64) -> Result<(), Error> {
    // What a crash left of an earlier attempt; nobody else makes such names.
    for name in dir.names()?.iter().filter(|name| name.as_bytes().starts_with(REST.as_bytes())) {
        dir.remove(name)?;
    }
    let temp = OsString::from(format!("{REST}{}.tmp", uuid::Uuid::new_v4().simple()));
    dir.write_rest(&temp, file, offset)?;
    let named = dir.sync_contents(&[&temp]).and_then(|()| dir.replace(&temp, file));
    if named.is_err() {
        dir.discard(&temp);
    }
    named
}
