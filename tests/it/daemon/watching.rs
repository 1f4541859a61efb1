//! Every way in which a fleet directory comes to be another one, seen at once.

use std::fs;
use std::os::unix::fs::symlink;

use super::support::{Daemon, PROFILE, Place, device, git};

const A: &str = "A:Pending";
const AB: [&str; 2] = ["A:Pending", "B:Pending"];

/// A daemon that has done its first pass over a fleet of A.
fn started(place: &Place) -> Daemon {
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &[A]);
    daemon
}

#[test]
fn an_editor_saves_atomically_and_in_place() {
    let place = Place::new(&["A"]);
    let mut daemon = started(&place);
    place.save("fleet/B.yaml", &device("B"));
    place.until_recorded(&mut daemon, &AB);
    place.write("fleet/C.yaml", &device("C"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    place.save("fleet/B.yaml", &device("B").replace("ana@", "bo@"));
    daemon.until("the new user", || {
        let user = place.json(&["show", "B"])["device"]["userEmail"].clone();
        if user == "bo@example.com" { Ok(()) } else { Err(user.to_string()) }
    });
    daemon.stop();
}

#[test]
fn new_directories_within_new_directories() {
    let place = Place::new(&["A"]);
    let mut daemon = started(&place);
    let mut expected = vec![A.to_owned()];
    for n in 0..20 {
        place.write(&format!("fleet/x{n}/y/z/d.yaml"), &device(&format!("N{n:02}")));
        expected.push(format!("N{n:02}:Pending"));
    }
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    place.until_recorded(&mut daemon, &expected);
    // And what comes later into one of them.
    place.write("fleet/x7/y/z/e.yaml", &device("O"));
    let expected = [&expected[..], &["O:Pending"]].concat();
    place.until_recorded(&mut daemon, &expected);
}

#[test]
fn a_checkout_of_many_files_is_taken_whole() {
    let place = Place::empty();
    let repo = place.path("fleet");
    place.write("fleet/profile.yaml", PROFILE);
    place.write("fleet/A.yaml", &device("A"));
    git(&repo, &["init", "-q"]);
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "-qm", "one"]);
    git(&repo, &["checkout", "-qb", "many"]);
    for n in 0..2000 {
        place.write(&format!("fleet/site{}/{n}.yaml", n % 40), &device(&format!("S{n:04}")));
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
    let place = Place::new(&["A"]);
    let mut daemon = started(&place);
    place.write("next/profile.yaml", PROFILE);
    place.write("next/A.yaml", &device("A"));
    place.write("next/B.yaml", &device("B"));
    fs::rename(place.path("fleet"), place.path("old")).unwrap();
    fs::rename(place.path("next"), place.path("fleet")).unwrap();
    place.until_recorded(&mut daemon, &AB);
    // It is the new one that is watched now, not the one that was moved away.
    place.write("old/C.yaml", &device("C"));
    place.write("fleet/D.yaml", &device("D"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "D:Pending"]);
}

#[test]
fn the_root_is_removed_and_made_again() {
    let place = Place::new(&["A"]);
    let mut daemon = started(&place);
    fs::remove_dir_all(place.path("fleet")).unwrap();
    daemon.until_said("frozen", 1);
    assert_eq!(place.recorded(), [A], "absence destroys nothing");
    place.write("fleet/profile.yaml", PROFILE);
    place.write("fleet/A.yaml", &device("A"));
    place.write("fleet/B.yaml", &device("B"));
    place.until_recorded(&mut daemon, &AB);
    assert!(daemon.said().contains("no longer frozen"));
}

#[test]
fn a_symlink_to_the_root_is_swapped() {
    let place = Place::empty();
    for (tree, serials) in [("one", &["A"][..]), ("two", &["A", "B"])] {
        place.write(&format!("trees/{tree}/fleet/profile.yaml"), PROFILE);
        for serial in serials {
            place.write(&format!("trees/{tree}/fleet/{serial}.yaml"), &device(serial));
        }
    }
    // As git-sync does: a link in the middle of the path, replaced by a rename.
    symlink("trees/one", place.path("current")).unwrap();
    symlink("current/fleet", place.path("fleet")).unwrap();
    let mut daemon = started(&place);
    symlink("trees/two", place.path("new")).unwrap();
    fs::rename(place.path("new"), place.path("current")).unwrap();
    place.until_recorded(&mut daemon, &AB);
    place.write("trees/two/fleet/C.yaml", &device("C"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
}

#[test]
fn a_mounted_config_map_is_swapped() {
    let place = Place::empty();
    place.write("mount/..1/profile.yaml", PROFILE);
    place.write("mount/..1/A.yaml", &device("A"));
    symlink("..1", place.path("mount/..data")).unwrap();
    let mut daemon = place.daemon(&["--fleet", "mount/..data"]);
    place.until_recorded(&mut daemon, &[A]);
    // As the kubelet does.
    place.write("mount/..2/profile.yaml", PROFILE);
    place.write("mount/..2/A.yaml", &device("A"));
    place.write("mount/..2/B.yaml", &device("B"));
    symlink("..2", place.path("mount/..data_tmp")).unwrap();
    fs::rename(place.path("mount/..data_tmp"), place.path("mount/..data")).unwrap();
    fs::remove_dir_all(place.path("mount/..1")).unwrap();
    place.until_recorded(&mut daemon, &AB);
}

#[test]
fn a_root_that_does_not_exist_yet() {
    let place = Place::empty();
    let mut daemon = place.daemon(&["--fleet", "not/yet/there"]);
    daemon.until_said("frozen", 1);
    place.write("staging/profile.yaml", PROFILE);
    place.write("staging/A.yaml", &device("A"));
    fs::create_dir_all(place.path("not/yet")).unwrap();
    fs::rename(place.path("staging"), place.path("not/yet/there")).unwrap();
    place.until_recorded(&mut daemon, &[A]);
}

#[test]
fn reports_are_taken_as_they_come() {
    let place = Place::new(&["A"]);
    let mut daemon = started(&place);
    let report = r#"{"serialNumber":"A","at":"2026-01-01T00:00:00Z"}"#;
    place.write("r.json", report);
    let (code, _, err) = place.run(&["report", "r.json"]);
    assert_eq!(code, 0, "{err}");
    place.until_recorded(&mut daemon, &["A:Enrolled"]);
}

#[test]
fn where_watching_is_impossible_it_looks_and_says_so_once() {
    let place = Place::new(&["A"]);
    let mut daemon = place.daemon(&["--watch", "poll", "--poll", "20ms"]);
    place.until_recorded(&mut daemon, &[A]);
    place.write("fleet/x/B.yaml", &device("B"));
    place.until_recorded(&mut daemon, &AB);
    place.write("r.json", r#"{"serialNumber":"A","at":"2026-01-01T00:00:00Z"}"#);
    place.run(&["report", "r.json"]);
    place.until_recorded(&mut daemon, &["A:Enrolled", "B:Pending"]);
    assert_eq!(daemon.said().matches("cannot watch for changes").count(), 1, "{}", daemon.said());
}

#[test]
fn a_large_change_waits_until_git_is_done() {
    let place = Place::new(&["A", "B", "C"]);
    fs::create_dir(place.path("fleet/.git")).unwrap();
    fs::write(place.path("fleet/.git/index.lock"), "").unwrap();
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    fs::remove_file(place.path("fleet/C.yaml")).unwrap();
    daemon.until_said("large changes wait until Git is done", 1);
    // What devices say is taken in meanwhile.
    place.write("r.json", r#"{"serialNumber":"A","at":"2026-01-01T00:00:00Z"}"#);
    place.run(&["report", "r.json"]);
    place.until_recorded(&mut daemon, &["A:Enrolled", "B:Pending", "C:Pending"]);
    fs::remove_file(place.path("fleet/.git/index.lock")).unwrap();
    place.until_recorded(&mut daemon, &["-C:Pending", "A:Enrolled", "B:Pending"]);
}

#[test]
fn its_own_reading_does_not_wake_it() {
    let place = Place::new(&["A"]);
    let mut daemon = place.daemon(&["--log-format", "json", "-vv"]);
    place.until_recorded(&mut daemon, &[A]);
    // Two changes later there were as many passes as changes: none came of the reading.
    for serial in ["B", "C"] {
        place.save(&format!("fleet/{serial}.yaml"), &device(serial));
        daemon.until_said("done\":\"1 provision\"", usize::from(serial == "C") + 1);
    }
    let passes = daemon.said().matches("\"a look\"").count();
    assert!(passes <= 5, "{passes} passes:\n{}", daemon.said());
}
