//! The program's arguments: the commands, and what is asked of each with `--output`.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Args as _, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::format::Format;
use super::global::Global;
use super::later::Later;
use super::{
    access, apply, audit, backup, check, completions, daemon, deliveries, diff, doctor, emulator,
    explain, export, fmt, import, init, licenses, list, man, notify,
};
use super::{
    get, orphans, plan, profile, provision, report, reports, restore, schema, set, show, sync,
    trust, why, wipe,
};

/// Manage a device fleet from Git: reviewed in pull requests, wiped only by signed request.
#[derive(Debug, Parser)]
#[command(name = "fleetform", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    /// For all commands.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  fleetform init                      Create a fleet repository
  fleetform check                     Is every manifest valid?
  fleetform plan                      What would change?
  fleetform apply                     Apply the changes
  fleetform list --compliance nonCompliant
  fleetform show D007

Exit codes:
  0  Done
  1  An error, or findings
  2  There are changes (plan and diff with --detailed-exitcode)
  3  A guard refused: frozen, or a wipe held or refused (apply, wipe verify,
     plan --detailed-exitcode); access is denied (access)
If several apply, 1 takes precedence over 3, and 3 over 2.

Environment:
  FLEETFORM_CONFIG, FLEETFORM_FLEET, FLEETFORM_DATA
                 Like --config, --fleet and --data, which take precedence
  FLEETFORM_SERVER, FLEETFORM_TOKEN
                 Like --server of commands that read, and the token for it
  FLEETFORM_LOG  Log level, such as `debug`; -q and -v take precedence
  NO_COLOR       No colors, unless --color says otherwise; so does TERM=dumb
  COLUMNS        Overrides the detected width of the terminal

`fleetform man` prints the manual.";

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a fleet repository: profiles, an example device, checks for pull requests.
    Init(Later<init::Args>),
    /// Validate the manifests; no ledger is needed.
    Check(Later<check::Args>),
    /// Format manifests in the standard layout; meaning and comments are kept.
    Fmt(Later<fmt::Args>),
    /// Explain the code of a finding, with a wrong and a correct example.
    Explain(Later<explain::Args>),
    /// Show what a change of the manifests means, between Git revisions or directories.
    Diff(Later<diff::Args>),
    /// Show what apply would do now; changes and locks nothing.
    Plan(Later<plan::Args>),
    /// Bring the fleet to the state that the manifests declare, once.
    Apply(Later<apply::Args>),
    /// Keep the fleet in the state that the manifests declare, until stopped.
    Daemon(Later<daemon::Args>),
    /// Check everything that Fleetform needs, and say how to fix it.
    Doctor(Later<doctor::Args>),
    /// Send a test notification.
    #[command(subcommand)]
    Notify(notify::Command),
    /// Show which licenses users got, which are no longer needed, and which are missing.
    Licenses(Later<licenses::Args>),
    /// List notifications that are waiting or were given up.
    Deliveries(Later<deliveries::Args>),
    /// List devices; filters are combined with AND.
    List(Later<list::Args>),
    /// Show one device: profile, versions, last sync, compliance check by check, history.
    Show(Later<show::Args>),
    /// List devices or profiles, as `kubectl get` does.
    Get(Later<get::Get>),
    /// Show a device or a profile, as `kubectl describe` does.
    Describe(Later<get::Describe>),
    /// Show profiles: their apps and requirements, and which devices have them.
    #[command(subcommand)]
    Profile(profile::Command),
    /// Explain why a device is in its state, what it waits for, and what to do.
    Why(Later<why::Args>),
    /// List devices whose manifest is gone.
    Orphans(Later<orphans::Args>),
    /// Say whether a user may access a resource with a device, and why.
    Access(Later<access::Args>),
    /// Write the manifest of a new device, after checking it together with the fleet.
    Provision(Later<provision::Args>),
    /// Edit manifests of devices in place, after checking them together with the fleet.
    Set(Later<set::Args>),
    /// Write manifests for the devices of a list.
    Import(Later<import::Args>),
    /// Write lists of devices to upload to other systems.
    Export(Later<export::Args>),
    /// Add device reports to the inbox.
    Report(Later<report::Args>),
    /// List or retry rejected reports.
    #[command(subcommand)]
    Reports(reports::Command),
    /// Ask devices to sync now: the named ones, or all that match every filter.
    Sync(Later<sync::Args>),
    /// Write, sign, verify and list wipe requests.
    #[command(subcommand)]
    Wipe(wipe::Command),
    /// Inspect the trust file: whose signatures count.
    #[command(subcommand)]
    Trust(trust::Command),
    /// Inspect the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Write a backup of the ledger to a file, even while a daemon runs.
    Backup(Later<backup::Args>),
    /// Restore a backup into a new data directory.
    Restore(Later<restore::Args>),
    /// Emulate the service of an MDM, for tests and trials.
    #[command(subcommand)]
    Emulator(emulator::Command),
    /// Print the JSON Schema of manifests, for editors.
    Schema(Later<schema::Args>),
    /// Print a shell completion script for commands, devices and profiles.
    Completions(Later<completions::Args>),
    /// Print a manual page, or write all pages for packaging.
    Man(Later<man::Args>),
}

impl Command {
    /// As it is typed.
    #[must_use]
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Backup(_) => "backup",
            Self::Restore(_) => "restore",
            Self::Check(_) => "check",
            Self::Import(_) => "import",
            Self::Export(_) => "export",
            Self::Fmt(_) => "fmt",
            Self::Explain(_) => "explain",
            Self::Diff(_) => "diff",
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Daemon(_) => "daemon",
            Self::Doctor(_) => "doctor",
            Self::Notify(notify::Command::Test(_)) => "notify test",
            Self::Licenses(_) => "licenses",
            Self::Deliveries(_) => "deliveries",
            Self::List(_) => "list",
            Self::Show(_) => "show",
            Self::Get(_) => "get",
            Self::Describe(_) => "describe",
            Self::Profile(profile::Command::List(_)) => "profile list",
            Self::Profile(profile::Command::Show(_)) => "profile show",
            Self::Reports(reports::Command::Rejected(_)) => "reports rejected",
            Self::Why(_) => "why",
            Self::Orphans(_) => "orphans",
            Self::Access(_) => "access",
            Self::Provision(_) => "provision",
            Self::Set(_) => "set",
            Self::Emulator(emulator::Command::Intune(_)) => "emulator intune",
            Self::Schema(_) => "schema",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Report(_) => "report",
            Self::Sync(_) => "sync",
            Self::Wipe(wipe::Command::New(_)) => "wipe new",
            Self::Wipe(wipe::Command::Sign(_)) => "wipe sign",
            Self::Wipe(wipe::Command::Verify(_)) => "wipe verify",
            Self::Wipe(wipe::Command::List(_)) => "wipe list",
            Self::Trust(trust::Command::Check(_)) => "trust check",
            Self::Audit(audit::Command::Verify(_)) => "audit verify",
            Self::Audit(audit::Command::Log(_)) => "audit log",
            Self::Audit(audit::Command::Replay(_)) => "audit replay",
            Self::Audit(audit::Command::Snapshot(_)) => "audit snapshot",
        }
    }

    /// Whether nobody sits before it: it tells what it does, and when.
    #[must_use]
    pub(crate) const fn is_unattended(&self) -> bool {
        matches!(self, Self::Daemon(_) | Self::Emulator(_))
    }

    /// What `--output` may ask of it.
    #[must_use]
    pub(crate) const fn formats(&self) -> &'static [Format] {
        match self {
            Self::Daemon(_) | Self::Emulator(_) => &[Format::Text],
            Self::List(_) => list::FORMATS,
            Self::Get(_) => get::FORMATS,
            Self::Completions(_) | Self::Man(_) => &[Format::Text],
            Self::Schema(_) => &[Format::Text, Format::Json],
            Self::Check(_) => {
                &[Format::Text, Format::Json, Format::Markdown, Format::Github, Format::Sarif]
            }
            Self::Diff(_) | Self::Plan(_) => {
                &[Format::Text, Format::Json, Format::Markdown, Format::Github]
            }
            Self::Init(_)
            | Self::Fmt(_)
            | Self::Import(_)
            | Self::Export(_)
            | Self::Explain(_)
            | Self::Provision(_)
            | Self::Set(_)
            | Self::Apply(_)
            | Self::Doctor(_)
            | Self::Notify(_)
            | Self::Licenses(_)
            | Self::Deliveries(_)
            | Self::Show(_)
            | Self::Describe(_)
            | Self::Profile(_)
            | Self::Reports(_)
            | Self::Why(_)
            | Self::Orphans(_)
            | Self::Access(_)
            | Self::Report(_)
            | Self::Sync(_)
            | Self::Wipe(_)
            | Self::Backup(_)
            | Self::Restore(_)
            | Self::Trust(_)
            | Self::Audit(_) => &[Format::Text, Format::Json],
        }
    }
}

/// Parses a command line and the format that it asks for; usage errors are not yet printed.
///
/// # Errors
/// Usage errors, and the requests for help and version.
pub(crate) fn parse<I, T>(args: I) -> Result<(Cli, Format), clap::Error>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let program = || Cli::command().color(color_of(&args));
    let with_all = || {
        let mut program = program();
        program
            .try_get_matches_from_mut(&args)
            .and_then(|matches| Cli::from_arg_matches(&matches))
            .map_err(|e| e.format(&mut program))
    };
    let cli = with_one_command(&args).map_or_else(with_all, Ok)?;
    let wanted = cli.global.output.as_deref().unwrap_or("text");
    match Format::asked(cli.command.formats(), wanted) {
        Ok((format, _)) => Ok((cli, format)),
        Err(why) => {
            let message = format!(
                "{} does not support --output {wanted:?}: \
                                   {why}",
                cli.command.name()
            );
            Err(program().error(ErrorKind::InvalidValue, message))
        }
    }
}

/// What the line says, if it is understood without the other commands than the one that it names:
/// half of the start of a process would be to prepare those.
pub(super) fn with_one_command(args: &[OsString]) -> Option<Cli> {
    let commands = Command::augment_subcommands(clap::Command::default());
    let mut named = args.iter().skip(1).filter_map(|arg| commands.find_subcommand(arg));
    let alone = |named: &clap::Command| {
        let alone = Global::augment_args(clap::Command::default()).subcommand(named.clone());
        Cli::from_arg_matches(&alone.try_get_matches_from(args).ok()?).ok()
    };
    // Where none is understood, or help is wanted, all of the program is there to answer.
    named.find_map(alone)
}

/// The colors of usage errors, which are made before the arguments are known.
pub(super) fn color_of(args: &[OsString]) -> ColorChoice {
    let values = args.iter().zip(args.iter().skip(1).map(Some).chain([None]));
    let value = |(arg, next): (&OsString, Option<&OsString>)| match arg.to_str()? {
        "--color" => next?.to_str()?.parse().ok(),
        arg => arg.strip_prefix("--color=")?.parse().ok(),
    };
    values.filter_map(value).last().unwrap_or(ColorChoice::Auto)
}
