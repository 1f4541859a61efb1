//! The command line: what it accepts, where its settings come from, what its exit means.
//!
//! The only module that reads the environment. It decides nothing about devices: a verb
//! hands loaded values to [`crate::ui::render`]. Results go to standard output, all else to
//! standard error.

pub mod apply;
pub mod audit;
mod author;
pub mod check;
mod complete;
pub mod completions;
pub mod daemon;
pub mod diff;
pub mod environment;
pub mod exit;
pub mod explain;
pub mod failure;
pub mod format;
pub mod init;
pub mod list;
pub mod logging;
pub mod man;
pub mod plan;
mod process;
pub mod provision;
pub mod report;
mod run;
pub mod schema;
pub mod select;
pub mod set;
pub mod show;
pub mod value;
pub mod wipe;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use environment::Environment;
pub use exit::Exit;
pub use failure::Failure;
pub use format::Format;
use logging::LogFormat;

use crate::ui::render::out::Out;
use crate::ui::render::text::safe;

/// A device fleet, declared in Git: reviewed in pull requests, wiped only by signed request.
#[derive(Debug, Parser)]
#[command(name = "fleetform", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    /// For all commands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  fleetform init                      Start a fleet repository
  fleetform check                     Is every manifest valid?
  fleetform plan                      What would change?
  fleetform apply                     Make it so
  fleetform list --compliance nonCompliant
  fleetform show D007

Exit codes:
  0  Done
  1  An error, or findings
  2  There are changes (plan and diff with --detailed-exitcode)
  3  A guard refused: frozen, or a wipe held or refused (apply, wipe verify,
     plan --detailed-exitcode)
Where several hold, the order is 1, 3, 2.

Environment:
  FLEETFORM_LOG  What is logged, as `debug`; -q and -v go before it
  NO_COLOR       No colours, unless --color says otherwise; so does TERM=dumb
  COLUMNS        Width of the terminal, over what it says itself

`fleetform man` prints the manual.";

/// What every command takes, before or after its name.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file [default: fleetform.yaml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Fleet directory, over the configuration's
    #[arg(long, global = true, value_name = "DIR")]
    pub fleet: Option<PathBuf>,
    /// Data directory, over the configuration's
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Format of the results: text, json and others that the command names [default: text]
    #[arg(short, long, global = true, value_name = "FORMAT")]
    pub output: Option<String>,
    /// Errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on standard error; twice for all details
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// Format of the log on standard error
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    #[arg(value_parser = value::word!(LogFormat), ignore_case = true)]
    pub log_format: LogFormat,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a fleet repository: profiles, an example device, checks for pull requests.
    Init(init::Args),
    /// Validate the fleet directory; no ledger is needed.
    Check(check::Args),
    /// Explain the code of a finding, with a wrong and a right example.
    Explain(explain::Args),
    /// Show what a change of the fleet directory means, between Git revisions or directories.
    Diff(diff::Args),
    /// Show what apply would do now; nothing is changed or locked.
    Plan(plan::Args),
    /// Make the fleet as its manifests say, in one pass.
    Apply(apply::Args),
    /// Keep the fleet as its manifests say, until stopped.
    Daemon(daemon::Args),
    /// List devices: all, or those for which every filter holds.
    List(list::Args),
    /// Show one device: profile, versions, last sync, compliance check by check, history.
    Show(show::Args),
    /// Write the manifest of a new device, after checking it against the fleet.
    Provision(provision::Args),
    /// Edit a device's manifest in place, after checking it against the fleet.
    Set(set::Args),
    /// Hand device reports to the inbox.
    Report(report::Args),
    /// Write a wipe request, sign it, see whether it would be accepted.
    #[command(subcommand)]
    Wipe(wipe::Command),
    /// Look into the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Print the JSON Schema of the manifests, for editors.
    Schema(schema::Args),
    /// Print a script that completes commands, devices and profiles in a shell.
    Completions(completions::Args),
    /// Print a page of the manual, or write all pages for packaging.
    Man(man::Args),
}

impl Command {
    /// As it is typed.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Check(_) => "check",
            Self::Explain(_) => "explain",
            Self::Diff(_) => "diff",
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Daemon(_) => "daemon",
            Self::List(_) => "list",
            Self::Show(_) => "show",
            Self::Provision(_) => "provision",
            Self::Set(_) => "set",
            Self::Schema(_) => "schema",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Report(_) => "report",
            Self::Wipe(wipe::Command::New(_)) => "wipe new",
            Self::Wipe(wipe::Command::Sign(_)) => "wipe sign",
            Self::Wipe(wipe::Command::Verify(_)) => "wipe verify",
            Self::Audit(audit::Command::Verify(_)) => "audit verify",
            Self::Audit(audit::Command::Log(_)) => "audit log",
            Self::Audit(audit::Command::Replay(_)) => "audit replay",
        }
    }

    /// What its log says unless asked for more or less: what runs unattended tells what it does.
    #[must_use]
    pub const fn usual_log(&self) -> &'static str {
        match self {
            Self::Daemon(_) => "warn,fleetform=info",
            _ => "warn",
        }
    }

    /// What `--output` may ask of it.
    #[must_use]
    pub const fn formats(&self) -> &'static [Format] {
        match self {
            Self::Daemon(_) => &[Format::Text],
            Self::List(_) => &[Format::Text, Format::Json, Format::Csv, Format::Yaml],
            Self::Completions(_) | Self::Man(_) => &[Format::Text],
            Self::Schema(_) => &[Format::Text, Format::Json],
            Self::Check(_) => {
                &[Format::Text, Format::Json, Format::Markdown, Format::Github, Format::Sarif]
            }
            Self::Diff(_) | Self::Plan(_) => {
                &[Format::Text, Format::Json, Format::Markdown, Format::Github]
            }
            Self::Init(_)
            | Self::Explain(_)
            | Self::Provision(_)
            | Self::Set(_)
            | Self::Apply(_)
            | Self::Show(_)
            | Self::Report(_)
            | Self::Wipe(_)
            | Self::Audit(_) => &[Format::Text, Format::Json],
        }
    }
}

/// The whole program but for its process: parses, starts the log, runs, reports failures.
#[must_use]
pub fn main<I, T>(args: I) -> Exit
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    if let Some(question) = complete::Question::of(&args) {
        let (text, exit) = question.answer();
        // A shell that has gone away wants no answer.
        let _ = std::io::stdout().write_all(text.as_bytes());
        return exit;
    }
    let (cli, format) = match parse(&args) {
        Ok(parsed) => parsed,
        Err(error) => {
            // A usage error quotes what was given, which may be the name of a stranger's branch.
            let harmless = args.iter().map(|arg| safe(&arg.to_string_lossy()).into_owned());
            let error = parse(harmless).err().filter(|_| error.use_stderr()).unwrap_or(error);
            // If it cannot be printed, the exit code still says it.
            let _ = error.print();
            return failure_of(&error);
        }
    };
    process::outlive_the_file_size_limit();
    let environment = Environment::of_process();
    let Global { color, quiet, .. } = cli.global;
    let mut out = Out::standard(environment.look(color, quiet));
    let usual = cli.command.usual_log();
    let ran = logging::start(&cli.global, &environment, usual)
        .and_then(|()| run::run(&cli, format, &environment, &mut out));
    let flushed = out.flush().map_err(Failure::from);
    let colored = environment.colored_errors(color);
    let settle = |result: Result<Exit, Failure>| {
        result.unwrap_or_else(|failure| {
            failure.print(colored);
            Exit::Failed
        })
    };
    settle(flushed.map(|()| Exit::Done)).combine(settle(ran))
}

/// Parses a command line and the format that it asks for; usage errors are not yet printed.
///
/// # Errors
/// Usage errors, and the requests for help and version.
pub fn parse<I, T>(args: I) -> Result<(Cli, Format), clap::Error>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let mut command = Cli::command().color(color_of(&args));
    let cli = command
        .try_get_matches_from_mut(&args)
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|e| e.format(&mut command))?;
    let wanted = cli.global.output.as_deref().unwrap_or("text");
    match Format::among(cli.command.formats(), wanted) {
        Ok(format) => Ok((cli, format)),
        Err(why) => {
            let message = format!("{} has no --output {wanted:?}: {why}", cli.command.name());
            Err(command.error(ErrorKind::InvalidValue, message))
        }
    }
}

/// What a usage error means: requests for help and version are none.
#[must_use]
pub fn failure_of(error: &clap::Error) -> Exit {
    if error.use_stderr() { Exit::Failed } else { Exit::Done }
}

/// The colours of usage errors, which are made before the arguments are known.
fn color_of(args: &[OsString]) -> ColorChoice {
    let values = args.iter().zip(args.iter().skip(1).map(Some).chain([None]));
    let value = |(arg, next): (&OsString, Option<&OsString>)| match arg.to_str()? {
        "--color" => next?.to_str()?.parse().ok(),
        arg => arg.strip_prefix("--color=")?.parse().ok(),
    };
    values.filter_map(value).last().unwrap_or(ColorChoice::Auto)
}

#[cfg(test)]
mod tests;
