//! Pages of the documentation, whose commands are run.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A page of `docs`.
pub fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    fs::read_to_string(path).expect("the page")
}

/// Its blocks of shell commands as one script, but for those that begin with `but`.
pub fn commands(page: &str, but: &str) -> String {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut script = String::from("set -eu\n");
    for block in blocks.filter(|block| but.is_empty() || !block.starts_with(but)) {
        let _ = writeln!(script, "{block}");
    }
    script
}
