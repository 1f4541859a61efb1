//! The one place that starts `git`.
//!
//! What is in a repository was proposed by strangers, so nothing of it may run or answer: Git is
//! told which repository it works on, and never looks at the fleet directory for one; hooks, file
//! system monitors, external diffs, pagers, lazy fetches and all protocols are off; the environment
//! is cleared; time and output are bounded, and what goes over is killed. The user's own settings
//! (`safe.directory`, `user.email`) hold. Whether another user's work tree is trusted Git decides
//! as always, by its owner and `safe.directory`.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::edges::fs::work_tree::WorkTree;

/// Why Git gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Git cannot be started.
    #[error("cannot run git")]
    Start(#[source] io::Error),
    #[error("git {command}: {message}")]
    Failed { command: &'static str, message: String },
    /// It took too long, and was ended.
    #[error("git {command} took longer than {seconds} s and was ended")]
    Late { command: &'static str, seconds: u64 },
    /// It said too much, and was ended.
    #[error("git {command} gave more than {bytes} bytes and was ended")]
    Long { command: &'static str, bytes: u64 },
    /// Talking to it broke off.
    #[error("reading from git {command}")]
    Io {
        command: &'static str,
        #[source]
        cause: io::Error,
    },
}

/// What one process may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// Until it is killed.
    pub(crate) time: Duration,
    /// Of standard output.
    pub(crate) bytes: u64,
}

/// For one value. Git answers in milliseconds; a network file system may need seconds.
pub(crate) const QUESTION: Limit = Limit { time: Duration::from_secs(10), bytes: 64 * 1024 };
/// For the list of a tree: a million files of 250 bytes each, which takes seconds.
pub(crate) const LIST: Limit = Limit { time: Duration::from_secs(120), bytes: 256 << 20 };
/// For the content of a tree: as much as one machine can hold beside everything else.
pub(crate) const CONTENT: Limit = Limit { time: Duration::from_secs(300), bytes: 2 << 30 };
/// Of standard error; the rest is read and dropped.
const MAX_COMPLAINT: u64 = 16 * 1024;

/// Over every configuration of the repository.
const OVERRIDES: &[&str] = &[
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.pager=cat",
    "core.sshCommand=false",
    "core.askPass=false",
    "credential.helper=",
    "diff.external=",
    "protocol.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
];
/// Of the environment, as far as they are set; everything else is cleared. `SUDO_UID` is how Git
/// tells whose directories an administrator who came by `sudo` may use.
const KEPT: &[&str] = &[
    "HOME",
    "XDG_CONFIG_HOME",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "SUDO_UID",
];
/// Kept where the user named the repository: in a `pre-receive` hook, new objects are elsewhere.
const KEPT_IF_NAMED: &[&str] =
    &["GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"];
const SET: &[(&str, &str)] = &[
    ("GIT_NO_LAZY_FETCH", "1"),
    // `protocol.allow` alone would yield to the repository's `protocol.file.allow`.
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    // `diff-tree` reads the whole index, 40 ms for 100,000 files, and makes no use of it here.
    ("GIT_INDEX_FILE", "/nonexistent/index"),
    ("LC_ALL", "C"),
];

/// Which repository Git works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Git {
    /// That of a work tree, by its top directory.
    In(WorkTree),
    /// The one that the user named, by `GIT_DIR`; it may be a bare one.
    Named(PathBuf),
    /// None: only the user's own settings.
    Nowhere,
}

impl Git {
    /// The repository that `GIT_DIR` names, as in a hook on the server; its path is relative to
    /// the working directory.
    #[must_use]
    pub(crate) fn named() -> Option<Self> {
        variable("GIT_DIR").map(|dir| Self::Named(dir.into()))
    }

    fn command(&self, args: &[&str]) -> Command {
        let path = path();
        let mut git = Command::new(program("git", &path));
        git.env_clear().envs(kept(KEPT)).envs(settings()).envs(SET.iter().copied());
        git.env("PATH", path);
        match self {
            Self::In(tree) => {
                // Not by `--git-dir`: that would trust every owner.
                let above = tree.top.parent().unwrap_or(&tree.top);
                git.arg("-C").arg(&tree.top).env("GIT_CEILING_DIRECTORIES", above);
            }
            Self::Named(dir) => {
                git.env("GIT_DIR", dir).envs(kept(KEPT_IF_NAMED));
            }
            Self::Nowhere => {
                git.env("GIT_DIR", "/nonexistent");
            }
        }
        git.args(["--no-pager", "--no-replace-objects"]);
        OVERRIDES.iter().for_each(|setting| {
            git.args(["-c", setting]);
        });
        git.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that whatever it started ends with it.
        git.process_group(0);
        git
    }

    /// What it prints.
    ///
    /// # Errors
    /// If it fails, or goes over the limit.
    pub(crate) fn output(
        &self,
        command: &'static str,
        args: &[&str],
        limit: Limit,
    ) -> Result<Vec<u8>, Error> {
        let args = [&[command], args].concat();
        let mut running =
            Running::start(self.command(&args).stdin(Stdio::null()), command, limit.time)?;
        let mut output = Vec::new();
        let Some(stdout) = running.stdout.take() else { return Err(running.broken_pipe()) };
        let read = stdout.take(limit.bytes + 1).read_to_end(&mut output);
        if output.len() as u64 > limit.bytes {
            return Err(Error::Long { command, bytes: limit.bytes });
        }
        let status = running.end().map_err(|cause| running.failed(cause))?;
        read.map_err(|cause| running.failed(cause))?;
        if status.success() {
            return Ok(output);
        }
        if running.is_late() {
            return Err(running.late());
        }
        let message = running.complaint();
        let message = message.trim().trim_start_matches("fatal: ").to_owned();
        Err(Error::Failed { command, message })
    }

    /// Starts one that is told by standard input what to print.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn start(
        &self,
        command: &'static str,
        args: &[&str],
        time: Duration,
    ) -> Result<Running, Error> {
        let args = [&[command], args].concat();
        Running::start(self.command(&args).stdin(Stdio::piped()), command, time)
    }
}

/// A process of Git; dropped, it is killed with all that it started.
#[derive(Debug)]
pub(crate) struct Running {
    command: &'static str,
    time: Duration,
    pid: Pid,
    /// `None` once it is known to have ended: its number may be another's by then.
    child: Arc<Mutex<Option<Child>>>,
    is_late: Arc<AtomicBool>,
    complaint: Option<thread::JoinHandle<String>>,
    /// What it is told, where it takes anything.
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<ChildStdout>,
    /// Dropped with it, which ends the thread that watches the time.
    _done: mpsc::Sender<()>,
}

impl Running {
    fn start(spawn: &mut Command, command: &'static str, time: Duration) -> Result<Self, Error> {
        let mut child = spawn.spawn().map_err(Error::Start)?;
        let pid = Pid::from_child(&child);
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let child = Arc::new(Mutex::new(Some(child)));
        let is_late = Arc::new(AtomicBool::new(false));
        let (done, wait) = mpsc::channel::<()>();
        let mut running = Self {
            command,
            time,
            pid,
            child: child.clone(),
            is_late: is_late.clone(),
            complaint: None,
            stdin,
            stdout,
            _done: done,
        };
        let watch = move || {
            if wait.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout) {
                is_late.store(true, Ordering::Relaxed);
                kill(&child, pid);
            }
        };
        thread::Builder::new().spawn(watch).map_err(Error::Start)?;
        if let Some(stderr) = stderr {
            let reader = thread::Builder::new().spawn(move || complaint(stderr));
            running.complaint = Some(reader.map_err(Error::Start)?);
        }
        Ok(running)
    }

    /// Writes to its standard input from a thread of its own, since Git answers before it has
    /// read all, and then closes it.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn feed(&mut self, text: String) -> Result<(), Error> {
        let Some(mut stdin) = self.stdin.take() else { return Err(self.broken_pipe()) };
        // If Git has ended, reading its answer fails and says why.
        let write = move || drop(stdin.write_all(text.as_bytes()));
        thread::Builder::new().spawn(write).map_err(Error::Start)?;
        Ok(())
    }

    /// Waits until it has ended by itself or was killed.
    fn end(&self) -> io::Result<ExitStatus> {
        // Without taking it off the list of processes: until then its number stays its own, and
        // it can still be killed when its time is over.
        loop {
            match waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => break,
            }
        }
        // What it started and left behind would keep its pipes open.
        kill(&self.child, self.pid);
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        match child.take() {
            Some(mut child) => child.wait(),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn complaint(&mut self) -> String {
        self.complaint.take().and_then(|reader| reader.join().ok()).unwrap_or_default()
    }

    /// Whether it was killed because its time was over.
    fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Relaxed)
    }

    fn late(&self) -> Error {
        Error::Late { command: self.command, seconds: self.time.as_secs() }
    }

    /// Why reading from it broke off.
    #[must_use]
    pub(crate) fn failed(&self, cause: io::Error) -> Error {
        if self.is_late() { self.late() } else { Error::Io { command: self.command, cause } }
    }

    fn broken_pipe(&self) -> Error {
        self.failed(io::ErrorKind::BrokenPipe.into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill(&self.child, self.pid);
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut child) = child.take() {
            // It is killed, so this does not last.
            let _ = child.wait();
        }
    }
}

/// Kills it and all that it started, unless it has ended.
fn kill(child: &Mutex<Option<Child>>, pid: Pid) {
    let child = child.lock().unwrap_or_else(PoisonError::into_inner);
    if child.is_some() {
        // It may just have ended.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// The beginning of what it complains of; read to the end, so that it does not wait for a reader.
fn complaint(mut stderr: impl Read) -> String {
    let mut bytes = Vec::new();
    // What cannot be read is left out of a message.
    let _ = stderr.by_ref().take(MAX_COMPLAINT).read_to_end(&mut bytes);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Settings of the user that come by the environment (`GIT_CONFIG_COUNT` and its pairs).
fn settings() -> Vec<(OsString, OsString)> {
    let mut all = Vec::new();
    let Some(count) = variable("GIT_CONFIG_COUNT") else { return all };
    let pairs = count.to_str().and_then(|text| text.parse::<u32>().ok()).unwrap_or(0).min(1000);
    for n in 0..pairs {
        for name in [format!("GIT_CONFIG_KEY_{n}"), format!("GIT_CONFIG_VALUE_{n}")] {
            // Git refuses a count that has no pair; then it says so.
            if let Some(value) = variable(&name) {
                all.push((name.into(), value));
            }
        }
    }
    all.push(("GIT_CONFIG_COUNT".into(), count));
    all
}

fn kept<'n>(names: &'n [&str]) -> impl Iterator<Item = (&'n str, OsString)> {
    names.iter().filter_map(|name| Some((*name, variable(name)?)))
}

/// Where programs are: without the working directory, which may be a checkout.
fn path() -> OsString {
    let path = variable("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let absolute = std::env::split_paths(&path).filter(|dir| Path::is_absolute(dir));
    std::env::join_paths(absolute).unwrap_or_else(|_| OsStr::new("/usr/bin:/bin").to_owned())
}

/// Where a program is, as the system would look for it. By its name alone a process with another `PATH` is
/// begun as a copy of this one, which takes longer the more memory this one holds.
fn program(name: &str, path: &OsStr) -> PathBuf {
    let mut found = std::env::split_paths(path).map(|dir| dir.join(name));
    let found = found.find(|file| file.is_file() && access(file, Access::EXEC_OK).is_ok());
    found.unwrap_or_else(|| name.into())
}

#[expect(clippy::disallowed_methods, reason = "it is handed on to git, cleared of everything else")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn sh(script: &str, time: Duration) -> Running {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        Running::start(&mut command, "test", time).unwrap()
    }

    fn read(running: &mut Running) -> String {
        let mut text = String::new();
        running.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn what_takes_too_long_is_killed_with_all_that_it_started() {
        let begun = Instant::now();
        // The inner shell keeps standard output open.
        let mut running = sh("echo a; sh -c 'sleep 600' & sleep 600", Duration::from_millis(50));
        assert_eq!(read(&mut running), "a\n");
        assert!(!running.end().unwrap().success() && running.is_late());
        let error = running.failed(io::ErrorKind::UnexpectedEof.into());
        assert!(matches!(error, Error::Late { command: "test", .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn what_is_dropped_is_killed() {
        let begun = Instant::now();
        drop(sh("sleep 600", Duration::from_secs(600)));
        assert!(begun.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn what_it_left_behind_is_waited_for_by_nobody() {
        let begun = Instant::now();
        let mut running =
            sh("sleep 600 >/dev/null & echo done >&2; exit 3", Duration::from_secs(600));
        assert_eq!(read(&mut running), "");
        assert_eq!(running.end().unwrap().code(), Some(3));
        assert_eq!(running.complaint(), "done\n");
        assert!(begun.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn a_flood_is_an_error() {
        let mut running = sh("yes >&2", Duration::from_millis(300));
        read(&mut running);
        assert!(running.end().is_ok() && running.is_late());
        assert_eq!(running.complaint().len() as u64, MAX_COMPLAINT);
        let limit = Limit { time: QUESTION.time, bytes: 3 };
        let long = Git::Nowhere.output("version", &[], limit);
        assert!(matches!(long, Err(Error::Long { bytes: 3, .. })), "{long:?}");
        let version = Git::Nowhere.output("version", &[], QUESTION).unwrap();
        assert!(version.starts_with(b"git version"));
    }

    #[test]
    fn nothing_of_the_environment_goes_in_but_what_is_named() {
        let command = Git::Named("x.git".into()).command(&["version"]);
        let set: Vec<&str> = SET.iter().map(|(name, _)| *name).collect();
        for (name, _) in command.get_envs() {
            let name = name.to_str().unwrap();
            let known =
                set.contains(&name) || KEPT.contains(&name) || KEPT_IF_NAMED.contains(&name);
            assert!(
                known || name.starts_with("GIT_CONFIG_") || ["PATH", "GIT_DIR"].contains(&name),
                "{name}"
            );
        }
        assert!(std::env::split_paths(&path()).all(|dir| dir.is_absolute()));
    }
}
