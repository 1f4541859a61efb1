//! What devices have to say: every file of `inbox/` is one batch of reports.
//!
//! Names that start with `.` or end like a file that is being written are not looked at, and
//! `rejected/` is where refused reports go, byte for byte, each file with a `.reason` beside it.
//! Only regular files are opened. A file is let go only while it is the one that was observed;
//! what is refused is durable in `rejected/`, with its reason, before the original goes. A pass
//! takes a bounded number of reports: of a file with more, the rest stays under its name. What
//! cannot be read is tried again, and never rejected.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::{BufReader, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::files::{Dir, Error, Found, Stamp};
use super::records::{self, Records, Stretch};
use super::rejected::{Kept, Refusals, Released, lines};
use crate::domain::model::{Report, Timestamp, is_deceptive};
use crate::domain::wording::harmless_within;
use crate::edges::provider::{Acknowledgement, Batch, Observation, Rejected, Trouble};

/// About 200,000 reports; above it a file is a mistake or malice.
pub const FILE_LIMIT: u64 = 64 << 20;
/// Reports that one pass takes, and bytes of them: some ten megabytes in memory.
const PASS_REPORTS: usize = 50_000;
const PASS_BYTES: u64 = 16 << 20;
const REJECTED: &str = "rejected";
/// How temporaries for the rest of a file begin.
const REST: &str = ".fleetform-rest-";
/// What copies and editors give a file that is not whole yet.
const UNFINISHED: &[&str] = &["~", ".tmp", ".part", ".swp", ".filepart"];

/// What was last observed.
#[derive(Debug)]
pub(super) struct Inbox {
    /// By name of the batch.
    seen: HashMap<String, Seen>,
    /// Whether what a crash left behind in `rejected/` is gone.
    swept: bool,
    /// See [`PASS_REPORTS`]; tests take less.
    pub(super) pass_reports: usize,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { seen: HashMap::new(), swept: false, pass_reports: PASS_REPORTS }
    }
}

/// A file of the inbox, as it was observed.
#[derive(Debug)]
pub(super) struct Seen {
    pub file: OsString,
    pub stamp: Stamp,
    /// Where each report is, in their order.
    pub good: Vec<Stretch>,
    /// What is no report, and why.
    pub bad: Vec<(Stretch, String)>,
    /// From where on it was not looked at.
    rest: Option<u64>,
}

impl Inbox {
    /// Reads files in the order of their names, as many as one pass takes; changes nothing.
    /// Without a directory there is nothing to read.
    pub(super) fn observe(&mut self, data: &Path) -> Observation {
        self.seen.clear();
        let mut observation = Observation::default();
        let (dir, names) = match open(data) {
            Ok(Some(found)) => found,
            Ok(None) => return observation,
            Err(error) => {
                observation.troubles.push(trouble("inbox", &error));
                return observation;
            }
        };
        let mut budget = Budget { reports: self.pass_reports, bytes: PASS_BYTES };
        for name in names {
            if budget.is_spent() {
                observation.more = true;
                break;
            }
            match observe(&dir, &name, &mut budget) {
                // What is gone since the directory was listed was never there.
                Ok(None) => {}
                Ok(Some(read)) => self.take(name, read, &mut observation),
                Err(error) => {
                    let path = format!("inbox/{}", spell(&name));
                    observation.troubles.push(trouble(&path, &error));
                }
            }
        }
        observation
    }

    fn take(&mut self, file: OsString, read: ReadFile, observation: &mut Observation) {
        let ReadFile { stamp, records } = read;
        let name = spell(&file);
        let mut seen = Seen { file, stamp, good: Vec::new(), bad: Vec::new(), rest: None };
        let batch = match records {
            Err(why) => Batch { name, reports: Err(format!("the file {why}")), bad: Vec::new() },
            Ok(Records { good, bad, unknown, rest }) => {
                observation.unknown_fields.extend(unknown);
                observation.more |= rest.is_some();
                seen.rest = rest;
                let told = bad.iter().map(|(_, problem)| problem.to_string()).collect();
                seen.bad = bad.into_iter().map(|(at, problem)| (at, problem.message)).collect();
                let (places, reports): (Vec<_>, Vec<Report>) = good.into_iter().unzip();
                seen.good = places;
                Batch { name, reports: Ok(reports), bad: told }
            }
        };
        self.seen.insert(batch.name.clone(), seen);
        observation.batches.push(batch);
    }

    /// Lets go of what was observed: moves what was refused away, removes the rest.
    /// What went wrong with one batch does not keep the others.
    pub(super) fn release(&mut self, data: &Path, done: &[&Acknowledgement]) -> Result<(), Error> {
        let Some(dir) = Dir::open(&data.join("inbox"), "inbox")? else { return Ok(()) };
        let mut first = Ok(());
        let mut batches = Vec::new();
        for acknowledged in done {
            match self.batch(&dir, acknowledged) {
                Ok(Some(batch)) => batches.push(batch),
                Ok(None) => {}
                Err(error) => first = first.and(Err(error)),
            }
        }
        if batches.is_empty() {
            return first;
        }
        // First, and all at once, what must be durable before anything goes.
        if batches.iter().any(Released::keeps_something) {
            match self.refuse(data, &dir, &batches) {
                Ok(()) => {}
                Err(error) => {
                    first = first.and(Err(error));
                    batches.retain(|batch| !batch.keeps_something());
                }
            }
        }
        for Released { file, rest, refused } in &batches {
            first = first.and(match (refused, rest) {
                (Kept::Whole(_), _) => Ok(()),
                (_, None) => dir.remove(file),
                (_, Some(offset)) => shorten(&dir, file, *offset),
            });
        }
        dir.sync()?;
        first
    }

    /// A batch that is let go of, if its file still is the one that was observed.
    fn batch(&self, dir: &Dir, done: &Acknowledgement) -> Result<Option<Released>, Error> {
        let Some(seen) = self.seen.get(&done.name) else { return Ok(None) };
        // A writer who takes the name between this look and the removal, microseconds later,
        // loses what it wrote; `submit` never uses a name twice.
        if dir.stamp(&seen.file)? != Some(seen.stamp) {
            return Ok(None);
        }
        let refused = match &done.rejected {
            Rejected::Batch(why) => Kept::Whole(why.clone()),
            Rejected::None => lines(dir, seen, &[])?,
            Rejected::Reports(refused) => lines(dir, seen, refused)?,
        };
        Ok(Some(Released { file: seen.file.clone(), rest: seen.rest, refused }))
    }

    /// Writes what is refused, with the reasons, then moves the batches refused as a whole.
    fn refuse(&mut self, data: &Path, dir: &Dir, batches: &[Released]) -> Result<(), Error> {
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

    fn open_rejected(&mut self, data: &Path) -> Result<Dir, Error> {
        let dir = Dir::create(&data.join("inbox").join(REJECTED), REJECTED)?;
        if !self.swept {
            dir.sweep()?;
            self.swept = true;
        }
        Ok(dir)
    }
}

/// The inbox and the names in it that may be reports, sorted. It must be possible to let go of
/// what is read: else every pass would hear the same again.
fn open(data: &Path) -> Result<Option<(Dir, Vec<OsString>)>, Error> {
    let path = data.join("inbox");
    let Some(dir) = Dir::open(&path, "inbox")? else { return Ok(None) };
    dir.check_access()?;
    match Dir::open(&path.join(REJECTED), REJECTED) {
        Ok(Some(rejected)) => rejected.check_access()?,
        Err(error @ Error::Io { errno: Errno::ACCESS, .. }) => return Err(error),
        // What else is in its place is told once something is refused.
        Ok(None) | Err(_) => {}
    }
    let mut names = dir.names()?;
    names.retain(|name| {
        !(name.as_bytes().starts_with(b".") || is_unfinished(name) || name == REJECTED)
    });
    names.sort_unstable();
    Ok(Some((dir, names)))
}

fn is_unfinished(name: &OsStr) -> bool {
    UNFINISHED.iter().any(|end| name.as_bytes().ends_with(end.as_bytes()))
}

fn trouble(path: &str, error: &Error) -> Trouble {
    Trouble {
        path: path.to_owned(),
        message: harmless_within(&error.to_string(), 2000),
        help: "no report of it is taken until that is mended, and it is tried again; give it the \
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

/// Hands the reports among these bytes to the inbox, byte for byte: they are there durably on
/// return, under a name that sorts by `now` and that nothing else ever has. `hint` becomes a
/// part of the name. What is no report is told, and not handed in.
///
/// # Errors
/// [`Error::NoReports`] if there is no report among them, else if the inbox cannot be written.
pub fn submit(
    data: &Path,
    hint: &str,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(PathBuf, Records), Error> {
    let read = records::parse(bytes);
    if read.good.is_empty() {
        return Err(Error::NoReports(read.bad.into_iter().map(|(_, problem)| problem).collect()));
    }
    let mut good = Vec::with_capacity(bytes.len());
    for (Stretch { start, end }, _) in &read.good {
        let range = usize::try_from(*start).unwrap_or(0)..usize::try_from(*end).unwrap_or(0);
        good.extend_from_slice(bytes.get(range).unwrap_or_default());
        if !good.ends_with(b"\n") {
            good.push(b'\n');
        }
    }
    let dir = Dir::create(&data.join("inbox"), "submit")?;
    let time: String = now.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let hint: String = hint.chars().filter(plain).take(64).collect();
    let mut name = OsString::from(format!("{time}-{}-{hint}", uuid::Uuid::new_v4().simple()));
    if is_unfinished(&name) {
        name.push(".json");
    }
    let mut temp = OsString::from(".");
    temp.push(&name);
    dir.write_new(&temp, &good)?;
    let named = dir.sync_contents(&[&temp]).and_then(|()| dir.replace(&temp, &name));
    if let Err(error) = named {
        dir.discard(&temp);
        return Err(error);
    }
    dir.sync()?;
    Ok((dir.path(&name), read))
}
