//! What has to stay the same before a wipe, and what need not.

use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::time::{now, place, request};
use crate::support::device;

#[test]
fn a_manifest_that_changes_all_the_time_puts_off_no_wipe_of_another_device() {
    let place = place("maxValidity: 72h");
    let mut daemon = place.daemon(&[]);
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    request(&place, 1, now() + TimeDelta::days(1), true);
    let start = Instant::now();
    for n in 0.. {
        if place.log().iter().any(|entry| entry["kind"] == "wipe.issued") {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "starved:\n{}", daemon.said());
        // Another decision at each look, however slow this machine is.
        place.save("fleet/C.yaml", &device("C").replace("ana@", &format!("ana{n}@")));
        thread::sleep(Duration::from_millis(100));
    }
    daemon.stop();
}
