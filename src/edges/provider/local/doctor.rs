//! Whether the directories that the embedded provider shares with devices can be used.

use std::io;
use std::path::Path;

use crate::domain::diagnosis::{Check, Needed};
use crate::edges::fs::directory_facts::DirectoryFacts;

/// Both directories; `usable` is whether the data directory can be used.
pub(super) fn diagnose(data: &Path, usable: Needed<()>) -> Vec<Check> {
    let both = [("local.inbox", "inbox"), ("local.outbox", "outbox")];
    let look = |(name, directory): (&'static str, &str)| {
        if let Err(because) = usable {
            return Check::skipped(name, because);
        }
        let path = data.join(directory);
        verdict(name, &path, data, DirectoryFacts::of(&path))
    };
    both.into_iter().map(look).collect()
}

fn verdict(
    name: &'static str,
    path: &Path,
    data: &Path,
    found: io::Result<DirectoryFacts>,
) -> Check {
    let (shown, data) = (path.display(), data.display());
    match found {
        Ok(facts) if facts.writable => Check::ok(name, format!("{shown} can be read and written")),
        Ok(DirectoryFacts { owner, mode, .. }) => Check::fails(
            name,
            format!("{shown} belongs to user {owner} ({mode:04o}), and this user may not write it"),
            format!(
                "as root: `chown --reference={data} {shown}` and `chmod --reference={data} {shown}`"
            ),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Check::ok(name, format!("{shown} is not there yet; it is made when it is needed"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Check::fails(
            name,
            format!("{shown} is not a directory"),
            "move away what is in its place".to_owned(),
        ),
        Err(error) => Check::fails(
            name,
            format!("{shown} cannot be accessed: {error}"),
            format!("give {data} and all below it to the user who runs fleetform"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnosis::CheckState;

    #[test]
    fn a_directory_is_well_where_it_can_be_written_or_is_not_there_yet() {
        let facts = |writable| DirectoryFacts {
            owner: 0,
            mode: 0o755,
            writable,
            free: 1 << 40,
            free_files: Some(9),
        };
        let failed = |kind: io::ErrorKind| Err(io::Error::from(kind));
        for (found, state, says) in [
            (Ok(facts(true)), CheckState::Ok, "can be read and written"),
            (Ok(facts(false)), CheckState::Fails, "belongs to user 0 (0755)"),
            (failed(io::ErrorKind::NotFound), CheckState::Ok, "not there yet"),
            (failed(io::ErrorKind::NotADirectory), CheckState::Fails, "is not a directory"),
            (failed(io::ErrorKind::PermissionDenied), CheckState::Fails, "cannot be accessed"),
        ] {
            let check = verdict("local.inbox", Path::new("d/inbox"), Path::new("d"), found);
            assert_eq!(check.state, state, "{check:?}");
            assert!(check.detail.contains(says), "{check:?}");
            assert_eq!(check.help.is_some(), state == CheckState::Fails, "{check:?}");
        }
    }

    #[test]
    fn what_cannot_be_checked_says_why() {
        let checks = diagnose(Path::new("/nowhere"), Err("data.directory"));
        let said: Vec<_> = checks.iter().map(|check| (check.name, check.state)).collect();
        let skipped = CheckState::Skipped;
        assert_eq!(said, [("local.inbox", skipped), ("local.outbox", skipped)]);
        assert!(checks[0].detail.contains("data.directory"), "{checks:?}");
    }
}
