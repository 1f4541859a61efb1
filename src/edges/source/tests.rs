use std::collections::HashSet;
use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags};

use super::below::{open, read_file};
use super::look::{Look, look_at, lose, read, read_below};
use super::rules::{MAX_BYTES, MAX_DEPTH, judge};
use super::signatures::{MAX_BESIDE, SignatureFiles};
use super::walk::{Budget, Chunk, Unread};
use super::*;
use crate::domain::fleet::Desired;
use crate::domain::manifest::Documents;
use crate::domain::manifest::Unusable;
use crate::domain::manifest::UnusableKind;
use crate::domain::manifest::finding::Code;
use crate::domain::wipe::WipeFile;

const PROFILE: &str = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\nspec: {platforms: [windows]}\n";

fn device(name: &str, serial: &str) -> String {
    format!(
        "apiVersion: fleetform/v1\nkind: Device\nmetadata:\n  name: {name}\nspec:\n  serialNumber: {serial}\n  userEmail: a@example.com\n  profile: Standard\n  osVersion: \"10.0\"\n"
    )
}

struct Fleet(tempfile::TempDir);

impl Fleet {
    fn new() -> Self {
        let fleet = Self(tempfile::tempdir().unwrap());
        fleet.put("profile.yaml", PROFILE);
        fleet.put("good.yaml", device("good", "GOOD"));
        fleet
    }
    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }
    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }
    /// Everything but the good device is damage, and the good device is there.
    fn expect(&self, findings: &[(Code, &str)], damaged: &[(&str, UnusableKind)]) -> Desired {
        let desired = load(self.0.path());
        let found: Vec<_> = desired.findings.iter().map(|f| (f.code, &*f.span.path)).collect();
        assert_eq!(found, findings, "{:#?}", desired.findings);
        let lost: Vec<_> = desired
            .unusable
            .iter()
            .map(|Unusable { place, what }| (&*place.path, what.clone()))
            .collect();
        assert_eq!(lost, damaged);
        assert_eq!(desired.devices.len(), 1);
        assert_eq!(desired.missing, None);
        desired
    }
}

#[test]
fn reads_all_layouts_and_only_yaml() {
    let fleet = Fleet::new();
    fleet.put("a/b/c.yml", device("c", "C"));
    fleet.put("a/two.yaml", device("d", "D") + "---\n" + &device("e", "E"));
    for ignored in [".hidden.yaml", ".git/x.yaml", "README.md", "a.yaml.sig", "x.YAML", "yaml"] {
        fleet.put(ignored, "][");
    }
    let desired = load(fleet.0.path());
    let serials: Vec<_> = desired.devices.iter().map(|d| d.spec.serial_number.as_str()).collect();
    assert_eq!(serials, ["C", "D", "E", "GOOD"]);
    assert_eq!(&*desired.devices[0].place.path, "a/b/c.yml");
    assert_eq!((desired.device_documents, desired.findings.len()), (4, 0));
}

#[test]
fn a_missing_root_says_so_and_is_not_an_empty_fleet() {
    let dir = tempfile::tempdir().unwrap();
    let gone = load(&dir.path().join("gone"));
    assert!(gone.missing.unwrap().contains("No such file"));
    let fleet = Fleet::new();
    assert!(load(&fleet.path("good.yaml")).missing.is_some());
    assert_eq!(load(dir.path()), Desired::default());
}

#[test]
fn the_root_may_be_a_symlink_and_nothing_below_it() {
    let fleet = Fleet::new();
    let outside = tempfile::tempdir().unwrap();
    symlink(fleet.0.path(), outside.path().join("current")).unwrap();
    assert_eq!(load(&outside.path().join("current")), load(fleet.0.path()));

    symlink("/etc/passwd", fleet.path("out.yaml")).unwrap();
    symlink("good.yaml", fleet.path("in.yaml")).unwrap();
    symlink("/etc", fleet.path("dir")).unwrap();
    symlink(".", fleet.path("loop")).unwrap();
    symlink("nowhere", fleet.path(".ignored")).unwrap();
    let paths = ["dir", "in.yaml", "loop", "out.yaml"];
    fleet.expect(&paths.map(|p| (Code::Symlink, p)), &paths.map(|p| (p, UnusableKind::Directory)));
}

#[test]
fn fifos_and_sockets_neither_hang_nor_pass() {
    let fleet = Fleet::new();
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(CWD, fleet.path("fifo.yaml"), FileType::Fifo, mode, 0).unwrap();
    rustix::fs::mknodat(CWD, fleet.path("fifo.txt"), FileType::Fifo, mode, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(fleet.path("socket.yml")).unwrap();
    let paths = ["fifo.yaml", "socket.yml"];
    fleet.expect(&paths.map(|p| (Code::NotAFile, p)), &paths.map(|p| (p, UnusableKind::File)));
}

#[test]
fn what_becomes_a_fifo_or_symlink_after_the_listing_is_caught() {
    let fleet = Fleet::new();
    rustix::fs::mknodat(CWD, fleet.path("f.yaml"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    symlink("good.yaml", fleet.path("s.yaml")).unwrap();
    symlink(".", fleet.path("d")).unwrap();
    let root = open(CWD, fleet.0.path(), OFlags::DIRECTORY).unwrap();
    let names = [c"f.yaml", c"s.yaml"];
    let look = Look::at_all(HashSet::new(), Budget::of_system());
    let all = |path| read(root.as_fd(), &Chunk::new(path, &names), &look);
    let found = all("").unwrap();
    let codes: Vec<_> = found.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::NotAFile, Code::Symlink]);
    assert!(matches!(all("d/"), Err(Unread::Changing)), "it was a directory a moment ago");
}

#[test]
fn sizes_are_bounded() {
    let fleet = Fleet::new();
    fleet.put("sparse.yaml", "");
    fs::OpenOptions::new()
        .write(true)
        .open(fleet.path("sparse.yaml"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    fleet.put("more.yaml", vec![b'#'; MAX_BYTES + 1]);
    fleet.put("most.yaml", vec![b'#'; MAX_BYTES]);
    fleet.put("zero.yaml", "");
    fleet.expect(
        &[
            (Code::FileTooLarge, "more.yaml"),
            (Code::FileTooLarge, "sparse.yaml"),
            (Code::EmptyFile, "zero.yaml"),
        ],
        &["more.yaml", "sparse.yaml", "zero.yaml"].map(|p| (p, UnusableKind::File)),
    );
}

#[test]
fn every_size_is_read_whole() {
    let fleet = Fleet::new();
    let root = open(CWD, fleet.0.path(), OFlags::DIRECTORY).unwrap();
    for size in [1, 4095, 4096, 100_000, MAX_BYTES] {
        fleet.put("f", vec![b'x'; size]);
        let mut bytes = vec![1, 2, 3];
        read_file(&root, c"f", &mut bytes, MAX_BYTES).unwrap();
        assert_eq!(bytes, vec![b'x'; size]);
    }
}

#[test]
fn bad_names_are_shown_harmlessly() {
    use std::os::unix::ffi::OsStrExt;
    let fleet = Fleet::new();
    fleet.put("a\u{202e}.yaml", PROFILE);
    fleet.put("d\n/x.yaml", PROFILE);
    let bad = std::ffi::OsStr::from_bytes(b"z\xff.yml");
    fs::copy(fleet.path("good.yaml"), fleet.0.path().join(bad)).unwrap();
    let paths = ["a\u{fffd}.yaml", "d\u{fffd}", "z\u{fffd}.yml"];
    let what = [UnusableKind::File, UnusableKind::Directory, UnusableKind::File];
    let lost: Vec<_> = paths.into_iter().zip(what).collect();
    fleet.expect(&paths.map(|p| (Code::InvalidPath, p)), &lost);
}

#[test]
fn directories_are_entered_to_a_depth() {
    let fleet = Fleet::new();
    let deepest = "d/".repeat(MAX_DEPTH);
    fleet.put(&format!("{deepest}ok.txt"), "");
    fleet.expect(&[], &[]);
    fleet.put(&format!("{deepest}d/x.yaml"), device("x", "X"));
    let path = format!("{deepest}d");
    fleet.expect(&[(Code::InvalidPath, &path)], &[(&path, UnusableKind::Directory)]);
}

#[test]
fn what_the_system_does_not_let_us_read_may_hold_anything() {
    use crate::edges::fs::guarded::Refused;
    use rustix::io::Errno;
    let lost = |refused| {
        let mut lost = Documents::default();
        lose(&mut lost, &"a.yaml".into(), refused).map(|()| lost)
    };
    for (refused, what) in [
        (Refused::System(Errno::ACCESS), UnusableKind::Unread),
        (Refused::System(Errno::IO), UnusableKind::Unread),
        (Refused::Changing, UnusableKind::Unread),
        (Refused::TooLarge(9), UnusableKind::File),
        (Refused::Link, UnusableKind::File),
        (Refused::NotAFile, UnusableKind::File),
    ] {
        let lost = lost(refused).unwrap();
        assert_eq!((&lost.unusable[0].what, lost.device_documents), (&what, 1), "{refused}");
    }
    // What fails for one file now fails for others, and nobody knows for which.
    for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM] {
        assert!(matches!(lost(Refused::System(errno)), Err(Unread::Io(_))), "{errno}");
    }
    // It was listed, and is gone: perhaps to a directory that was listed before.
    for errno in [Errno::NOENT, Errno::NOTDIR, Errno::STALE] {
        assert!(matches!(lost(Refused::System(errno)), Err(Unread::Changing)), "{errno}");
    }
}

#[test]
fn a_fleet_that_needs_more_memory_than_there_is_is_nothing_to_act_on() {
    let fleet = Fleet::new();
    for n in 0..5 {
        fleet.put(&format!("d{n}/x.yaml"), device(&format!("n{n}"), &format!("S{n}")));
    }
    let root = open(CWD, fleet.0.path(), OFlags::DIRECTORY).unwrap();
    // Two files and five directories at the root, a file in each of these, and their content.
    let (entries, content) = (12 * 2048, 3 * (6 * device("n0", "S0").len() + PROFILE.len()) as u64);
    let read = |bytes| read_below(&root, &Look::at_all(HashSet::new(), Budget::new(bytes)));
    assert!(read(entries + content + 64).is_ok());
    for bytes in [0, 2048, 7 * 2048, entries - 1, entries + content / 2] {
        assert!(matches!(read(bytes), Err(Unread::TooLarge(all)) if all == bytes), "{bytes}");
        let look = |_: &_| Ok(Look::at_all(HashSet::new(), Budget::new(bytes)));
        let error = look_at(fleet.0.path(), look).err().map_or(String::new(), |e| e.to_string());
        assert!(error.contains("more memory than there is"), "{error}");
    }
}

/// Ends what goes on in another thread.
struct Stops<'a>(&'a std::sync::atomic::AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

#[test]
fn a_fleet_that_changes_while_it_is_read_is_read_again_and_never_taken_in_part() {
    let fleet = Fleet::new();
    for n in 0..200 {
        fleet.put(&format!("d{}/{n}.yaml", n % 20), device(&format!("n{n}"), &format!("S{n}")));
    }
    // One device moves from directory to directory: it is always there.
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (mut taken, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        // Also where an assertion fails: nobody waits for ever.
        let _stops = Stops(&stop);
        scope.spawn(|| {
            let at = |n: usize| fleet.path(&format!("d{}/moving.yaml", n % 20));
            fleet.put("d0/moving.yaml", device("moving", "MOVING"));
            for n in 0.. {
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                fs::rename(at(n * 7), at((n + 1) * 7)).unwrap();
            }
        });
        while !fleet.path("d0/moving.yaml").exists() && !fleet.path("d7/moving.yaml").exists() {
            std::thread::yield_now();
        }
        for _ in 0..100 {
            let desired = load(fleet.0.path());
            match &desired.missing {
                Some(why) => {
                    assert!(why.contains("kept changing"), "{why}");
                    refused += 1;
                }
                None => {
                    assert_eq!((desired.devices.len(), &desired.findings[..]), (202, &[][..]));
                    taken += 1;
                }
            }
        }
    });
    assert_eq!(taken + refused, 100);
    assert_eq!(load(fleet.0.path()).devices.len(), 202);
}

#[test]
fn what_the_file_system_does_not_tell_the_kind_of_may_be_a_directory() {
    let (what, (code, ..)) = judge(c"madrid", FileType::Unknown, 0).unwrap_err();
    assert_eq!((what, code), (UnusableKind::Directory, Code::Unreadable));
}

#[test]
fn a_git_repository_in_the_fleet_is_found() {
    let cases: [(&[&str], &[&str]); 8] = [
        (&["HEAD", "objects/x", "refs/x"], &["."]),
        (&["a/head", "a/Objects/x", "a/REFS/x"], &["a"]),
        (&["a/HEAD", "a/commondir"], &["a"]),
        (&["a/b/.git"], &["a/b"]),
        (&["a/.git/config"], &["a"]),
        (&[".git/HEAD", ".git/objects/x", ".git/refs/x"], &[]),
        (&["HEAD", "objects/x"], &[]),
        (&["a/HEAD", "objects/x", "refs/x"], &[]),
    ];
    for (files, expected) in cases {
        let fleet = Fleet::new();
        files.iter().for_each(|file| fleet.put(file, "x"));
        fleet.put("a/x.yaml", device("n", "S"));
        let desired = load(fleet.0.path());
        let found: Vec<_> = desired
            .findings
            .iter()
            .filter(|finding| finding.code == Code::GitDirectory)
            .map(|finding| &*finding.span.path)
            .collect();
        assert_eq!(found, expected, "{files:?}");
        assert!(desired.unusable.iter().all(|d| &*d.place.path != "a"), "{files:?}: it is no loss");
    }
}

#[test]
fn order_on_disk_does_not_matter() {
    let (a, b) = (Fleet::new(), Fleet::new());
    let names: Vec<_> = (0..300).map(|n| (format!("s{}/{n}.yaml", n % 3), n)).collect();
    let text = |n: i32| device(&format!("n{}", n % 290), &format!("S{}", n % 280));
    names.iter().for_each(|(path, n)| a.put(path, text(*n)));
    names.iter().rev().for_each(|(path, n)| b.put(path, text(*n)));
    let desired = load(a.0.path());
    assert_eq!(desired, load(b.0.path()));
    assert!(!desired.findings.is_empty());
}

#[test]
fn the_sample_fleet_is_without_fault() {
    let desired = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fleet"));
    assert_eq!(desired.findings, []);
    assert_eq!(desired.unusable, []);
    assert_eq!(desired.profiles.len(), 3);
    assert_eq!((desired.devices.len(), desired.device_documents), (12, 12));
}

#[test]
fn a_signature_file_is_read_once_for_all_requests_that_it_is_named_like() {
    let fixture = Fleet::new();
    let name = |n: usize| format!("a{}", ".yaml".repeat(n));
    for n in 1..=20 {
        let text = format!(
            "apiVersion: fleetform/v1\nkind: WipeRequest\nmetadata: {{name: w{n}}}\nspec:\n  \
             ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21\n  deviceId: D001\n  serialNumber: A\n  \
             scope: full\n  reason: lost\n  requestedBy: a@b.c\n  confirm: true\n  \
             issuedAt: 2026-11-22T10:00:00Z\n  expiresAt: 2026-11-23T10:00:00Z\n"
        );
        fixture.put(&name(n), &text);
    }
    let all = name(20);
    fixture.put(&format!("{all}.sig"), "x");
    let directory = open(CWD, fixture.0.path(), OFlags::DIRECTORY).unwrap();
    let mut beside = SignatureFiles::list(directory).unwrap();
    let (mut room, mut wipe) = (MAX_BESIDE, WipeFile::clone(&load(fixture.0.path()).wipes[0]));
    wipe.signatures.clear();
    beside.fill(&name(1), "", &mut wipe, &mut room);
    // What was read is kept: nobody looks at the file again.
    fs::remove_file(fixture.path(&format!("{all}.sig"))).unwrap();
    beside.fill(&name(2), "", &mut wipe, &mut room);
    assert_eq!((wipe.signatures.len(), wipe.unreadable.len()), (1, 0));
    assert_eq!(room, MAX_BESIDE - 2);
    // And there is an end to the work, which no request overlooks.
    let mut none = 0;
    beside.fill(&name(3), "", &mut wipe, &mut none);
    assert_eq!(wipe.unreadable.len(), 1);
}
