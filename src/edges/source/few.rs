//! A few files of the fleet directory, read without the others: those that were touched.

use std::ffi::CString;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{CWD, OFlags, Stat};

use super::below::{enter, open, read_file};
use super::index::{Cache, Index, Known};
use super::look::{self, Touched};
use super::rules::MAX_BYTES;
use super::signatures::read_signatures;
use super::tree::{self, Judged};
use crate::domain::fleet::{IncrementalFleet, assemble};
use crate::domain::manifest::{Documents, Unpacker, parse_file};
use crate::domain::model::{Digest, SerialNumber};
use crate::domain::wipe::WipeFile;
use crate::edges::fs::guarded::Version;

/// Files that no index holds, of which reading all takes as long as reading everything.
const MOST_UNHELD: usize = 1_000;

/// Which files were touched since an index of the fleet directory was made: none of the others was, and
/// none is new or gone.
#[derive(Debug)]
pub(crate) struct Few {
    root: OwnedFd,
    index: Index,
    touched: Vec<Touched>,
}

/// What was touched since the index was made; `None` if there is none, or more than `most` files were, or
/// any is new or gone. Nothing is opened but directories.
#[must_use]
pub(crate) fn touched(root: &Path, cache: &Cache, most: usize) -> Option<Few> {
    let index = cache.read(root)?;
    let root = open(CWD, root, OFlags::DIRECTORY).ok()?;
    let touched = look::touched(&root, &index, most)?;
    Some(Few { root, index, touched })
}

/// The digest of the index, if the fleet directory holds what it says and nothing else. No index says what
/// is beside these requests: it is read, and has to be the same.
#[must_use]
pub(crate) fn unchanged(root: &Path, cache: &Cache, wipes: &[Arc<WipeFile>]) -> Option<Digest> {
    let few = touched(root, cache, 0)?;
    let mut now: Vec<_> = wipes.iter().map(|file| Arc::new(file.alone())).collect();
    read_signatures(few.root.as_fd(), &mut now);
    (now == wipes).then(|| few.index())
}

impl Few {
    /// The digest of the index.
    pub(crate) fn index(&self) -> Digest {
        self.index.digest()
    }

    /// Whether no file was touched.
    pub(crate) fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }

    /// A part of the fleet as it was: what these files held when the index was made, and what all those
    /// hold that an index does not, profiles above all. `None` if that cannot be told, or is not sound.
    pub(crate) fn before(&self) -> Option<IncrementalFleet> {
        let mut all = Documents::default();
        let mut unpacker = Unpacker::default();
        for Touched { path, known } in &self.touched {
            let held = self.index.content(known)?;
            all.absorb(unpacker.unpack(&path.as_str().into(), &held.packed)?);
        }
        let unheld: Vec<(String, Known)> =
            self.index.unheld().take(MOST_UNHELD + 1).collect::<Option<_>>()?;
        (unheld.len() <= MOST_UNHELD).then_some(())?;
        for (path, known) in unheld {
            let (documents, stat) = read_alone(self.root.as_fd(), &path).manifest()?;
            // Since the look that found it untouched.
            known.is(&Version::of(&stat)).then_some(())?;
            all.absorb(documents);
        }
        let desired = assemble([all]);
        let sound = desired.findings.is_empty()
            && desired.unusable.is_empty()
            && desired.wipes.is_empty()
            && desired.missing.is_none();
        sound.then(|| IncrementalFleet::new(desired))
    }

    /// Reads these files anew, and takes in what they hold by now: as [`reread`].
    pub(crate) fn reread(&self, live: &mut IncrementalFleet) -> Option<Vec<SerialNumber>> {
        reread_below(self.root.as_fd(), self.touched.iter().map(|file| &file.path), live)
    }
}

/// Reads these files anew, by their paths from the root, and takes in what they hold by now: gives
/// the serial numbers of their devices; `None` if only a look at everything tells.
#[must_use]
pub fn reread(
    root: &Path,
    files: impl IntoIterator<Item = impl AsRef<str>>,
    live: &mut IncrementalFleet,
) -> Option<Vec<SerialNumber>> {
    let root = open(CWD, root, OFlags::DIRECTORY).ok()?;
    reread_below(root.as_fd(), files, live)
}

fn reread_below(
    root: BorrowedFd<'_>,
    files: impl IntoIterator<Item = impl AsRef<str>>,
    live: &mut IncrementalFleet,
) -> Option<Vec<SerialNumber>> {
    let mut serials = Vec::new();
    for path in files {
        match read_alone(root, path.as_ref()) {
            Alone::Manifest(read) => serials.extend(live.replace_file(read.0)?),
            Alone::Ignored if !live.depends_on_others(path.as_ref()) => {}
            Alone::Ignored | Alone::Unclear => return None,
        }
    }
    Some(serials)
}

/// A file of the fleet directory, looked at alone.
#[derive(Debug)]
enum Alone {
    /// What a manifest holds by now, and what the system says of it.
    Manifest(Box<(Documents, Stat)>),
    /// Neither a manifest nor a signature: not read.
    Ignored,
    /// Gone, or trouble: only a look at everything tells.
    Unclear,
}

impl Alone {
    fn manifest(self) -> Option<(Documents, Stat)> {
        match self {
            Self::Manifest(read) => Some(*read),
            Self::Ignored | Self::Unclear => None,
        }
    }
}

/// Reads the file at this path, from the root, anew.
fn read_alone(root: BorrowedFd<'_>, path: &str) -> Alone {
    const REGULAR: u32 = 0o100_644;
    let path = match tree::judge(path.as_bytes(), REGULAR) {
        Judged::Manifest(path) => path,
        Judged::Ignored => return Alone::Ignored,
        Judged::Signature(_) | Judged::Lost(..) => return Alone::Unclear,
    };
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let mut bytes = Vec::new();
    let mut read = || {
        let name = CString::new(name).ok()?;
        let directory = enter(root, parent).ok()?;
        read_file(&directory, &name, &mut bytes, MAX_BYTES).ok()
    };
    match read() {
        Some(stat) => {
            let documents = parse_file(&path.as_str().into(), &bytes);
            Alone::Manifest(Box::new((documents, stat)))
        }
        None => Alone::Unclear,
    }
}
