//! `fleetform daemon`

use std::time::Duration;

use super::run::{Setup, configuration, runtime};
use super::value::word;
use super::{Exit, Failure, Global};
use crate::daemon::{Daemon, Options, Signals};
use crate::model::words;
use crate::watch::Pace;

/// After so long a look comes even if changes never cease.
const MOST: Duration = Duration::from_secs(2);

words! {
    /// `--watch`
    Watching {
        /// Where the system can.
        Auto = "auto",
        /// Never: look every few seconds.
        Poll = "poll",
    }
}

/// Keeps the fleet as its manifests say, until stopped.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform daemon
  fleetform daemon --resync 5m --log-format json
  fleetform daemon --watch poll            On network file systems

Signals: HUP reads the configuration again, whole or not at all; TERM and INT finish what is
under way and exit with 0; once more stops at once, which does no harm.")]
pub struct Args {
    /// Look at everything at least this often
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = positive)]
    pub resync: Duration,
    /// Wait until nothing has changed for so long, but for 2 s at most
    #[arg(long, value_name = "DURATION", default_value = "300ms", value_parser = duration)]
    pub debounce: Duration,
    /// Whether to rely on the system to tell of changes
    #[arg(long, value_name = "HOW", default_value = "auto")]
    #[arg(value_parser = word!(Watching), ignore_case = true)]
    pub watch: Watching,
    /// Look for changes this often where the system does not tell of them
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = positive)]
    pub poll: Duration,
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        // A day is more than anyone waits, and fits every clock.
        .filter(|duration| *duration <= Duration::from_secs(86_400))
        .ok_or_else(|| "is not a duration like 300ms, 60s or 5m, at most a day".into())
}

fn positive(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration < Duration::from_millis(10) { Err("is too short".into()) } else { Ok(duration) }
}

/// Runs until a signal stops it.
///
/// # Errors
/// If the ledger cannot be opened, say because another process writes it.
pub(super) fn run(args: &Args, global: &Global, setup: Setup) -> Result<Exit, Failure> {
    let again = global.clone();
    let options = Options {
        actor: setup.actor,
        resync: args.resync,
        pace: Pace {
            quiet: args.debounce,
            most: MOST,
            poll: args.poll,
            always_poll: args.watch == Watching::Poll,
        },
        reload: Box::new(move || configuration(&again).map_err(|error| error.to_string())),
    };
    runtime()?.block_on(async {
        let signals = Signals::listen()?;
        Daemon::start(setup.config, options, signals)?.run().await?;
        Ok(Exit::Done)
    })
}
