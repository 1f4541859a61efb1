//! Whether the fleet directory can be read, and what is wrong in it.

use std::path::Path;

use crate::domain::diagnosis::Check;
use crate::domain::fleet::Desired;
use crate::domain::notify_settings::NotifySettings;

pub(super) const FLEET: &str = "fleet";

/// Of the fleet directory; nothing where it was not read in time.
pub(super) fn fleet(root: &Path, desired: Option<&Desired>, notify: &NotifySettings) -> Check {
    let root = root.display();
    let Some(desired) = desired else {
        let help = "check whether its file system answers";
        return Check::fails(FLEET, format!("{root} could not be read in time"), help);
    };
    if let Some(why) = &desired.missing {
        let help = "name it with --fleet or in the configuration, or change to its parent";
        return Check::fails(FLEET, format!("the fleet directory {why}"), help);
    }
    let Desired { devices, profiles, findings, .. } = desired;
    let holds =
        format!("{} and {}", count(devices.len(), "device"), count(profiles.len(), "profile"));
    if !findings.is_empty() {
        let found = count(findings.len(), "finding");
        let detail = format!("{root} has {holds}, and {found}: what they concern is held");
        return Check::warning(
            FLEET,
            detail,
            "`fleetform check` shows each of them, and what to do",
        );
    }
    let unknown = notify.unknown_profiles(|name| profiles.contains_key(name));
    if !unknown.is_empty() {
        let help = "correct the name: nothing is told of a profile that is not there";
        return Check::warning(FLEET, format!("{root} has {holds}; {}", unknown.join("; ")), help);
    }
    Check::ok(FLEET, format!("{root} has {holds}, and no findings"))
}

/// `1 device`, `14 devices`.
pub(super) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::domain::diagnosis::CheckState::{self, Fails, Ok as Well, Warning};
    use crate::edges::source;

    #[track_caller]
    fn is(root: &Path, desired: Option<&Desired>, state: CheckState, says: &str) {
        let check = fleet(root, desired, &NotifySettings::default());
        assert_eq!(check.state, state, "{check:?}");
        assert!(check.detail.contains(says), "{check:?}");
    }

    #[test]
    fn findings_are_a_warning_and_a_directory_that_is_not_there_a_failure() {
        let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fleet");
        let mut desired = source::load(&sample);
        is(&sample, Some(&desired), Well, "12 devices and 3 profiles, and no findings");
        let bad = tempfile::tempdir().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a file of a test")]
        std::fs::write(bad.path().join("a.yaml"), "kind: Devise").unwrap();
        desired = source::load(bad.path());
        is(bad.path(), Some(&desired), Warning, "4 findings");
        let none = bad.path().join("none");
        desired = source::load(&none);
        is(&none, Some(&desired), Fails, "cannot be read");
        is(&none, None, Fails, "in time");
    }
}
