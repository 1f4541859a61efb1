//! The files that are alike in both revisions: of a hundred thousand, a few are worth parsing.

use std::sync::Arc;

use rayon::prelude::*;

use super::error::Error;
use super::repository::Repository;
use super::side::{Side, parse};
use crate::domain::fleet::AffectedFiles;
use crate::domain::manifest::Documents;

/// All of them, as bytes.
pub(super) struct UnchangedFiles {
    files: Vec<File>,
    lost: Documents,
}

struct File {
    path: Arc<str>,
    /// None where it is too large.
    bytes: Option<Vec<u8>>,
}

impl File {
    fn parse(&self) -> Documents {
        parse(&self.path, self.bytes.as_deref())
    }
}

impl UnchangedFiles {
    /// Reads the files of this side, which holds only what is alike in both revisions.
    ///
    /// # Errors
    /// If git fails.
    pub(super) fn read(repository: &Repository, side: &Side) -> Result<Self, Error> {
        let ids: Vec<String> = side.manifests.iter().map(|(_, id)| id.clone()).collect();
        let blobs = repository.blobs(&ids)?;
        let paths = side.manifests.iter().map(|(path, _)| path.clone());
        let files = paths.zip(blobs).map(|(path, bytes)| File { path, bytes }).collect();
        Ok(Self { files, lost: side.lost.clone() })
    }

    /// Those that these documents may have to do with, those that they in turn may have to do
    /// with, and so on.
    pub(super) fn touching(&self, documents: [&Documents; 2]) -> Documents {
        let mut affected = AffectedFiles::default();
        documents.into_iter().for_each(|documents| affected.learn_changed(documents));
        let mut taken = self.lost.clone();
        let mut left: Vec<&File> = self.files.iter().collect();
        while affected.has_pending() {
            let touches = |file: &&File| file.bytes.as_deref().is_none_or(|b| affected.includes(b));
            let (found, others): (Vec<_>, Vec<_>) = left.into_par_iter().partition(touches);
            let parsed: Vec<Documents> = found.into_par_iter().map(File::parse).collect();
            affected.mark_searched();
            for documents in parsed {
                affected.learn(&documents);
                taken.absorb(documents);
            }
            left = others;
        }
        taken
    }

    /// What all of these files hold.
    pub(super) fn all(&self) -> Documents {
        let parsed: Vec<Documents> = self.files.par_iter().map(File::parse).collect();
        let mut all = self.lost.clone();
        parsed.into_iter().for_each(|documents| all.absorb(documents));
        all
    }
}
