//! What Git says of the fleet directory: its commit, and the user's own settings.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// The commit checked out where `root` is, by asking `git`; `None` outside a work tree, or
/// where Git is not installed or distrusts the directory's owner.
#[must_use]
pub fn of(root: &Path) -> Option<Arc<str>> {
    let text = ask(root, &["rev-parse", "--verify", "--quiet", "HEAD"])?;
    let is_commit = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_commit.then(|| text.into())
}

/// What the user has set in Git's configuration, as it holds in `root`: `user.email`, say.
#[must_use]
pub fn setting(root: &Path, key: &str) -> Option<String> {
    ask(root, &["config", "--get", key]).filter(|text| !text.is_empty())
}

/// Where `root` is in its work tree: empty at the top, or with a slash at the end; `None` outside
/// of one, or where Git is not installed or distrusts the directory's owner.
#[must_use]
pub fn prefix(root: &Path) -> Option<String> {
    let text = ask(root, &["rev-parse", "--is-inside-work-tree", "--show-prefix"])?;
    let (inside, prefix) = text.split_once('\n').unwrap_or((&text, ""));
    (inside == "true").then(|| prefix.to_owned())
}

fn ask(root: &Path, question: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(question)
        // Nothing of the caller's repository, say in a Git hook, may answer for another one.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Some(std::str::from_utf8(&output.stdout).ok()?.trim().to_owned())
}

/// The lock under which Git is changing the work tree that holds `root`, if it is.
#[must_use]
pub fn busy(root: &Path) -> Option<PathBuf> {
    let root = root.canonicalize().ok()?;
    let git = root.ancestors().map(|dir| dir.join(".git")).find(|git| git.exists())?;
    let dir = match std::fs::read_to_string(&git) {
        // A linked work tree: the file says where its own directory is.
        Ok(text) => git.parent()?.join(text.strip_prefix("gitdir:")?.trim()),
        Err(_) => git,
    };
    Some(dir.join("index.lock")).filter(|lock| lock.exists())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "as Git writes its lock")]
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
