use std::ffi::OsString;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_complete::engine::CompletionCandidate;

use super::super::args::Cli;
use super::super::exit::Exit;
use super::known::MOST;
use super::question::{FROM_THE_FLEET, Question, few, glued, line};

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(Into::into).collect()
}

/// The candidates for the last word of a line.
fn ask(shell: Shell, line: &str) -> (Vec<String>, Exit) {
    let (text, exit) = Question { shell, words: words(line) }.answer();
    (text.lines().map(str::to_owned).collect(), exit)
}

fn offered(line: &str) -> Vec<String> {
    ask(Shell::Bash, line).0
}

#[test]
fn a_question_is_no_verb() {
    let question = |line: &str| Question::of(&words(line));
    let asked = question("fleetform __complete zsh -- fleetform sh").unwrap();
    assert_eq!(asked, Question { shell: Shell::Zsh, words: words("fleetform sh") });
    for line in ["fleetform", "fleetform list", "fleetform __complete", "x __complete tcsh -- x"] {
        assert_eq!(question(line), None, "{line}");
    }
}

#[test]
fn words_that_bash_broke_are_whole_again() {
    for (line, whole, cut) in [
        ("f list --profile = Ex", "f list --profile=Ex", 10),
        ("f list --profile =", "f list --profile=", 10),
        ("f set D001 status = Failed profile = E", "f set D001 status=Failed profile=E", 8),
        ("f set D001 status = Failed x", "f set D001 status=Failed x", 0),
        ("f show D", "f show D", 0),
    ] {
        assert_eq!(glued(words(line)), (words(whole), cut), "{line}");
    }
}

#[test]
fn every_argument_that_the_fleet_knows_exists() {
    let mut program = Cli::command();
    program.build();
    for (path, argument, _) in FROM_THE_FLEET {
        let mut command = &program;
        for name in *path {
            command = command.find_subcommand(name).unwrap();
        }
        assert!(command.get_arguments().any(|a| a.get_id() == argument), "{path:?} {argument}");
    }
}

#[test]
fn words_that_need_no_fleet() {
    for (line, first) in [
        ("fleetform au", "audit"),
        ("fleetform wipe s", "sign"),
        ("fleetform list --status E", "Enrolled"),
        ("fleetform list --compliance non", "nonCompliant"),
        ("fleetform explain unknown-p", "unknown-profile"),
        ("fleetform check -o sa", "sarif"),
        ("fleetform set x status=F", "status=Failed"),
        ("fleetform set x stat", "status="),
        ("fleetform plan --det", "--detailed-exitcode"),
        ("fleetform audit log --kind wipe.iss", "wipe.issued"),
    ] {
        assert_eq!(offered(line), [first], "{line}");
    }
    assert!(!offered("fleetform list").iter().any(|word| word.contains("__complete")));
}

#[test]
fn paths_are_the_shells() {
    for line in ["fleetform wipe verify ", "fleetform --fleet ", "fleetform check ./fl"] {
        assert_eq!(ask(Shell::Fish, line), (vec![], Exit::Failed), "{line}");
    }
    for line in ["fleetform --data /nowhere show ", "fleetform --config /nowhere show D"] {
        assert_eq!(ask(Shell::Fish, line), (vec![], Exit::Done), "{line}");
    }
}

#[test]
fn what_stands_beside_a_candidate_is_harmless_and_in_its_place() {
    let candidate = CompletionCandidate::new("a:b").help(Some("c:d\u{202e}\tx\ny".into()));
    let shown = |shell| line(shell, &candidate, 0).unwrap();
    assert_eq!(shown(Shell::Bash), "a:b\n");
    assert_eq!(shown(Shell::Zsh), "a\\:b:c\\:d\\\\u{202e}\\\\tx\n");
    assert_eq!(shown(Shell::Fish), "a:b\tc:d\\u{202e}\\tx\n");
    assert_eq!(line(Shell::Bash, &CompletionCandidate::new("a\nb"), 0), None);
}

#[test]
fn too_many_are_none() {
    let candidates = |n: usize| (0..n).map(|n| CompletionCandidate::new(n.to_string())).collect();
    assert_eq!(few(candidates(MOST), "").len(), MOST);
    assert_eq!(few(candidates(MOST + 1), "").len(), 0);
    assert_eq!(few(candidates(MOST + 1), "99").len(), 11);
}

#[test]
fn nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: &str| dir.path().join(path).display().to_string();
    std::fs::create_dir(Path::new(&at("fleet"))).unwrap();
    let line = format!("fleetform --data {} --fleet {} set ", at("data"), at("fleet"));
    assert_eq!(ask(Shell::Zsh, &line), (vec![], Exit::Done));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}
