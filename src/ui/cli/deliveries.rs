//! `fleetform deliveries`

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::setup::Setup;
use crate::app::deliveries::kept;
use crate::edges::deliveries;
use crate::ui::render::deliveries::{Delivery, json, text};
use crate::ui::render::out::Out;

/// Lists what people and other systems have yet to be told, and what they could not be told.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform deliveries                 What is waiting, and what was given up
  fleetform deliveries --failed        Only what failed or was given up
  fleetform deliveries --retry ID      Retry one that was given up

A running daemon writes this list every few seconds, and retries within seconds;
without a daemon, the next apply does. Delivered notifications are in the log:
`fleetform audit log --kind notice.sent`. Formats: text, json.")]
pub(crate) struct Args {
    /// Only those that failed at least once
    #[arg(long)]
    pub(crate) failed: bool,
    /// Retry this one, which was given up
    #[arg(long, value_name = "ID", conflicts_with = "failed")]
    pub(crate) retry: Option<String>,
}

/// Reads the checkpoints of all sinks; takes no lock.
///
/// # Errors
/// If there is no ledger, a checkpoint cannot be read, or no job of that id was given up.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    setup.needs_ledger("and so nothing to be told")?;
    let data = &setup.config.data;
    let mut all = Vec::new();
    for sink in deliveries::sinks(data)? {
        let read = deliveries::load(data, &sink).and_then(|bytes| kept(&bytes));
        let Some(queue) = read else {
            let what = format!("the checkpoint of {sink} cannot be read");
            return Err(Failure::new(what).help(
                "it is made again by the daemon or the next apply; nothing is told twice by that",
            ));
        };
        let waiting = queue.waiting().map(|waiting| Delivery::waiting(&sink, waiting));
        let given_up = queue.given_up.iter().map(|waiting| Delivery::given_up(&sink, waiting));
        all.extend(waiting.chain(given_up).filter(|delivery| !args.failed || delivery.failed()));
    }
    let Some(id) = &args.retry else {
        match format {
            Format::Json => json(&all, out)?,
            _ => text(&all, out)?,
        }
        return Ok(Exit::Done);
    };
    if !all.iter().any(|delivery| delivery.is_given_up(id)) {
        let what = format!("no delivery with the id {id} was given up");
        return Err(Failure::new(what).help("`fleetform deliveries --failed` lists them"));
    }
    deliveries::ask_again(data, id)?;
    out.note("It is tried again: at once by a running daemon, else by the next apply.");
    Ok(Exit::Done)
}
