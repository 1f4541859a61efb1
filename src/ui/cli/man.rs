//! `fleetform man`: the manual, made from what `--help` says.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::exit::Exit;
use super::failure::Failure;
use crate::edges::fs::durable;
use crate::ui::render::out::Out;

/// Print a manual page, or write all pages for packaging.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform man | man -l -                Read it
  fleetform man wipe new | man -l -       The page of one command
  fleetform man --dir /usr/local/share/man/man1

Pages are named like fleetform-wipe-new.1; none has a date, so that equal
versions give equal pages. Formats: text (roff).")]
pub(crate) struct Args {
    /// The command whose page to print [default: the page of fleetform itself]
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// Write the pages of all commands into this directory, which is created if needed
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) dir: Option<PathBuf>,
}

const FILES: &[(&str, &str)] = &[
    ("./fleetform.yaml", "The configuration; another one is named with --config."),
    ("./fleet", "The fleet directory: manifests of devices and profiles, and wipe requests."),
    (
        "./.fleetform/audit.jsonl",
        "The log: one JSON object a line, each with the hash of the one before it.",
    ),
    ("./.fleetform/state.json", "The latest snapshot of what the log says."),
    ("./.fleetform/lock", "Held by the one writer; readers need no lock."),
    ("./.fleetform/inbox", "Reports of devices, each taken whole and then removed."),
    ("./.fleetform/outbox", "What devices have to do, until a report shows it done."),
    ("./.fleetform/requests", "Sync requests, until a reconciliation processes them."),
];

/// Prints a page of the manual of `program`, or writes all.
///
/// # Errors
/// If there is no such command, or writing fails.
pub(crate) fn run(args: &Args, program: Command, out: &mut Out) -> Result<Exit, Failure> {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    let Some(dir) = &args.dir else {
        let mut command = &program;
        for name in &args.command {
            command = command.find_subcommand(name).ok_or_else(|| {
                Failure::new(format!("there is no command {:?}", args.command.join(" ")))
                    .help("`fleetform --help` lists the commands")
            })?;
        }
        out.write_all(&page(command)?)?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(dir)
        .map_err(|error| Failure::new(format!("cannot make {}: {error}", dir.display())))?;
    for command in all(&program) {
        let path = dir.join(format!("{}.1", name(command)));
        let page = page(command)?;
        durable::replace_file("author.file", &path, |file| file.write_all(&page))?;
    }
    Ok(Exit::Done)
}

/// The command and all below it.
fn all(command: &Command) -> Vec<&Command> {
    std::iter::once(command).chain(command.get_subcommands().flat_map(all)).collect()
}

/// `fleetform-wipe-new`
fn name(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    // Not by the library, which leaves the empty date out and so moves what follows.
    let (title, version) = (name(command).to_ascii_uppercase(), env!("CARGO_PKG_VERSION"));
    let mut page = format!(".TH {title} 1 \"\" \"fleetform {version}\" Fleetform\n").into_bytes();
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut roff = Roff::new();
    let is_program = command.get_name() == "fleetform";
    sections(&mut roff, &command.get_after_help().map(ToString::to_string).unwrap_or_default());
    if is_program {
        files(&mut roff);
    } else {
        roff.control("SH", ["SEE ALSO"]);
        let more = ", which has all exit codes, the environment and the files";
        roff.text([bold("fleetform"), roman("(1)"), roman(more)]);
    }
    roff.to_writer(&mut page)?;
    Ok(page)
}

/// What stands under a help: blocks with a title and lines that stay as they are, and prose.
fn sections(roff: &mut Roff, text: &str) {
    let mut noted = false;
    for block in text.split("\n\n") {
        let (title, body) = match block.split_once(":\n") {
            Some(("Examples", body)) => (Some("EXAMPLES"), body),
            Some(("Exit codes", body)) => (Some("EXIT STATUS"), body),
            Some(("Environment", body)) => (Some("ENVIRONMENT"), body),
            _ => (None, block),
        };
        let drawn = body.starts_with(' ');
        match title {
            Some(title) => _ = roff.control("SH", [title]),
            None if drawn || noted => _ = roff.control("PP", []),
            None => {
                roff.control("SH", ["NOTES"]);
                noted = true;
            }
        }
        // From the first line that is not indented on, lines are prose again.
        let lines: Vec<&str> = body.lines().collect();
        let prose = lines.iter().position(|line| !line.starts_with(' ')).filter(|_| drawn);
        let (fixed, prose) = lines.split_at(if drawn { prose.unwrap_or(lines.len()) } else { 0 });
        if !fixed.is_empty() {
            roff.control("nf", []);
            fixed
                .iter()
                .for_each(|line| _ = roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]));
            roff.control("fi", []);
        }
        prose.iter().for_each(|line| _ = roff.text([roman(*line)]));
    }
}

fn files(roff: &mut Roff) {
    roff.control("SH", ["FILES"]);
    for (path, what) in FILES {
        roff.control("TP", []);
        roff.text([bold(*path)]);
        roff.text([roman(*what)]);
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::ui::cli::args::Cli;

    fn program() -> Command {
        let mut program = Cli::command().disable_help_subcommand(true);
        program.build();
        program
    }

    fn text(command: &Command) -> String {
        String::from_utf8(page(command).unwrap()).unwrap()
    }

    #[test]
    fn the_program_has_all_sections_that_packagers_expect() {
        let page = text(&program());
        let sections: Vec<_> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
        assert_eq!(
            sections,
            [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "OPTIONS",
                "\"GLOBAL OPTIONS\"",
                "SUBCOMMANDS",
                "EXAMPLES",
                "\"EXIT STATUS\"",
                "ENVIRONMENT",
                "NOTES",
                "FILES",
            ]
        );
        assert!(page.contains("fleetform\\-audit(1)"), "{page}");
    }

    #[test]
    fn every_command_has_a_page_with_examples() {
        for command in all(&program()) {
            let page = text(command);
            assert!(page.contains("\n.SH EXAMPLES\n"), "{}", name(command));
            assert!(page.contains("\n.SH NAME\n"), "{}", name(command));
            let commands = page.lines().filter(|line| line.starts_with('.'));
            let known = [
                ".SH", ".TH", ".IP", ".TP", ".PP", ".nf", ".fi", ".ie", ".el", ".RS", ".RE", ".br",
            ];
            for line in commands {
                assert!(known.contains(&line.split(' ').next().unwrap()), "{line}");
            }
        }
    }

    #[test]
    fn all_pages_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let args = Args { command: vec![], dir: Some(dir.path().join("man1")) };
        run(&args, Cli::command(), &mut crate::ui::render::testing::Screen::piped().out()).unwrap();
        let files = std::fs::read_dir(dir.path().join("man1")).unwrap();
        let mut names: Vec<_> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names.len(), all(&program()).len());
        assert!(names.contains(&"fleetform-wipe-new.1".to_owned()), "{names:?}");
    }
}
