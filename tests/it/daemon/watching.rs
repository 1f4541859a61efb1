//! Every way in which a fleet directory comes to be another one, seen at once.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::{Daemon, Fixture, PLAIN_PROFILE, device, git};

const A: &str = "A:Pending";
const AB: [&str; 2] = ["A:Pending", "B:Pending"];

/// A daemon that has done its first pass over a fleet of A.
fn started(place: &Fixture) -> Daemon {
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &[A]);
    daemon
}

/// What programs do to save `B.yaml`: lines of shell in the fleet directory, with the new text
/// on standard input.
const EDITORS: [(&str, &str); 12] = [
    ("in place", "cat > B.yaml"),
    (
        "vim",
        "touch 4913; rm 4913; : > .B.yaml.swp; mv B.yaml B.yaml~; cat > B.yaml; rm B.yaml~ .B.yaml.swp",
    ),
    ("vim with backupcopy", "cp B.yaml B.yaml~; cat > B.yaml; rm B.yaml~"),
    ("emacs", "ln -s me@host.1 .#B.yaml; mv B.yaml B.yaml~; cat > B.yaml; rm .#B.yaml"),
    (
        "JetBrains",
        "cat > B.yaml___new; mv B.yaml B.yaml___old; mv B.yaml___new B.yaml; rm B.yaml___old",
    ),
    ("Kate", "cat > B.yaml.Xa1b2c; mv B.yaml.Xa1b2c B.yaml"),
    ("gedit", "cat > .goutputstream-X1; mv .goutputstream-X1 B.yaml"),
    ("sed -i", "cat > sedX1; mv sedX1 B.yaml"),
    ("from elsewhere", "cat > ../B.new; mv ../B.new B.yaml"),
    ("a hard link", "cat > .B.new; rm B.yaml; ln .B.new B.yaml; rm .B.new"),
    ("removed and made again", "rm B.yaml; cat > B.yaml"),
    (
        "appended",
        "head -c 40 B.yaml > .B.half; cat > .B.all; : > B.yaml; cat .B.all >> B.yaml; rm .B.*",
    ),
];

#[test]
fn an_upload_that_was_never_finished_is_told_once() {
    let place = Fixture::of(&["A"]);
    let mut daemon = place.daemon(&["--resync", "100ms"]);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    place.write(".fleetform/inbox/a.json.part", "{");
    daemon.until_said("file=a.json.part", 1);
    // Some passes later.
    for (serial, recorded) in [("B", &AB[..]), ("C", &["A:Pending", "B:Pending", "C:Pending"])] {
        place.save(&format!("fleet/{serial}.yaml"), &device(serial));
        place.until_recorded(&mut daemon, recorded);
    }
    assert_eq!(daemon.said().matches("a.json.part").count(), 1, "{}", daemon.said());
    daemon.stop();
    // `plan` is asked anew each time.
    assert!(place.run(&["plan"]).stderr.contains("a.json.part"));
}

#[test]
fn whatever_way_an_editor_saves() {
    let place = Fixture::of(&["A", "B"]);
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &AB);
    for (n, (editor, script)) in EDITORS.iter().enumerate() {
        let user = format!("u{n}@example.com");
        place.write("text", device("B").replace("ana@example.com", &user));
        let script = format!("set -e; exec < ../text; {script}");
        let mut shell = Command::new("sh");
        let saved = shell.args(["-c", &script]).current_dir(place.path("fleet")).status();
        assert!(saved.unwrap().success(), "{editor}");
        daemon.until(&format!("what {editor} saved"), || {
            let recorded = place.json(&["show", "B"])["device"]["userEmail"].clone();
            if recorded == user.as_str() { Ok(()) } else { Err(recorded.to_string()) }
        });
    }
    assert!(!place.log().iter().any(|entry| entry["kind"] == "device.orphaned"));
    daemon.stop();
}

#[test]
fn new_directories_within_new_directories() {
    let place = Fixture::of(&["A"]);
    let mut daemon = started(&place);
    let mut expected = vec![A.to_owned()];
    for n in 0..20 {
        place.write(&format!("fleet/x{n}/y/z/d.yaml"), device(&format!("N{n:02}")));
        expected.push(format!("N{n:02}:Pending"));
    }
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    place.until_recorded(&mut daemon, &expected);
    // And what comes later into one of them.
    place.write("fleet/x7/y/z/e.yaml", device("O"));
    let expected = [&expected[..], &["O:Pending"]].concat();
    place.until_recorded(&mut daemon, &expected);
}

#[test]
fn a_checkout_of_many_files_is_taken_whole() {
    let place = Fixture::bare();
    let repo = place.path("fleet");
    place.write("fleet/profile.yaml", PLAIN_PROFILE);
    place.write("fleet/A.yaml", device("A"));
    git(&repo, &["init", "-q"]);
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "-qm", "one"]);
    git(&repo, &["checkout", "-qb", "many"]);
    for n in 0..2000 {
        place.write(&format!("fleet/site{}/{n}.yaml", n % 40), device(&format!("S{n:04}")));
    }
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "-qm", "many"]);
    git(&repo, &["checkout", "-q", "main"]);
    let mut daemon = started(&place);
    git(&repo, &["checkout", "-q", "many"]);
    daemon.until("2,001 devices", || {
        let n = place.recorded().len();
        if n == 2001 { Ok(()) } else { Err(format!("{n}")) }
    });
    // Away with them: that is more than the guard lets through, and so nothing is lost.
    git(&repo, &["checkout", "-q", "main"]);
    daemon.until_said("frozen", 1);
    git(&repo, &["checkout", "-q", "many"]);
    daemon.until_said("no longer frozen", 1);
    assert!(place.recorded().iter().all(|device| device.ends_with(":Pending")));
    assert!(!place.recorded().iter().any(|device| device.starts_with('-')));
}

#[test]
fn the_root_is_replaced_by_a_rename() {
    let place = Fixture::of(&["A"]);
    let mut daemon = started(&place);
    place.write("next/profile.yaml", PLAIN_PROFILE);
    place.write("next/A.yaml", device("A"));
    place.write("next/B.yaml", device("B"));
    fs::rename(place.path("fleet"), place.path("old")).unwrap();
    fs::rename(place.path("next"), place.path("fleet")).unwrap();
    place.until_recorded(&mut daemon, &AB);
    // It is the new one that is watched now, not the one that was moved away.
    place.write("old/C.yaml", device("C"));
    place.write("fleet/D.yaml", device("D"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "D:Pending"]);
}

#[test]
fn the_root_is_removed_and_made_again() {
    let place = Fixture::of(&["A"]);
    let mut daemon = started(&place);
    fs::remove_dir_all(place.path("fleet")).unwrap();
    daemon.until_said("frozen", 1);
    assert_eq!(place.recorded(), [A], "absence destroys nothing");
    place.write("fleet/profile.yaml", PLAIN_PROFILE);
    place.write("fleet/A.yaml", device("A"));
    place.write("fleet/B.yaml", device("B"));
    place.until_recorded(&mut daemon, &AB);
    assert!(daemon.said().contains("no longer frozen"));
}

#[test]
fn a_symlink_to_the_root_is_swapped() {
    let place = Fixture::bare();
    for (tree, serials) in [("one", &["A"][..]), ("two", &["A", "B"])] {
        place.write(&format!("trees/{tree}/fleet/profile.yaml"), PLAIN_PROFILE);
        for serial in serials {
            place.write(&format!("trees/{tree}/fleet/{serial}.yaml"), device(serial));
        }
    }
    // As git-sync does: a link in the middle of the path, replaced by a rename.
    symlink("trees/one", place.path("current")).unwrap();
    symlink("current/fleet", place.path("fleet")).unwrap();
    let mut daemon = started(&place);
    symlink("trees/two", place.path("new")).unwrap();
    fs::rename(place.path("new"), place.path("current")).unwrap();
    place.until_recorded(&mut daemon, &AB);
    place.write("trees/two/fleet/C.yaml", device("C"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
}

#[test]
fn a_mounted_config_map_is_swapped() {
    let place = Fixture::bare();
    place.write("mount/..1/profile.yaml", PLAIN_PROFILE);
    place.write("mount/..1/A.yaml", device("A"));
    symlink("..1", place.path("mount/..data")).unwrap();
    let mut daemon = place.daemon(&["--fleet", "mount/..data"]);
    place.until_recorded(&mut daemon, &[A]);
    // As the kubelet does.
    place.write("mount/..2/profile.yaml", PLAIN_PROFILE);
    place.write("mount/..2/A.yaml", device("A"));
    place.write("mount/..2/B.yaml", device("B"));
    symlink("..2", place.path("mount/..data_tmp")).unwrap();
    fs::rename(place.path("mount/..data_tmp"), place.path("mount/..data")).unwrap();
    fs::remove_dir_all(place.path("mount/..1")).unwrap();
    place.until_recorded(&mut daemon, &AB);
}

#[test]
fn a_root_that_does_not_exist_yet() {
    let place = Fixture::bare();
    let mut daemon = place.daemon(&["--fleet", "not/yet/there"]);
    daemon.until_said("frozen", 1);
    place.write("staging/profile.yaml", PLAIN_PROFILE);
    place.write("staging/A.yaml", device("A"));
    fs::create_dir_all(place.path("not/yet")).unwrap();
    fs::rename(place.path("staging"), place.path("not/yet/there")).unwrap();
    place.until_recorded(&mut daemon, &[A]);
}

#[test]
fn reports_are_taken_as_they_come() {
    let place = Fixture::of(&["A"]);
    let mut daemon = started(&place);
    let report = r#"{"serialNumber":"A","at":"2026-01-01T00:00:00Z"}"#;
    place.write("r.json", report);
    let (code, _, err) = place.outcome(&["report", "r.json"]);
    assert_eq!(code, 0, "{err}");
    place.until_recorded(&mut daemon, &["A:Enrolled"]);
}

#[test]
fn where_watching_is_impossible_it_looks_and_says_so_once() {
    let place = Fixture::of(&["A"]);
    let mut daemon = place.daemon(&["--watch", "poll", "--poll", "20ms"]);
    place.until_recorded(&mut daemon, &[A]);
    place.write("fleet/x/B.yaml", device("B"));
    place.until_recorded(&mut daemon, &AB);
    place.write("r.json", r#"{"serialNumber":"A","at":"2026-01-01T00:00:00Z"}"#);
    place.outcome(&["report", "r.json"]);
    place.until_recorded(&mut daemon, &["A:Enrolled", "B:Pending"]);
    assert_eq!(daemon.said().matches("cannot watch for changes").count(), 1, "{}", daemon.said());
}

#[test]
fn a_large_change_waits_until_git_is_done() {
    let place = Fixture::of(&["A", "B", "C"]);
    fs::create_dir(place.path("fleet/.git")).unwrap();
    fs::write(place.path("fleet/.git/index.lock"), "").unwrap();
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    fs::remove_file(place.path("fleet/C.yaml")).unwrap();
    daemon.until_said("large changes wait until Git is done", 1);
    // What devices say is taken in meanwhile.
    place.write("r.json", r#"{"serialNumber":"A","at":"2026-01-01T00:00:00Z"}"#);
    place.outcome(&["report", "r.json"]);
    place.until_recorded(&mut daemon, &["A:Enrolled", "B:Pending", "C:Pending"]);
    fs::remove_file(place.path("fleet/.git/index.lock")).unwrap();
    place.until_recorded(&mut daemon, &["-C:Pending", "A:Enrolled", "B:Pending"]);
}

#[test]
fn what_is_there_for_a_moment_only_is_not_acted_on() {
    let serials: Vec<_> = (0..30).map(|n| format!("S{n:02}")).collect();
    let serials: Vec<_> = serials.iter().map(String::as_str).collect();
    let place = Fixture::of(&serials);
    // So long must it be the same: longer than the test takes to put it right.
    let mut daemon = place.daemon(&["-vv", "--debounce", "2s"]);
    let all: Vec<_> = serials.iter().map(|serial| format!("{serial}:Pending")).collect();
    place.until_recorded(&mut daemon, &all.iter().map(String::as_str).collect::<Vec<_>>());
    // As in the middle of a checkout: some are gone, and many are other ones.
    let path = |serial: &str| format!("fleet/{serial}.yaml");
    fs::rename(place.path(&path("S00")), place.path("S00")).unwrap();
    for serial in &serials[1..20] {
        place.write(&path(serial), device(serial).replace("ana@", "half@"));
    }
    place.write("r.json", r#"{"serialNumber":"S29","at":"2026-01-01T00:00:00Z"}"#);
    assert_eq!(place.outcome(&["report", "r.json"]).0, 0);
    daemon.until("the look at it, which takes the report in", || {
        let log = place.log();
        let enrolled = |entry: &serde_json::Value| entry["kind"] == "device.status";
        if log.iter().any(enrolled) { Ok(()) } else { Err(log.len().to_string()) }
    });
    let passes = daemon.said().matches("reconciliation decides").count();
    fs::rename(place.path("S00"), place.path(&path("S00"))).unwrap();
    for serial in &serials[1..20] {
        place.write(&path(serial), device(serial));
    }
    daemon.until_said("reconciliation decides", passes + 1);
    for kind in ["device.orphaned", "device.updated", "pass.frozen"] {
        assert!(!place.log().iter().any(|entry| entry["kind"] == kind), "{kind}");
    }
}
