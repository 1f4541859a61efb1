//! The fleet directory as it is on disk: all of it.

use std::collections::HashSet;
use std::ffi::CString;
use std::iter::once;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use rustix::fs::{CWD, OFlags, fstat};

use super::below::{open, read_file, trouble};
use super::index::{Cache, Collector, Index};
use super::look::{Look, look_at};
use super::rules::MAX_BYTES;
use super::signatures::{MAX_BESIDE, SignatureFiles, read_signatures};
use super::walk::{Budget, Unread};
use crate::domain::fleet::{Desired, assemble};
use crate::domain::manifest::{Documents, parse_file};
use crate::domain::model::{Digest, Timestamp};
use crate::domain::state::State;
use crate::domain::wording::{harmless, quote};
use crate::edges::fs::durable::parent;

/// Reads and validates all manifests below `root`.
#[must_use]
pub fn load(root: &Path) -> Desired {
    load_with(root, &[])
}

/// As [`load`], but as if the files at these paths, from the root, held these bytes.
#[must_use]
pub(crate) fn load_with(root: &Path, written: &[(&str, &[u8])]) -> Desired {
    let instead = || written.iter().map(|(path, _)| *path);
    let look = |_: &OwnedFd| Ok(Look::at_all(instead(), Budget::of_system()));
    let written = written.iter().map(|(path, bytes)| parse_file(&(*path).into(), bytes));
    match look_at(root, look) {
        Ok((root, _, documents)) => assembled(&root, once(documents).chain(written)),
        Err(error) => unread(root, &error),
    }
}

/// What a look found that used an index.
#[derive(Debug)]
pub struct Loaded {
    /// As [`load`] gives it.
    pub desired: Desired,
    /// How many files were opened.
    pub opened: usize,
    /// How many were taken from the index, unopened.
    pub reused: usize,
    /// How many were read, and are known by their digest: the index says what it means.
    pub recognized: usize,
    /// What the next look may use, and what this one used.
    collected: Option<(Collector, Option<Index>)>,
}

/// As [`load`], but files that nobody touched since an earlier look are not read. `keep`, the time, is for
/// whoever is about to hold the ledger: what was read can then be kept for the next look. What is
/// `recorded` in the same words is not held twice.
#[must_use]
pub fn load_indexed(
    root: &Path,
    cache: &Cache,
    keep: Option<Timestamp>,
    recorded: Option<&State>,
) -> Loaded {
    let index = cache.read(root).map(Index::with_contents);
    let look = |fd: &OwnedFd| {
        let stat = fstat(fd).map_err(Unread::Io)?;
        let place = [stat.st_dev, stat.st_ino];
        Ok(Look {
            index: index.as_ref(),
            recorded,
            place,
            collector: keep.and_then(|now| cache.collector(root, place, now)),
            ..Look::at_all(HashSet::new(), Budget::of_system())
        })
    };
    let read = look_at(root, look).map(|(fd, look, documents)| {
        let Look { opened, reused, recognized, collector, .. } = look;
        let counts = [opened, reused, recognized].map(AtomicUsize::into_inner);
        (assembled(&fd, [documents]), counts, collector)
    });
    match read {
        Ok((desired, [opened, reused, recognized], collector)) => {
            let collected = collector.map(|new| (new, index));
            Loaded { desired, opened, reused, recognized, collected }
        }
        Err(error) => {
            let desired = unread(root, &error);
            Loaded { desired, opened: 0, reused: 0, recognized: 0, collected: None }
        }
    }
}

impl Loaded {
    /// Whether the index says what any of it means: nothing large or destructive follows from that alone.
    #[must_use]
    pub fn rests_on_index(&self) -> bool {
        self.reused + self.recognized > 0
    }

    /// Keeps what was read for the next look; gives the fleet, and the digest of the index that says it.
    /// Where it cannot be kept, that costs the next look its time and nothing else.
    pub fn keep(self, cache: &Cache) -> (Desired, Option<Digest>) {
        let (desired, read) = self.apart();
        (desired, read.keep(cache))
    }

    /// The fleet, and what is to be kept for the next look.
    pub(crate) fn apart(self) -> (Desired, ToKeep) {
        (self.desired, ToKeep(self.collected))
    }
}

/// What was read, to be kept for the next look.
pub(crate) struct ToKeep(Option<(Collector, Option<Index>)>);

impl ToKeep {
    /// Gives the digest of the index; `None` where there is none, which costs the next look its time and
    /// nothing else.
    pub(crate) fn keep(self, cache: &Cache) -> Option<Digest> {
        let (collector, before) = self.0?;
        let kept = cache.write(collector, before.as_ref());
        let kept = kept.inspect_err(|error| {
            tracing::debug!(%error, "the index of the fleet is not kept");
        });
        kept.ok().flatten()
    }
}

fn assembled(root: &OwnedFd, documents: impl IntoIterator<Item = Documents>) -> Desired {
    let mut desired = assemble(documents);
    read_signatures(root.as_fd(), &mut desired.wipes);
    desired
}

fn unread(root: &Path, error: &Unread) -> Desired {
    let missing = format!("{} {error}", quote(&root.to_string_lossy()));
    Desired { missing: Some(missing), ..Desired::default() }
}

/// A request by itself, wherever it lies, with what is beside it.
///
/// # Errors
/// If it is no regular file that can be read.
pub(crate) fn read_request(path: &Path) -> std::io::Result<(Vec<u8>, Documents)> {
    let failed = |refused| std::io::Error::other(trouble(refused).1);
    let name = path.file_name().ok_or(std::io::ErrorKind::IsADirectory)?;
    let shown: Arc<str> = harmless(&name.to_string_lossy()).into();
    let name = CString::new(name.as_encoded_bytes())?;
    let directory = open(CWD, parent(path), OFlags::DIRECTORY)?;
    let mut bytes = Vec::new();
    read_file(&directory, &name, &mut bytes, MAX_BYTES).map_err(failed)?;
    let mut documents = parse_file(&shown, &bytes);
    if let Some(draft) = documents.wipes.first_mut() {
        let mut room = MAX_BESIDE;
        let mut beside = SignatureFiles::list(directory)?;
        beside.fill(&name.to_string_lossy(), "", &mut draft.file, &mut room);
    }
    Ok((bytes, documents))
}
