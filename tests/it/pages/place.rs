//! Where the commands of a page are run: what a reader has there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{SecondsFormat, TimeDelta, Utc};

use super::block::Step;
use super::output::fits;
use crate::daemon::client::address;
use crate::support::{Daemon, Fixture, copy, git, key, needs, public};

/// A line that begins the output of a step.
const MARK: char = '\u{1e}';

/// A directory of a page's own.
pub struct Place {
    fixture: Fixture,
    /// Where the reader is, below it.
    here: &'static str,
    /// Places and names of the page, and what they are here.
    names: Vec<(String, String)>,
    _daemon: Option<Daemon>,
}

impl Place {
    /// An empty directory.
    pub fn bare() -> Self {
        let place =
            Self { fixture: Fixture::bare(), here: "here", names: Vec::new(), _daemon: None };
        fs::create_dir(place.fixture.path("here")).expect("a directory");
        place.furnish();
        place
    }

    /// A clone of this repository; building it is played, and the tests are.
    pub fn clone_of_this() -> Self {
        let place = Self::bare();
        copy(&root().join("fleet"), &place.fixture.path("here/fleet"));
        copy(&root().join("examples"), &place.fixture.path("here/examples"));
        place.program("here/tests/run", "#!/bin/sh\n");
        place.program(
            "bin/cargo",
            "#!/bin/sh\n[ \"$1\" = run ] || exit 0\nwhile [ \"$1\" != -- ]; do shift; done\nshift\n\
             exec fleetform \"$@\"\n",
        );
        place
    }

    /// A laptop with a clone of a fleet repository, and the server with a daemon over another one. All
    /// devices are enrolled, and Bob may sign wipes.
    pub fn office() -> Self {
        needs("curl");
        let mut place = Self::bare();
        let path = |name: &str| place.fixture.path(name);
        let shown = |name: &str| path(name).display().to_string();
        copy(&root().join("fleet"), &path("first/fleet"));
        place.fixture.write("first/.gitattributes", "*.yaml -text\n*.sig -text\n");
        git(&path("first"), &["init", "-q", "-b", "main"]);
        git(&path("first"), &["add", "-A"]);
        git(&path("first"), &["commit", "-q", "-m", "begin"]);
        git(&path("."), &["clone", "-q", "--bare", "first", "origin.git"]);
        git(&path("."), &["clone", "-q", "origin.git", "server"]);
        fs::remove_dir(path("here")).expect("it is empty");
        git(&path("."), &["clone", "-q", "origin.git", "here"]);
        place.program(
            "origin.git/hooks/post-receive",
            &format!("#!/bin/sh\nunset GIT_DIR\ngit -C {} pull -q\n", shown("server")),
        );
        let signer = format!("bob@example.com namespaces=\"wipe@fleetform\" {}\n", public("bob"));
        place.fixture.write_secret("etc/allowed_signers", signer);
        place.fixture.write_secret("etc/revoked_keys", "");
        let config = "fleet: ../server/fleet\ndata: ../data\ntrust: {allowedSigners: allowed_signers, \
                      revokedKeys: revoked_keys}\n";
        place.fixture.write("etc/fleetform.yaml", config);
        fs::create_dir(path("backups")).expect("a directory");
        let on_server = ["--config", "etc/fleetform.yaml"];
        let run = |args: &[&str]| place.fixture.run(&[&on_server, args].concat()).exits(0);
        run(&["apply", "--yes", "--new-ledger"]);
        place.fixture.feed(&[&on_server[..], &["report"]].concat(), &reports()).exits(0);
        run(&["apply", "--yes"]);
        let daemon = ["daemon", "--listen", "127.0.0.1:0", "--color", "never"];
        let daemon = place.fixture.command(&[&on_server[..], &daemon].concat());
        let mut daemon = place.fixture.daemon_as(daemon);
        let address = address(&mut daemon).to_string();
        daemon.until("readiness", || {
            let ready = crate::daemon::client::get(address.parse().expect("it"), "/readyz");
            if ready.status == 200 { Ok(()) } else { Err(ready.body) }
        });
        place.names = [
            ("https://fleet.example.com", format!("http://{address}")),
            ("127.0.0.1:8080", address),
            ("runuser -u fleetform -- ", String::new()),
            ("/etc/fleetform", shown("etc")),
            ("/srv/fleet", shown("server")),
            ("/backups", shown("backups")),
            ("/tmp/drill", shown("drill")),
        ]
        .map(|(name, here)| (name.to_owned(), here))
        .into();
        place._daemon = Some(daemon);
        place
    }

    /// What every reader has: a home with a key, Git that knows its user, and the program.
    fn furnish(&self) {
        let write = |name: &str, text: &str| self.fixture.write_secret(name, text);
        for (from, to) in [("bob", "id_ed25519"), ("bob.pub", "id_ed25519.pub")] {
            write(&format!("home/.ssh/{to}"), &fs::read_to_string(key(from)).expect("a key"));
        }
        write(
            "home/.gitconfig",
            "[user]\nname = Bob\nemail = bob@example.com\n[init]\ndefaultBranch = main\n",
        );
        fs::create_dir(self.fixture.path("bin")).expect("a directory");
    }

    fn program(&self, name: &str, text: &str) {
        self.fixture.write(name, text);
        let runs = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.fixture.path(name), runs).expect(name);
    }

    /// The page as it is to be read here.
    pub fn read(&self, page: &str) -> String {
        self.names.iter().fold(page.to_owned(), |page, (name, here)| page.replace(name, here))
    }

    /// Runs all steps in one shell, and says which of them do not do what the page shows.
    pub fn run(&self, page: &str, steps: &[Step]) {
        let mut script = String::from("set -eu\nexec 2>&1\n");
        for (at, step) in steps.iter().enumerate() {
            let command = &step.command;
            script += &format!("printf '\\n{MARK}{at}\\n'\n");
            script += &if step.fails() {
                format!("{{ {command}}} && exit 97 || true\n")
            } else {
                command.clone()
            };
        }
        let path = std::env::var("PATH").expect("a path");
        let program = Path::new(env!("CARGO_BIN_EXE_fleetform")).parent().expect("a directory");
        let bin = self.fixture.path("bin");
        let done = Command::new("timeout")
            .args(["120", "bash", "-c", &script])
            .current_dir(self.fixture.path(self.here))
            .env_clear()
            .env("PATH", format!("{}:{}:{path}", bin.display(), program.display()))
            .env("HOME", self.fixture.path("home"))
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .expect("bash");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let mut printed: Vec<&str> = said.split(&format!("\n{MARK}")).skip(1).collect();
        let last = printed.len().saturating_sub(1);
        assert!(done.status.success(), "{page}:{}: fails\n{said}", steps[last].line);
        assert_eq!(printed.len(), steps.len(), "{said}");
        for (step, text) in steps.iter().zip(&mut printed) {
            let lines: Vec<&str> = text.trim_end().lines().skip(1).collect();
            let mut shown: Vec<&str> = step.shown.iter().map(String::as_str).collect();
            while shown.last().is_some_and(|line| line.is_empty()) {
                shown.pop();
            }
            assert!(
                shown.is_empty() || fits(&shown, &lines),
                "{page}:{}: {} prints\n{}",
                step.line,
                step.command,
                lines.join("\n")
            );
        }
    }
}

pub fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// A report of every device of the sample fleet, a minute ago.
fn reports() -> String {
    let at = (Utc::now() - TimeDelta::minutes(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
    Fixture::enrolled()
        .devices()
        .keys()
        .map(|serial| crate::support::healthy(serial, 1).replace("2020-01-01T09:00:00Z", &at))
        .map(|report| report.replace("2020-01-01T08:00:00Z", &at) + "\n")
        .collect()
}
