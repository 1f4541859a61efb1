//! Clocks: one that a test sets, for passes in this process, and one for the binary, that the
//! library of `faketime` reads from a file.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};

use chrono::TimeDelta;
use fleetform::domain::model::Timestamp;

use super::daemon::{Daemon, needs};
use super::fixture::Fixture;

/// When the devices have been provisioned.
pub fn start() -> Timestamp {
    time("2026-11-22T10:00:00Z")
}

pub fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// It stands until it is set; its clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.millis())))
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    pub fn set(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::Relaxed);
    }

    pub fn advance(&self, delta: TimeDelta) {
        self.0.fetch_add(delta.num_milliseconds(), Ordering::Relaxed);
    }

    /// The same time, as a ledger asks for it.
    pub fn reader(&self) -> impl Fn() -> Timestamp + Send + Sync + Clone + 'static {
        let clock = self.clone();
        move || clock.now()
    }
}

/// The library that tells a program another time: `faketime` knows where it is.
static LIBRARY: LazyLock<String> = LazyLock::new(|| {
    needs("faketime");
    let args = ["-m", "-f", "+0", "printenv", "LD_PRELOAD"];
    let output = Command::new("faketime").args(args).output().expect("faketime runs");
    let library = String::from_utf8(output.stdout).expect("UTF-8");
    library.trim().to_owned()
});

fn preload() -> String {
    forget_the_dead();
    format!("LD_PRELOAD={}", *LIBRARY)
}

/// Removes what the library keeps of processes that were killed: another one that gets the same number
/// would see the real time.
fn forget_the_dead() {
    let Ok(entries) = std::fs::read_dir("/dev/shm") else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let of = ["faketime_shm_", "sem.faketime_sem_"];
        let process = of.iter().find_map(|kind| name.strip_prefix(kind));
        if process.is_some_and(|number| !Path::new("/proc").join(number).exists()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Variables of a program for which it is this time, to the second, until it ends; waiting is not
/// affected.
pub fn faked_clock(now: Timestamp) -> [(&'static str, String); 5] {
    forget_the_dead();
    let text = now.to_string();
    let (date, time) = text.split_once('T').expect("a date and a time");
    let time = time.get(..8).expect("seconds");
    [
        ("LD_PRELOAD", LIBRARY.clone()),
        ("FAKETIME", format!("{date} {time}")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ("NO_FAKE_STAT", "1".into()),
        ("TZ", "UTC".into()),
    ]
}

/// A daemon whose clock is off by what the file `clock` says.
pub fn with_clock(place: &Fixture, args: &[&str]) -> Daemon {
    let (preload, file) = (preload(), place.path("clock"));
    let clock = format!("FAKETIME_TIMESTAMP_FILE={}", file.display());
    let more = ["FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
    place.daemon_under(&[&["env", &preload, &clock][..], &more].concat(), args)
}
