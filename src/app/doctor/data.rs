//! Whether the data directory can be used.

use std::io;
use std::path::Path;

use crate::domain::diagnosis::Check;
use crate::edges::fs::directory_facts::DirectoryFacts;

pub(super) const DIRECTORY: &str = "data.directory";
pub(super) const SPACE: &str = "data.space";
pub(super) const LOCK: &str = "data.lock";

/// With less the log cannot go on for long.
const LEAST: u64 = 16 << 20;
/// The snapshot of a large fleet is written beside the old one, and the log only grows.
const ENOUGH: u64 = 256 << 20;

/// The data directory, looked at; nothing where that took too long.
pub(super) type Found = Option<io::Result<DirectoryFacts>>;

/// Whether it is there, and this user's to write.
pub(super) fn directory(path: &Path, named: bool, found: &Found, user: u32) -> Check {
    let path = path.display();
    let facts = match found {
        Some(Ok(facts)) => facts,
        Some(Err(error)) if error.kind() == io::ErrorKind::NotFound && !named => {
            let detail = format!("{path} is not there yet: the first `fleetform apply` makes it");
            return Check::ok(DIRECTORY, detail);
        }
        Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            let detail = format!("there is no {path}");
            let help = "mount it, or correct the path; for a new one `install -d -m 0700` it for the \
                        user who runs fleetform, and run `fleetform apply --new-ledger` once";
            return Check::fails(DIRECTORY, detail, help);
        }
        Some(Err(error)) => {
            let detail = format!("{path} cannot be accessed: {error}");
            let help = "correct the path, or give the directory to the user who runs fleetform";
            return Check::fails(DIRECTORY, detail, help);
        }
        None => {
            let detail = format!("{path} could not be accessed in time");
            return Check::fails(DIRECTORY, detail, "check whether its file system answers");
        }
    };
    let DirectoryFacts { owner, mode, writable, free: _, free_files: _ } = *facts;
    if !writable {
        let detail =
            format!("{path} belongs to user {owner} ({mode:04o}): user {user} may not write it");
        let help = "run fleetform as the user to whom it belongs, or give it to this one";
        return Check::fails(DIRECTORY, detail, help);
    }
    if mode & 0o002 != 0 {
        let detail = format!("every user may write {path} ({mode:04o}), and so replace the ledger");
        return Check::warning(DIRECTORY, detail, format!("`chmod o-w {path}`"));
    }
    if owner != user && user != 0 {
        let detail =
            format!("{path} can be written, and belongs to user {owner} instead of {user}");
        let help = "let one user run fleetform, and give it the directory and all below it";
        return Check::warning(DIRECTORY, detail, help);
    }
    Check::ok(DIRECTORY, format!("{path} is there and can be written"))
}

/// Whether enough fits.
pub(super) fn space(found: &Found) -> Check {
    let Some(Ok(DirectoryFacts { free, free_files, .. })) = found else {
        return Check::skipped(SPACE, DIRECTORY);
    };
    const HELP: &str = "free some space, or move the data directory to a larger file system";
    let detail = format!("{} MiB are free", free >> 20);
    if *free_files == Some(0) {
        return Check::fails(SPACE, "no further file can be made (no inode is free)", HELP);
    }
    if *free < LEAST {
        return Check::fails(SPACE, detail, HELP);
    }
    if *free < ENOUGH {
        return Check::warning(SPACE, detail, HELP);
    }
    Check::ok(SPACE, detail)
}

/// Who writes. It is as well if nobody does.
pub(super) fn lock(writer: Option<&str>) -> Check {
    match writer {
        Some(writer) => Check::ok(LOCK, format!("{writer} is writing to this ledger")),
        None => Check::ok(LOCK, "nobody is writing to this ledger"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnosis::CheckState::{self, Fails, Ok as Well, Skipped, Warning};

    const MINE: DirectoryFacts =
        DirectoryFacts { owner: 7, mode: 0o700, writable: true, free: 1 << 40, free_files: None };

    #[track_caller]
    fn is(check: &Check, state: CheckState, says: &str) {
        assert_eq!(check.state, state, "{check:?}");
        assert!(check.detail.contains(says), "{check:?}");
        assert_eq!(check.help.is_some(), matches!(state, Fails | Warning), "{check:?}");
    }

    #[test]
    fn a_data_directory_is_there_and_ours_alone() {
        let failed = |kind: io::ErrorKind| Some(Err(io::Error::from(kind)));
        let seen = |facts| Some(Ok(facts));
        for (found, named, user, state, says) in [
            (seen(MINE), true, 7, Well, "can be written"),
            (seen(MINE), true, 0, Well, "can be written"),
            (seen(MINE), true, 8, Warning, "belongs to user 7 instead of 8"),
            (
                seen(DirectoryFacts { writable: false, ..MINE }),
                true,
                8,
                Fails,
                "user 8 may not write it",
            ),
            (
                seen(DirectoryFacts { mode: 0o707, ..MINE }),
                true,
                7,
                Warning,
                "every user may write",
            ),
            (failed(io::ErrorKind::NotFound), false, 7, Well, "not there yet"),
            (failed(io::ErrorKind::NotFound), true, 7, Fails, "there is no"),
            (failed(io::ErrorKind::NotADirectory), false, 7, Fails, "cannot be accessed"),
            (None, false, 7, Fails, "in time"),
        ] {
            is(&directory(Path::new("data"), named, &found, user), state, says);
        }
    }

    #[test]
    fn what_is_free_is_enough_little_or_too_little() {
        let free = |free| Some(Ok(DirectoryFacts { free, ..MINE }));
        is(&space(&free(ENOUGH)), Well, "256 MiB");
        is(&space(&free(ENOUGH - 1)), Warning, "255 MiB");
        is(&space(&free(LEAST)), Warning, "16 MiB");
        is(&space(&free(LEAST - 1)), Fails, "15 MiB");
        is(&space(&Some(Ok(DirectoryFacts { free_files: Some(0), ..MINE }))), Fails, "inode");
        is(&space(&Some(Ok(DirectoryFacts { free_files: Some(1), ..MINE }))), Well, "MiB");
        is(&space(&None), Skipped, DIRECTORY);
    }

    #[test]
    fn who_writes_is_said_and_no_failure() {
        is(&lock(Some("process 4711")), Well, "process 4711 is writing");
        is(&lock(None), Well, "nobody");
    }
}
