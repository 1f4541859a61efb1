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
            let is_test = |line: &&str| matches!(line.trim(), "#[test]" | "#[tokio::test]");
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
    // What the scripts and wrappers call besides.
    let scripts = "awk base64 cut env find gunzip mktemp mount printenv sed sort stty tail xargs";
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
