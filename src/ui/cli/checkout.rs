//! Whether something may be written into the fleet directory here: a checkout that somebody else
//! pulls must stay as Git left it. A file that is written there by hand counts without review, and stops
//! `git pull` for good as soon as the same file is pushed: the server then no longer sees what is merged.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::failure::Failure;
use super::setup::Setup;
use crate::app::wiring;
use crate::edges::fs::work_tree::WorkTree;
use crate::edges::source::revision;

/// What is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Request,
    /// Of devices, profiles and the like.
    Manifest,
}

impl Content {
    const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Manifest => "manifest",
        }
    }

    /// The way to one that can be merged.
    const fn way(self) -> &'static str {
        match self {
            Self::Request => {
                "write requests in a clone of your own: git clone YOUR-REPOSITORY, change into it, and run \
                 the same command with --fleet fleet; then commit, push and have it merged. With \
                 --file PATH the request is written elsewhere, to be moved there"
            }
            Self::Manifest => {
                "edit manifests in a clone of your own: git clone YOUR-REPOSITORY, change into it, and run \
                 the same command with --fleet fleet; then commit, push and have it merged"
            }
        }
    }
}

/// Refuses a checkout that is pulled: one of another user, the one that a running daemon reads, or, for
/// requests, one without a branch, as git-sync leaves it; a workflow that edits manifests has none either.
/// What nobody pulls from anywhere may be written in.
///
/// # Errors
/// Why nothing must be written there, and what to do.
pub(super) fn refuse_pulled(setup: &Setup, content: Content) -> Result<(), Failure> {
    let fleet = &setup.config.fleet;
    let Some((tree, _)) = WorkTree::around(fleet) else { return Ok(()) };
    if !revision::has_remote(fleet) {
        return Ok(());
    }
    let Some(why) = pulled(setup, &tree.top, content) else { return Ok(()) };
    let what = format!(
        "no {} is written into the checkout {}: {why}, and a file that is written there by hand \
         stops it from being updated",
        content.name(),
        tree.top.display()
    );
    Err(Failure::new(what).help(content.way()))
}

fn pulled(setup: &Setup, top: &Path, content: Content) -> Option<String> {
    let owner = std::fs::metadata(top).ok()?.uid();
    if owner != rustix::process::getuid().as_raw() {
        return Some(format!("it belongs to another user (uid {owner})"));
    }
    if content == Content::Request && !revision::is_on_branch(&setup.config.fleet) {
        return Some("it is on no branch, as git-sync leaves it".to_owned());
    }
    // The daemon of this machine, whichever one is asked for the ledger.
    let writer = wiring::ledger(&setup.config).writer().filter(|_| setup.fleet_is_configured)?;
    Some(format!("a daemon reads it ({writer})"))
}

/// What to do where a file or directory cannot be made.
pub(super) fn cannot_write(content: Content, what: String, why: &io::Error) -> Failure {
    let failure = Failure::new(format!("{what}: {why}"));
    match why.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            failure.help(content.way())
        }
        _ => failure,
    }
}
