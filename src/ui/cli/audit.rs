//! `fleetform audit`

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use clap::Subcommand;

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::later::Later;
use super::select;
use super::server::ServerArgs;
use super::setup::Setup;
use super::value::{Since, kind};
use crate::app::wiring;
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::state::State;
use crate::domain::state::event::Entry;
use crate::edges::ledger::store::Entries;
use crate::edges::ledger::{self, Expected, Reader};
use crate::ui::render::history::{Style, Writer};
use crate::ui::render::out::Out;
use crate::ui::render::{json, replayed, saved, verify};

/// What to do with the log. None of it changes what is recorded.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  fleetform audit verify             Is the hash chain intact?
  fleetform audit log --since 2h     What happened recently?
  fleetform audit replay             Which state follows from the log alone?
  fleetform audit snapshot           Bring state.json up to date")]
pub(crate) enum Command {
    /// Check the hash chain of the log, and the snapshot against the log.
    Verify(Later<VerifyArgs>),
    /// Print entries of the log.
    Log(Later<LogArgs>),
    /// Print the state that follows from the log alone.
    Replay(Later<ReplayArgs>),
    /// Bring state.json up to date.
    Snapshot(Later<SnapshotArgs>),
}

/// Checks every line of the log against the one before it, and the snapshot against the log.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform audit verify
  fleetform audit verify -o json | jq -r .head    Store it elsewhere

A head that you keep elsewhere proves later that nothing before it was changed.
Exits with 1 if anything is wrong.
Formats: text, json.")]
pub(crate) struct VerifyArgs {
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Prints the entries of the log for which all filters hold.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform audit log --since 2h
  fleetform audit log --device PF3XK9Q2
  fleetform audit log --kind device.status --kind compliance.changed -o json
  fleetform audit log --since 118 --follow

Formats: text, json (with --follow one object a line).")]
pub(crate) struct LogArgs {
    /// Entries about this device; a serial number selects all ids that it ever had
    #[arg(long, value_name = "ID|SERIAL|NAME")]
    pub(crate) device: Option<String>,
    /// Entries of this kind; may be repeated
    #[arg(long = "kind", value_name = "KIND", value_parser = kind())]
    pub(crate) kinds: Vec<String>,
    /// Entries from then on: a time, a duration before now, or a sequence number
    #[arg(long, value_name = "TIME|DURATION|SEQ")]
    pub(crate) since: Option<Since>,
    /// Print new entries as they are written, until interrupted
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Prints the state that the log alone gives: the snapshot without telemetry, or its summary.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform audit replay                    A summary
  fleetform audit replay -o json > state.json

As JSON it is the whole state as in state.json, without telemetry (lastSync and
facts), which is not in the log. Formats: text, json.")]
pub(crate) struct ReplayArgs {
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Writes all that is recorded to state.json, for people and other programs, where that is not up to date;
/// and what makes the next commands fast.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform audit snapshot
  fleetform audit snapshot && jq '.devices | length' .fleetform/state.json

`apply` ends with this, and a daemon does it whenever that takes little of its
time, and when it stops. It writes to the ledger, so no daemon may run beside
it. Formats: text, json.")]
pub(crate) struct SnapshotArgs {}

/// Which entries to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter<'a> {
    devices: Option<BTreeSet<DeviceId>>,
    kinds: &'a [String],
    since: Option<Since>,
    now: Timestamp,
}

impl LogArgs {
    /// The filters, with the device found in `state`; durations count from `now`.
    ///
    /// # Errors
    /// If there is no such device.
    pub(crate) fn filter(&self, state: &State, now: Timestamp) -> Result<Filter<'_>, Failure> {
        let devices = self.device.as_ref().map(|text| select::devices(state, text)).transpose()?;
        Ok(Filter { devices, kinds: &self.kinds, since: self.since, now })
    }

    /// How to write entries.
    #[must_use]
    pub(crate) fn style(&self, format: Format) -> Style {
        match (format, self.follow) {
            (Format::Json, true) => Style::JsonLines,
            (Format::Json, false) => Style::Json,
            _ => Style::Text,
        }
    }
}

impl Filter<'_> {
    /// Whether all filters hold.
    #[must_use]
    pub(crate) fn admits(&self, entry: &Entry) -> bool {
        let Self { devices, kinds, since, now } = self;
        devices.as_ref().is_none_or(|ids| entry.device.is_some_and(|id| ids.contains(&id)))
            && (kinds.is_empty() || kinds.iter().any(|kind| kind == entry.event.kind()))
            && since.is_none_or(|since| since.admits(entry, *now))
    }
}

/// Checks the chain, and shows what was found.
///
/// # Errors
/// If there is no log, it cannot be read, or writing fails.
pub(super) fn verify(setup: &Setup, format: Format, out: &mut Out) -> Result<Exit, Failure> {
    let (verified, data) = (&setup.ledger()?.verify()?, &setup.config.data);
    // Nothing at all is no good log: perhaps it is another directory that is meant.
    if verified.lines == 0 && verified.bytes == 0 && verified.problems.is_empty() {
        return Err(Failure::new(format!("there is no log in {}", data.display()))
            .help("name the data directory with --data; `fleetform apply` creates a log"));
    }
    match format {
        Format::Json => verify::json(verified, out)?,
        _ => verify::text(verified, out)?,
    }
    Ok(if verified.problems.is_empty() { Exit::Done } else { Exit::Failed })
}

/// How often a log that is followed is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How often a daemon is asked for more of it.
const LOOK_THERE: Duration = Duration::from_secs(2);

/// Prints entries.
///
/// # Errors
/// If a named ledger is not there, there is none to follow or no such device, the log cannot be read, or
/// writing fails.
pub(super) fn log(
    args: &LogArgs,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let mut writer = Writer::new(args.style(format));
    let asks_for_all = args.device.is_none() && !args.follow;
    if asks_for_all && let Some(note) = setup.no_ledger_yet()? {
        // As `list` has no devices.
        out.note(&note);
        writer.finish(out)?;
        return Ok(Exit::Done);
    }
    setup.needs_ledger("and so no log")?;
    let state = match &args.device {
        Some(word) => setup.recorded_for(word)?,
        None => State::default(),
    };
    let filter = args.filter(&state, setup.now())?;
    let ledger = setup.ledger()?;
    let mut entries = match &filter.devices {
        Some(devices) if !args.follow => about(ledger.as_ref(), devices)?,
        _ => ledger.entries_from(1),
    };
    loop {
        for logged in entries.by_ref() {
            let logged = logged?;
            if filter.admits(&logged.entry) {
                writer.entry(&logged, out)?;
            }
            if out.is_closed() {
                break;
            }
        }
        if !args.follow || out.is_closed() {
            break;
        }
        out.flush()?;
        std::thread::sleep(if setup.remote.is_some() { LOOK_THERE } else { LOOK });
    }
    writer.finish(out)?;
    Ok(Exit::Done)
}

/// The entries about some devices, in their order.
fn about(ledger: &dyn Reader, devices: &BTreeSet<DeviceId>) -> Result<Entries, ledger::Error> {
    let entries = devices.iter().flat_map(|device| ledger.entries_of(*device));
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|logged| logged.entry.seq);
    Ok(Box::new(entries.into_iter().map(Ok)))
}

/// Brings the snapshot up to date.
///
/// # Errors
/// If there is no ledger, it cannot be opened or written, or somebody else writes.
pub(super) fn snapshot(setup: &Setup, format: Format, out: &mut Out) -> Result<Exit, Failure> {
    setup.needs_ledger("and so nothing to write")?;
    let mut ledger = wiring::open(&setup.config, Expected::Existing, setup.actor.clone())?;
    ledger.snapshot()?;
    ledger.rest();
    match format {
        Format::Json => saved::json(ledger.state(), out)?,
        _ => saved::text(ledger.state(), out)?,
    }
    Ok(Exit::Done)
}

/// Prints the state that the log alone gives.
///
/// # Errors
/// If there is no ledger, the log is not what this program writes, or writing fails.
pub(super) fn replay(setup: &Setup, format: Format, out: &mut Out) -> Result<Exit, Failure> {
    setup.needs_ledger("and so nothing to replay")?;
    let snapshot = setup.ledger()?.replay()?;
    match format {
        Format::Json => {
            let mut text = Vec::new();
            ledger::snapshot::write(&snapshot, &mut text)?;
            json::written(out, &String::from_utf8_lossy(&text))?;
        }
        _ => replayed::text(&snapshot.state, out)?,
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::cli::args::{self, parse};
    use crate::ui::render::testing::{log, now, state};

    fn args(args: &[&str]) -> (Later<LogArgs>, Format) {
        let args = ["fleetform", "audit", "log"].into_iter().chain(args.iter().copied());
        let (cli, format) = parse(args).unwrap();
        let args::Command::Audit(Command::Log(args)) = cli.command else { panic!("not log") };
        (args, format)
    }

    #[test]
    fn filters_are_combined_by_and() {
        let state = state();
        for (text, expected) in [
            ("--device D003", vec![5, 12, 13]),
            ("--device pf3xk9q2 --kind device.status", vec![8]),
            ("--kind device.orphaned --kind profile.failed", vec![11, 13]),
            ("--since 15", vec![15, 16]),
            ("--since 1h", vec![12, 13]),
            ("--since 2026-11-22T08:00:00Z --kind device.status", vec![12, 16]),
            ("--device D003 --since 12 --kind ledger.created", vec![]),
        ] {
            let (args, _) = args(&text.split(' ').collect::<Vec<_>>());
            let filter = args.filter(&state, now()).unwrap();
            let seqs: Vec<_> =
                log().iter().filter(|e| filter.admits(e)).map(|entry| entry.seq).collect();
            assert_eq!(seqs, expected, "{text}");
        }
        assert!(args(&["--device", "D999"]).0.filter(&state, now()).is_err());
    }

    #[test]
    fn a_stream_is_json_lines() {
        for (text, style) in [
            (vec![], Style::Text),
            (vec!["--follow"], Style::Text),
            (vec!["-o", "json"], Style::Json),
            (vec!["-o", "json", "--follow"], Style::JsonLines),
        ] {
            let (args, format) = args(&text);
            assert_eq!(args.style(format), style);
        }
    }

    #[test]
    fn an_unknown_kind_gets_a_suggestion() {
        let error = parse(["fleetform", "audit", "log", "--kind", "device.statsu"]).unwrap_err();
        assert!(error.to_string().contains("'device.status'"), "{error}");
    }
}
