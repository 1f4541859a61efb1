//! Programs to measure: this one, and those of the same machine that it is compared with.

use std::fs;
use std::io::{self, Error};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often a running program is asked for the most memory that it had. What it says only
/// rises, so that all that can be missed is what it rises in its last moments.
const ASKED_EVERY: Duration = Duration::from_millis(1);

/// A fleet directory, and where `fleetform` is run on it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The fleet directory, the root of a Git repository.
    pub fleet: PathBuf,
    /// The data directory, which need not exist: the default of the directory that it is in. One that is
    /// named must hold a ledger.
    pub data: PathBuf,
}

/// Runs a program to its end, what it prints into memory; gives how long that took.
///
/// # Errors
/// If it cannot be run, or says that it failed.
pub fn run(command: &mut Command) -> io::Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let begun = Instant::now();
    let output = command.output()?;
    let time = begun.elapsed();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::other(format!("{command:?}: {}: {said}", output.status)));
    }
    Ok(time)
}

/// Runs a program to its end, and gives the most resident memory that it had, in bytes.
///
/// # Errors
/// As [`run`].
pub fn peak_memory(command: &mut Command) -> io::Result<u64> {
    time_and_memory(command).map(|(_, peak)| peak)
}

/// Both how long a program ran and the most resident memory that it had, in bytes: for what takes so long
/// that looking at its memory does not count.
///
/// # Errors
/// As [`run`].
pub fn time_and_memory(command: &mut Command) -> io::Result<(Duration, u64)> {
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let mut peak = 0;
    let status = loop {
        peak = memory(child.id(), "VmHWM:").unwrap_or(0).max(peak);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(ASKED_EVERY);
    };
    if status.success() {
        Ok((begun.elapsed(), peak))
    } else {
        Err(Error::other(format!("{command:?}: {status}")))
    }
}

/// Resident memory of a process, in bytes; `None` once it is over.
pub fn resident(process: u32) -> Option<u64> {
    memory(process, "VmRSS:")
}

/// The most resident memory of a process that still runs, in bytes.
pub fn most_resident(process: u32) -> Option<u64> {
    memory(process, "VmHWM:")
}

fn memory(process: u32, what: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

impl Place {
    /// A fleet directory, looked after from this directory, which is made.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(fleet: PathBuf, home: &Path) -> io::Result<Self> {
        fs::create_dir_all(home)?;
        Ok(Self { fleet, data: home.join(".fleetform") })
    }

    /// The program itself.
    pub fn fleetform(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetform"));
        // No configuration of the directory that the harness was started in.
        command.current_dir(self.data.parent().unwrap_or(&self.data));
        command.env_remove("FLEETFORM_LOG").env_remove("FLEETFORM_DATA");
        command.arg("--fleet").arg(&self.fleet).args(arguments);
        command
    }

    /// What anybody would hash a tree with.
    pub fn sha256sum(&self) -> Command {
        let mut command = Command::new("sh");
        command.current_dir(&self.fleet);
        command.args([
            "-c",
            "find . -name .git -prune -o -name '*.yaml' -print0 | xargs -0 sha256sum",
        ]);
        command
    }

    /// What reading and hashing the log costs.
    pub fn sha256sum_of_log(&self) -> Command {
        let mut command = Command::new("sha256sum");
        command.arg(self.data.join("audit.jsonl"));
        command
    }

    /// What Git does to see that nothing has changed.
    pub fn git_status(&self) -> Command {
        self.git(&["status", "--porcelain"])
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.fleet).args(arguments);
        // Nobody's own settings, so that figures compare.
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    /// What Git does to tell two revisions apart.
    pub fn git_diff(&self, base: &str, head: &str) -> Command {
        self.git(&["diff", "--stat", base, head])
    }

    /// Makes the fleet directory a repository, unless it is one, with everything in one more
    /// commit, and tags that.
    ///
    /// # Errors
    /// If Git fails.
    pub fn commit(&self, tag: &str) -> io::Result<()> {
        let who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"];
        run(&mut self.git(&["init", "--quiet"]))?;
        run(&mut self.git(&["add", "--all"]))?;
        let commit = [&who[..], &["commit", "--quiet", "--message", "A fleet"]].concat();
        run(&mut self.git(&commit))?;
        run(&mut self.git(&["tag", tag])).map(drop)
    }

    /// Makes the files what they were in a revision.
    ///
    /// # Errors
    /// If Git fails.
    pub fn back_to(&self, tag: &str) -> io::Result<()> {
        run(&mut self.git(&["checkout", "--quiet", "--detach", tag])).map(drop)
    }

    /// Packs all objects.
    ///
    /// # Errors
    /// If Git fails.
    pub fn pack(&self) -> io::Result<()> {
        run(&mut self.git(&["repack", "-a", "-d", "--quiet"])).map(drop)
    }

    /// How many entries the log has.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn log(&self) -> io::Result<Vec<String>> {
        let text = fs::read_to_string(self.data.join("audit.jsonl"))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Forgets the data directory: the next pass is the first.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn forget(&self) -> io::Result<()> {
        remove(&self.data)
    }
}

/// Removes a directory, if it is there.
///
/// # Errors
/// Those of the file system.
pub fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
