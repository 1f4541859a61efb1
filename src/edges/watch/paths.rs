//! Paths of what is watched, and the ways to them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use super::touched::{Entrance, Places};

/// As deep as manifests are read.
pub(super) const DEPTH: usize = 32;
/// As many symlinks on the way as Linux follows.
const LINKS: usize = 40;

/// Directories on the way to a place, each with the names in it that matter.
pub(super) type Anchors = BTreeMap<PathBuf, BTreeSet<OsString>>;

/// Without a look at what is there.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Every directory on the way to the places, through symlinks, with the name that is looked up
/// in it: whatever is put in the place of one of them is seen.
pub(super) fn anchors(places: &Places) -> Anchors {
    let mut anchors = Anchors::new();
    let reports = places.reports.iter().map(|entrance| &entrance.dir);
    for place in
        [&places.fleet, &places.requests.dir].into_iter().chain(reports).chain(&places.files)
    {
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

/// Whether something of this name may be a report or a request.
pub(super) fn admits(entrance: &Entrance, name: &OsStr) -> bool {
    !is_hidden(name) && entrance.ignoring.iter().all(|other| name != *other)
}

/// Names that no reader looks at: editors' and Git's own files.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}
