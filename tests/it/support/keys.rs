//! AffectedFiles that sign as administrators' do, and the lines of the trust file that make them count.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use fleetform::domain::model::Digest;

pub const WIPE: &str = "wipe@fleetform";
pub const VETO: &str = "wipe-veto@fleetform";

/// Key files, made once by ssh-keygen: what is signed with them is what administrators make.
/// They stay with the build, since nothing ends a static.
static KEYS: LazyLock<PathBuf> = LazyLock::new(|| {
    let build = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let keys = build.join("wipe-keys");
    if keys.is_dir() {
        return keys;
    }
    let dir = tempfile::tempdir_in(build).expect("a directory");
    for (name, kind) in [
        ("bob", "ed25519"),
        ("bob2", "ecdsa"),
        ("carol", "ecdsa"),
        ("dave", "ed25519"),
        ("eve", "ed25519"),
        ("rsa", "rsa"),
    ] {
        let status = Command::new("ssh-keygen")
            .args(["-q", "-N", "", "-C", name, "-t", kind, "-f"])
            .arg(dir.path().join(name))
            .status()
            .expect("ssh-keygen is needed: apt-get install openssh-client");
        assert!(status.success(), "{name}");
    }
    // Another process may have been faster: then its keys serve.
    if fs::rename(dir.path(), &keys).is_err() {
        assert!(keys.is_dir(), "there are keys");
    }
    keys
});

pub fn key(name: &str) -> PathBuf {
    KEYS.join(name)
}

/// `type base64`
pub fn public(name: &str) -> String {
    let line = fs::read_to_string(key(name).with_extension("pub")).expect("a public key");
    line.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// What `ssh-keygen -Y sign` makes of these bytes.
pub fn signature(who: &str, namespace: &str, bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
        .arg(key(who))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("ssh-keygen is needed: apt-get install openssh-client");
    child.stdin.take().expect("its input").write_all(bytes).expect("written");
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success(), "{who} cannot sign");
    output.stdout
}

/// A line of the trust file: `options` end in a comma.
pub fn line(who: &str, options: &str, key: &str) -> String {
    format!("{who}@example.com {options}namespaces=\"{WIPE}\" {}\n", public(key))
}

pub fn trusted(who: &str) -> String {
    line(who, "", who)
}

pub fn digest(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}
