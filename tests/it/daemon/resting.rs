//! A daemon that has nothing to do.

use std::fs;

use crate::support::Fixture;

/// A number of KiB that the system says of a process.
fn kib(status: &str, key: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn it_gives_back_the_memory_that_it_needed_before() {
    let place = Fixture::generated(12_000);
    let mut daemon = place.daemon(&[]);
    daemon.until_said("12000 provisioned", 1);
    let status = format!("/proc/{}/status", daemon.pid());
    daemon.until("memory that is given back", || {
        let status = fs::read_to_string(&status).unwrap();
        let (now, files) = (kib(&status, "RssAnon:"), kib(&status, "RssFile:"));
        let most = kib(&status, "VmHWM:") - files;
        if now < most * 9 / 10 { Ok(()) } else { Err(format!("{now} of {most} KiB")) }
    });
}
