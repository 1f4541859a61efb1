//! The suite about itself: the table of promises names tests that exist, and `tests/run` installs
//! every program that a test calls.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::architecture::{root, rust_files};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

/// The file of a module, of the tests here or of the program. Short tests are in the file that
/// they are about.
fn file_of(module: &str) -> Option<PathBuf> {
    own_file_of(module).or_else(|| own_file_of(module.strip_suffix("::tests")?))
}

fn own_file_of(module: &str) -> Option<PathBuf> {
    let path = module.replace("::", "/");
    let places = ["tests/it", "src"].into_iter().flat_map(|folder| {
        ["", "/mod", "/tests/mod"].map(|end| root().join(format!("{folder}/{path}{end}.rs")))
    });
    places.into_iter().find(|file| file.is_file())
}

#[test]
fn every_test_that_the_table_of_promises_names_is_there() {
    let readme = read("tests/README.md");
    let (_, table) = readme.split_once("\n| promise | tests |\n").expect("the table");
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let mut named = 0;
    for row in rows {
        let tests: Vec<_> =
            row.split('`').skip(1).step_by(2).filter(|word| word.contains("::")).collect();
        assert!(!tests.is_empty(), "no test in the row {row}");
        for test in tests {
            let (module, name) = test.rsplit_once("::").expect("a module and a name");
            let file = file_of(module).unwrap_or_else(|| panic!("{test}: there is no such file"));
            let text = fs::read_to_string(&file).expect("readable source");
            let lines: Vec<_> = text.lines().collect();
            let at = lines.iter().position(|line| line.contains(&format!("fn {name}(")));
            let at = at.unwrap_or_else(|| panic!("{test}: not in {}", file.display()));
            let above = &lines[at.saturating_sub(3)..at];
            let is_test =
                |line: &&str| line.trim() == "#[test]" || line.trim().starts_with("#[tokio::test");
            assert!(above.iter().any(is_test), "{test} is no test");
            named += 1;
        }
    }
    assert!(named > 60, "only {named} tests are named");
}

/// Programs that a Rust file starts by their name.
fn started(text: &str, programs: &mut BTreeSet<String>) {
    for begin in ["Command::new(\"", "needs(\""] {
        let words = text.split(begin).skip(1).filter_map(|rest| rest.split('"').next());
        programs.extend(words.map(str::to_owned));
    }
}

#[test]
fn every_program_that_a_test_starts_is_installed_first() {
    let run = read("tests/run");
    let (_, list) = run.split_once("tools=(").expect("the list");
    let (list, _) = list.split_once("\n)").expect("its end");
    let known: BTreeSet<_> =
        list.split_whitespace().filter_map(|word| Some(word.split_once(':')?.0)).collect();
    let mut programs = BTreeSet::new();
    for folder in ["tests", "src"] {
        for path in rust_files(&root().join(folder)) {
            started(&fs::read_to_string(&path).expect("readable source"), &mut programs);
        }
    }
    // What the build and the scripts and wrappers call besides.
    let scripts =
        "awk base64 cc cut env find gunzip mktemp mount printenv sed sort stty tail xargs";
    programs.extend(scripts.split(' ').map(str::to_owned));
    assert!(programs.len() > 20, "{programs:?}");
    let missing: Vec<_> = programs.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "tests/run does not install {missing:?}");
    for name in known {
        assert!(programs.contains(name) || is_called(name), "tests/run: nothing calls {name}");
    }
}

/// By a script of the examples or the tests.
fn is_called(name: &str) -> bool {
    let scripts =
        ["examples/verify-audit-log.sh", "tests/it/examples/gh", "tests/it/examples/curl"];
    scripts.iter().any(|script| read(script).contains(name))
        || rust_files(Path::new(&root().join("tests/it"))).iter().any(|file| {
            fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("\"{name}\"")))
        })
}

/// A directory with these programs, as `PATH`: some of the system, and some that only write down
/// what they were asked.
fn programs(played: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = crate::support::directory();
    for name in ["bash", "dirname", "env", "id", "sort", "sh"] {
        let path = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
        let path = path.into_iter().find(|path| path.exists()).expect(name);
        std::os::unix::fs::symlink(path, dir.path().join(name)).expect("a link");
    }
    for (name, script) in [("cargo", "exit 9")].iter().chain(played) {
        let path = dir.path().join(name);
        // In place of the system's, if it was linked.
        let _ = fs::remove_file(&path);
        let text = format!("#!/bin/sh\necho \"{name} $*\" >> \"${{0%/*}}/asked\"\n{script}\n");
        crate::support::write(&path, text);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).expect("a mode");
    }
    dir
}

/// What `tests/run` says where there is nothing but that, and what it asked for.
fn run_with(played: &[(&str, &str)]) -> (String, String) {
    let path = programs(played);
    let mut command = std::process::Command::new(root().join("tests/run"));
    command.env_clear().env("PATH", path.path()).stdin(std::process::Stdio::null());
    let done = command.output().expect("it runs");
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let asked = fs::read_to_string(path.path().join("asked")).unwrap_or_default();
    (String::from_utf8(done.stderr).expect("UTF-8"), asked)
}

#[test]
fn what_is_missing_is_said_where_it_cannot_be_installed_and_installed_by_sudo_where_it_can() {
    let user = ("id", "echo 1000");
    let (said, _) = run_with(&[]);
    for part in
        ["are not installed:", " awk ", " jq ", "there is no apt-get here", "apt-get install"]
    {
        assert!(said.contains(part), "{part:?}: {said}");
    }
    let (said, asked) = run_with(&[user, ("apt-get", "")]);
    assert!(said.contains("there is no sudo") && !asked.contains("apt-get"), "{said} {asked}");
    let (said, asked) = run_with(&[user, ("apt-get", ""), ("sudo", "exit 1")]);
    assert!(said.contains("sudo asks for a password") && !asked.contains("apt-get"), "{said}");
    // What is installed is played too, so it ends where the next thing is missing.
    let (said, asked) = run_with(&[user, ("apt-get", ""), ("sudo", "[ $1 = -n ] || exec \"$@\"")]);
    assert!(asked.contains("sudo apt-get update") && asked.contains("apt-get install"), "{asked}");
    for package in ["gcc", "libc6-dev", "python3-venv"] {
        assert!(asked.contains(&format!(" {package} ")), "{package}: {asked}");
    }
    assert!(said.contains("may not trace processes"), "{said}");
}
