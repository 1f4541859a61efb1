#![expect(clippy::disallowed_methods, reason = "files as others would put them there")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use super::document::{Owner, decode};
use super::*;
use crate::domain::model::{Asker, DeviceId, SerialNumber, SyncFile, Timestamp};

fn named(n: u32) -> (DeviceId, SerialNumber) {
    (format!("D{n:03}").parse().unwrap(), format!("SN{n}").parse().unwrap())
}

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

/// A file of that name, as a program other than ours would write it.
fn put(data: &Path, name: &str, text: &str) {
    fs::create_dir_all(data.join(DIRECTORY)).unwrap();
    fs::write(data.join(DIRECTORY).join(name), text).unwrap();
}

fn text(n: u32, devices: &str) -> String {
    format!(
        r#"{{"version":1,"request":"sync","id":"0b2f5c1e-93a2-4b58-9d53-5d7b0a1c2d{n:02}","at":"2026-11-22T09:00:00Z","by":"uid=0(root)","devices":[{devices}]}}"#
    )
}

const ONE: &str = r#"{"id":"D001","serialNumber":"SN1"}"#;
const TWO: &str = r#"{"id":"D001","serialNumber":"SN1"},{"id":"D002","serialNumber":"SN2"}"#;

fn names(data: &Path, below: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(data.join(below)).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn all_taken(_: &str) -> RequestOutcome {
    RequestOutcome::Taken { waiting: BTreeSet::new() }
}

#[test]
fn what_is_handed_in_is_read_as_it_was_meant_and_goes_once_it_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let by = format!("uid={}(ana)", rustix::process::getuid().as_raw());
    let path = submit(dir.path(), &by, &[named(1), named(2)], now()).unwrap();
    assert!(path.starts_with(dir.path().join("requests")));
    let requests = read(dir.path());
    let [SyncFile { request, devices }] = requests.syncs() else { panic!("{requests:?}") };
    assert_eq!((request.at, &devices[..]), (now(), &[named(1), named(2)][..]));
    assert_eq!(request.by, Asker { by: by.into(), claims: None });
    assert_eq!(
        &*request.origin,
        format!("requests/{}", path.file_name().unwrap().to_str().unwrap())
    );
    assert!(path.exists(), "looking changes nothing");
    requests.let_go(all_taken).unwrap();
    assert_eq!(names(dir.path(), "requests"), BTreeSet::new());
}

#[test]
fn a_bad_file_is_set_aside_byte_for_byte_with_its_reason_and_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    put(data, "good.json", &text(1, ONE));
    let bad = [
        ("json", "nonsense\u{1b}", "expected ident"),
        ("empty", "", "EOF while parsing"),
        ("field", &text(2, ONE).replace("\"by\"", "\"who\""), "unknown field"),
        ("none", &text(3, ""), "names no device"),
        ("other", &text(4, ONE).replace("\"sync\"", "\"wipe\""), "only \"sync\" can be requested"),
        ("newer", &text(5, ONE).replace("\"version\":1", "\"version\":2"), "a newer fleetform"),
        ("id", &text(6, ONE).replace("D001", "../D001"), "is not a request"),
        ("who", &text(7, ONE).replace("uid=0(root)", "\\u202e"), "does not say who asked"),
        ("twice", &(text(8, ONE) + &text(9, ONE)), "trailing characters"),
        ("large", &"x".repeat((8 << 20) + 1), "is larger than 8388608 bytes"),
    ];
    for (name, text, _) in &bad {
        put(data, name, text);
    }
    symlink("/etc/passwd", data.join("requests/link")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, data.join("requests/fifo"), 0o600.into()).unwrap();
    fs::create_dir(data.join("requests/dir")).unwrap();
    let irregular = [("link", "a symbolic link"), ("fifo", "a FIFO"), ("dir", "a directory")];
    // Not finished, or not there to be taken.
    for name in [".hidden", "x.tmp", "x~"] {
        put(data, name, "later");
    }
    let requests = read(data);
    assert_eq!(requests.syncs().len(), 1);
    assert_eq!(requests.unusable().count(), bad.len() + irregular.len());
    let before = names(data, "requests");
    requests.let_go(all_taken).unwrap();
    assert_eq!(
        names(data, "requests"),
        [".hidden", "x.tmp", "x~", "rejected"].map(Into::into).into()
    );
    for (name, text, why) in bad {
        assert_eq!(fs::read_to_string(data.join("requests/rejected").join(name)).unwrap(), text);
        let reason = fs::read_to_string(data.join(format!("requests/rejected/{name}.reason")));
        let reason = reason.unwrap();
        assert!(reason.contains(why) && reason.starts_with("the file "), "{name}: {reason}");
        assert!(!reason.contains(['\u{1b}', '\u{202e}']), "{reason}");
    }
    for (name, why) in irregular {
        let reason = fs::read_to_string(data.join(format!("requests/rejected/{name}.reason")));
        assert!(reason.unwrap().contains(why), "{name}");
        assert!(before.contains(name));
    }
    // The same name again overwrites nothing.
    put(data, "empty", " ");
    read(data).let_go(all_taken).unwrap();
    assert_eq!(fs::read_to_string(data.join("requests/rejected/empty")).unwrap(), "");
    assert_eq!(fs::read_to_string(data.join("requests/rejected/empty.1")).unwrap(), " ");
}

#[test]
fn what_waits_stays_under_its_name_with_who_asked_and_what_is_refused_goes_aside() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    for (n, devices) in [(1, TWO), (2, TWO), (3, ONE)] {
        put(data, &format!("{n}.json"), &text(n, devices));
    }
    let whole = fs::read(data.join("requests/2.json")).unwrap();
    let requests = read(data);
    let outcome = |origin: &str| match origin {
        "requests/1.json" => RequestOutcome::Taken { waiting: [named(2).0].into() },
        "requests/2.json" => RequestOutcome::Taken { waiting: [named(1).0, named(2).0].into() },
        _ => RequestOutcome::Refused("nobody knows D001".to_owned()),
    };
    requests.let_go(outcome).unwrap();
    assert_eq!(fs::read(data.join("requests/2.json")).unwrap(), whole, "it is left alone");
    let left = read(data);
    let [first, second] = left.syncs() else { panic!("{left:?}") };
    assert_eq!(first.request, requests.syncs()[0].request);
    assert_eq!(first.devices, [named(2)]);
    assert_eq!(second, &requests.syncs()[1]);
    let reason = fs::read_to_string(data.join("requests/rejected/3.json.reason")).unwrap();
    assert_eq!(reason, "nobody knows D001\n");
}

#[test]
fn a_file_that_changed_since_the_look_is_looked_at_again() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "a.json", &text(1, ONE));
    put(dir.path(), "b", "nonsense");
    let requests = read(dir.path());
    for name in ["a.json", "b"] {
        fs::remove_file(dir.path().join("requests").join(name)).unwrap();
        put(dir.path(), name, &text(2, TWO));
    }
    requests.let_go(all_taken).unwrap();
    assert_eq!(names(dir.path(), "requests"), ["a.json", "b"].map(Into::into).into());
}

#[test]
fn only_the_owner_of_a_file_is_believed_of_who_asked() {
    let said = |by: &str, owner: Owner| {
        let text = text(1, ONE).replace("uid=0(root)", by);
        decode(text.as_bytes(), &owner, "requests/x".into()).unwrap().request.by.to_string()
    };
    let owner = |uid| Owner { uid, shared: false, directory: 990 };
    let claims = |uid: u32, by: &str| format!("uid={uid} (who claims to be {by})");
    for (by, uid, expected) in [
        ("uid=1001(eve)", 1001, "uid=1001(eve)".to_owned()),
        ("uid=1001", 1001, "uid=1001".to_owned()),
        ("uid=0(root)", 1001, claims(1001, "uid=0(root)")),
        ("uid=10011(x)", 1001, claims(1001, "uid=10011(x)")),
        ("ana", 1001, claims(1001, "ana")),
        // The daemon's user and the superuser could write the log itself.
        ("uid=0(root)", 990, "uid=0(root)".to_owned()),
        ("uid=1001(eve)", 0, "uid=1001(eve)".to_owned()),
    ] {
        assert_eq!(said(by, owner(uid)), expected, "{by} of {uid}");
    }
    let shared = Owner { shared: true, ..owner(1001) };
    assert_eq!(said("uid=1001(eve)", shared), claims(1001, "uid=1001(eve)"));
}

#[test]
fn the_owner_of_the_file_is_the_one_that_the_system_names() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    chown(dir.path(), Some(990), None).unwrap();
    put(dir.path(), "a.json", &text(1, ONE));
    chown(dir.path().join("requests"), Some(990), None).unwrap();
    let file = dir.path().join("requests/a.json");
    let by = || read(dir.path()).syncs()[0].request.by.to_string();
    assert_eq!(by(), "uid=0(root)");
    chown(&file, Some(1001), None).unwrap();
    assert_eq!(by(), "uid=1001 (who claims to be uid=0(root))");
    chown(&file, Some(0), None).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(by(), "uid=0 (who claims to be uid=0(root))");
    // What the superuser asks for is the daemon's to take.
    let path = submit(dir.path(), "uid=0(root)", &[named(1)], now()).unwrap();
    let metadata = fs::metadata(path).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&metadata), 990);
    assert_eq!(read(dir.path()).syncs()[0].request.by.to_string(), "uid=0(root)");
}

#[test]
fn what_cannot_be_read_is_trouble_and_no_reason_to_let_go_of_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("requests"), "in its place").unwrap();
    let requests = read(dir.path());
    let [UnreadRequest { path, message }] = requests.trouble() else { panic!("{requests:?}") };
    assert_eq!(path, "requests");
    assert!(message.contains("move away what is in its place"), "{message}");
    assert!(requests.is_empty());
    assert!(read(Path::new("/no/such/place")).is_empty());
}

/// Everything that is done with requests, in the directory given.
fn all_the_work(data: &Path) {
    submit(data, "uid=0(root)", &[named(1), named(2)], now()).unwrap();
    let waiting: BTreeSet<_> = [named(2).0].into();
    read(data).let_go(|_| RequestOutcome::Taken { waiting: waiting.clone() }).unwrap();
    read(data).let_go(all_taken).unwrap();
}

#[test]
#[ignore = "the child of a_crash_at_any_point_loses_nothing; aborts"]
fn crash_child() {
    let _scenario = fail::FailScenario::setup();
    all_the_work(&std::env::current_dir().unwrap());
}

#[test]
fn a_crash_at_any_point_loses_nothing() {
    let exe = std::env::current_exe().unwrap();
    let test = concat!(module_path!(), "::crash_child").split_once("::").unwrap().1;
    for point in CRASH_POINTS {
        let dir = tempfile::tempdir().unwrap();
        if !point.starts_with("ask.mkdir") {
            put(dir.path(), "bad", "nonsense");
        }
        let status = Process::new(&exe)
            .args(["--ignored", "--exact", test])
            .env("FAILPOINTS", format!("{point}=return"))
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        // Only a bad file is refused.
        assert_eq!(signal, Some(6), "{point} is passed, and aborts");
        // Whoever asked knows that it did not come about, or it is there whole.
        let left = read(dir.path());
        let good = left.syncs();
        assert!(good.len() <= 1, "{point}");
        for SyncFile { devices, .. } in good {
            assert!(*devices == [named(1), named(2)] || *devices == [named(2)], "{point}");
        }
        all_the_work(dir.path());
        let mut names = names(dir.path(), "requests");
        names.retain(|name| !name.starts_with('.'));
        names.remove(REJECTED);
        assert_eq!(names, BTreeSet::new(), "{point}");
        if !point.starts_with("ask.mkdir") {
            let kept = fs::read_to_string(dir.path().join("requests/rejected/bad")).unwrap();
            assert_eq!(kept, "nonsense", "{point}");
            let reason = dir.path().join("requests/rejected/bad.reason");
            assert!(reason.exists(), "{point}");
        }
    }
}
