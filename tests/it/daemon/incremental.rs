//! Which changes the daemon takes in by reading a few files, and which by looking at everything.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::{Daemon, Fixture, PLAIN_PROFILE, device};

const INCREMENTAL: &str = "everything=false";
const WHOLE: &str = "everything=true";

/// How often it has looked, at a few files and at everything.
fn passes(daemon: &Daemon) -> (usize, usize) {
    let said = daemon.said();
    (said.matches(INCREMENTAL).count(), said.matches(WHOLE).count())
}

#[test]
fn an_edit_is_taken_in_by_reading_that_file() {
    let place = Fixture::of(&["A", "B"]);
    let mut daemon = place.daemon(&["-vv"]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    let (incremental, whole) = passes(&daemon);
    for (turn, serial) in ["A", "B", "A"].into_iter().enumerate() {
        let user = format!("user{turn}@example.com");
        place.save(
            &format!("fleet/{serial}.yaml"),
            &device(serial).replace("ana@example.com", &user),
        );
        daemon.until("the new user in the log", || {
            let last = place.log().pop().unwrap_or_default();
            let to = last["data"]["changes"][0]["to"].clone();
            if to == *user { Ok(()) } else { Err(last.to_string()) }
        });
    }
    daemon.until_said(INCREMENTAL, incremental + 3);
    assert_eq!(passes(&daemon).1, whole, "{}", daemon.said());
    daemon.stop();
}

#[test]
fn whatever_other_files_may_matter_for_is_looked_at_with_them() {
    let place = Fixture::of(&["A", "B"]);
    let mut daemon = place.daemon(&["-vv"]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    for (path, text) in [
        ("fleet/A.yaml", device("A").replace("name: dev-A", "name: dev-B")),
        ("fleet/A.yaml", device("A")),
        ("fleet/B.yaml", ": no".to_owned()),
        ("fleet/B.yaml", device("B")),
        ("fleet/D.yaml", device("D")),
        ("fleet/other.yaml", PLAIN_PROFILE.replace("Standard", "Other")),
        // A profile that nobody had so far is recorded first.
        ("fleet/D.yaml", device("D").replace("Standard", "Other")),
        ("fleet/x.yaml.sig", "x".to_owned()),
        ("fleet/deep/er/E.yaml", device("E")),
        ("fleet/A.yaml", device("C")),
    ] {
        let (_, whole) = passes(&daemon);
        place.write(path, &text);
        daemon.until_said(WHOLE, whole + 1);
    }
    place.until_recorded(
        &mut daemon,
        &["-A:Pending", "B:Pending", "C:Pending", "D:Pending", "E:Pending"],
    );
    daemon.stop();
}

#[test]
fn edits_without_end_keep_no_look_at_everything_away() {
    let place = Fixture::of(&["A"]);
    let mut daemon = place.daemon(&["-vv", "--resync", "500ms", "--debounce", "0s"]);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    let (_, before) = passes(&daemon);
    let end = AtomicBool::new(false);
    thread::scope(|scope| {
        // Faster than it can look.
        scope.spawn(|| {
            for turn in (0..).take_while(|_| !end.load(Ordering::Relaxed)) {
                let user = format!("user{}@example.com", turn % 1000);
                place.save("fleet/A.yaml", &device("A").replace("ana@example.com", &user));
            }
        });
        let _ends = Ends(&end);
        daemon.until_said(WHOLE, before + 4);
    });
    daemon.stop();
}

#[test]
fn a_resync_of_files_that_nobody_touched_plans_nothing_anew() {
    let place = Fixture::of(&["A", "B"]);
    for _ in 0..2 {
        assert_eq!(place.outcome(&["apply", "--yes"]).0, 0);
    }
    let mut daemon = place.daemon(&["-vv", "--resync", "200ms"]);
    daemon.until_said(WHOLE, 1);
    let counted = || {
        let said = place.read("daemon.log");
        (said.matches(INCREMENTAL).count(), said.matches(WHOLE).count())
    };
    let mut seen = counted();
    daemon.until("resyncs in a row that look at no device", || {
        let now = counted();
        if now.1 != seen.1 {
            seen = now;
        }
        if now.0 >= seen.0 + 3 { Ok(()) } else { Err(format!("{now:?} after {seen:?}")) }
    });
    // It is as good as a look at everything: what comes next is found.
    place.write("fleet/C.yaml", device("C"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    daemon.stop();
}

/// Ends the edits, also where the test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
