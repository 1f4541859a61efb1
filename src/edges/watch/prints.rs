//! What everything looks like, where nobody tells of changes.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::hash::{Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::paths::{DEPTH, admits, is_hidden};
use super::touched::{Entrance, Places, Touched};

/// What all watched files look like, to be compared where the system tells of no changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Prints {
    fleet: u64,
    files: u64,
    reports: HashSet<u64>,
    requests: HashSet<u64>,
}

impl Prints {
    pub(super) fn of(places: &Places) -> Self {
        let mut fleet = DefaultHasher::new();
        print_tree(&places.fleet, 0, &mut fleet);
        let mut files = DefaultHasher::new();
        for path in &places.files {
            print(OsStr::new(""), fs::metadata(path).ok(), &mut files);
        }
        let reports = print_entrances(&places.reports);
        let requests = print_entrances([&places.requests]);
        Self { fleet: fleet.finish(), files: files.finish(), reports, requests }
    }

    /// What has changed since. Reports and requests that are gone were taken by this program.
    pub(super) fn touched_since(&self, before: &Self) -> Touched {
        let anything = self.fleet != before.fleet || self.files != before.files;
        let reports = !self.reports.is_subset(&before.reports);
        let requests = !self.requests.is_subset(&before.requests);
        Touched { anything, reports, requests, ..Touched::default() }
    }
}

fn print_entrances<'a>(entrances: impl IntoIterator<Item = &'a Entrance>) -> HashSet<u64> {
    let mut prints = HashSet::new();
    for entrance in entrances {
        for entry in fs::read_dir(&entrance.dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if admits(entrance, &name) {
                let mut hasher = DefaultHasher::new();
                print(&name, entry.metadata().ok(), &mut hasher);
                prints.insert(hasher.finish());
            }
        }
    }
    prints
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
