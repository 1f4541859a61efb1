//! One look at the fleet directory: what is listed is read, or known from an earlier look.
//!
//! One thread lists directories while the others already read. What changes meanwhile is looked at
//! anew, and what fails for more than one file makes the whole look void.

use std::collections::HashSet;
use std::ffi::CStr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, OFlags, Stat, fstat, statat};

use super::below::{enter, open, read_file, trouble};
use super::index::{Collected, Collector, Index, Known, Names};
use super::rules::MAX_BYTES;
use super::walk::{Budget, Chunk, HERE, Listed, Unread, Walk};
use crate::domain::manifest::{Documents, Unpacker, UnusableKind, pack, parse_file};
use crate::domain::model::Digest;
use crate::domain::shares;
use crate::domain::state::State;
use crate::edges::fs::guarded::{Refused, Version};

/// So often a fleet that changes while it is read is read again.
const TRIES: usize = 5;

/// How the fleet is looked at, and what came of it.
pub(super) struct Look<'l> {
    /// Files that are not read.
    pub(super) but: HashSet<&'l str>,
    pub(super) budget: Budget,
    pub(super) index: Option<&'l Index>,
    /// What is recorded: devices that are declared in the same words share its memory.
    pub(super) recorded: Option<&'l State>,
    /// Device and inode of the root.
    pub(super) place: [u64; 2],
    /// Takes what the next look may use.
    pub(super) collector: Option<Collector>,
    /// How many files were opened.
    pub(super) opened: AtomicUsize,
    /// How many were taken from the index, unopened.
    pub(super) reused: AtomicUsize,
    /// How many were read, and known by their digest.
    pub(super) recognized: AtomicUsize,
}

impl<'l> Look<'l> {
    /// At every file but these.
    pub(super) fn at_all(but: impl IntoIterator<Item = &'l str>, budget: Budget) -> Self {
        Self {
            but: but.into_iter().collect(),
            budget,
            index: None,
            recorded: None,
            place: [0; 2],
            collector: None,
            opened: AtomicUsize::new(0),
            reused: AtomicUsize::new(0),
            recognized: AtomicUsize::new(0),
        }
    }
}

/// All manifests, as they were while nothing was moved, in no order; and the root.
pub(super) fn look_at<'l>(
    root: &Path,
    look: impl Fn(&OwnedFd) -> Result<Look<'l>, Unread>,
) -> Result<(OwnedFd, Look<'l>, Documents), Unread> {
    for _ in 0..TRIES {
        // Opened anew: where it is a symlink, another one may have taken its place.
        let fd = open(CWD, root, OFlags::DIRECTORY).map_err(Unread::Io)?;
        let look = look(&fd)?;
        match read_below(&fd, &look) {
            Err(Unread::Changing) => {}
            read => return Ok((fd, look, read?)),
        }
    }
    Err(Unread::Changing)
}

/// All manifests below an open directory, in no order.
pub(super) fn read_below(root: &OwnedFd, look: &Look<'_>) -> Result<Documents, Unread> {
    let known = look.index.map_or(0, Index::len);
    let documents = Mutex::new(Ok(Documents::with_capacity(known)));
    let keep = |read: Result<Documents, Unread>| {
        let mut documents = documents.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *documents, read) {
            // At once: what threads hold of many files is memory that is not given back.
            (Ok(documents), Ok(read)) => documents.absorb(read),
            (Ok(_), Err(unread)) => *documents = Err(unread),
            (Err(_), _) => {}
        }
    };
    let listed = rayon::scope(|scope| {
        let found = |chunk: Chunk| {
            let keep = &keep;
            scope.spawn(move |_| keep(read(root.as_fd(), &chunk, look)));
        };
        let (lost, listed) = (Documents::default(), Listed::default());
        let mut walk = Walk { found: &found, budget: &look.budget, lost, listed };
        let walked = walk.directory(root, String::new(), 0);
        let Walk { lost, listed, .. } = walk;
        keep(walked.map(|()| lost).map_err(Unread::from));
        listed
    });
    let documents = documents.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    if listed.held_still(root.as_fd()) { Ok(documents) } else { Err(Unread::Changing) }
}

/// A file that an index knows, and that is not as it says.
#[derive(Debug)]
pub(super) struct Touched {
    /// From the root.
    pub(super) path: String,
    /// As the index has it.
    pub(super) known: Known,
}

/// Which files below an open directory were touched since an index of it was made; `None` if there are
/// more than `most`, one is new or gone, or there is anything else. Nothing is opened but directories.
pub(super) fn touched(root: &OwnedFd, index: &Index, most: usize) -> Option<Vec<Touched>> {
    let is_same = |stat: &Stat| [stat.st_dev, stat.st_ino] == index.root();
    let stat = fstat(root).ok().filter(is_same)?;
    let (seen, all) = (AtomicUsize::new(0), Mutex::new(Some(Vec::new())));
    let note = |touched: Option<Vec<Touched>>| {
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        *all = all.take().zip(touched).and_then(|(mut all, touched)| {
            all.extend(touched);
            (all.len() <= most).then_some(all)
        });
    };
    let look = |chunk: &Chunk| {
        let touched = touched_of(root.as_fd(), stat.st_dev, chunk, index);
        if let Some((number, _)) = &touched {
            seen.fetch_add(*number, Ordering::Relaxed);
        }
        if touched.as_ref().is_none_or(|(_, touched)| !touched.is_empty()) {
            note(touched.map(|(_, touched)| touched));
        }
    };
    let budget = Budget::of_system();
    let walk = |found: &dyn Fn(Chunk)| {
        let (lost, listed) = (Documents::default(), Listed::default());
        let mut walk = Walk { found, budget: &budget, lost, listed };
        let walked = walk.directory(root, String::new(), 0).is_ok();
        (walked && walk.lost.findings.is_empty()).then_some(walk.listed)
    };
    let listed = if index.len() <= HERE || shares::start().is_err() {
        walk(&|chunk| look(&chunk))
    } else {
        let look = &look;
        rayon::scope(|scope| walk(&|chunk| scope.spawn(move |_| look(&chunk))))
    };
    let listed = listed?;
    let whole = listed.held_still(root.as_fd()) && seen.into_inner() == index.len();
    all.into_inner().unwrap_or_else(PoisonError::into_inner).filter(|_| whole)
}

/// How many files of one directory these are, and which of them were touched; `None` if the index does
/// not know one of them.
fn touched_of(
    root: BorrowedFd<'_>,
    device: u64,
    chunk: &Chunk,
    index: &Index,
) -> Option<(usize, Vec<Touched>)> {
    let directory = enter(root, &chunk.path).ok()?;
    let mut names = index.directory(chunk.path.trim_end_matches('/'));
    let (mut number, mut touched) = (0, Vec::new());
    for name in chunk.names() {
        let known = names.find(name.to_bytes())?;
        let stat = statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        if stat.st_dev != device || !known.is(&Version::of(&stat)) {
            let path = format!("{}{}", chunk.path, name.to_str().ok()?);
            touched.push(Touched { path, known });
        }
        number += 1;
    }
    Some((number, touched))
}

/// Reads files of one directory.
pub(super) fn read(
    root: BorrowedFd<'_>,
    chunk: &Chunk,
    look: &Look<'_>,
) -> Result<Documents, Unread> {
    let directory = match enter(root, &chunk.path) {
        Ok(directory) => Ok(directory),
        Err(errno) => Err(Unread::of(errno).map_or(Ok(errno), Err)?),
    };
    let mut all = Documents::default();
    let mut reader = Reader {
        look,
        known: look.index.map(|index| index.directory(chunk.path.trim_end_matches('/'))),
        trusted: look.index.is_some_and(|index| index.root() == look.place),
        unpacker: Unpacker::default(),
        collected: Collected::of(chunk.path.trim_end_matches('/')),
        bytes: Vec::new(),
    };
    for name in chunk.names() {
        let path: Arc<str> = format!("{}{}", chunk.path, name.to_string_lossy()).into();
        if look.but.contains(&*path) {
            continue;
        }
        let read = match &directory {
            Ok(directory) => reader.file(directory, name, &path)?,
            Err(errno) => Err(Refused::System(*errno)),
        };
        match read {
            Ok(documents) => all.absorb(documents),
            Err(refused) => lose(&mut all, &path, refused)?,
        }
    }
    if let Some(collector) = &look.collector {
        collector.take(reader.collected);
    }
    Ok(all)
}

/// Reads the files of one directory, one after the other.
struct Reader<'r> {
    look: &'r Look<'r>,
    known: Option<Names<'r>>,
    /// Whether the index is of this very directory.
    trusted: bool,
    unpacker: Unpacker,
    collected: Collected,
    bytes: Vec<u8>,
}

impl Reader<'_> {
    fn file(
        &mut self,
        directory: &OwnedFd,
        name: &CStr,
        path: &Arc<str>,
    ) -> Result<Result<Documents, Refused>, Unread> {
        let known = self.known.as_mut().and_then(|known| known.find(name.to_bytes()));
        let same = |stat: &Stat| stat.st_dev == self.look.place[0];
        if let Some(known) = known.filter(|_| self.trusted)
            && let Ok(stat) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
            && same(&stat)
            && known.is(&Version::of(&stat))
            && let Some(content) = self.look.index.and_then(|index| index.content(&known))
            && let Some(documents) = self.unpacker.unpack(path, &content.packed)
        {
            self.look.budget.content(usize::try_from(known.version.size).unwrap_or(usize::MAX))?;
            self.look.reused.fetch_add(1, Ordering::Relaxed);
            self.collected.same(&known);
            return Ok(Ok(self.shared(documents)));
        }
        self.look.opened.fetch_add(1, Ordering::Relaxed);
        let stat = match read_file(directory, name, &mut self.bytes, MAX_BYTES) {
            Ok(stat) => stat,
            Err(refused) => return Ok(Err(refused)),
        };
        self.look.budget.content(self.bytes.len())?;
        let version = (self.look.collector.is_some() && same(&stat)).then(|| Version::of(&stat));
        Ok(Ok(self.parse((name, path), known, version)))
    }

    /// Sharing the memory of what is recorded in the same words.
    fn shared(&self, mut documents: Documents) -> Documents {
        if let Some(recorded) = self.look.recorded {
            documents.share(recorded);
        }
        documents
    }

    /// What the bytes say that were just read: known by their digest, or parsed.
    fn parse(
        &mut self,
        (name, path): (&CStr, &Arc<str>),
        known: Option<Known>,
        version: Option<Version>,
    ) -> Documents {
        let digest =
            (self.look.index.is_some() || version.is_some()).then(|| Digest::of(&self.bytes));
        let before = known.and_then(|known| self.look.index?.content(&known));
        let alike = match before.filter(|before| Some(before.digest) == digest) {
            Some(before) => Some(before),
            None => digest.and_then(|digest| self.look.index?.by_digest(&digest)),
        };
        let (documents, packed) = match alike {
            Some(alike) if let Some(documents) = self.unpacker.unpack(path, &alike.packed) => {
                self.look.recognized.fetch_add(1, Ordering::Relaxed);
                (documents, Some(alike.packed.into_owned()))
            }
            _ => {
                let documents = parse_file(path, &self.bytes);
                let packed = version.and_then(|_| pack(&documents));
                (documents, packed)
            }
        };
        if let Some((version, digest)) = version.zip(digest) {
            // What cannot be packed is read each time; that it was not touched can be told all the same.
            let packed = packed.unwrap_or_default();
            let same = known.filter(|known| self.trusted && known.is(&version));
            let held = same.and_then(|known| Some(self.look.index?.content(&known)?.digest));
            let is_new = held != Some(digest);
            self.collected.note(name.to_bytes(), (version, digest), &packed, is_new);
        }
        self.shared(documents)
    }
}

/// Notes a file that is not read.
pub(super) fn lose(all: &mut Documents, path: &Arc<str>, refused: Refused) -> Result<(), Unread> {
    let what = match refused {
        Refused::System(errno) if let Some(unread) = Unread::of(errno) => return Err(unread),
        Refused::System(_) | Refused::Changing | Refused::Public(_) | Refused::Shared(_) => {
            UnusableKind::Unread
        }
        // That is what it is, whatever was there before.
        Refused::Link | Refused::NotAFile | Refused::TooLarge(_) => UnusableKind::File,
    };
    let (code, message, help) = trouble(refused);
    // It may be a device.
    all.device_documents += u64::from(what == UnusableKind::Unread);
    all.lose(what, path, code, message, help);
    Ok(())
}
