//! A repository, and the commits that names in it stand for.

use std::path::{Component, Path};

use super::error::Error;
use crate::edges::fs::work_tree::WorkTree;
use crate::edges::source::git_process::{Git, Limit, QUESTION};

/// A repository, and where the fleet directory is in it.
#[derive(Debug)]
pub struct Repository {
    pub(super) git: Git,
    /// From the root of the repository: empty, or with a slash at the end.
    pub(super) prefix: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub(crate) name: String,
    pub(crate) id: String,
}

impl Repository {
    /// The repository that `fleet` lies in. Where there is no such directory, as in a bare
    /// repository, the one that `GIT_DIR` names, or that of the working directory.
    ///
    /// # Errors
    /// If there is none, or the path cannot lie in it.
    pub fn open(fleet: &Path) -> Result<Self, Error> {
        let none = || Error::NoRepository(fleet.to_owned());
        if fleet.is_dir() {
            let (tree, below) = WorkTree::around(fleet).ok_or_else(none)?;
            return Ok(Self { git: Git::In(tree), prefix: prefix(&below) });
        }
        let inside = |part| matches!(part, Component::CurDir | Component::Normal(_));
        if !fleet.components().all(inside) {
            return Err(Error::Outside(fleet.to_owned()));
        }
        if let Some(git) = Git::named() {
            return Ok(Self { git, prefix: prefix(fleet) });
        }
        let (tree, below) = WorkTree::around(Path::new(".")).ok_or_else(none)?;
        Ok(Self { git: Git::In(tree), prefix: prefix(&below.join(fleet)) })
    }

    pub(super) fn output(
        &self,
        command: &'static str,
        args: &[&str],
        limit: Limit,
    ) -> Result<Vec<u8>, Error> {
        Ok(self.git.output(command, args, limit)?)
    }

    /// The commit that `revision` names.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn commit(&self, revision: &str) -> Result<Commit, Error> {
        let unknown = |shallow| Error::NoCommit { revision: revision.to_owned(), shallow };
        // Git would take it for an option.
        if revision.starts_with('-') {
            return Err(unknown(false));
        }
        let wanted = format!("{revision}^{{commit}}");
        match self.output("rev-parse", &["--verify", "--quiet", &wanted], QUESTION) {
            Ok(id) => {
                let id = String::from_utf8_lossy(&id).trim().to_owned();
                // `^main` names a commit, too: those that are not to be shown.
                let is_id = id.bytes().all(|b| b.is_ascii_hexdigit());
                let commit = Commit { name: revision.to_owned(), id };
                if is_id { Ok(commit) } else { Err(unknown(false)) }
            }
            Err(Error::Failed { .. }) => {
                let shallow = self.output("rev-parse", &["--is-shallow-repository"], QUESTION)?;
                Err(unknown(shallow.starts_with(b"true")))
            }
            Err(error) => Err(error),
        }
    }

    /// The commit in which the head left the base.
    ///
    /// # Errors
    /// If one of them is none, or they have nothing in common.
    pub(crate) fn merge_base(&self, base: &str, head: &str) -> Result<String, Error> {
        let (base, head) = (self.commit(base)?, self.commit(head)?);
        match self.output("merge-base", &[&base.id, &head.id], QUESTION) {
            Ok(id) => Ok(String::from_utf8_lossy(&id).trim().to_owned()),
            Err(Error::Failed { .. }) => {
                let shallow = self.output("rev-parse", &["--is-shallow-repository"], QUESTION)?;
                let revision = format!("{}...{}", base.name, head.name);
                Err(Error::NoCommit { revision, shallow: shallow.starts_with(b"true") })
            }
            Err(error) => Err(error),
        }
    }
}

/// As Git writes a path from the root: empty, or with a slash at the end.
fn prefix(path: &Path) -> String {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.map(|part| format!("{}/", part.as_os_str().to_string_lossy())).collect()
}
