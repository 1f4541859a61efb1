//! The question of a shell, and the answer to it.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::{Command, CommandFactory as _, ValueHint};
use clap_complete::Shell;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};

use super::super::args::Cli;
use super::super::exit::Exit;
use super::super::format::Format;
use super::known::{Known, MOST, begins};
use crate::ui::render::text::safe;

/// The first argument of a question; no verb, so that no help and no suggestion names it.
const VERB: &str = "__complete";

/// Who waits for a list has not asked for an hour glass.
const TIME: Duration = Duration::from_millis(150);

/// A question of a shell, from all arguments of the process.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ui::cli) struct Question {
    pub(super) shell: Shell,
    pub(super) words: Vec<OsString>,
}

impl Question {
    /// `None` where the arguments are an ordinary command line.
    pub(in crate::ui::cli) fn of(args: &[OsString]) -> Option<Self> {
        let [_, verb, shell, dashes, words @ ..] = args else { return None };
        let shell = shell.to_str()?.parse().ok()?;
        (verb == VERB && dashes == "--").then(|| Self { shell, words: words.to_vec() })
    }

    /// The answer as the shell reads it, and what to exit with.
    pub(in crate::ui::cli) fn answer(self) -> (String, Exit) {
        let begun = Instant::now();
        // Bash breaks words at `=`, and replaces only what is behind the last.
        let (words, cut) =
            if self.shell == Shell::Bash { glued(self.words) } else { (self.words, 0) };
        let Some(last) = words.last().and_then(|word| word.to_str()).map(str::to_owned) else {
            return (String::new(), Exit::Done);
        };
        let known = Arc::new(Known::new(&words, begun + TIME));
        let mut command = with_candidates(&known);
        let index = words.len() - 1;
        let found = complete(&mut command, words, index, None).unwrap_or_default();
        let path = known.path.load(Ordering::Relaxed);
        let asked = path || known.asked.load(Ordering::Relaxed);
        let is_flag = |c: &CompletionCandidate| c.get_value().as_encoded_bytes().starts_with(b"-");
        let flags = last.starts_with('-') || (!asked && found.iter().all(is_flag));
        let lines = found.iter().filter(|c| flags || !is_flag(c));
        let text: String = lines.filter_map(|c| line(self.shell, c, cut)).collect();
        let exit = if path && text.is_empty() { Exit::Failed } else { Exit::Done };
        (text, exit)
    }
}

/// The words with those at which Bash broke them put together again, and how much of the last
/// one it leaves alone.
pub(super) fn glued(words: Vec<OsString>) -> (Vec<OsString>, usize) {
    let mut whole: Vec<OsString> = Vec::new();
    let mut cut = 0;
    let mut open = false;
    for (n, word) in words.into_iter().enumerate() {
        let equals = n > 1 && word == "=";
        match whole.last_mut() {
            Some(before) if equals || open => {
                before.push(&word);
                cut = if equals { before.len() } else { cut };
            }
            _ => {
                whole.push(word);
                cut = 0;
            }
        }
        open = equals;
    }
    (whole, cut)
}

/// A candidate as a shell reads it; none where a value is not what a name is made of.
pub(super) fn line(shell: Shell, candidate: &CompletionCandidate, cut: usize) -> Option<String> {
    let value = candidate.get_value().to_str()?;
    let value = value.get(cut..).filter(|value| safe(value) == **value)?;
    let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
    let help = help.lines().next().map(|line| safe(line).into_owned()).unwrap_or_default();
    Some(match shell {
        Shell::Zsh => {
            let plain = |text: &str| text.replace('\\', "\\\\").replace(':', "\\:");
            format!("{}:{}\n", plain(value), plain(&help))
        }
        Shell::Bash => format!("{value}\n"),
        _ => format!("{value}\t{help}\n"),
    })
}

/// The arguments whose values nobody but the fleet knows, by command and name.
pub(super) const FROM_THE_FLEET: &[(&[&str], &str, Source)] = &[
    (&["show"], "device", Known::devices),
    (&["why"], "device", Known::devices),
    (&["describe"], "name", Known::devices),
    (&["get"], "name", Known::devices),
    (&["get"], "profile", Known::profiles),
    (&["profile", "show"], "name", Known::profiles),
    (&["set"], "device", Known::manifests),
    (&["set"], "fields", Known::fields),
    (&["wipe", "new"], "device", Known::devices),
    (&["audit", "log"], "device", Known::devices),
    (&["sync"], "devices", Known::devices),
    (&["access"], "device", Known::devices),
    (&["list"], "profile", Known::profiles),
    (&["sync"], "profile", Known::profiles),
    (&["provision"], "profile", Known::profiles),
    (&["explain"], "code", Known::codes),
];

pub(super) type Source = fn(&Known, &str) -> Vec<CompletionCandidate>;

fn with_candidates(known: &Arc<Known>) -> Command {
    let formats = |word: &OsStr| {
        let word = word.to_str().unwrap_or_default();
        few(Format::ALL.iter().map(|f| CompletionCandidate::new(f.as_str())).collect(), word)
    };
    let formats = ArgValueCompleter::new(formats);
    let mut command = Cli::command().mut_arg("output", |arg| arg.add(formats));
    command.build();
    let mut command = with_paths(command, known);
    for (path, argument, source) in FROM_THE_FLEET {
        command = at(command, path, &|command| {
            let known = known.clone();
            let source = *source;
            let completer = move |word: &OsStr| {
                word.to_str().map(|word| few(source(&known, word), word)).unwrap_or_default()
            };
            command.mut_arg(argument, |arg| arg.add(ArgValueCompleter::new(completer)))
        });
    }
    command
}

fn at(command: Command, path: &[&'static str], change: &dyn Fn(Command) -> Command) -> Command {
    match path {
        [] => change(command),
        [name, rest @ ..] => command.mut_subcommand(name, |below| at(below, rest, change)),
    }
}

/// Every argument that is a path tells so when it is asked for.
fn with_paths(command: Command, known: &Arc<Known>) -> Command {
    let known = known.clone();
    let command = command.mut_args(|arg| {
        let is_path = matches!(
            arg.get_value_hint(),
            ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
        );
        if !is_path {
            return arg;
        }
        let known = known.clone();
        arg.add(ArgValueCompleter::new(move |_: &OsStr| {
            known.path.store(true, Ordering::Relaxed);
            Vec::new()
        }))
    });
    command.mut_subcommands(move |below| with_paths(below, &known))
}

/// Those that begin with the word, whatever its case; none if they are too many.
pub(super) fn few(candidates: Vec<CompletionCandidate>, word: &str) -> Vec<CompletionCandidate> {
    let wanted = |c: &CompletionCandidate| c.get_value().to_str().is_some_and(|v| begins(v, word));
    let found: Vec<_> = candidates.into_iter().filter(wanted).take(MOST + 1).collect();
    if found.len() > MOST { Vec::new() } else { found }
}
