//! Where events are lost or cannot be had, and where there are too many or none of them.

use std::fs;
use std::time::{Duration, Instant};

use super::client::{address, metric, until_metrics};
use crate::support::{Fixture, device, needs};

const A: &str = "A:Pending";
const AB: [&str; 2] = ["A:Pending", "B:Pending"];

#[test]
fn a_queue_that_overflows_loses_nothing() {
    let place = Fixture::of(&["A"]);
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &[A]);
    daemon.signal("STOP");
    // Nobody reads the queue now. What fills it is of no interest, so that nothing but its
    // overflow can tell of the manifest that comes last.
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    for n in 0..limit {
        fs::File::create(place.path(&format!("fleet/.{n}"))).unwrap();
    }
    place.write("fleet/x/y/B.yaml", device("B"));
    daemon.signal("CONT");
    place.until_recorded(&mut daemon, &AB);
    // All is watched anew, what came meanwhile too.
    place.write("fleet/x/y/C.yaml", device("C"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
}

/// Runs what follows with so many watches or instances for its user, by the kernel's own limit.
fn limited(what: &str, most: u32) -> [String; 5] {
    let script = format!("echo {most} > /proc/sys/user/max_inotify_{what} && exec \"$@\"");
    ["unshare", "-Ur", "sh", "-c", &script].map(str::to_owned)
}

#[test]
fn where_the_system_has_no_watches_left_it_looks_and_says_so_once() {
    needs("unshare");
    for (what, most, says) in [
        ("watches", 3, "max_user_watches"),
        ("watches", 1, "max_user_watches"),
        ("instances", 0, "max_user_instances"),
    ] {
        let place = Fixture::of(&["A"]);
        let wrapper = limited(what, most);
        let mut wrapper: Vec<_> = wrapper.iter().map(String::as_str).collect();
        wrapper.push("sh");
        let args = ["--poll", "20ms", "--listen", "127.0.0.1:0"];
        let mut daemon = place.daemon_under(&wrapper, &args);
        place.until_recorded(&mut daemon, &[A]);
        place.write("fleet/x/B.yaml", device("B"));
        place.until_recorded(&mut daemon, &AB);
        place.write("r.json", r#"{"serialNumber":"A","at":"2026-01-01T00:00:00Z"}"#);
        assert_eq!(place.outcome(&["report", "r.json"]).0, 0);
        place.until_recorded(&mut daemon, &["A:Enrolled", "B:Pending"]);
        let address = address(&mut daemon);
        until_metrics(&mut daemon, address, &["watching 0"]);
        let said = daemon.said();
        assert_eq!(said.matches("cannot watch for changes").count(), 1, "{said}");
        assert!(said.contains(says), "{said}");
        daemon.stop();
    }
}

#[test]
fn nothing_that_it_does_wakes_it() {
    for how in ["auto", "poll"] {
        let place = Fixture::of(&["A"]);
        place.write("signers", "");
        place.write("fleetform.yaml", "trust: {allowedSigners: signers}\n");
        let every = Duration::from_millis(150);
        let args = ["--resync", "150ms", "--debounce", "10ms", "--poll", "20ms", "--watch", how];
        let args = [&args[..], &["--listen", "127.0.0.1:0"]].concat();
        let mut daemon = place.daemon_under(&["env"], &args);
        place.until_recorded(&mut daemon, &[A]);
        // One that is taken, one that is refused, one that is none.
        for (name, serial) in [("1", "A"), ("2", "Z")] {
            let report = format!(r#"{{"serialNumber":"{serial}","at":"2026-01-01T00:00:00Z"}}"#);
            place.write(&format!(".fleetform/inbox/{name}.json"), &report);
        }
        place.write(".fleetform/inbox/3.json", "nonsense");
        place.until_recorded(&mut daemon, &["A:Enrolled"]);
        let inbox = place.path(".fleetform/inbox");
        daemon.until("an inbox that was read", || {
            let names = fs::read_dir(&inbox).unwrap().map(|entry| entry.unwrap().file_name());
            let files: Vec<_> = names.filter(|name| name != "rejected").collect();
            if files.is_empty() { Ok(()) } else { Err(format!("{files:?}")) }
        });
        let address = address(&mut daemon);
        let passes = || metric(address, "passes_total{outcome=\"done\"}");
        let (begun, before) = (Instant::now(), passes());
        daemon.until("twenty passes of its own", || {
            let more = passes() - before;
            if more >= 20 { Ok(()) } else { Err(more.to_string()) }
        });
        // Were it woken by what it reads, moves or writes, they would come much faster. A few that
        // the reports led to may still have been about to be made.
        assert!(begun.elapsed() >= every * 15, "{how}: {:?}", begun.elapsed());
        daemon.stop();
    }
}
