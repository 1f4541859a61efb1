//! Which events are worth a look: not our own reading and tidying, not what others do beside us.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, Event, EventKind, ModifyKind, RenameMode};

use super::Places;

/// Directories on the way to a place, each with the names in it that matter.
pub(super) type Anchors = BTreeMap<PathBuf, BTreeSet<OsString>>;

#[derive(Debug, Default)]
pub(super) struct Filter {
    anchors: Anchors,
    inbox: PathBuf,
    /// Directories of the tree.
    tree: HashSet<PathBuf>,
}

impl Filter {
    pub(super) fn set(&mut self, places: &Places, anchors: Anchors) {
        self.anchors = anchors;
        self.inbox = super::survey::absolute(&places.inbox);
    }

    pub(super) fn add(&mut self, path: &Path) {
        if !self.tree.contains(path) {
            self.tree.insert(path.to_owned());
        }
    }

    /// Whether it may change what a look sees.
    pub(super) fn wakes(&self, event: &Event) -> bool {
        let written = AccessKind::Close(AccessMode::Write);
        if matches!(event.kind, EventKind::Access(kind) if kind != written) {
            return false;
        }
        event.paths.is_empty() || event.paths.iter().any(|path| self.concerns(path, event.kind))
    }

    fn concerns(&self, path: &Path, kind: EventKind) -> bool {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return true };
        if self.anchors.get(parent).is_some_and(|names| names.contains(name)) {
            return true;
        }
        if parent == self.inbox {
            return arrives(kind) && !is_hidden(name) && name != "rejected";
        }
        if self.anchors.contains_key(path) || self.tree.contains(path) {
            return true;
        }
        self.tree.contains(parent) && !is_hidden(name)
    }
}

/// What leaves the inbox was taken by ourselves.
fn arrives(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)))
}

/// Names that no reader looks at: editors' and Git's own files.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}
