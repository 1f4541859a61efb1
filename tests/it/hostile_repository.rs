//! A pull request that brings a Git repository inside the fleet directory, and settings and trust
//! of its own: no command of its author runs, and nothing of it is believed.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{Device, Fixture, Output, Profile, directory, git, wait_until};

/// Whatever Git can be made to run writes this file.
const MARKER: &str = "marker";

/// Everything that a configuration can run.
fn configuration(script: &str) -> String {
    format!(
        "[core]\n\trepositoryformatversion = 1\n\tbare = false\n\tworktree = .\n\tfsmonitor = {script}\n\
         \thooksPath = hooks\n\tpager = {script}\n\tsshCommand = {script}\n\tgitProxy = {script}\n\
         \taskPass = {script}\n\tattributesFile = attributes\n\teditor = {script}\n\
         [extensions]\n\tpartialClone = evil\n\
         [remote \"evil\"]\n\turl = .\n\tpromisor = true\n\tuploadpack = {script}\n\
         [protocol \"file\"]\n\tallow = always\n[protocol \"ext\"]\n\tallow = always\n\
         [diff]\n\texternal = {script}\n[diff \"evil\"]\n\tcommand = {script}\n\ttextconv = {script}\n\
         [filter \"evil\"]\n\tsmudge = {script}\n\tclean = {script}\n\tprocess = {script}\n\
         [credential]\n\thelper = {script}\n[pager]\n\tdiff = {script}\n\tconfig = {script}\n\
         [alias]\n\trev-parse = !{script}\n\tconfig = !{script}\n\tcat-file = !{script}\n\
         [include]\n\tpath = more\n\
         [user]\n\temail = mallory@example.com\n\tsigningkey = {script}\n"
    )
}

/// The sample fleet in a work tree, with a hostile repository in its root and one deeper.
fn hostile() -> Fixture {
    let fixture = Fixture::sample();
    git(&fixture.path("."), &["init", "-q", "-b", "main"]);
    git(&fixture.path("."), &["add", "-A"]);
    git(&fixture.path("."), &["commit", "-q", "-m", "one"]);
    let script = fixture.path("evil.sh");
    let marker = fixture.path(MARKER);
    let (script, marker) = (script.to_str().expect("UTF-8"), marker.to_str().expect("UTF-8"));
    fixture.write("evil.sh", format!("#!/bin/sh\necho \"$0 $*\" >> {marker}\n"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(script, mode).expect("executable");
    for at in ["fleet", "fleet/deep"] {
        let forged = "0123456789012345678901234567890123456789";
        fixture.write(&format!("{at}/HEAD"), "ref: refs/heads/main\n");
        fixture.write(&format!("{at}/config"), configuration(script));
        // What is included must not include itself: Git would stop before it runs anything.
        let more = configuration(script).replace("[include]\n\tpath = more\n", "");
        fixture.write(&format!("{at}/more"), more);
        fixture.write(&format!("{at}/refs/heads/main"), format!("{forged}\n"));
        fixture.write(&format!("{at}/objects/info/packs"), "");
        fixture.write(&format!("{at}/attributes"), "* diff=evil filter=evil\n");
        for hook in ["post-checkout", "post-index-change", "fsmonitor-watchman", "pre-commit"] {
            fixture.write(&format!("{at}/hooks/{hook}"), fixture.read("evil.sh"));
        }
    }
    fixture.write("fleet/.gitattributes", "* diff=evil filter=evil\n");
    git(&fixture.path("."), &["add", "-Af", "."]);
    git(&fixture.path("."), &["commit", "-q", "-m", "two"]);
    fixture
}

/// Runs the daemon until it has taken in a new manifest, and stops it.
fn daemon(fixture: &Fixture, more: &[&str]) {
    let log = if more.is_empty() { ".fleetform/audit.jsonl" } else { "deep/audit.jsonl" };
    let mut child = Command::new(env!("CARGO_BIN_EXE_fleetform"))
        .args(["daemon", "--poll", "100ms"])
        .args(more)
        .current_dir(fixture.path("."))
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let serial = format!("DAEMON{}", more.len());
    fixture.write("fleet/deep/profile.yaml", Profile::new("Deep", "windows").yaml());
    let device = Device::new(&serial).named(&serial).with("profile", "Deep").yaml();
    let begun = || fs::read_to_string(fixture.path(log)).unwrap_or_default();
    wait_until("it to begin", || !begun().is_empty() || !more.is_empty());
    fixture.write(&format!("fleet/deep/{serial}.yaml"), device);
    wait_until("a pass of the daemon", || begun().contains(&serial));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().expect("kill").success());
    assert!(child.wait().expect("its end").success());
}

#[test]
fn no_command_of_its_author_runs() {
    let fixture = hostile();
    // It is dangerous: whoever asks Git here without care runs it.
    let status = fixture.path("fleet/deep");
    let careless = Command::new("git").current_dir(status).args(["status"]).output();
    assert!(careless.is_ok() && fixture.path(MARKER).exists(), "{careless:?}");
    fixture.remove(MARKER);

    let run = |args: &[&str]| -> Output {
        let output = fixture.run(args);
        assert!(!fixture.path(MARKER).exists(), "{args:?}: {}", fixture.read(MARKER));
        output
    };
    let found = run(&["check"]).exits(1);
    assert!(found.stdout.contains("git-directory"), "{found:?}");
    run(&["plan"]).exits(1);
    run(&["apply", "--yes"]).exits(1);
    let log = fixture.read(".fleetform/audit.jsonl");
    assert!(!log.contains("01234567890123456789"), "a forged revision is in the log");
    let diff = run(&["diff", "HEAD~1", "HEAD"]).exits(0);
    assert!(diff.stdout.contains("git-directory"), "{diff:?}");
    for args in [&["diff", "HEAD~1"][..], &["diff", "HEAD", "-o", "json"], &["diff", "main"]] {
        run(args).exits(0);
    }
    let new = run(&["wipe", "new", "D001", "--reason", "lost"]);
    assert!(!format!("{new:?}").contains("mallory"), "{new:?}");
    let file = "fleet/wipes/w.yaml";
    let new = ["wipe", "new", "D001", "--reason", "lost", "--requested-by", "bob@example.com"];
    run(&[&new[..], &["--file", file]].concat());
    let sign = run(&["wipe", "sign", file]);
    assert!(sign.code == Some(1) && !sign.stderr.contains("evil.sh"), "{sign:?}");
    run(&["wipe", "verify", file]);
    run(&["set", "D001", "status=Failed"]);
    let new =
        ["--serial", "NEW1", "--user", "a@example.com", "--profile", "Standard", "--os", "10"];
    run(&[&["provision"][..], &new].concat());
    for args in [&["list"][..], &["show", "D001"], &["audit", "verify"], &["init", "fleet/deep"]] {
        run(args);
    }
    for more in [&[][..], &["--fleet", "fleet/deep", "--data", "deep", "--new-ledger"]] {
        daemon(&fixture, more);
        assert!(!fixture.path(MARKER).exists(), "daemon {more:?}: {}", fixture.read(MARKER));
    }
    let log = fixture.read(".fleetform/audit.jsonl") + &fixture.read("deep/audit.jsonl");
    assert!(!log.contains("01234567890123456789"), "a forged revision is in the log");
    let fleet = fixture.path("fleet/deep");
    let fleet = fleet.to_str().expect("UTF-8");
    for args in [&["check"][..], &["plan"], &["diff", "main"]] {
        run(&[&["--fleet", fleet][..], args].concat());
    }
}

/// Its own key and quorum come with the pull request; the runner's command line does not name them.
#[test]
fn settings_and_trust_of_the_checkout_give_no_rights() {
    let fixture = Fixture::sample();
    git(&fixture.path("."), &["init", "-q", "-b", "main"]);
    let settings = "fleet: ./fleet\ntrust: {allowedSigners: ./signers}\n\
                    wipes: {quorum: [{upTo: 1000, per: 1h, signers: 1}]}\n";
    fixture.write("fleetform.yaml", settings);
    fixture.write("signers", "");
    for args in [
        &["plan"][..],
        &["apply", "--yes"],
        &["daemon"],
        &["wipe", "verify", "fleet/w.yaml"],
        &["--config", "fleetform.yaml", "plan"],
        &["list"],
    ] {
        fixture.run(args).exits(1).complains(&["must not set trust, wipes", "--config"]);
    }
    assert!(!fixture.data().exists());
    for args in [&["check"][..], &["diff", "./fleet"]] {
        fixture.run(args).exits(0).complains(&["do not count", "trust, wipes"]);
    }
    // The runner's own settings, but a trust file of the checkout.
    let own = directory();
    let config = own.path().join("fleetform.yaml");
    let signers = fixture.path("signers");
    let text = format!(
        "fleet: {}\ndata: {}\ntrust: {{allowedSigners: {}}}\n",
        fixture.path("fleet").display(),
        fixture.data().display(),
        signers.display()
    );
    fs::write(&config, text).expect("a file");
    let config = config.to_str().expect("UTF-8");
    let check = fixture.run(&["--config", config, "check"]).exits(1);
    assert!(!check.stderr.contains("do not count"), "{check:?}");
    check.complains(&["lies in the Git work tree", "every wipe is refused"]);
    fixture.run(&["--config", config, "apply", "--yes", "--new-ledger"]).exits(0);
    let new = ["wipe", "new", "D001", "--reason", "lost", "--requested-by", "bob@example.com"];
    let file = fixture.path("fleet/w.yaml");
    let file = file.to_str().expect("UTF-8");
    fixture.run(&[&["--config", config][..], &new, &["--file", file]].concat()).exits(0);
    let verified = fixture.run(&["--config", config, "wipe", "verify", file]).exits(1);
    assert!(format!("{verified:?}").contains("lies in the Git work tree"), "{verified:?}");
}
