//! What operators are told to do: a section for every alert, and no message that the program does not say.

use std::fs;

use super::place::root;
use crate::architecture::rust_files;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

#[test]
fn every_alert_has_a_section_and_every_section_an_alert() {
    let rules = read("examples/monitoring/fleetform.rules.yaml");
    let alerts: Vec<_> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let page = read("docs/operations.md");
    let sections: Vec<_> =
        page.lines().filter_map(|line| line.strip_prefix("### ")).map(str::trim).collect();
    assert_eq!(sections, alerts, "the same, in the same order");
    assert!(alerts.len() > 15, "{alerts:?}");
}

/// The text of the program, with literals that go over several lines in one.
fn program() -> String {
    let mut all = String::new();
    for path in rust_files(&root().join("src")) {
        let text = fs::read_to_string(path).expect("a source");
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            match line.strip_suffix('\\') {
                Some(part) => {
                    all += part;
                    if let Some(next) = lines.peek_mut() {
                        *next = next.trim_start();
                    }
                }
                None => {
                    all += line;
                    all.push('\n');
                }
            }
        }
    }
    all
}

#[test]
fn every_message_that_is_explained_is_one_of_the_program() {
    let page = read("docs/troubleshooting.md");
    let (_, table) = page.split_once("\n| message, or metric |").expect("the table");
    let program = program();
    let mut explained = 0;
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cell = row[2..].split(" | ").next().expect("a cell");
        for message in cell.split('`').skip(1).step_by(2) {
            let message = message.strip_prefix("fleetform_").unwrap_or(message);
            let message = message.trim_end_matches(" 0").trim_end_matches(" 1");
            for part in
                message.split(['…', 'N', 'M']).map(|part| part.trim_matches([' ', ',', ':']))
            {
                let known = part.len() < 4 || program.contains(part);
                assert!(known, "{part:?} of {message:?} is nowhere in src/");
            }
            explained += 1;
        }
    }
    assert!(explained > 30, "{explained}");
}
