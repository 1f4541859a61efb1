use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::side::{Entry, Side};
use super::*;
use crate::domain::diff::{Difference, diff};
use crate::domain::manifest::finding::Code;
use crate::edges::source;
use crate::edges::source::git_process::Git;

const PROFILE: &str = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\n\
                       spec: {platforms: [windows]}\n";

fn device(name: &str, serial: &str, version: &str) -> String {
    format!(
        "apiVersion: fleetform/v1\nkind: Device\nmetadata: {{name: {name}}}\nspec:\n  \
         serialNumber: {serial}\n  userEmail: a@example.com\n  profile: Standard\n  \
         platform: windows\n  osVersion: \"{version}\"\n"
    )
}

/// A repository with a fleet in `sub/fleet`.
struct Fixture {
    dir: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { dir: tempfile::tempdir().unwrap() };
        fixture.git(&["init", "-q", "-b", "main"]);
        fixture.write("p.yaml", PROFILE);
        fixture.write("a.yaml", &device("a", "A1", "1.0"));
        fixture.write("b/b.yaml", &device("b", "B1", "1.0"));
        fixture
    }
    fn root(&self) -> PathBuf {
        self.dir.path().join("sub/fleet")
    }
    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fn git(&self, args: &[&str]) {
        let done = Command::new("git")
            .current_dir(self.dir.path())
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    fn commit(&self, tag: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", tag]);
        self.git(&["tag", tag]);
    }
    fn repository(&self) -> Repository {
        Repository::open(&self.root()).unwrap()
    }
}

fn told(repository: &Repository) -> Vec<String> {
    let [(_, base), (_, head)] = repository.compare("one", "two").unwrap();
    let devices = diff(&base, &head).devices;
    devices.iter().map(|d| format!("{} {}", d.difference, d.device.spec.name)).collect()
}

#[test]
fn a_revision_is_what_the_directory_was() {
    let fixture = Fixture::new();
    fixture.write(".hidden/x.yaml", "x: [");
    fixture.write("notes.txt", "not a manifest");
    fixture.write("big.yaml", &"# x\n".repeat(300_000));
    fixture.write("evil\u{202e}.yaml", "x");
    fixture.write("evil\u{7}dir/x.yaml", "x");
    fixture.write("broken.yaml", "a: [");
    std::os::unix::fs::symlink("a.yaml", fixture.root().join("link.yaml")).unwrap();
    let deep = (0..34).map(|n| format!("d{n}/")).collect::<String>();
    fixture.write(&format!("{deep}x.yaml"), "x");
    let wipe = "apiVersion: fleetform/v1\nkind: WipeRequest\nmetadata: {name: w}\nspec:\n  \
                ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21\n  deviceId: D007\n  serialNumber: A1\n  scope: full\n  reason: lost\n  \
                requestedBy: bob@example.com\n  confirm: true\n  \
                issuedAt: 2026-11-22T10:00:00Z\n  expiresAt: 2026-11-23T10:00:00Z\n";
    fixture.write("w/w.yaml", wipe);
    fixture.write("w/w.yaml.carol.sig", "signature");
    fixture.write("w/w.yaml.veto.sig", "veto");
    fixture.write("w.yaml.sig", "of another directory");
    fixture.commit("one");
    let repository = fixture.repository();
    let loaded = repository.load(&repository.commit("one").unwrap()).unwrap();
    let on_disk = source::load(&fixture.root());
    assert_eq!(on_disk.findings.len(), 6, "{:#?}", on_disk.findings);
    assert_eq!(loaded, on_disk);
    assert_eq!(loaded.wipes[0].signatures.len() + loaded.wipes[0].vetoes.len(), 2);

    // The same from a bare clone, where there is no fleet directory.
    let bare = tempfile::tempdir().unwrap();
    let target = bare.path().join("bare.git");
    fixture.git(&["clone", "-q", "--bare", ".", target.to_str().unwrap()]);
    let repository = Repository { git: Git::Named(target), prefix: "sub/fleet/".into() };
    let commit = repository.commit("one").unwrap();
    assert_eq!(repository.load(&commit).unwrap(), on_disk);
}

#[test]
fn only_what_differs_is_told() {
    let fixture = Fixture::new();
    fixture.commit("one");
    fixture.write("a.yaml", &device("a", "A1", "2.0"));
    fixture.write("../other.yaml", "outside of the fleet");
    fixture.commit("two");
    assert_eq!(told(&fixture.repository()), ["changed a"]);
}

#[test]
fn the_rest_is_read_where_it_matters() {
    for (write, expected) in [
        // New, and so perhaps in conflict with one that is not read otherwise.
        (("c.yaml", device("c", "B1", "1.0")), vec!["held b"]),
        (("c.yaml", device("c", "C1", "1.0")), vec!["added c"]),
        (("p.yaml", PROFILE.replace("windows", "ios")), vec!["held a", "held b"]),
        (("b/b.yaml", "b: [".to_owned()), vec!["held b"]),
        (("b/b.yaml", device("a", "B1", "1.0")), vec!["held a", "held b"]),
    ] {
        let fixture = Fixture::new();
        fixture.commit("one");
        fixture.write(write.0, &write.1);
        fixture.commit("two");
        assert_eq!(told(&fixture.repository()), expected);
    }
}

/// What is parsed leads to more: the device of a profile that changes is in conflict with one
/// that has nothing to do with the change.
#[test]
fn what_may_be_affected_is_followed_from_file_to_file() {
    let other = PROFILE.replace("Standard", "Other");
    for (name, serial, told) in [
        ("c", "C1", vec!["changed profile Standard: a b"]),
        ("c", "\"b1\"", vec!["changed profile Standard: a"]),
        ("b", "C1", vec!["changed profile Standard: a"]),
        ("b", "\"\\x43\"", vec!["changed profile Standard: a"]),
    ] {
        let fixture = Fixture::new();
        fixture.write("other.yaml", &other);
        let third = device(name, serial, "1.0").replace("profile: Standard", "profile: Other");
        fixture.write("c.yaml", &third);
        fixture.commit("one");
        let before = source::load(&fixture.root());
        fixture.write("p.yaml", &(PROFILE.replace("[windows]", "[windows], apps: [VPN]")));
        fixture.commit("two");
        let [(_, base), (_, head)] = fixture.repository().compare("one", "two").unwrap();
        let found = diff(&base, &head);
        assert_eq!(found, diff(&before, &source::load(&fixture.root())));
        let profiles: Vec<_> = found
            .profiles
            .iter()
            .map(|profile| {
                let reached = profile.reaches.iter().map(|d| d.spec.name.as_str());
                let reached = reached.collect::<Vec<_>>().join(" ");
                format!("{} profile {}: {reached}", profile.difference, profile.name)
            })
            .collect();
        assert_eq!(profiles, told, "{name} {serial}");
    }
}

#[test]
fn a_fleet_may_begin() {
    let fixture = Fixture::new();
    fixture.git(&["commit", "-q", "--allow-empty", "-m", "before"]);
    fixture.git(&["tag", "one"]);
    fixture.commit("two");
    assert_eq!(told(&fixture.repository()), ["added a", "added b"]);
}

#[test]
fn renaming_is_moving() {
    let fixture = Fixture::new();
    fixture.commit("one");
    fixture.git(&["mv", "sub/fleet/b", "sub/fleet/c"]);
    fixture.commit("two");
    let repository = fixture.repository();
    let [(_, base), (_, head)] = repository.compare("one", "two").unwrap();
    let diff = diff(&base, &head);
    assert_eq!(diff.devices[0].difference, Difference::Moved);
    assert!(!diff.is_change());
}

#[test]
fn errors_say_what_is_the_matter() {
    let fixture = Fixture::new();
    fixture.commit("one");
    fixture.write("a.yaml", &device("a", "A1", "2.0"));
    fixture.commit("two");
    let repository = fixture.repository();
    for bad in ["nothing", "--all", "-x", "one:", ""] {
        let error = repository.commit(bad).unwrap_err();
        assert!(matches!(error, Error::NoCommit { shallow: false, .. }), "{bad}: {error}");
    }
    let clone = tempfile::tempdir().unwrap();
    let target = clone.path().join("shallow");
    let from = format!("file://{}", fixture.dir.path().display());
    fixture.git(&["clone", "-q", "--depth=1", "--no-tags", &from, target.to_str().unwrap()]);
    let shallow = Repository::open(&target.join("sub/fleet")).unwrap();
    let error = shallow.commit("one").unwrap_err();
    assert!(matches!(error, Error::NoCommit { shallow: true, .. }), "{error}");
    assert!(matches!(Repository::open(clone.path()), Err(Error::NoRepository(_))));
    assert!(matches!(shallow.compare("one", "HEAD"), Err(Error::NoCommit { shallow: true, .. })));
    for bad in ["--all", "one..two", "^one", "one^@"] {
        let error = repository.compare(bad, "two").unwrap_err();
        assert!(matches!(error, Error::NoCommit { .. }), "{bad}: {error}");
    }
    fs::create_dir(fixture.dir.path().join("nowhere")).unwrap();
    let gone = Repository::open(&fixture.dir.path().join("nowhere")).unwrap();
    assert!(matches!(gone.compare("one", "two"), Err(Error::NoDirectory { .. })));
    let error = gone.load(&gone.commit("one").unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "`one` has no directory `nowhere`");
}

/// Its parts may come in one change or, as here, one after the other.
#[test]
fn a_git_repository_in_the_fleet_is_found_in_revisions_as_on_disk() {
    let fixture = Fixture::new();
    fixture.write("b/HEAD", "ref: refs/heads/main");
    fixture.write("b/refs/x", "");
    fixture.commit("one");
    fixture.write("b/objects/x", "");
    fixture.write("a.yaml", &device("a", "A1", "2.0"));
    fixture.commit("two");
    let repository = fixture.repository();
    let on_disk = source::load(&fixture.root());
    assert_eq!(on_disk.findings[0].code, Code::GitDirectory);
    assert_eq!(repository.load(&repository.commit("two").unwrap()).unwrap(), on_disk);
    let [(_, base), (_, head)] = repository.compare("one", "two").unwrap();
    assert_eq!((base.findings, head.findings), (vec![], on_disk.findings));
}

#[test]
fn more_manifests_than_are_read_are_an_error() {
    let entry = |n| Entry { path: format!("{n}.yaml").into(), mode: 0o100_644, id: "".into() };
    let entries: Vec<_> = (0..3).map(entry).collect();
    assert!(Side::within(&entries, "main", 3).is_ok());
    let error = Side::within(&entries, "main", 2).err().map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some(
            "`main` has more manifests than there is memory for: give it more, or split the fleet"
        )
    );
}
