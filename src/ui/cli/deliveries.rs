//! `fleetform deliveries`

use std::collections::BTreeMap;

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::server::{self, ServerArgs};
use super::setup::Setup;
use crate::app::deliveries::queues;
use crate::domain::model::DeviceId;
use crate::edges::deliveries;
use crate::ui::render::deliveries::{Deliveries, Delivery};
use crate::ui::render::out::Out;
use crate::ui::wire::documents;

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
    /// Where the list is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
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
    let Some(id) = &args.retry else {
        let all = read(setup)?;
        let all = if args.failed { all.failed() } else { all };
        match format {
            Format::Json => all.json(out)?,
            _ => all.text(out)?,
        }
        return Ok(Exit::Done);
    };
    setup.needs_data("--retry")?;
    if !read(setup)?.has_given_up(id) {
        let what = format!("no delivery with the id {id} was given up");
        return Err(Failure::new(what).help("`fleetform deliveries --failed` lists them"));
    }
    deliveries::ask_again(&setup.config.data, id)?;
    out.note("It is tried again: at once by a running daemon, else by the next apply.");
    Ok(Exit::Done)
}

/// What nobody has been told yet of which device, though it is time. Where that cannot be read it is
/// said, and whoever shows devices shows them.
pub(super) fn undelivered(setup: &Setup, out: &mut Out) -> BTreeMap<DeviceId, Vec<Delivery>> {
    // Where no ledger is, nothing happened that anybody could be told.
    let nothing = setup.remote.is_none() && setup.needs_ledger("").is_err();
    if nothing {
        return BTreeMap::new();
    }
    match read(setup) {
        Ok(all) => all.undelivered(setup.now()),
        Err(failure) => {
            let why = failure.why();
            out.note(&format!("warning: who has not been notified yet is not known: {why}"));
            BTreeMap::new()
        }
    }
}

/// The server's list, or the one of the data directory.
fn read(setup: &Setup) -> Result<Deliveries, Failure> {
    if let Some(remote) = &setup.remote {
        return remote.json(documents::DELIVERIES).map_err(server::explain);
    }
    setup.needs_ledger("and so nothing to be told")?;
    let queues = queues(&setup.config.data).map_err(|why| {
        Failure::new(why)
            .help("it is made again by the daemon or the next apply; nothing is told twice by that")
    })?;
    Ok(Deliveries::of(&queues))
}
