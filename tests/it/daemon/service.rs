//! Under a service manager: what it is told, and the units and examples that it is given.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use crate::support::{Fixture, PLAIN_PROFILE, device, git, needs};

/// What came, message by message.
struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    /// The next message, for a minute at most.
    fn next(&self) -> String {
        let mut message = [0; 4096];
        let length = self.socket.recv(&mut message).expect("a message within a minute");
        String::from_utf8_lossy(&message[..length]).into_owned()
    }

    /// Waits for a message that begins so; others than signs of life must not come before.
    fn expect(&self, begins: &str) -> String {
        loop {
            let message = self.next();
            if message.starts_with(begins) {
                return message;
            }
            assert!(message.starts_with("WATCHDOG=1"), "{message:?} before {begins:?}");
        }
    }
}

#[test]
fn a_service_manager_is_told() {
    let place = Fixture::of(&["A"]);
    let path = place.path("notify");
    let manager = Manager { socket: UnixDatagram::bind(&path).unwrap() };
    manager.socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let socket = format!("NOTIFY_SOCKET={}", path.display());
    let wrapper = ["env", &socket, "WATCHDOG_USEC=90000"];
    let mut daemon = place.daemon_under(&wrapper, &[]);
    manager.expect("READY=1");
    assert_eq!(place.recorded(), ["A:Pending"], "ready means that a pass is done");
    for _ in 0..5 {
        manager.expect("WATCHDOG=1");
    }
    // Good or bad, a reload begins and ends.
    for text in ["enrollment: {deadline: 1h}\n", "nonsense: 1\n"] {
        place.write("fleetform.yaml", text);
        daemon.signal("HUP");
        let message = manager.expect("RELOADING=1");
        let at = message.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap();
        assert!(at.parse::<u64>().unwrap() > 0, "{message}");
        manager.expect("READY=1");
    }
    daemon.signal("TERM");
    manager.expect("STOPPING=1");
    // Told once: a second signal would end it at once.
    let status = daemon.ended();
    assert_eq!(status.code(), Some(0), "{}", daemon.said());
}

fn example(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The command lines of a unit.
fn commands(unit: &str) -> Vec<String> {
    let lines = unit.lines().filter_map(|line| line.strip_prefix("ExecStart="));
    lines.map(str::to_owned).collect()
}

/// A fleet's repository that others push to, and who does.
fn origin(place: &Fixture) {
    place.write("work/fleet/profile.yaml", PLAIN_PROFILE);
    place.write("work/fleet/A.yaml", device("A"));
    let work = place.path("work");
    git(&work, &["init", "-q"]);
    git(&place.path(""), &["init", "-q", "--bare", "origin.git"]);
    push(place, "one");
}

fn push(place: &Fixture, message: &str) {
    let work = place.path("work");
    git(&work, &["add", "."]);
    git(&work, &["commit", "-qm", message]);
    git(&work, &["push", "-q", "../origin.git", "HEAD:main"]);
}

#[test]
fn what_the_timer_runs_brings_a_push_to_the_fleet() {
    let place = Fixture::bare();
    origin(&place);
    git(&place.path(""), &["clone", "-q", "-b", "main", "origin.git", "srv"]);
    let mut daemon = place.daemon(&["--fleet", "srv/fleet"]);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    let pull = || {
        let lines = commands(&example("systemd/fleetform-pull.service"));
        assert!(!lines.is_empty());
        lines.iter().all(|line| {
            let mut shell = Command::new("sh");
            shell.args(["-c", line]).current_dir(place.path("srv"));
            shell.env("GIT_CONFIG_GLOBAL", "/dev/null").status().unwrap().success()
        })
    };
    place.write("work/fleet/B.yaml", device("B"));
    push(&place, "two");
    assert!(pull());
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
    let last = place.log().pop().unwrap();
    let source = place.log().into_iter().rev().find(|entry| !entry["source"].is_null()).unwrap();
    let head = fs::read_to_string(place.path("srv/.git/refs/heads/main")).unwrap();
    assert_eq!(source["source"]["revision"], head.trim(), "{last}");
    // A history that was rewritten is not taken.
    let work = place.path("work");
    git(&work, &["reset", "-q", "--hard", "HEAD~1"]);
    place.write("work/fleet/C.yaml", device("C"));
    git(&work, &["add", "."]);
    git(&work, &["commit", "-qm", "rewritten"]);
    git(&work, &["push", "-q", "--force", "../origin.git", "HEAD:main"]);
    assert!(!pull());
    assert_eq!(place.recorded(), ["A:Pending", "B:Pending"]);
    daemon.stop();
}

/// As git-sync does it: each commit in a work tree of its own, named by a link that is replaced
/// by a rename; the one before goes a moment later.
#[test]
fn git_sync_swaps_the_work_tree() {
    let link = "current";
    let manifest = example("kubernetes/fleetform.yaml");
    assert!(manifest.contains(&format!("--link={link}")), "{manifest}");
    assert!(manifest.contains(&format!("fleet: /git/{link}/fleet")), "{manifest}");
    let place = Fixture::bare();
    origin(&place);
    let root = place.path("git");
    fs::create_dir(&root).unwrap();
    let sync = |name: &str| {
        let repo = root.join(".git");
        if !repo.exists() {
            git(&root, &["init", "-q"]);
        }
        git(&root, &["fetch", "-q", "../origin.git", "main"]);
        let tree = format!(".worktrees/{name}");
        git(&root, &["worktree", "add", "-q", "--detach", &tree, "FETCH_HEAD"]);
        std::os::unix::fs::symlink(&tree, root.join("tmp-link")).unwrap();
        fs::rename(root.join("tmp-link"), root.join(link)).unwrap();
    };
    sync("one");
    let fleet = format!("git/{link}/fleet");
    let mut daemon = place.daemon(&["--fleet", &fleet]);
    place.until_recorded(&mut daemon, &["A:Pending"]);
    let mut expected = vec!["A:Pending".to_owned()];
    for (serial, name, before) in [("B", "two", "one"), ("C", "three", "two")] {
        place.write(&format!("work/fleet/{serial}.yaml"), device(serial));
        push(&place, name);
        sync(name);
        git(&root, &["worktree", "remove", "--force", &format!(".worktrees/{before}")]);
        expected.push(format!("{serial}:Pending"));
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        place.until_recorded(&mut daemon, &expected);
    }
    assert!(!place.log().iter().any(|entry| entry["kind"] == "pass.frozen"));
    daemon.stop();
}

#[test]
fn systemd_understands_the_units_and_finds_them_tight() {
    needs("systemd-analyze");
    let place = Fixture::bare();
    for (name, most) in
        [("fleetform.service", 12), ("fleetform-pull.service", 12), ("fleetform-pull.timer", 0)]
    {
        // The program is not installed here; another one is.
        let text = example(&format!("systemd/{name}"));
        let filters = text.lines().any(|line| line.starts_with("IPAddress"));
        assert!(!filters, "{name}: it filters what is sent too, to Intune and to webhooks");
        place.write(name, text.replace("/usr/local/bin/fleetform", "/bin/true"));
        if most > 0 {
            let score = format!("--threshold={most}");
            let args = ["security", "--offline=true", "--no-pager", &score, name];
            analyze(&place, &args);
        }
    }
    analyze(&place, &["verify", "--man=no", "./fleetform.service", "./fleetform-pull.timer"]);
}

fn analyze(place: &Fixture, args: &[&str]) {
    let mut analyze = Command::new("systemd-analyze");
    let output = analyze.args(args).current_dir(place.path("")).output().unwrap();
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{args:?}: {said}");
    assert!(args[0] != "verify" || said.is_empty(), "{said}");
}
