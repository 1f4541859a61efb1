//! `fleetform notify`

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::later::Later;
use super::process::runtime;
use super::setup::Setup;
use crate::app::wiring;
use crate::domain::notice::Attempt;
use crate::ui::render::deliveries::{Trial, trials_json, trials_text};
use crate::ui::render::out::Out;

/// Tries whether people and other systems can be told what happens.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  fleetform notify test
  fleetform notify test mail")]
pub(crate) enum Command {
    /// Send a test notification to all receivers or one, and show the answers.
    Test(Later<Test>),
}

/// Sends a marked test to each of those whom the configuration names, or to one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform notify test
  fleetform notify test mail
  fleetform notify test webhook:siem

The notification says that it is a test. Mail goes to those who get alerts, or
to the sender. Nothing is written to the log. Exits with 1 if a receiver does
not accept it. Formats: text, json.")]
pub(crate) struct Test {
    /// mail, serviceNow, webhook:NAME or events:NAME
    #[arg(value_name = "SINK")]
    pub(crate) sink: Option<String>,
}

/// Sends the tests, one after the other.
///
/// # Errors
/// If nobody is to be told, or not the one that was named.
pub(super) fn run(
    Command::Test(args): &Command,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let mut sinks = wiring::sinks(&setup.config)?;
    if sinks.is_empty() {
        return Err(Failure::new("no notifications are configured")
            .help("see `notify` in docs/notifications.md"));
    }
    if let Some(wanted) = &args.sink {
        let names: Vec<String> = sinks.iter().map(|sink| sink.name().to_owned()).collect();
        sinks.retain(|sink| sink.name() == wanted);
        if sinks.is_empty() {
            return Err(Failure::new(format!("`notify` has no {wanted}"))
                .help(format!("there are: {}", names.join(", "))));
        }
    }
    let runtime = runtime()?;
    let mut trials = Vec::new();
    for sink in sinks {
        let attempt = runtime.block_on(sink.test());
        trials.push(Trial { sink: sink.name().to_owned(), attempt });
    }
    match format {
        Format::Json => trials_json(&trials, out)?,
        _ => trials_text(&trials, out)?,
    }
    let taken = trials.iter().all(|trial| matches!(trial.attempt, Attempt::Done { .. }));
    Ok(if taken { Exit::Done } else { Exit::Failed })
}
