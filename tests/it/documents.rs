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

/// The name by which a title is linked to.
fn anchor(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    title.trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}

/// The titles of a page; a `#` in a fenced block begins none.
fn anchors(page: &str) -> Vec<String> {
    let mut fenced = false;
    let lines = page.lines().filter(|line| {
        fenced ^= line.trim_start().starts_with("```");
        !fenced && line.starts_with('#')
    });
    lines.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

#[test]
fn every_path_and_link_in_a_document_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut pages: Vec<String> =
        ["CONTRIBUTING.md", "README.md", "CHANGELOG.md", "SECURITY.md", "tests/README.md"]
            .map(str::to_owned)
            .into();
    for entry in fs::read_dir(root().join("docs")).expect("the pages") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    for page in &pages {
        let text = fs::read_to_string(root().join(page)).expect(page);
        for path in quoted(&text).iter().filter(|text| {
            is_path(text) && !text.contains(['{', '*', ' ', '…']) && !text.contains("NAME")
        }) {
            if !root().join(path).exists() {
                wrong.push(format!("{page}: {path}"));
            }
        }
        let dir = root().join(page).parent().expect("a directory").to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.contains(' ') {
                continue;
            }
            let (file, title) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { root().join(page) } else { dir.join(file) };
            let known = || anchors(&fs::read_to_string(&target).unwrap_or_default());
            if !target.exists() || (!title.is_empty() && !known().contains(&title.to_owned())) {
                wrong.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "no such files or titles:\n  {}", wrong.join("\n  "));
}

#[test]
fn every_page_is_in_the_index() {
    let index = fs::read_to_string(root().join("docs/README.md")).expect("the index");
    for entry in fs::read_dir(root().join("docs")).expect("the pages") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let is_page = name.ends_with(".md") && name != "README.md";
        assert!(!is_page || index.contains(&format!("]({name})")), "{name} is not in the index");
    }
}
