//! What there is to watch, and what it looks like.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::hash::{Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use super::filter::{Anchors, is_hidden};
use super::{Places, Touched};

/// As deep as manifests are read.
const DEPTH: usize = 32;
/// As many symlinks on the way as Linux follows.
const LINKS: usize = 40;

/// Which directory it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        Self(metadata.dev(), metadata.ino())
    }
}

/// A watched directory is gone or another one: its watch is on the wrong one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Replaced;

/// One round of watching: what is new is watched before it is listed, so that nothing that
/// comes after goes unseen.
pub(super) struct Survey<'a> {
    known: &'a BTreeMap<PathBuf, Identity>,
    found: BTreeMap<PathBuf, Identity>,
}

/// Watches a directory, where that is new.
type Watching<'w> = &'w mut dyn FnMut(&Path, bool) -> Result<(), String>;

impl<'a> Survey<'a> {
    pub(super) fn new(known: &'a BTreeMap<PathBuf, Identity>) -> Self {
        Self { known, found: BTreeMap::new() }
    }

    pub(super) fn anchors(&mut self, anchors: &Anchors, watch: Watching<'_>) -> Result<(), String> {
        anchors.keys().try_for_each(|path| self.one(path, watch).map(|_| ()))
    }

    pub(super) fn single(&mut self, path: &Path, watch: Watching<'_>) -> Result<(), String> {
        self.one(&absolute(path), watch).map(|_| ())
    }

    /// A directory and all below it, but what has a hidden name and what symlinks point to.
    pub(super) fn tree(&mut self, root: &Path, watch: Watching<'_>) -> Result<(), String> {
        let mut open = vec![(absolute(root), 0)];
        while let Some((path, depth)) = open.pop() {
            if !self.one(&path, watch)? {
                continue;
            }
            let Ok(entries) = fs::read_dir(&path) else { continue };
            for entry in entries.flatten() {
                let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_dir && depth < DEPTH && !is_hidden(&entry.file_name()) {
                    open.push((path.join(entry.file_name()), depth + 1));
                }
            }
        }
        Ok(())
    }

    /// Whether there is such a directory.
    fn one(&mut self, path: &Path, watch: Watching<'_>) -> Result<bool, String> {
        let Some(identity) = fs::metadata(path).ok().filter(Metadata::is_dir) else {
            return Ok(false);
        };
        let identity = Identity::from(&identity);
        let new = self.known.get(path) != Some(&identity) && !self.found.contains_key(path);
        watch(path, new)?;
        self.found.insert(path.to_owned(), identity);
        Ok(true)
    }

    pub(super) fn done(self) -> Result<BTreeMap<PathBuf, Identity>, Replaced> {
        let same = |(path, identity): (&PathBuf, _)| self.found.get(path) == Some(identity);
        if self.known.iter().all(same) { Ok(self.found) } else { Err(Replaced) }
    }
}

/// Without a look at what is there.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Every directory on the way to the places, through symlinks, with the name that is looked up
/// in it: whatever is put in the place of one of them is seen.
pub(super) fn anchors(places: &Places) -> Anchors {
    let mut anchors = Anchors::new();
    let reports = places.reports.iter().map(|entrance| &entrance.dir);
    for place in [&places.fleet].into_iter().chain(reports).chain(&places.files) {
        let mut links = 0;
        follow(&absolute(place), &mut links, &mut anchors);
    }
    anchors
}

fn follow(path: &Path, links: &mut usize, anchors: &mut Anchors) -> PathBuf {
    let mut here = PathBuf::from("/");
    for component in path.components() {
        let name = match component {
            Component::Normal(name) => name,
            Component::ParentDir => {
                here.pop();
                continue;
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => continue,
        };
        anchors.entry(here.clone()).or_default().insert(name.to_owned());
        let next = here.join(name);
        here = match fs::read_link(&next) {
            Ok(target) if *links < LINKS => {
                *links += 1;
                follow(&here.join(target), links, anchors)
            }
            _ => next,
        };
    }
    here
}

/// Which place is on a file system that tells nothing of what other machines change.
pub(super) fn deaf(places: &Places) -> Option<String> {
    let reports = places.reports.iter().map(|entrance| ("inbox", &entrance.dir));
    let mut places = [("fleet directory", &places.fleet)].into_iter().chain(reports);
    places.find_map(|(what, path)| {
        // What does not exist yet will be where its parent is.
        let path = absolute(path);
        let found = path.ancestors().find_map(|dir| rustix::fs::statfs(dir).ok())?;
        let kind = remote(i128::from(found.f_type))?;
        Some(format!("the {what} is on {kind}, which does not tell changes"))
    })
}

/// The name of a file system that other machines may write, by its number in statfs(2).
pub(super) fn remote(magic: i128) -> Option<&'static str> {
    // As 32 bits, since some of them look negative.
    let magic = magic & 0xffff_ffff;
    [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x0102_1997, "9P"),
        (0x00c3_6400, "Ceph"),
        (0x0bd0_0bd0, "Lustre"),
        (0x6573_5546, "FUSE"),
        (0x5346_414f, "AFS"),
    ]
    .into_iter()
    .find(|(number, _)| *number == magic)
    .map(|(_, name)| name)
}

/// What everything looks like, where nobody tells of changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Prints {
    fleet: u64,
    files: u64,
    reports: HashSet<u64>,
}

impl Prints {
    pub(super) fn of(places: &Places) -> Self {
        let mut fleet = DefaultHasher::new();
        print_tree(&places.fleet, 0, &mut fleet);
        let mut files = DefaultHasher::new();
        for path in &places.files {
            print(OsStr::new(""), fs::metadata(path).ok(), &mut files);
        }
        let mut reports = HashSet::new();
        for entrance in &places.reports {
            for entry in fs::read_dir(&entrance.dir).into_iter().flatten().flatten() {
                let name = entry.file_name();
                if entrance.admits(&name) {
                    let mut hasher = DefaultHasher::new();
                    print(&name, entry.metadata().ok(), &mut hasher);
                    reports.insert(hasher.finish());
                }
            }
        }
        Self { fleet: fleet.finish(), files: files.finish(), reports }
    }

    /// Reports that are gone were taken by this program.
    pub(super) fn touched_since(&self, before: &Self) -> Touched {
        let anything = self.fleet != before.fleet || self.files != before.files;
        let reports = !self.reports.is_subset(&before.reports);
        Touched { anything, reports, ..Touched::default() }
    }
}

fn print_tree(path: &Path, depth: usize, hasher: &mut DefaultHasher) {
    print(OsStr::new(""), fs::metadata(path).ok(), hasher);
    let mut entries: Vec<(OsString, fs::DirEntry)> = fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| (entry.file_name(), entry))
        .filter(|(name, _)| !is_hidden(name))
        .collect();
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for (name, entry) in entries {
        let metadata = entry.metadata().ok();
        let is_dir = metadata.as_ref().is_some_and(Metadata::is_dir);
        print(&name, metadata, hasher);
        if is_dir && depth < DEPTH {
            print_tree(&entry.path(), depth + 1, hasher);
        }
    }
}

fn print(name: &OsStr, metadata: Option<Metadata>, hasher: &mut DefaultHasher) {
    name.hash(hasher);
    if let Some(of) = metadata {
        (of.dev(), of.ino(), of.mode(), of.uid(), of.gid()).hash(hasher);
        // A directory's times change with hidden names too; what matters in it is printed.
        if !of.is_dir() {
            (of.len(), of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec()).hash(hasher);
        }
    }
}
