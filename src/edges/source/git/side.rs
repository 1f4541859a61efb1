//! The files of one revision, and what they are to the fleet.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::error::Error;
use super::objects::{Answers, Asked};
use crate::domain::manifest::UnusableKind;
use crate::domain::manifest::finding::Finding;
use crate::domain::manifest::{Documents, parse_file};
use crate::edges::source::rules::too_large;
use crate::edges::source::tree::{Judged, Marks, judge};
use crate::edges::source::walk::most_entries;

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// From the fleet directory.
    pub(super) path: Vec<u8>,
    pub(super) mode: u32,
    pub(super) id: String,
}

/// What some files of one revision are.
#[derive(Default)]
pub(super) struct Side {
    pub(super) manifests: Vec<(Arc<str>, String)>,
    /// By path.
    pub(super) signatures: BTreeMap<String, String>,
    pub(super) lost: Documents,
    /// What of a Git directory lies in a directory, by its path with a slash at the end.
    pub(super) marks: BTreeMap<String, Marks>,
}

impl Side {
    /// # Errors
    /// If there are too many for all of them to be read.
    pub(super) fn of(entries: &[Entry], revision: &str) -> Result<Self, Error> {
        Self::within(entries, revision, most_entries())
    }

    pub(super) fn within(entries: &[Entry], revision: &str, limit: usize) -> Result<Self, Error> {
        let mut side = Self::default();
        let mut said = HashSet::new();
        for entry in entries {
            side.mark(&entry.path);
            match judge(&entry.path, entry.mode) {
                Judged::Manifest(_) if side.manifests.len() >= limit => {
                    return Err(Error::TooMany(revision.to_owned()));
                }
                Judged::Manifest(path) => side.manifests.push((path.into(), entry.id.clone())),
                Judged::Signature(path) => {
                    side.signatures.insert(path, entry.id.clone());
                }
                Judged::Lost(path, what, (code, message, help)) => {
                    if said.insert(path.clone()) {
                        side.lost.lose(what, &path.into(), code, message, help);
                    }
                }
                Judged::Ignored => {}
            }
        }
        Ok(side)
    }

    /// Notes what of a Git directory lies on the way to this file.
    fn mark(&mut self, path: &[u8]) {
        let mut at = 0;
        for part in path.split(|b| *b == b'/') {
            // What lies below a hidden directory is not looked at on disk either.
            if part.starts_with(b".") {
                return;
            }
            let mut marks = Marks::default();
            marks.note(part);
            if !marks.is_empty() {
                let directory = String::from_utf8_lossy(&path[..at]).into_owned();
                self.marks.entry(directory).or_default().absorb(marks);
            }
            at += part.len() + 1;
        }
    }

    /// Whether there is nothing but manifests.
    pub(super) fn is_plain(&self) -> bool {
        self.signatures.is_empty() && self.lost.findings.is_empty() && self.marks.is_empty()
    }

    /// With the signatures of the other side, too.
    pub(super) fn with(&self, other: &Self) -> Self {
        let all = self.signatures.iter().chain(&other.signatures);
        let signatures = all.map(|(path, id)| (path.clone(), id.clone())).collect();
        Self { signatures, ..Self::default() }
    }

    pub(super) fn ask(&self, asked: &mut Asked) {
        asked.ids.extend(self.manifests.iter().map(|(_, id)| id.clone()));
    }

    /// Parses the manifests that it asked for, and adds what is lost.
    pub(super) fn read(&self, answers: &mut Answers) -> Documents {
        let blobs = answers.blobs.drain(..self.manifests.len());
        let blobs: Vec<_> = self.manifests.iter().map(|(path, _)| path).zip(blobs).collect();
        let parsed: Vec<Documents> =
            blobs.par_iter().map(|(path, blob)| parse(path, blob.as_deref())).collect();
        let mut all = self.lost.clone();
        parsed.into_iter().for_each(|documents| all.absorb(documents));
        all
    }
}

/// The findings on directories that Git would take for repositories.
pub(super) fn git_directories<'s>(
    sides: impl IntoIterator<Item = &'s BTreeMap<String, Marks>>,
) -> Vec<Finding> {
    let mut all: BTreeMap<&str, Marks> = BTreeMap::new();
    for (directory, marks) in sides.into_iter().flatten() {
        all.entry(directory).or_default().absorb(*marks);
    }
    all.iter().filter_map(|(directory, marks)| marks.finding(directory)).collect()
}

/// A file, or that it is too large to be one.
pub(super) fn parse(path: &Arc<str>, blob: Option<&[u8]>) -> Documents {
    blob.map_or_else(
        || {
            let (code, message, help) = too_large();
            let mut lost = Documents::default();
            lost.lose(UnusableKind::File, path, code, message, help);
            lost
        },
        |bytes| parse_file(path, bytes),
    )
}
