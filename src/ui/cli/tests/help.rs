//! What every `--help` says, and what is answered to a slip of the hand.

use clap::{ColorChoice, CommandFactory as _};
use expect_test::expect_file;

use super::super::args::{Cli, parse};

/// Every command that can be typed, and the program itself, with the words that name it.
fn commands() -> Vec<(Vec<String>, clap::Command)> {
    fn walk(
        words: &[String],
        command: &clap::Command,
        found: &mut Vec<(Vec<String>, clap::Command)>,
    ) {
        found.push((words.to_vec(), command.clone()));
        for below in command.get_subcommands().filter(|c| c.get_name() != "help") {
            walk(&[words, &[below.get_name().to_owned()]].concat(), below, found);
        }
    }
    let mut command = Cli::command().term_width(100).color(ColorChoice::Never);
    command.build();
    let mut found = Vec::new();
    walk(&[], &command, &mut found);
    found
}

fn help(command: &clap::Command) -> String {
    command.clone().render_help().to_string()
}

/// The global options are the same for all: only the program's own help is kept whole.
fn own(text: &str) -> String {
    let Some((own, rest)) = text.split_once("\nGlobal options:\n") else { return text.to_owned() };
    format!("{own}\n{}", rest.split_once("\n\n").map_or("", |(_, end)| end))
}

fn error(words: &[String]) -> String {
    let line = std::iter::once("fleetform".to_owned()).chain(words.iter().cloned());
    parse(line).expect_err("a slip").to_string()
}

#[test]
fn every_help_is_as_its_golden_file() {
    let commands = commands();
    for (words, command) in &commands {
        let (name, text) = match &words[..] {
            [] => ("fleetform".to_owned(), help(command)),
            words => (words.join("-"), own(&help(command))),
        };
        let path = format!("{}/tests/golden/help/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        expect_file![path].assert_eq(&text);
    }
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/help"));
    assert_eq!(files.unwrap().count(), commands.len(), "a golden file has no command");
}

#[test]
fn every_help_opens_with_a_sentence_and_shows_an_example_that_parses() {
    for (words, command) in commands() {
        let text = help(&command);
        let first = text.lines().next().unwrap();
        assert!(first.starts_with(|c: char| c.is_uppercase()), "{words:?}: {first}");
        assert!(first.split(' ').count() >= 3, "{words:?}: {first}");
        let (_, examples) = text.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{words:?}"));
        // A line that ends in a backslash goes on in the next.
        let examples = examples.replace(" \\\n    ", " ");
        let named = format!("  fleetform {}", words.join(" "));
        let shown: Vec<_> = examples.lines().filter(|l| l.starts_with(named.trim_end())).collect();
        assert!(!shown.is_empty(), "{words:?} has no example of itself");
        for line in shown.iter().filter(|line| !line.contains("$(")) {
            // What follows two spaces is said of it, and what follows a sign is the shell's.
            let line = line.trim_start().split("  ").next().unwrap();
            let line = line.split(['|', '>', '<', '&']).next().unwrap();
            parse(shell_words(line)).unwrap_or_else(|e| panic!("{line}: {e}"));
        }
    }
}

/// Words as a shell takes them, of which some are in single quotes.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for c in line.trim().chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn what_is_to_be_copied_is_not_wrapped_on_a_narrow_terminal() {
    for (words, command) in commands() {
        let text = command.get_after_help().unwrap().to_string();
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{words:?}: {line}");
        }
    }
}

#[test]
fn what_an_exit_code_means_is_said() {
    for name in ["check", "plan", "apply", "diff", "set", "provision"] {
        let (_, command) =
            commands().into_iter().find(|(words, _)| words.join(" ") == name).expect(name);
        assert!(help(&command).contains("Exits with"), "{name}");
    }
    let (_, program) = commands().remove(0);
    for word in ["Exit codes:", "\n  2  ", "\n  3  ", "FLEETFORM_LOG", "NO_COLOR", "TERM=dumb"] {
        assert!(help(&program).contains(word), "{word}");
    }
}

/// The two letters in the middle, swapped; in a short word the last one twice.
fn slip(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = letters.len() / 2;
    if letters.len() < 6 || letters[at - 1] == letters[at] {
        letters.push(letters[letters.len() - 1]);
    } else {
        letters.swap(at - 1, at);
    }
    letters.into_iter().collect()
}

#[test]
fn a_slip_in_a_command_or_a_flag_is_answered_with_the_right_one() {
    for (words, command) in commands() {
        if let Some((name, above)) = words.split_last() {
            let text = error(&[above, &[slip(name)]].concat());
            assert!(text.contains(&format!("'{name}'")), "{words:?}: {text}");
        }
        let leaf = !command.has_subcommands();
        for flag in command.get_arguments().filter_map(|arg| arg.get_long()).filter(|_| leaf) {
            let text = error(&[&words[..], &[format!("--{}", slip(flag))]].concat());
            assert!(text.contains(&format!("'--{flag}")), "{words:?} --{flag}: {text}");
        }
    }
}

#[test]
fn a_slip_in_a_word_is_answered_with_the_right_one() {
    for (line, meant) in [
        ("list --status Enroled", "Enrolled"),
        ("list --compliance noncomplaint", "nonCompliant"),
        ("list --platform window", "windows"),
        ("wipe new D001 --reason stoln", "stolen"),
        ("completions bsh", "bash"),
        ("schema Devise", "Device"),
        ("check --color nevr", "never"),
        ("check --log-format jsn", "json"),
        ("audit log --kind wipe.issud", "wipe.issued"),
    ] {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        let text = error(&words);
        assert!(text.contains(&format!("a similar value exists: '{meant}'")), "{line}: {text}");
    }
}

#[test]
fn what_is_tested_is_what_is_printed() {
    let printed = error(&["list".to_owned(), "--help".to_owned()]);
    let mut command = Cli::command();
    command.build();
    let list = command.find_subcommand_mut("list").unwrap();
    assert_eq!(printed, list.render_help().to_string());
}
