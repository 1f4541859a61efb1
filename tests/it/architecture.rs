//! The arrows of the dependency, read from the `use` lines: the core imports only the core,
//! edges do not import one another, and only `reconcile` and the command line compose them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Pure: no file, no clock, no log, no async.
const CORE: &[&str] = &[
    "backoff",
    "compliance",
    "diff",
    "edit",
    "encoding",
    "event",
    "finding",
    "fleet",
    "guard",
    "lifecycle",
    "lookup",
    "manifest",
    "model",
    "object",
    "plan",
    "schema",
    "settings",
    "state",
    "wipe",
    "wording",
    "yaml",
];

/// Each owns one resource; none knows another.
const EDGES: &[&str] = &[
    "clock",
    "config",
    "durable",
    "git",
    "ledger",
    "provider",
    "revision",
    "source",
    "trust_file",
    "work_tree",
];

/// Edges on which other edges may stand, each with the argument for it.
const FOUNDATIONS: &[&str] = &[
    // Writing a file so that it survives a crash is the same for all who write one.
    "durable",
    // Git is started in one way, whatever it is asked.
    "git",
    // What a merged change can write is the same for settings, trust files and Git.
    "work_tree",
];

fn sources() -> Vec<(String, PathBuf)> {
    fn walk(dir: &Path, top: Option<&str>, found: &mut Vec<(String, PathBuf)>) {
        for entry in fs::read_dir(dir).expect("a readable directory") {
            let path = entry.expect("an entry").path();
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let module = top.unwrap_or(&stem).to_owned();
            if path.is_dir() {
                walk(&path, Some(&module), found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push((module, path));
            }
        }
    }
    let mut found = vec![];
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), None, &mut found);
    found.sort();
    found
}

/// Top-level modules that a source file names by `crate::…` outside its tests.
fn imports(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).expect("readable source");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .flat_map(|rest| {
            let names = rest.strip_prefix('{').map_or(rest, |group| group);
            let end =
                names.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(names.len());
            Some(names[..end].to_owned())
        })
        .collect()
}

fn is_test(path: &Path) -> bool {
    let name = path.file_stem().expect("a name").to_string_lossy();
    name.ends_with("tests")
        || name == "testing"
        || path.components().any(|part| part.as_os_str() == "tests")
}

#[test]
fn arrows_point_at_the_core() {
    let mut wrong = vec![];
    for (module, path) in sources().iter().filter(|(_, path)| !is_test(path)) {
        for import in imports(path).iter().filter(|import| *import != module) {
            let core = CORE.contains(&import.as_str());
            let allowed = if CORE.contains(&module.as_str()) {
                core
            } else if EDGES.contains(&module.as_str()) {
                core || FOUNDATIONS.contains(&import.as_str())
            } else {
                import != "cli" || module == "main"
            };
            if !allowed {
                wrong.push(format!("{} imports {import}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_is_core_or_edge_or_composes() {
    let composing = [
        "cli",
        "daemon",
        "execute",
        "http",
        "lib",
        "main",
        "reconcile",
        "render",
        "status",
        "watch",
    ];
    for (module, path) in sources().into_iter().filter(|(_, path)| !is_test(path)) {
        let known = [CORE, EDGES, &composing].iter().any(|list| list.contains(&module.as_str()));
        assert!(known, "{} has no place in the architecture", path.display());
    }
}

#[test]
fn there_is_no_dry_run_inside() {
    for (_, path) in sources() {
        let text = fs::read_to_string(&path).expect("readable source");
        let said = text.lines().any(|line| line.contains("dry_run") || line.contains("dry-run"));
        assert!(
            !said,
            "{}: plan and apply share one function; no parameter tells them apart",
            path.display()
        );
    }
}

#[test]
fn files_stay_readable() {
    for (_, path) in sources() {
        let lines = fs::read_to_string(&path).expect("readable source").lines().count();
        assert!(lines < 750, "{} has {lines} lines: split it", path.display());
    }
}
