//! Texts that give rights: tokens, passwords. They are never shown: not in logs, not in errors.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;

use super::guarded::Guarded;
use super::work_tree::Checkout;
use crate::domain::model::Digest;

/// Shorter tokens can be guessed.
const SHORTEST: usize = 16;
const LONGEST: usize = 4096;

/// A secret of visible ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The bearer token that clients and the daemon share: 16 to 4096 characters. Whitespace
    /// around it does not count: files end in a newline.
    ///
    /// # Errors
    /// Says what a token is, and nothing of this one.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        Self::of(text, SHORTEST..=LONGEST).ok_or_else(|| {
            format!(
                "is not a token: at least {SHORTEST} visible ASCII characters, say from \
                 `openssl rand -hex 32`"
            )
        })
    }

    /// What is left without the whitespace around it, if it is of such a length and visible ASCII.
    pub(crate) fn of(text: &str, lengths: RangeInclusive<usize>) -> Option<Self> {
        let text = text.trim();
        let fine = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fine.then(|| Self(text.to_owned()))
    }

    /// The daemon's token in a file outside of the checkout that holds this fleet directory.
    ///
    /// # Errors
    /// If it cannot be read, others can read it too, or it is no token.
    pub(crate) fn read(path: &Path, fleet: &Path) -> Result<Self, String> {
        outside_of_checkout(path, fleet)?;
        let mut bytes = Vec::new();
        let file = Guarded::up_to(2 * LONGEST).secret().open(path);
        file.and_then(|file| file.read(&mut bytes)).map_err(|refused| refused.to_string())?;
        Self::new(&String::from_utf8_lossy(&bytes))
    }

    /// Only digests are compared, so that neither content nor length shows in the time.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// The value of the header `Authorization`.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// The text itself, for whom it is meant.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// That a file with a secret does not lie where everybody who can read the repository can read it,
/// and a merged change can replace it.
///
/// # Errors
/// Where it does, or nobody can tell; a sentence that goes after its name.
pub(crate) fn outside_of_checkout(path: &Path, fleet: &Path) -> Result<(), String> {
    let unknown = |error| format!("cannot be told from a file of the repository: {error}");
    let checkout = Checkout::of(fleet).map_err(unknown)?;
    let Some(reviewed) = checkout.holding(path).map_err(unknown)? else { return Ok(()) };
    let what = if reviewed.is_fleet { "the fleet directory" } else { "the Git work tree" };
    Err(format!(
        "lies in {what} {}, where a merged pull request could change it: keep it elsewhere, such as \
         /etc/fleetform, and replace what it holds if it was ever committed",
        reviewed.path.display()
    ))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_token_that_others_can_read_or_replace_is_refused_wherever_its_name_leads_from() {
        let dir = tempfile::TempDir::new().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("repo/.git")).unwrap();
        fs::create_dir_all(at("repo/fleet")).unwrap();
        fs::create_dir_all(at("etc")).unwrap();
        for name in ["repo/token", "repo/fleet/token", "etc/token", "etc/public", "etc/shared"] {
            fs::write(at(name), "0123456789abcdef\n").unwrap();
            let mode = match name {
                "etc/public" => 0o604,
                "etc/shared" => 0o640,
                _ => 0o600,
            };
            fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
        }
        symlink("../repo/token", at("etc/in")).unwrap();
        symlink("../etc/token", at("repo/out")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("etc/fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        let read = |name: &str| Secret::read(&at(name), &at("repo/fleet"));
        assert_eq!(read("etc/token").unwrap().expose(), "0123456789abcdef");
        for (name, why) in [
            ("repo/token", "lies in the Git work tree"),
            ("repo/fleet/token", "lies in the Git work tree"),
            ("etc/in", "lies in the Git work tree"),
            ("repo/out", "lies in the Git work tree"),
            ("etc/public", "can be read by every user (0604)"),
            ("etc/shared", "your group may use it too (0640)"),
            ("etc/fifo", "is not a regular file"),
            ("etc/none", "No such file"),
        ] {
            let refused = read(name).unwrap_err();
            assert!(refused.contains(why), "{name}: {refused}");
        }
    }

    #[test]
    fn a_token_is_long_and_visible_and_never_shown() {
        let token = Secret::new(" 0123456789abcdef\n").unwrap();
        assert_eq!(token.bearer(), "Bearer 0123456789abcdef");
        assert_eq!(format!("{token:?}"), "Secret(…)");
        let long = "x".repeat(LONGEST + 1);
        for bad in ["", "0123456789abcde", "0123456789 abcdef", "0123456789äbcdef", &long] {
            let why = Secret::new(bad).unwrap_err();
            assert!(why.contains("at least 16") && (bad.is_empty() || !why.contains(bad)), "{why}");
        }
    }
}
