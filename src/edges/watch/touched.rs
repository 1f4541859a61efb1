//! What is watched, and where in it something may have changed.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// More files than this are no small change: all is looked at.
pub(super) const FILES: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    /// The fleet directory: everything below it.
    pub(crate) fleet: PathBuf,
    /// The directories that reports come into.
    pub(crate) reports: Vec<Entrance>,
    /// The directory that requests come into.
    pub(crate) requests: Entrance,
    pub(crate) files: Vec<PathBuf>,
}

/// A directory that reports or requests come into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entrance {
    /// Whether it exists or not yet.
    pub(crate) dir: PathBuf,
    /// Names in it that mean nothing; those that begin with a dot never do.
    pub(crate) ignoring: &'static [&'static str],
}

/// Where something may have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Anywhere: nobody knows where.
    pub(crate) anything: bool,
    /// In these files, and nowhere else in the fleet directory: their paths from its root.
    pub(crate) files: BTreeSet<String>,
    /// Where reports come in.
    pub(crate) reports: bool,
    /// Where requests come in.
    pub(crate) requests: bool,
}

impl Touched {
    /// Somewhere, nobody knows where.
    #[must_use]
    pub(crate) fn anything() -> Self {
        Self { anything: true, ..Self::default() }
    }

    pub(super) fn file(path: String) -> Self {
        Self { files: BTreeSet::from([path]), ..Self::default() }
    }

    /// Whether nothing changed.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        !self.reports && !self.is_urgent()
    }

    /// Whether there is more than reports, which are taken in at their own pace.
    #[must_use]
    pub(crate) fn is_urgent(&self) -> bool {
        self.anything || self.requests || !self.files.is_empty()
    }

    /// Takes in what another event touched; many files are taken for anything.
    pub(crate) fn merge(&mut self, other: Self) {
        self.anything |= other.anything;
        self.reports |= other.reports;
        self.requests |= other.requests;
        self.files.extend(other.files);
        if self.anything || self.files.len() > FILES {
            (self.anything, self.files) = (true, BTreeSet::new());
        }
    }
}
