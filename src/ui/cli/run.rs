//! The whole program: from its arguments to a verb, with what the verb needs loaded.

use std::ffi::OsString;
use std::io::Write as _;

use clap::CommandFactory as _;

use super::args::{Cli, Command, parse};
use super::complete::Question;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::global::Global;
use super::list::Shape;
use super::process::{outlive_the_file_size_limit, start_threads};
use super::server::ServerArgs;
use super::setup::Setup;
use super::{
    access, apply, audit, backup, check, completions, daemon, deliveries, diff, doctor, emulator,
    explain, export, fmt, import, init, licenses, list,
};
use super::{get, orphans, profile, reports, trust, why};
use super::{
    logging, man, notify, plan, provision, report, restore, schema, set, show, sync, wipe,
};
use crate::edges::fs::memory;
use crate::ui::render::out::Out;
use crate::ui::render::text::safe;

/// The whole program but for its process: parses, starts the log, runs, reports failures.
#[must_use]
pub fn main<I, T>(args: I) -> Exit
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    memory::begin_small();
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    if let Some(question) = Question::of(&args) {
        let (text, exit) = question.answer();
        // If the shell is gone, nobody reads the answer; that is no error.
        let _ = std::io::stdout().write_all(text.as_bytes());
        return exit;
    }
    let (mut cli, format) = match parse(&args) {
        Ok(parsed) => parsed,
        Err(error) => {
            say(&error, &args);
            return failure_of(&error);
        }
    };
    outlive_the_file_size_limit();
    let environment = Environment::of_process();
    cli.global = cli.global.or(&environment);
    let Global { color, quiet, .. } = cli.global;
    let mut out = Out::standard(environment.presentation(color, quiet));
    let unattended = cli.command.is_unattended();
    let ran = logging::start(&cli.global, &environment, unattended)
        .and_then(|()| run(&cli, format, &environment, &mut out));
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

/// Prints a usage error, or the help that was asked for. If it cannot be printed, the exit code still
/// says it.
fn say(error: &clap::Error, args: &[OsString]) {
    if !error.use_stderr() {
        let _ = error.print();
        return;
    }
    // It quotes what was given, which may be the name of a stranger's branch.
    let harmless = args.iter().map(|arg| safe(&arg.to_string_lossy()).into_owned());
    let _ = match parse(harmless) {
        Err(error) => error.print(),
        // Spelled out it is no error any more.
        Ok(_) => std::io::stderr()
            .lock()
            .write_all(b"error: a value has control characters, and so cannot be used\n"),
    };
}

/// What a usage error means: requests for help and version are none.
#[must_use]
pub(super) fn failure_of(error: &clap::Error) -> Exit {
    if error.use_stderr() { Exit::Failed } else { Exit::Done }
}

/// Runs the command.
fn run(
    cli: &Cli,
    format: Format,
    environment: &Environment,
    out: &mut Out,
) -> Result<Exit, Failure> {
    // What needs no setting is not kept from helping by a broken configuration.
    let setup = || {
        start_threads()?;
        Setup::new(&cli.global, environment)
    };
    let reading = |server: &ServerArgs| setup()?.reading(server, &cli.global, environment);
    let for_fleet = || {
        start_threads()?;
        Setup::for_fleet(&cli.global, environment)
    };
    match &cli.command {
        Command::Init(args) => {
            start_threads()?;
            init::run(args, &cli.global, format, out)
        }
        Command::Check(args) => check::run(args, &for_fleet()?, format, out),
        Command::Fmt(args) => fmt::run(args, &for_fleet()?, format, out),
        Command::Import(args) => {
            // A tenant is asked by rights, which a checkout does not give.
            let setup = if args.asks_a_tenant() { setup()? } else { for_fleet()? };
            import::run(args, &setup, format, out)
        }
        Command::Export(args) => export::run(args, &for_fleet()?, format, out),
        Command::Explain(args) => explain::run(args, format, out),
        Command::Diff(args) => diff::run(args, &for_fleet()?, format, out),
        Command::Plan(args) => {
            // The plan of a small fleet that did not change is there before threads are.
            let setup = Setup::new(&cli.global, environment)?;
            let setup = setup.asking(&args.server, &cli.global, environment)?;
            let setup = setup.with_index(!args.no_index);
            plan::run(args, &setup, format, out)
        }
        Command::Apply(args) => apply::run(args, &setup()?.with_index(!args.no_index), format, out),
        Command::Daemon(args) => daemon::run(args, &cli.global, setup()?),
        Command::Doctor(args) => {
            start_threads()?;
            doctor::run(args, &cli.global, format, out)
        }
        Command::Notify(command) => notify::run(command, &setup()?, format, out),
        Command::Licenses(args) => licenses::run(args, &reading(&args.server)?, format, out),
        Command::Deliveries(args) => {
            let setup = setup()?.asking(&args.server, &cli.global, environment)?;
            deliveries::run(args, &setup, format, out)
        }
        Command::List(args) => {
            let setup = reading(&args.server)?;
            if args.unmanaged {
                return list::unmanaged(&setup, format, out);
            }
            let shape = Shape::new(format, cli.global.output.as_deref())?;
            list::show(args, &setup, &shape, out)
        }
        Command::Get(args) => {
            let setup = reading(&args.list.server)?;
            get::run(args, &setup, format, cli.global.output.as_deref(), out)
        }
        Command::Describe(args) => get::describe(args, &reading(&args.server)?, format, out),
        Command::Show(args) => show::run(args, &reading(&args.server)?, format, out),
        Command::Why(args) => why::run(args, &reading(&args.server)?, format, out),
        Command::Orphans(args) => orphans::run(args, &reading(&args.server)?, format, out),
        Command::Profile(command) => {
            profile::run(command, &reading(command.server())?, format, out)
        }
        Command::Reports(reports::Command::Rejected(args)) => {
            let setup = setup()?.asking(&args.server, &cli.global, environment)?;
            reports::rejected(args, &setup, format, out)
        }
        Command::Access(args) => access::run(args, &reading(&args.server)?, format, out),
        Command::Provision(args) => provision::run(args, &for_fleet()?, format, out),
        Command::Set(args) => set::run(args, &setup()?, format, out),
        Command::Emulator(command) => {
            start_threads()?;
            emulator::run(command, &cli.global, out)
        }
        Command::Schema(args) => schema::run(args, out),
        Command::Completions(args) => completions::run(args, Cli::command(), out),
        Command::Man(args) => man::run(args, Cli::command(), out),
        Command::Report(args) => report::run(args, &setup()?, format, out),
        Command::Sync(args) => sync::run(args, &setup()?, format, out),
        Command::Backup(args) => backup::run(args, &setup()?, format, out),
        Command::Restore(args) => restore::run(args, &setup()?, format, out),
        Command::Trust(trust::Command::Check(args)) => {
            let setup = setup()?.asking(&args.server, &cli.global, environment)?;
            trust::check(args, &setup, format, out)
        }
        Command::Wipe(command) => wipe::run(command, &reading(command.server())?, format, out),
        Command::Audit(audit::Command::Verify(args)) => {
            audit::verify(&reading(&args.server)?, format, out)
        }
        Command::Audit(audit::Command::Log(args)) => {
            audit::log(args, &reading(&args.server)?, format, out)
        }
        Command::Audit(audit::Command::Replay(args)) => {
            audit::replay(&reading(&args.server)?, format, out)
        }
        Command::Audit(audit::Command::Snapshot(_)) => audit::snapshot(&setup()?, format, out),
    }
}
