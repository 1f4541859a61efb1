//! Which events are worth a look, and where: not our own reading and tidying, not what others do
//! beside us.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, Event, EventKind, ModifyKind, RenameMode};

use super::paths::{Anchors, absolute, admits, is_hidden};
use super::touched::{Entrance, Places, Touched};

#[derive(Debug, Default)]
pub(super) struct Filter {
    anchors: Anchors,
    root: PathBuf,
    /// Absolute.
    reports: Vec<Entrance>,
    /// Absolute.
    requests: Entrance,
    /// Directories of the tree.
    tree: HashSet<PathBuf>,
}

impl Filter {
    pub(super) fn set(&mut self, places: &Places, anchors: Anchors) {
        self.anchors = anchors;
        self.root = absolute(&places.fleet);
        let absolute = |entrance: &Entrance| Entrance {
            dir: absolute(&entrance.dir),
            ignoring: entrance.ignoring,
        };
        self.reports = places.reports.iter().map(absolute).collect();
        self.requests = absolute(&places.requests);
    }

    pub(super) fn add(&mut self, path: &Path) {
        if !self.tree.contains(path) {
            self.tree.insert(path.to_owned());
        }
    }

    /// Whether it may have taken a directory that is watched away from its name. Its watch is gone
    /// then, even if it is back in no time (notify removes it), and nothing would tell of that.
    pub(super) fn unwatches(&self, event: &Event) -> bool {
        let goes = matches!(
            event.kind,
            EventKind::Remove(_)
                | EventKind::Modify(ModifyKind::Name(RenameMode::From | RenameMode::Both))
        );
        goes && event.paths.iter().any(|path| self.is_watched(path))
    }

    fn is_watched(&self, path: &Path) -> bool {
        self.tree.contains(path)
            || self.anchors.contains_key(path)
            || self.requests.dir == path
            || self.reports.iter().any(|entrance| entrance.dir == path)
    }

    /// What a look may see otherwise than before; nothing where it is empty. Where `anything` is
    /// touched already it is not asked where.
    pub(super) fn touched(&self, event: &Event, anything: bool) -> Touched {
        let written = AccessKind::Close(AccessMode::Write);
        if matches!(event.kind, EventKind::Access(kind) if kind != written) {
            return Touched::default();
        }
        if event.paths.is_empty() {
            return Touched::anything();
        }
        let mut touched = Touched::default();
        for path in &event.paths {
            touched.merge(self.touched_by(path, event.kind, anything));
        }
        touched
    }

    fn touched_by(&self, path: &Path, kind: EventKind, anything: bool) -> Touched {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Touched::anything();
        };
        if self.anchors.get(parent).is_some_and(|names| names.contains(name)) {
            return Touched::anything();
        }
        if let Some(entrance) = self.reports.iter().find(|entrance| entrance.dir == parent) {
            let reports = arrives(kind) && admits(entrance, name);
            return Touched { reports, ..Touched::default() };
        }
        if self.requests.dir == parent {
            let requests = arrives(kind) && admits(&self.requests, name);
            return Touched { requests, ..Touched::default() };
        }
        if self.anchors.contains_key(path) || self.tree.contains(path) {
            return Touched::anything();
        }
        if !self.tree.contains(parent) || is_hidden(name) {
            return Touched::default();
        }
        if anything {
            return Touched::anything();
        }
        self.file(path, name).map_or_else(Touched::anything, Touched::file)
    }

    /// The path from the root, if it is a file that can be looked at alone: no signature, whose
    /// request is another file, and no directory or symlink.
    fn file(&self, path: &Path, name: &OsStr) -> Option<String> {
        let signature = name.as_bytes().ends_with(b".sig");
        let file = match std::fs::symlink_metadata(path) {
            Ok(metadata) => metadata.is_file(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        let path = path.strip_prefix(&self.root).ok()?.to_str()?;
        (file && !signature).then(|| path.to_owned())
    }
}

/// Whether a file appeared. One that disappears was taken in by this program, and is no news.
fn arrives(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)))
}
