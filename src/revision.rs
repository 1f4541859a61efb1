//! The Git commit of the fleet directory, where it is in a work tree.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// The commit checked out where `root` is, by asking `git`; `None` outside a work tree, or
/// where Git is not installed or distrusts the directory's owner.
#[must_use]
pub fn of(root: &Path) -> Option<Arc<str>> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["rev-parse", "--verify", "--quiet", "HEAD"])
        // Nothing of the caller's repository, say in a Git hook, may answer for another one.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = std::str::from_utf8(&output.stdout).ok()?.trim();
    let is_commit = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_commit.then(|| text.into())
}
