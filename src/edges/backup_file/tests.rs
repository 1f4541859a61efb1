//! Whole backups come back, and no other.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::contents::MEMBERS;
use super::tar::{self, BLOCK};
use super::{About, Error, LOG, Member, OUTBOX, STATE, open, write};
use crate::domain::model::{Digest, Timestamp};

fn about() -> About {
    About {
        made_at: Timestamp::from_millis(1_763_800_000_123),
        lineage: "4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21".parse().unwrap(),
        seq: 7,
        head: Digest::of(b"line"),
    }
}

/// Members that end in the middle of a block, at its end, and before it begins.
fn contents() -> [Vec<u8>; 3] {
    [b"one line\n".to_vec(), vec![b'x'; BLOCK * 2], Vec::new()]
}

fn make(path: &Path) -> u64 {
    let [log, state, outbox] = contents();
    let members = [
        Member { name: LOG, content: &|out| out.write_all(&log) },
        Member { name: STATE, content: &|out| out.write_all(&state) },
        Member { name: OUTBOX, content: &|out| out.write_all(&outbox) },
    ];
    write(path, about(), members).unwrap()
}

fn unpacked(path: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let into = tempfile::tempdir().unwrap();
    open(path)?.unpack(into.path())?;
    let names: Vec<_> = fs::read_dir(into.path()).unwrap().collect();
    assert_eq!(names.len(), MEMBERS.len(), "nothing else was written");
    Ok(MEMBERS.iter().map(|name| fs::read(into.path().join(name)).unwrap()).collect())
}

#[test]
fn what_was_put_in_comes_out_and_only_its_owner_may_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("backup.tar");
    fs::write(&path, "an older one").unwrap();
    let length = make(&path);
    assert_eq!(fs::metadata(&path).unwrap().len(), length);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(open(&path).unwrap().contents().about, about());
    assert_eq!(unpacked(&path).unwrap(), contents());
}

#[test]
fn tar_reads_it_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("backup.tar");
    make(&path);
    let tar = |args: &[&str]| {
        let done = Command::new("tar").args(args).arg(&path).current_dir(dir.path()).output();
        let done = done.expect("tar is needed: tests/run installs it, or says how");
        assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let names = format!("fleetform-backup.json\n{}\n", MEMBERS.join("\n"));
    assert_eq!(tar(&["--list", "--file"]), names);
    tar(&["--extract", "--file"]);
    assert_eq!(fs::read(dir.path().join(STATE)).unwrap(), contents()[1]);
}

#[test]
fn no_byte_can_be_changed_cut_or_added() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("backup.tar");
    make(&path);
    let whole = fs::read(&path).unwrap();
    let changed = dir.path().join("changed.tar");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&changed, &bytes).unwrap();
        // What the first member says of itself is only text, and a comment changes no member.
        let read = unpacked(&changed);
        let of_contents = (BLOCK..BLOCK * 4).contains(&at);
        assert!(
            read.is_err() || (of_contents && read.as_ref().unwrap() == &contents()),
            "byte {at}"
        );
    }
    for length in [0, 1, BLOCK - 1, BLOCK, whole.len() / 2, whole.len() - BLOCK, whole.len() - 1] {
        fs::write(&changed, &whole[..length]).unwrap();
        assert!(unpacked(&changed).is_err(), "{length} bytes");
    }
    fs::write(&changed, [&whole[..], &[0; BLOCK]].concat()).unwrap();
    assert!(unpacked(&changed).is_err(), "a block more");
}

/// A backup of any making, with a header that is right for what it says.
fn forged(first: &str, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut add = |name: &str, content: &[u8]| {
        bytes.extend(tar::header(name, content.len() as u64, 1_763_800_000));
        bytes.extend(content);
        bytes.extend(vec![0; tar::padding(content.len() as u64)]);
    };
    add("fleetform-backup.json", first.as_bytes());
    members.iter().for_each(|(name, content)| add(name, content));
    bytes.extend(tar::END);
    bytes
}

#[test]
fn a_file_of_others_writes_nothing_anywhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("backup.tar");
    let describe = |names: &[&str], size: u64| {
        let members: Vec<_> = names
            .iter()
            .map(|name| serde_json::json!({"name": name, "bytes": size, "sha256": Digest::of(b"")}))
            .collect();
        let about = serde_json::to_value(about()).unwrap();
        serde_json::json!({"version": 1, "program": "x", "about": about, "members": members})
            .to_string()
    };
    let empty = |names: &[&'static str]| names.iter().map(|n| (*n, &b""[..])).collect::<Vec<_>>();
    let outside = ["../escaped", "/etc/escaped", STATE];
    for (what, bytes, says) in [
        ("its own names", forged(&describe(&outside, 0), &empty(&outside)), "does not name"),
        ("other headers", forged(&describe(&MEMBERS, 0), &empty(&outside)), "the header of"),
        ("too few", forged(&describe(&MEMBERS[..2], 0), &empty(&MEMBERS[..2])), "does not name"),
        (
            "twice",
            forged(&describe(&[LOG, LOG, LOG], 0), &empty(&[LOG, LOG, LOG])),
            "does not name",
        ),
        ("huge", forged(&describe(&MEMBERS, tar::MOST), &empty(&MEMBERS)), "should have"),
        ("endless", forged(&describe(&MEMBERS, u64::MAX), &empty(&MEMBERS)), "does not name"),
        ("newer", forged(r#"{"version":2,"more":[]}"#, &[]), "of format 2"),
        ("no JSON", forged("nonsense", &[]), "expected ident"),
        ("too long", forged(&" ".repeat(1 << 17), &[]), "impossible size"),
        ("another archive", tar::header("etc/passwd", 0, 0).to_vec(), "does not begin with"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = unpacked(&path).unwrap_err().to_string();
        assert!(error.contains(says), "{what}: {error}");
    }
    assert!(!dir.path().join("escaped").exists() && !Path::new("/etc/escaped").exists());
    // A file that is none waits for nobody.
    let error = open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("is not a regular file"), "{error}");
}
