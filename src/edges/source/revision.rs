//! What Git says of the fleet directory: its commit, and the user's own settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::domain::model::Timestamp;
use crate::edges::fs::work_tree::WorkTree;
use crate::edges::source::git_process::{Git, QUESTION};

/// The commit checked out where `root` is; `None` outside a work tree, or where Git is not
/// installed or distrusts the directory's owner.
#[must_use]
pub(crate) fn of(root: &Path) -> Option<Arc<str>> {
    let (tree, _) = WorkTree::around(root)?;
    let args = ["--verify", "--quiet", "HEAD"];
    let text = Git::In(tree).output("rev-parse", &args, QUESTION).ok()?;
    let text = std::str::from_utf8(&text).ok()?.trim();
    let is_commit = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_commit.then(|| text.into())
}

/// When the commit that is checked out where `root` is was made; `None` as for [`of`].
#[must_use]
pub(crate) fn committed_at(root: &Path) -> Option<Timestamp> {
    let (tree, _) = WorkTree::around(root)?;
    let args = ["--timestamp", "--max-count=1", "HEAD", "--"];
    let text = Git::In(tree).output("rev-list", &args, QUESTION).ok()?;
    let seconds: i64 = std::str::from_utf8(&text).ok()?.split(' ').next()?.parse().ok()?;
    Some(Timestamp::from_millis(seconds.saturating_mul(1000)))
}

/// When Git last fetched into the work tree that holds `root`; `None` where it never did, the last
/// attempt failed, or something else brings the commits.
#[must_use]
pub(crate) fn fetched_at(root: &Path) -> Option<SystemTime> {
    let (tree, _) = WorkTree::around(root)?;
    // Emptied when a fetch begins.
    let about = tree.git_dir.join("FETCH_HEAD").symlink_metadata().ok()?;
    if about.is_file() && about.len() > 0 { about.modified().ok() } else { None }
}

/// What the user has set in Git's configuration, as it holds in `root`: `user.email`, say. The
/// configuration of the work tree counts, but no file that Git checked out, even where that
/// configuration includes it: its author is whoever got it merged.
#[must_use]
pub(crate) fn setting(root: &Path, key: &str) -> Option<String> {
    let args = ["--show-origin", "-z", "--get-all", key];
    let tree = WorkTree::around(root).map(|(tree, _)| tree);
    let asked = tree.clone().map_or(Git::Nowhere, Git::In);
    let output = asked.output("config", &args, QUESTION).ok()?;
    // `<origin>` NUL `<value>` NUL, for each value; the last one holds.
    let parts: Vec<&[u8]> = output.split(|b| *b == 0).collect();
    let own = |origin: &[u8]| {
        let (Some(tree), Some(file)) = (&tree, origin.strip_prefix(b"file:")) else { return true };
        // Relative to the directory in which Git was asked.
        std::str::from_utf8(file).is_ok_and(|file| !tree.checks_out(&tree.top.join(file)))
    };
    let mut values = parts.chunks_exact(2).filter(|pair| own(pair[0])).map(|pair| pair[1]);
    let value = std::str::from_utf8(values.next_back()?).ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// Whether the work tree around `root` has a remote repository to be updated from; where Git cannot
/// tell, it may have one.
#[must_use]
pub(crate) fn has_remote(root: &Path) -> bool {
    let Some((tree, _)) = WorkTree::around(root) else { return false };
    let asked = Git::In(tree).output("remote", &[], QUESTION);
    asked.map_or(true, |names| !names.trim_ascii().is_empty())
}

/// Whether a branch is checked out around `root`, and not a commit by itself; where Git cannot tell,
/// none is.
#[must_use]
pub(crate) fn is_on_branch(root: &Path) -> bool {
    let Some((tree, _)) = WorkTree::around(root) else { return false };
    Git::In(tree).output("symbolic-ref", &["--quiet", "HEAD"], QUESTION).is_ok()
}

/// Where `root` is in its work tree: empty at the top, or with a slash at the end; `None` outside
/// of one.
#[must_use]
pub(crate) fn prefix(root: &Path) -> Option<String> {
    let (_, below) = WorkTree::around(root)?;
    let parts = below.iter().map(|part| format!("{}/", part.to_string_lossy()));
    Some(parts.collect())
}

/// The lock under which Git is changing the work tree that holds `root`, if it is.
#[must_use]
pub(crate) fn busy(root: &Path) -> Option<PathBuf> {
    let (tree, _) = WorkTree::around(root)?;
    Some(tree.git_dir.join("index.lock")).filter(|lock| lock.symlink_metadata().is_ok())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_lock_of_a_work_tree_is_found_from_below() {
        let dir = tempfile::TempDir::new().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let fleet = dir.join("repo/fleet");
        fs::create_dir_all(&fleet).unwrap();
        fs::create_dir_all(dir.join("repo/.git/worktrees/w")).unwrap();
        fs::create_dir_all(dir.join("w/fleet")).unwrap();
        fs::write(dir.join("w/.git"), "gitdir: ../repo/.git/worktrees/w\n").unwrap();
        let linked = dir.join("w/fleet");
        assert_eq!((busy(&fleet), busy(&linked)), (None, None));
        let lock = dir.join("repo/.git/index.lock");
        fs::write(&lock, "").unwrap();
        assert_eq!((busy(&fleet), busy(&linked)), (Some(lock.clone()), None));
        fs::remove_file(&lock).unwrap();
        fs::write(dir.join("repo/.git/worktrees/w/index.lock"), "").unwrap();
        assert!(busy(&fleet).is_none() && busy(&linked).is_some());
        assert_eq!(busy(&dir.join("gone")), None);
    }
}
