//! A daemon over a [`Fixture`] that dies with its test, and waiting for what it does.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::fs::{self, File};
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::fixture::Fixture;

/// Long enough for a machine that is busy with everything else: after a failure that it meets late,
/// the daemon waits up to a minute.
const DEADLINE: Duration = Duration::from_secs(120);

/// With these it looks by itself only once an hour: whatever it does, an event did.
const USUAL: [(&str, &str); 3] = [("--resync", "1h"), ("--debounce", "50ms"), ("--color", "never")];

/// `daemon`, the usual flags but for those that are given, and what is given.
fn with_usual<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let usual = USUAL.into_iter().filter(|(flag, _)| !args.contains(flag));
    let usual = usual.flat_map(|(flag, value)| [flag, value]);
    ["daemon"].into_iter().chain(usual).chain(args.iter().copied()).collect()
}

impl Fixture {
    /// Serial numbers and, after a colon, statuses, as recorded; `-` in front of orphans.
    pub fn recorded(&self) -> Vec<String> {
        // A daemon that has just been started begins its ledger first.
        if !self.data().join("audit.jsonl").exists() {
            return Vec::new();
        }
        let list = self.json(&["list"]);
        let devices = list["devices"].as_array().unwrap().iter();
        let mut all: Vec<_> = devices
            .map(|d| {
                let orphan = if d["orphanedSince"].is_null() { "" } else { "-" };
                let text = |key: &str| d[key].as_str().unwrap().to_owned();
                format!("{orphan}{}:{}", text("serialNumber"), text("status"))
            })
            .collect();
        all.sort();
        all
    }

    /// Waits until the record is this.
    pub fn until_recorded(&self, daemon: &mut Daemon, expected: &[&str]) {
        daemon.until(&format!("the record to be {expected:?}"), || {
            let recorded = self.recorded();
            if recorded == expected { Ok(()) } else { Err(format!("{recorded:?}")) }
        });
    }

    /// Starts a daemon that looks by itself only once an hour: whatever it does, an event did.
    pub fn daemon(&self, args: &[&str]) -> Daemon {
        self.daemon_under(&[], args)
    }

    /// The same, run by another program: `strace`, `unshare`, `sh -c … sh`.
    pub fn daemon_under(&self, wrapper: &[&str], args: &[&str]) -> Daemon {
        self.daemon_as(self.command_under(wrapper, &with_usual(args)))
    }

    /// The same, with system calls of the file that fail as `strace` is told, until
    /// [`Daemon::mended`].
    pub fn daemon_with_fault(&self, path: &str, fault: &str, args: &[&str]) -> Daemon {
        needs("strace");
        let calls = fault.split(':').next().unwrap();
        let trace = format!("trace={calls}");
        let inject = format!("inject={fault}");
        let log = self.path("strace.log").display().to_string();
        let wrapper = [
            "strace", "-D", "-I2", "-f", "-qq", "-o", &log, "-P", path, "-e", &trace, "-e", &inject,
        ];
        self.daemon_under(&wrapper, args)
    }

    pub fn daemon_as(&self, mut command: Command) -> Daemon {
        let log = self.path("daemon.log");
        let stderr = File::options().create(true).append(true).open(&log).unwrap();
        let child = command.stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
        Daemon { child, log }
    }
}

/// Fails, and says what to do, where a program is missing that a test cannot do without.
#[track_caller]
pub fn needs(program: &str) {
    let found = Command::new(program).arg("--version").output().is_ok();
    assert!(found, "{program} is needed: tests/run installs it, or says how");
}

/// Killed when dropped.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// What all daemons of the place have said.
    pub fn said(&self) -> String {
        let mut text = String::new();
        File::open(&self.log).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Lets go of a daemon with a fault: from now on nothing fails.
    pub fn mended(&self) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:")).unwrap();
        assert_ne!(tracer.trim(), "0", "it is not traced");
        let status = Command::new("kill").args(["-s", "TERM", tracer.trim()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for a condition while the daemon lives; the error says how far it is.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut holds: impl FnMut() -> Result<(), String>) {
        let start = Instant::now();
        loop {
            let Err(state) = holds() else { return };
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended with {ended:?}:\n{}", self.said());
            let late = start.elapsed() > DEADLINE;
            assert!(!late, "waited in vain for {what}; it is {state}\n{}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it has said so `times` times.
    #[track_caller]
    pub fn until_said(&mut self, what: &str, times: usize) {
        let log = self.log.clone();
        self.until(&format!("{what:?} in its log"), || {
            let said = fs::read_to_string(&log).unwrap().matches(what).count();
            if said >= times { Ok(()) } else { Err(format!("said {said} times")) }
        });
    }

    /// Waits until it takes signals, a moment after its start; before, they end any process.
    #[track_caller]
    pub fn until_it_listens(&mut self) {
        let status = format!("/proc/{}/status", self.pid());
        self.until("its handlers of signals", || {
            let status = fs::read_to_string(&status).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
            let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
            // SIGHUP, the last one to be listened to.
            if caught & 1 == 1 { Ok(()) } else { Err(format!("{caught:x}")) }
        });
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.pid()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "it does not end:\n{}", self.said());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it as a service manager does, and expects that it took it well.
    pub fn stop(mut self) {
        self.signal("TERM");
        let start = Instant::now();
        let status = self.ended();
        assert_eq!(status.code(), Some(0), "{}", self.said());
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
