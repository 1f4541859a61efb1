//! Which key signs: the one that is named, the one that Git is configured with, or the user's.
//!
//! Where a key is configured, no other one is ever taken instead: a signature is a decision to
//! erase a device, and it has to be made with the key that its owner chose for such decisions.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::super::failure::Failure;
use crate::domain::wipe::sshsig::Key;
use crate::domain::wipe::trust::key_of_line;
use crate::domain::wording::quote;

/// The user's keys, hardware first.
const USUAL: [&str; 4] = ["id_ed25519_sk", "id_ecdsa_sk", "id_ed25519", "id_ecdsa"];

/// What `ssh-keygen -f` is given.
#[derive(Debug)]
pub(super) enum SigningKey {
    /// A private key, or the public one of a key in the agent.
    File(PathBuf),
    /// A public key that the configuration holds itself; its private key is in the agent.
    Literal {
        /// For as long as it is signed with.
        file: NamedTempFile,
        /// The only key that may have signed.
        key: Key,
    },
}

impl SigningKey {
    /// The file for `ssh-keygen -f`.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Literal { file, .. } => file.path(),
        }
    }

    /// Whether a signature by this key is what was asked for.
    pub(super) fn may_be(&self, signer: &Key) -> bool {
        match self {
            Self::File(_) => true,
            Self::Literal { key, .. } => key == signer,
        }
    }

    /// What to do where `ssh-keygen` could not sign with it.
    pub(super) const fn help(&self) -> &'static str {
        match self {
            Self::File(_) => "its message is above; choose another key with --key FILE",
            Self::Literal { .. } => {
                "add its private key to the agent with `ssh-add` (`ssh-add -l` lists those that are \
                 there), or name a key file with --key FILE"
            }
        }
    }
}

impl fmt::Display for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Literal { key, .. } => {
                write!(
                    f,
                    "the key of user.signingkey, {}",
                    crate::domain::wipe::sshsig::fingerprint(key)
                )
            }
        }
    }
}

/// The key: by the flag, by Git's `setting`s, or the first usual one in `home`.
///
/// # Errors
/// If there is none, or the configured one cannot be used.
pub(super) fn find(
    flag: Option<&Path>,
    setting: impl Fn(&str) -> Option<String>,
    home: Option<&Path>,
) -> Result<SigningKey, Failure> {
    if let Some(path) = flag {
        return Ok(SigningKey::File(path.to_owned()));
    }
    if let Some(text) = setting("user.signingkey") {
        return configured(&text, home);
    }
    if setting("gpg.ssh.defaultKeyCommand").is_some() {
        return Err(Failure::new(
            "the command gpg.ssh.defaultKeyCommand of Git is not run to find the key to sign with",
        )
        .help("name the key with --key FILE, or set user.signingkey"));
    }
    let usual = USUAL.iter().filter_map(|name| Some(home?.join(".ssh").join(name)));
    usual.into_iter().find(|path| path.is_file()).map(SigningKey::File).ok_or_else(|| {
        Failure::new(
            "there is no key to sign with: neither user.signingkey of Git nor ~/.ssh has one",
        )
        .help("name one with --key FILE, or make one with `ssh-keygen -t ed25519`")
    })
}

/// `key::ssh-ed25519 AAAA…`, `ssh-ed25519 AAAA…` as Git takes them, or the path of a file.
fn configured(text: &str, home: Option<&Path>) -> Result<SigningKey, Failure> {
    let text = text.trim();
    let help =
        "correct it with `git config --global user.signingkey`, or name a key with --key FILE";
    let marked = text.strip_prefix("key::");
    let is_key =
        ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| text.starts_with(kind)) && text.contains(' ');
    if let Some(line) = marked.or(is_key.then_some(text)) {
        let key = key_of_line(line.trim()).map_err(|why| {
            Failure::new(format!("user.signingkey of Git, {}: {why}", quote(text))).help(help)
        })?;
        // The file of a public key: ssh-keygen asks the agent for the private one.
        let file = tempfile::Builder::new().prefix("fleetform-").suffix(".pub").tempfile();
        let written = file.and_then(|mut file| writeln!(file, "{}", line.trim()).map(|()| file));
        let file = written.map_err(|why| {
            Failure::new(format!("cannot write the public key to a temporary file: {why}"))
        })?;
        return Ok(SigningKey::Literal { file, key });
    }
    let path = match (text.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    };
    if !path.is_file() {
        let what = format!(
            "user.signingkey of Git is {}, which is neither an SSH key nor an existing file",
            quote(text)
        );
        return Err(Failure::new(what).help(help));
    }
    Ok(SigningKey::File(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBkr4wRC1jNmMN1UOfvTGzpGLNuJu+Yhm0Ck9dFmIKH2";

    fn with(key: &str, flag: Option<&str>, home: &Path) -> Result<SigningKey, Failure> {
        let setting =
            |name: &str| (name == "user.signingkey" && !key.is_empty()).then(|| key.into());
        find(flag.map(Path::new), setting, Some(home))
    }

    fn why(result: Result<SigningKey, Failure>) -> String {
        result.unwrap_err().render(false)
    }

    #[test]
    fn a_configured_key_is_that_key_or_an_error() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        assert!(why(with("", None, home)).contains("no key to sign with"));
        std::fs::create_dir(home.join(".ssh")).unwrap();
        std::fs::write(home.join(".ssh/id_ed25519"), "").unwrap();
        std::fs::write(home.join("work"), "").unwrap();
        let file = |key: &str, flag| match with(key, flag, home).unwrap() {
            SigningKey::File(path) => path,
            literal @ SigningKey::Literal { .. } => panic!("{literal}"),
        };
        assert_eq!(file("", None), home.join(".ssh/id_ed25519"));
        assert_eq!(file("~/work", None), home.join("work"));
        assert_eq!(file(home.join("work").to_str().unwrap(), None), home.join("work"));
        assert_eq!(file(LINE, Some("other")), Path::new("other"));
        for (key, part) in [
            ("~/gone", "~/gone"),
            ("/nowhere/id_ed25519.pub", "/nowhere/id_ed25519.pub"),
            ("0xDEADBEEF", "0xDEADBEEF"),
            ("key::", "has no key"),
            ("key::~/work", "has no key"),
            ("ssh-ed25519 AAAA", "cannot be read"),
            ("ssh-ed25519", "`ssh-ed25519`"),
            ("~other/.ssh/key", "~other"),
        ] {
            let text = why(with(key, None, home));
            assert!(text.contains("user.signingkey") && text.contains(part), "{key}: {text}");
        }
    }

    #[test]
    fn a_key_itself_is_handed_over_in_a_file_and_only_it_may_sign() {
        for text in [LINE.to_owned(), format!("key::{LINE}"), format!("{LINE} ana@example.com")] {
            let found = with(&text, None, Path::new("/nowhere")).unwrap();
            let written = std::fs::read_to_string(found.path()).unwrap();
            assert!(written.starts_with(LINE), "{written}");
            assert!(found.may_be(&key_of_line(LINE).unwrap()));
            let other = LINE.replace("IKH2", "IKH3");
            assert!(!found.may_be(&key_of_line(&other).unwrap()));
            let path = found.path().to_owned();
            drop(found);
            assert!(!path.exists());
        }
    }

    #[test]
    fn the_command_of_git_is_not_passed_over_in_silence() {
        let setting = |name: &str| (name == "gpg.ssh.defaultKeyCommand").then(|| "x".to_owned());
        let text = why(find(None, setting, None));
        assert!(text.contains("gpg.ssh.defaultKeyCommand"), "{text}");
    }
}
