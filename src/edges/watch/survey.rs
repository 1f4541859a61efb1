//! Which directories there are to watch, and where watching is impossible.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::paths::{Anchors, DEPTH, absolute, is_hidden};
use super::touched::Places;
use crate::edges::fs::remote;

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

/// Which place is on a file system that tells nothing of what other machines change.
pub(super) fn deaf(places: &Places) -> Option<String> {
    let reports = places.reports.iter().map(|entrance| ("inbox", &entrance.dir));
    let requests = ("directory of requests", &places.requests.dir);
    let mut places = [("fleet directory", &places.fleet), requests].into_iter().chain(reports);
    places.find_map(|(what, path)| {
        // What does not exist yet will be where its parent is.
        let kind = remote::of(&absolute(path))?;
        Some(format!("the {what} is on {kind}, which does not tell changes"))
    })
}
