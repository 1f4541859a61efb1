//! A look at what was asked for, and letting go of it.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::document::{Owner, decode, encode};
use super::layout::{DIRECTORY, REJECTED};
use crate::domain::model::{DeviceId, SyncFile};
use crate::domain::wording::harmless_within;
use crate::edges::fs::spool::{Dir, Error, Found, Kept, Refusals, Stamp, is_unfinished, spell};

/// More than enough for a request about 100,000 devices; above it a file is a mistake or malice.
const FILE_LIMIT: u64 = 8 << 20;
/// What one look takes; the next one takes what is left.
const LOOK_FILES: usize = 10_000;
const LOOK_BYTES: u64 = 16 << 20;
/// How temporaries begin for what stays of a file.
const REST: &str = ".fleetform-rest-";

/// What was asked for, as one look found it.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    data: PathBuf,
    /// What can be used.
    syncs: Vec<SyncFile>,
    /// Of the same files, in the same order.
    seen: Vec<Seen>,
    /// What cannot.
    unusable: Vec<(Seen, UnusableRequest)>,
    trouble: Vec<UnreadRequest>,
    more: bool,
}

#[derive(Debug, Clone)]
struct Seen {
    file: OsString,
    stamp: Stamp,
}

/// A file that asks for nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnusableRequest {
    /// `requests/NAME`
    pub origin: Arc<str>,
    /// A sentence without a full stop.
    pub why: String,
}

/// What could not be looked at: it is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnreadRequest {
    /// Below the data directory.
    pub path: String,
    /// A sentence without a full stop.
    pub message: String,
}

/// What becomes of a file, once the log has what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestOutcome {
    /// It goes, but for what it asks of these devices.
    Taken { waiting: BTreeSet<DeviceId> },
    /// Nobody can use it: why, in a sentence without a full stop.
    Refused(String),
}

/// Reads requests in the order of their names, as many as one pass takes; changes nothing. Without
/// a directory there are none.
#[must_use]
pub fn read(data: &Path) -> Requests {
    let mut requests = Requests { data: data.to_owned(), ..Requests::default() };
    let trouble = |path: String, error: &Error| UnreadRequest {
        path,
        message: harmless_within(&error.to_string(), 2000),
    };
    let (dir, names) = match open(data) {
        Ok(Some(found)) => found,
        Ok(None) => return requests,
        Err(error) => {
            requests.trouble.push(trouble(DIRECTORY.to_owned(), &error));
            return requests;
        }
    };
    let (mut files, mut bytes) = (LOOK_FILES, LOOK_BYTES);
    for name in names {
        if files == 0 || bytes == 0 {
            requests.more = true;
            break;
        }
        let origin: Arc<str> = format!("{DIRECTORY}/{}", spell(&name)).into();
        match read_file(&dir, &name, &origin) {
            // What is gone since the directory was listed was never there.
            Ok(None) => {}
            Ok(Some((stamp, said))) => {
                files -= 1;
                bytes = bytes.saturating_sub(stamp.size());
                let seen = Seen { file: name, stamp };
                match said {
                    Ok(sync) => {
                        requests.syncs.push(sync);
                        requests.seen.push(seen);
                    }
                    Err(why) => requests.unusable.push((seen, UnusableRequest { origin, why })),
                }
            }
            Err(error) => requests.trouble.push(trouble(origin.to_string(), &error)),
        }
    }
    requests
}

type ReadFile = (Stamp, Result<SyncFile, String>);

/// What a file says.
fn read_file(dir: &Dir, name: &OsStr, origin: &Arc<str>) -> Result<Option<ReadFile>, Error> {
    let (stamp, mut file) = match dir.file(name)? {
        Found::Nothing => return Ok(None),
        Found::Unusable(stamp, why) => return Ok(Some((stamp, Err(why)))),
        Found::File(stamp, file) => (stamp, file),
    };
    let too_large = || format!("is larger than {FILE_LIMIT} bytes");
    if stamp.size() > FILE_LIMIT {
        return Ok(Some((stamp, Err(too_large()))));
    }
    let failed = |error: std::io::Error| dir.read_failed(name, &error);
    let metadata = file.metadata().map_err(failed)?;
    let mut bytes = Vec::new();
    (&mut file).take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Ok(Some((stamp, Err(too_large()))));
    }
    let owner = Owner {
        uid: metadata.uid(),
        shared: metadata.mode() & 0o022 != 0,
        directory: dir.owner()?,
    };
    Ok(Some((stamp, decode(&bytes, &owner, origin.clone()))))
}

/// The directory and the names in it that may be requests, sorted. It must be possible to let go
/// of what is read: else every pass would take the same again.
fn open(data: &Path) -> Result<Option<(Dir, Vec<OsString>)>, Error> {
    let path = data.join(DIRECTORY);
    let Some(dir) = Dir::open(&path, "requests")? else { return Ok(None) };
    dir.check_access()?;
    if let Some(rejected) = Dir::open(&path.join(REJECTED), "refused")? {
        rejected.check_access()?;
    }
    let mut names = dir.names()?;
    names.retain(|name| !is_unfinished(name) && name != REJECTED);
    names.sort_unstable();
    Ok(Some((dir, names)))
}

impl Requests {
    /// What can be used, for the plan.
    #[must_use]
    pub fn syncs(&self) -> &[SyncFile] {
        &self.syncs
    }

    /// What cannot be used.
    pub(crate) fn unusable(&self) -> impl Iterator<Item = &UnusableRequest> {
        self.unusable.iter().map(|(_, unusable)| unusable)
    }

    /// What could not be looked at.
    pub(crate) fn trouble(&self) -> &[UnreadRequest] {
        &self.trouble
    }

    /// Whether more requests wait than one look takes.
    pub(crate) fn has_more(&self) -> bool {
        self.more
    }

    /// Whether nothing was asked for, and all was looked at.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_empty() && self.trouble.is_empty() && !self.more
    }

    /// Whether there is nothing to let go of.
    pub(crate) fn is_empty(&self) -> bool {
        self.syncs.is_empty() && self.unusable.is_empty()
    }

    /// Lets go of what was asked for: `outcome` says what becomes of each file, by its origin. What is
    /// refused is set aside, durably, before it leaves its place. A file that has changed since the
    /// look stays, and is looked at again.
    ///
    /// # Errors
    /// If some of it stays; a repetition of the whole is harmless.
    pub(crate) fn let_go(
        &self,
        mut outcome: impl FnMut(&str) -> RequestOutcome,
    ) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        let Some(dir) = Dir::open(&self.data.join(DIRECTORY), "requests")? else { return Ok(()) };
        let is_same = |seen: &Seen| Ok::<_, Error>(dir.stamp(&seen.file)? == Some(seen.stamp));
        let mut refused: Vec<(OsString, Kept)> = Vec::new();
        for (seen, UnusableRequest { why, .. }) in &self.unusable {
            if is_same(seen)? {
                refused.push((seen.file.clone(), Kept::Whole(format!("the file {why}"))));
            }
        }
        let mut taken = Vec::new();
        for (seen, sync) in self.seen.iter().zip(&self.syncs) {
            if !is_same(seen)? {
                continue;
            }
            match outcome(&sync.request.origin) {
                RequestOutcome::Refused(why) => refused.push((seen.file.clone(), Kept::Whole(why))),
                RequestOutcome::Taken { waiting } => taken.push((seen, sync, waiting)),
            }
        }
        let mut first = set_aside(&self.data, &dir, &refused);
        for (seen, sync, waiting) in taken {
            first = first.and(match waiting.len() {
                0 => dir.remove(&seen.file),
                all if all == sync.devices.len() => Ok(()),
                _ => shorten(&dir, &seen.file, sync, &waiting),
            });
        }
        dir.sync()?;
        first
    }
}

/// Keeps what is refused, with the reasons.
fn set_aside(data: &Path, dir: &Dir, refused: &[(OsString, Kept)]) -> Result<(), Error> {
    if refused.is_empty() {
        return Ok(());
    }
    let target = Dir::create(&data.join(DIRECTORY).join(REJECTED), "refused")?;
    // What a crash left behind: only the holder of the ledger's lock writes here.
    target.sweep()?;
    let files = refused.iter().map(|(file, kept)| (file, kept));
    Refusals::of(&target, files)?.set_aside(dir, &target)
}

/// Leaves only what still waits under the name of a file.
fn shorten(
    dir: &Dir,
    file: &OsStr,
    sync: &SyncFile,
    waiting: &BTreeSet<DeviceId>,
) -> Result<(), Error> {
    // What a crash left of an earlier attempt; nobody else makes such names.
    for name in dir.names()?.iter().filter(|name| name.as_bytes().starts_with(REST.as_bytes())) {
        dir.remove(name)?;
    }
    let temp = OsString::from(format!("{REST}{}.tmp", uuid::Uuid::new_v4().simple()));
    let rest = sync.devices.iter().filter(|(id, _)| waiting.contains(id)).cloned();
    dir.write_new(&temp, &encode(&sync.request, rest))?;
    let named = dir.sync_contents(&[&temp]).and_then(|()| dir.replace(&temp, file));
    if named.is_err() {
        dir.discard(&temp);
    }
    named
}
