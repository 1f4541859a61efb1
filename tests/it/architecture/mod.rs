//! The architecture, read from the paths of the files: four levels, each importing only what lies
//! below it, no cycle between files, no file that is too long to read.
//!
//! `domain` < `edges` < `app` < `ui`. An edge imports no other edge but `edges::fs` and
//! `edges::http_client`.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use imports::{Import, Tree};

const LEVELS: [&str; 4] = ["domain", "edges", "app", "ui"];
/// The edges that others stand on: opening and writing files, and calling servers of others, is the
/// same for all of them.
const FOUNDATIONS: [&str; 2] = ["fs", "http_client"];
const MOST_LINES: usize = 500;

/// All Rust files below a directory, sorted.
pub fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).expect("a readable directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tree() -> Tree {
    Tree::read(&root().join("src"))
}

fn level(module: &[String]) -> Option<usize> {
    LEVELS.iter().position(|level| module.first().is_some_and(|first| first == level))
}

/// Why a module must not import another one.
fn forbidden(from: &[String], to: &[String]) -> Option<&'static str> {
    let (from_level, to_level) = (level(from)?, level(to)?);
    if to_level > from_level {
        return Some("imports a level above it");
    }
    let edge = |module: &[String]| module.get(1).cloned();
    let both_edges = from_level == 1 && to_level == 1;
    let foundation = |edge: Option<String>| edge.is_some_and(|it| FOUNDATIONS.contains(&&*it));
    (both_edges && edge(from) != edge(to) && !foundation(edge(to)))
        .then_some("imports another edge")
}

#[test]
fn every_module_is_in_a_level() {
    for module in tree().modules() {
        let outside = module.is_empty() || level(module).is_some() || *module == ["main"];
        assert!(outside, "{} is in none of {LEVELS:?}", module.join("::"));
    }
}

#[test]
fn imports_point_down() {
    let wrong: BTreeSet<String> = tree()
        .imports()
        .filter_map(|Import { from, to, line }| {
            let why = forbidden(from, to)?;
            Some(format!("{}:{line}: {why}: {}", from.join("::"), to.join("::")))
        })
        .collect();
    assert!(wrong.is_empty(), "{} imports:\n{}", wrong.len(), list(&wrong));
}

#[test]
fn there_is_no_cycle_between_files() {
    let tree = tree();
    let mut graph: BTreeMap<&[String], BTreeSet<&[String]>> = BTreeMap::new();
    for Import { from, to, .. } in tree.imports() {
        graph.entry(from).or_default().insert(to);
    }
    let cycles = imports::cycles(&graph);
    let shown: BTreeSet<String> = cycles
        .iter()
        .map(|files| files.iter().map(|file| file.join("::")).collect::<Vec<_>>().join(", "))
        .collect();
    assert!(
        shown.is_empty(),
        "{} groups of files import each other:\n{}",
        shown.len(),
        list(&shown)
    );
}

#[test]
fn no_file_is_too_long() {
    let long: BTreeSet<String> = ["src", "tests", "benches"]
        .iter()
        .flat_map(|dir| rust_files(&root().join(dir)))
        .filter_map(|path| {
            let lines = fs::read_to_string(&path).expect("readable source").lines().count();
            (lines > MOST_LINES).then(|| format!("{} has {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "split these:\n{}", list(&long));
}

/// One convention: a module with modules below it is `x/mod.rs`; one that has only tests below it is
/// `x.rs`, and its tests, where they are in a file of their own, `x/tests.rs` or `x/tests/`.
#[test]
fn files_are_where_their_module_says() {
    for path in rust_files(&root().join("src")) {
        let folder = path.with_extension("");
        let more = folder.is_dir()
            && rust_files(&folder).into_iter().any(|below| {
                let below = below.strip_prefix(&folder).expect("below it").with_extension("");
                !below.starts_with("tests")
            });
        assert!(
            !more,
            "{}: a module with more than tests below it is {}/mod.rs",
            path.display(),
            folder.display()
        );
        let name = path.file_stem().expect("a name").to_string_lossy();
        assert!(!name.ends_with("_tests"), "{}: tests are in x/tests.rs", path.display());
        let text = fs::read_to_string(&path).expect("readable source");
        assert!(
            !text.contains("#[path"),
            "{}: the path of a module says where it is",
            path.display()
        );
    }
}

/// A `mod.rs` says what its folder is and what of it others may use. What does something is in a
/// file that is named after it, where a search for the name finds it.
#[test]
fn a_mod_file_has_only_documentation_and_names() {
    let src = root().join("src");
    let of_tests = |path: &Path| {
        let path = path.strip_prefix(&src).expect("below src").with_extension("");
        path.iter().any(|part| part == "tests")
    };
    let mut wrong = BTreeSet::new();
    for path in rust_files(&src).iter().filter(|path| path.ends_with("mod.rs")) {
        if of_tests(path) {
            continue;
        }
        let text = fs::read_to_string(path).expect("readable source");
        let file = syn::parse_file(&text).expect("Rust");
        let names = |item: &syn::Item| {
            matches!(item, syn::Item::Use(_) | syn::Item::Mod(syn::ItemMod { content: None, .. }))
        };
        if !file.items.iter().all(names) {
            wrong.insert(format!("{}: move what it holds", path.display()));
        }
        let folder = path.parent().expect("a folder");
        if rust_files(folder).iter().all(|file| file == path || of_tests(file)) {
            wrong.insert(format!(
                "{}: only tests are below it: make it {}.rs",
                path.display(),
                folder.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} times:\n{}", wrong.len(), list(&wrong));
}

#[test]
fn there_is_no_dry_run_inside() {
    // `set` edits manifests, and can show what it would write; no pass is made there.
    let edits = root().join("src/ui/cli/set.rs");
    for path in rust_files(&root().join("src")).into_iter().filter(|path| *path != edits) {
        let text = fs::read_to_string(&path).expect("readable source");
        let said = text.lines().any(|line| line.contains("dry_run") || line.contains("dry-run"));
        assert!(
            !said,
            "{}: plan and apply share one function; no parameter tells them apart",
            path.display()
        );
    }
}

/// The default store keeps a ledger in files; whoever wants another one changes `app/wiring`.
#[test]
fn only_wiring_knows_where_a_ledger_is_kept() {
    for level in ["src/app", "src/ui"] {
        for path in rust_files(&root().join(level)) {
            if path.ends_with("app/wiring.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("readable source");
            assert!(!text.contains("ledger::file"), "{}: ask wiring::ledger", path.display());
        }
    }
}

fn list(lines: &BTreeSet<String>) -> String {
    lines.iter().map(|line| format!("  {line}\n")).collect()
}
