//! Every command of every page is run, or its page says why not.

use std::collections::BTreeMap;
use std::fs;

use expect_test::expect;

use super::block::{Block, Step, blocks};
use super::place::{Place, root};

/// Words behind the language of a block that is not run, and the reason.
pub const WORDS: [(&str, &str); 4] = [
    ("server", "sets up or changes a server, as root"),
    ("cluster", "needs a Kubernetes cluster or a registry"),
    ("build", "takes minutes: CI does it"),
    ("download", "needs a release that was published"),
];

/// Who runs the commands of a page.
enum Runner {
    /// This module, in such a place.
    Here(fn() -> Place),
    /// A test of its own, by its name; only a part of the page, if one is named.
    Test(&'static str, Option<&'static str>),
}

use Runner::{Here, Test};

const PAGES: [(&str, Runner); 14] = [
    ("README.md", Here(Place::clone_of_this)),
    ("docs/access.md", Test("daemon::access::the_commands_of_the_page_do_what_it_says", None)),
    ("docs/backup.md", Here(Place::office)),
    ("docs/emulator.md", Test("emulator::the_commands_of_the_page_do_what_it_says", None)),
    (
        "docs/findings.md",
        Test("every_wrong_example_gives_its_code_and_every_right_one_nothing", None),
    ),
    ("docs/getting-started.md", Here(Place::bare)),
    ("docs/gitops.md", Here(Place::office)),
    ("docs/import.md", Test("imports::the_commands_of_the_page_do_what_it_says", None)),
    (
        "docs/intune.md",
        Test(
            "intune::page::the_story_of_the_page_ends_with_a_wiped_device",
            Some("## The whole story in five minutes"),
        ),
    ),
    ("docs/notifications.md", Here(Place::office)),
    ("docs/operations.md", Here(Place::office)),
    ("docs/troubleshooting.md", Here(Place::office)),
    ("docs/trust.md", Here(Place::office)),
    ("docs/wipe-a-device.md", Here(Place::office)),
];

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|why| panic!("{page}: {why}"))
}

/// The blocks that are to be run, and those that need not be, with their word.
fn shell(page: &str, text: &str) -> (Vec<Block>, Vec<String>) {
    let (left_out, run): (Vec<_>, Vec<_>) =
        blocks(text).into_iter().filter(Block::is_shell).partition(|block| !block.word.is_empty());
    for block in &left_out {
        let known = WORDS.iter().any(|(word, _)| *word == block.word);
        assert!(known, "{page}:{}: {:?} is no reason", block.line, block.word);
    }
    (run, left_out.into_iter().map(|block| block.word).collect())
}

fn does_what_it_says(page: &str) {
    let Some((_, Here(place))) = PAGES.iter().find(|(name, _)| *name == page) else {
        panic!("{page} is not run here");
    };
    let place = place();
    let (blocks, _) = shell(page, &place.read(&read(page)));
    let steps: Vec<Step> = blocks.iter().flat_map(Block::steps).collect();
    assert!(!steps.is_empty(), "{page} has no commands");
    place.run(page, &steps);
}

#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    does_what_it_says("README.md");
}

#[test]
fn the_commands_of_getting_started_do_what_it_says() {
    does_what_it_says("docs/getting-started.md");
}

#[test]
fn the_commands_of_the_workflow_do_what_it_says() {
    does_what_it_says("docs/gitops.md");
}

#[test]
fn a_laptop_is_wiped_as_the_page_says() {
    does_what_it_says("docs/wipe-a-device.md");
}

#[test]
fn signers_are_set_up_as_the_page_says() {
    does_what_it_says("docs/trust.md");
}

#[test]
fn the_commands_for_operators_do_what_their_pages_say() {
    for page in ["docs/operations.md", "docs/troubleshooting.md", "docs/notifications.md"] {
        does_what_it_says(page);
    }
}

#[test]
fn a_backup_is_made_and_tried_as_the_page_says() {
    does_what_it_says("docs/backup.md");
}

/// Each page with commands is in [`PAGES`], and a page's own test exists.
#[test]
fn no_command_of_a_page_is_left_out_without_a_reason() {
    let mut names = vec!["README.md".to_owned()];
    for entry in fs::read_dir(root().join("docs")).expect("the pages") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        if name.ends_with(".md") {
            names.push(format!("docs/{name}"));
        }
    }
    names.sort();
    let tests = fs::read_to_string(root().join("tests/README.md")).expect("the table")
        + &read("src/domain/manifest/finding/explain/tests.rs");
    let (mut unrun, mut reasons) = (String::new(), BTreeMap::<String, usize>::new());
    for page in &names {
        let text = read(page);
        let listed = PAGES.iter().find(|(name, _)| name == page);
        let mut part = text.as_str();
        if let Some((_, Test(test, of))) = listed {
            assert!(tests.contains(test), "{page}: there is no test {test}");
            if let Some(title) = of {
                let (before, run) = text.split_once(title).expect("the part");
                assert!(shell(page, before).0.is_empty(), "{page}: not run before {title:?}");
                part = run;
            }
        }
        let (run, _) = shell(page, part);
        assert!(run.is_empty() || listed.is_some(), "{page}: its commands are not run");
        for word in shell(page, &text).1 {
            *reasons.entry(word).or_default() += 1;
        }
        let left_out = shell(page, &text).1;
        if !left_out.is_empty() {
            unrun += &format!("{page}: {}\n", left_out.join(", "));
        }
    }
    for (word, why) in WORDS {
        assert!(reasons.contains_key(word), "{word}: {why}: no block says so any more");
    }
    expect![[r#"
        docs/backup.md: server
        docs/daemon.md: server, server
        docs/install.md: server, build, server, build, cluster, cluster
        docs/intune.md: server, server
        docs/operations.md: server
        docs/performance.md: build
        docs/release.md: download
        docs/trust.md: server, server
    "#]]
    .assert_eq(&unrun);
}
