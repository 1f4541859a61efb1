//! What Git says of the fleet directory: its commit, and the user's own settings.

use std::path::Path;
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
