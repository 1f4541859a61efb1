//! The [`Fixture`]: a fleet and a data directory of a test's own, and the real binary in an
//! environment that holds nothing but `PATH`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::files::{Snapshot, copy, write};
use super::fleet::{PLAIN_PROFILE, PROFILE, device};
use super::scratch::directory;

/// What the binary said.
#[derive(Debug)]
pub struct Output {
    /// `None` where a signal ended it.
    pub code: Option<i32>,
    /// Where one ended it.
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    pub fn of(done: std::process::Output) -> Self {
        let std::process::Output { status, stdout, stderr } = done;
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: status.code(),
            signal: status.signal(),
            stdout: text(stdout),
            stderr: text(stderr),
        }
    }

    /// Fails unless it exited like that.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code of\n{self:#?}");
        self
    }

    /// Fails unless standard error says each of these.
    #[track_caller]
    pub fn complains(self, of: &[&str]) -> Self {
        for part in of {
            assert!(self.stderr.contains(part), "{part:?} is not in\n{}", self.stderr);
        }
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e} in\n{self:#?}"))
    }
}

/// A directory with `fleet` and, once something was applied, `.fleetform` in it.
pub struct Fixture {
    dir: tempfile::TempDir,
}

impl Fixture {
    /// An empty fleet directory.
    pub fn empty() -> Self {
        let fixture = Self::bare();
        fs::create_dir(fixture.path("fleet")).expect("a new directory");
        fixture
    }

    /// No fleet directory yet.
    pub fn bare() -> Self {
        Self { dir: directory() }
    }

    /// A profile that demands nothing and these devices, each in a file of its own.
    pub fn of(serials: &[&str]) -> Self {
        let fixture = Self::bare();
        fixture.write("fleet/profile.yaml", PLAIN_PROFILE);
        for serial in serials {
            fixture.write(&format!("fleet/{serial}.yaml"), device(serial));
        }
        fixture
    }

    /// The fleet that the repository shows: three profiles, twelve devices.
    pub fn sample() -> Self {
        let fixture = Self::empty();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fleet"), &fixture.path("fleet"));
        fixture
    }

    /// One profile and so many devices, many to a file.
    pub fn generated(devices: usize) -> Self {
        let fixture = Self::empty();
        fixture.write("fleet/profile.yaml", PROFILE);
        for file in 0..devices.div_ceil(500) {
            let mut text = String::new();
            for n in (file * 500..devices).take(500) {
                let _ = writeln!(text, "---\n{}", device(&format!("SN{n:06}")));
            }
            fixture.write(&format!("fleet/site{file}.yaml"), &text);
        }
        fixture
    }

    /// The sample fleet, applied, and every device enrolled and compliant.
    pub fn enrolled() -> Self {
        static ENROLLED: LazyLock<Snapshot> = LazyLock::new(|| {
            let fixture = Fixture::sample();
            fixture.run(&["apply", "--yes"]).exits(0);
            let serials: Vec<_> = fixture.devices().into_keys().collect();
            let reports: Vec<_> = serials.iter().map(|serial| healthy(serial, 1)).collect();
            fixture.report(&reports.join("\n"));
            fixture.run(&["apply", "--yes"]).exits(0);
            fixture.snapshot()
        });
        Self::from(&ENROLLED)
    }

    /// What was made once, anew.
    pub fn from(snapshot: &Snapshot) -> Self {
        let fixture = Self::bare();
        snapshot.write(fixture.dir.path());
        fixture
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(self.dir.path())
    }

    /// A copy of everything, elsewhere.
    pub fn duplicate(&self) -> Self {
        let dir = directory();
        copy(self.dir.path(), dir.path());
        Self { dir }
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    pub fn data(&self) -> PathBuf {
        self.path(".fleetform")
    }

    pub fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).expect(relative)
    }

    /// Writes a file, and the directories above it.
    pub fn write(&self, relative: &str, bytes: impl AsRef<[u8]>) {
        write(self.path(relative), bytes);
    }

    /// For its owner only, as a file with a token or a key has to be.
    pub fn write_secret(&self, relative: &str, text: impl AsRef<[u8]>) {
        self.write(relative, text);
        let owner = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.path(relative), owner).expect(relative);
    }

    /// As an editor saves: a temporary file beside it, then a rename over it.
    pub fn save(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        let temporary = path.with_extension("tmp");
        fs::write(&temporary, text).expect(relative);
        fs::rename(temporary, path).expect(relative);
    }

    /// Changes a file's text, which must have the part that is to go.
    #[track_caller]
    pub fn replace(&self, relative: &str, from: &str, to: &str) {
        let text = self.read(relative);
        assert!(text.contains(from), "{from:?} is not in {relative}");
        self.write(relative, text.replace(from, to));
    }

    pub fn remove(&self, relative: &str) {
        let path = self.path(relative);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
            .expect(relative);
    }

    /// The binary, to be run as it is.
    pub fn command(&self, args: &[&str]) -> Command {
        self.command_under(&[], args)
    }

    /// The binary, to be run by another program: `strace`, `unshare`, `sh -c … sh`.
    pub fn command_under(&self, wrapper: &[&str], args: &[&str]) -> Command {
        let words = [wrapper, &[env!("CARGO_BIN_EXE_fleetform")], args].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(self.dir.path()).env_clear().stdin(Stdio::null());
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, &[])
    }

    /// Runs to the end: exit code, standard output, standard error.
    pub fn outcome(&self, args: &[&str]) -> (i32, String, String) {
        let Output { code, stdout, stderr, .. } = self.run(args);
        (code.unwrap_or(-1), stdout, stderr)
    }

    pub fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let done = self.command(args).envs(variables.iter().copied()).output().expect("it runs");
        Output::of(done)
    }

    /// Runs it by another program, as `strace`.
    pub fn run_under(&self, wrapper: &[&str], args: &[&str]) -> Output {
        let done = self.command_under(wrapper, args).output().expect("it runs");
        Output::of(done)
    }

    /// Runs it with something on standard input.
    pub fn feed(&self, args: &[&str], input: &str) -> Output {
        feed(self.command(args), input)
    }

    /// Runs another program in the same place, with something on standard input.
    pub fn feed_to(&self, words: &[&str], input: &str) -> Output {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(self.dir.path());
        feed(command, input)
    }

    /// The result with `-o json`, of a run that exits with 0.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        self.run(&[args, &["-o", "json"]].concat()).exits(0).json()
    }

    /// Hands reports to the inbox.
    #[track_caller]
    pub fn report(&self, reports: &str) {
        self.feed(&["report"], reports).exits(0);
    }

    /// What is recorded, by serial number.
    #[track_caller]
    pub fn devices(&self) -> BTreeMap<String, Value> {
        let list = self.json(&["list"]);
        let devices = list["devices"].as_array().expect("devices").iter();
        devices.map(|d| (text(&d["serialNumber"]).to_owned(), d.clone())).collect()
    }

    /// Lines of the log, parsed; none where there is no log yet. Whoever writes it may be about to
    /// end the last one.
    pub fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path(".fleetform/audit.jsonl")).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// How many entries of a kind the log has.
    pub fn logged(&self, kind: &str) -> usize {
        self.log().iter().filter(|entry| entry["kind"] == kind).count()
    }

    /// `state.json`.
    pub fn state(&self) -> Value {
        serde_json::from_str(&self.read(".fleetform/state.json")).expect("JSON")
    }
}

fn feed(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    // It need not read it.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let done = child.wait_with_output().expect("it ends");
    Output::of(done)
}

/// A value that is a string.
#[track_caller]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string"))
}

/// The actions of a plan, as `kind serial`.
pub fn actions(plan: &Value) -> Vec<String> {
    let actions = plan["actions"].as_array().expect("actions").iter();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    actions.map(|a| format!("{} {}", word(&a["action"]), word(&a["serialNumber"]))).collect()
}

/// A device's report that fails no check of the sample's profiles; `day` dates it.
pub fn healthy(serial: &str, day: u32) -> String {
    format!(
        r#"{{"serialNumber":"{serial}","at":"2020-01-{day:02}T09:00:00Z","osVersion":"99","antivirus":{{"enabled":true,"signaturesUpdatedAt":"2020-01-{day:02}T08:00:00Z"}},"encryption":{{"enabled":true}},"screenLock":{{"enabled":true,"pinLength":8}}}}"#
    )
}

/// Looks until it is so, for a minute at most.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        std::thread::yield_now();
    }
}
