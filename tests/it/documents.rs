//! What the documents say of the tree: the tests, files and names in them are there.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file, or of all files below a directory.
fn below(path: &Path) -> String {
    if !path.is_dir() {
        return fs::read_to_string(path).unwrap_or_default();
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)
        .expect("a readable directory")
        .map(|e| e.expect("an entry").path())
        .collect();
    entries.sort();
    entries.iter().map(|path| below(path)).collect()
}

/// What stands in backquotes, in the order of the page; fenced blocks are left out.
fn quoted(page: &str) -> Vec<String> {
    let mut fenced = false;
    let lines = page.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    let text: Vec<&str> = lines.collect();
    text.join("\n").split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn is_path(text: &str) -> bool {
    ["src/", "tests/", "docs/", "benches/", "examples/"].iter().any(|dir| text.starts_with(dir))
        && text.is_ascii()
}

#[test]
fn every_test_that_defends_against_an_attack_is_where_it_is_said_to_be() {
    let page = fs::read_to_string(root().join("docs/security.md")).expect("the page");
    let mut wrong = Vec::new();
    let mut named = 0;
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let Some(tests) = row.trim_end_matches('|').rsplit(" | ").next() else { continue };
        let mut place = None;
        for word in tests.split('`').skip(1).step_by(2) {
            if is_path(word) {
                place = Some((word, below(&root().join(word))));
            } else if word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_…".contains(c))
            {
                named += 1;
                let (path, text) = place.as_ref().expect("a place before the name of a test");
                let name = word.trim_end_matches('…');
                let ends = |rest: &str| {
                    word.ends_with('…')
                        || !rest.starts_with(|c: char| c == '_' || c.is_alphanumeric())
                };
                let found = text.match_indices(name).any(|(at, _)| ends(&text[at + name.len()..]));
                if !found {
                    wrong.push(format!("{path}: {word}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "no such tests:\n  {}", wrong.join("\n  "));
    assert!(named > 100, "{named}");
}

#[test]
fn every_path_in_a_document_exists() {
    let mut wrong = Vec::new();
    for page in [
        "docs/architecture.md",
        "docs/security.md",
        "docs/trust.md",
        "docs/daemon.md",
        "docs/emulator.md",
        "docs/import.md",
        "docs/wipe-a-device.md",
        "CONTRIBUTING.md",
        "README.md",
    ] {
        let text = fs::read_to_string(root().join(page)).expect(page);
        for path in quoted(&text).iter().filter(|text| {
            is_path(text) && !text.contains(['{', '*', ' ']) && !text.contains("NAME")
        }) {
            if !root().join(path).exists() {
                wrong.push(format!("{page}: {path}"));
            }
        }
        let dir = root().join(page).parent().expect("a directory").to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if !link.is_empty() && !link.contains("://") && !dir.join(link).exists() {
                wrong.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "no such files:\n  {}", wrong.join("\n  "));
}
