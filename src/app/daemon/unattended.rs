//! What the daemon holds between passes, and how it begins.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::error::Error;
use super::heard::LastHeard;
use super::last_pass::LastPass;
use super::observing::Observing;
use super::options::Options;
use super::publication::Publication;
use super::schedule::Next;
use super::settle::Settling;
use super::watchdog::Watchdog;
use crate::app::alerts::Watched;
use crate::app::deliveries::Deliveries;
use crate::app::notices::Notices;
use crate::app::reconcile::Unconfirmed;
use crate::app::signals::Signals;
use crate::app::status::Metrics;
use crate::app::wiring;
use crate::domain::backoff::{Backoff, BackoffPolicy};
use crate::domain::state::State;
use crate::edges::config::Config;
use crate::edges::ledger::{Expected, Known, Ledger};
use crate::edges::provider::{Cadence, Provider, WatchedDir};
use crate::edges::requests;
use crate::edges::watch::{Entrance, Places, Touched, Watch};

/// Between tries of one device's effect.
const DEVICE_BACKOFF: BackoffPolicy =
    BackoffPolicy { first: Duration::from_secs(30), most: Duration::from_secs(3600), seed: 0 };

/// The reconciler that runs unattended.
pub struct Daemon {
    pub(super) config: Config,
    pub(super) options: Options,
    pub(super) signals: Signals,
    pub(super) provider: Arc<dyn Provider>,
    pub(super) observing: Observing,
    pub(super) ledger: Option<Ledger>,
    /// Of the ledger, to open the same one again and no other.
    pub(super) known: Known,
    /// Wipes of an earlier process that the provider has yet to be asked about.
    pub(super) unconfirmed: Unconfirmed,
    pub(super) watch: Watch,
    pub(super) settling: Settling,
    pub(super) backoff: Backoff,
    pub(super) started: Instant,
    /// Passes that failed as a whole, in a row.
    pub(super) failures: u32,
    pub(super) notices: Notices,
    pub(super) metrics: Metrics,
    pub(super) watchdog: Watchdog,
    /// When the event came that led to this pass.
    pub(super) woken: Option<Instant>,
    /// Where the next pass has to look.
    pub(super) touched: Touched,
    pub(super) next: Next,
    pub(super) last: LastPass,
    pub(super) publication: Publication,
    /// What was heard last, until it is acknowledged.
    pub(super) heard: Option<LastHeard>,
    /// Told when a snapshot that is being written beside the passes is at its end.
    pub(super) saved: Arc<Notify>,
    /// What alerts rest on besides the log.
    pub(super) watched: Watched,
    /// Those who are told what happens.
    pub(super) deliveries: Deliveries,
}

/// Where a configuration's fleet directory, reports and trust are to be watched.
pub(super) fn places(config: &Config, cadence: &Cadence) -> Places {
    let trust = &config.trust;
    let entrance = |WatchedDir { dir, ignoring }: WatchedDir| Entrance { dir, ignoring };
    Places {
        fleet: config.fleet.clone(),
        reports: cadence.wakes.iter().cloned().map(entrance).collect(),
        requests: Entrance {
            dir: config.data.join(requests::DIRECTORY),
            ignoring: &[requests::REJECTED],
        },
        files: trust
            .allowed_signers
            .iter()
            .chain(&trust.revoked_keys)
            .cloned()
            .collect::<Vec<PathBuf>>(),
    }
}

/// Those whom the configuration names, at work. Only they need a copy of what is recorded.
fn deliveries(config: &Config, recorded: &State) -> Result<Deliveries, wiring::NoSink> {
    let sinks = wiring::sinks(config)?;
    let recorded = if sinks.is_empty() { Arc::default() } else { Arc::new(recorded.clone()) };
    Ok(Deliveries::start(sinks, config, Arc::default(), recorded, false))
}

impl Daemon {
    /// Opens the ledger, whose one writer it is from now on; `expected` is what has to be there.
    ///
    /// # Errors
    /// If that fails, or somebody who is to be told cannot be: a daemon that cannot begin says so and ends.
    pub fn start(
        config: Config,
        provider: Arc<dyn Provider>,
        expected: Expected,
        options: Options,
        signals: Signals,
    ) -> Result<Self, Error> {
        let ledger = wiring::open(&config, expected, options.actor.clone())?;
        let cadence = provider.cadence();
        let seed = u64::from(std::process::id());
        let deliveries = deliveries(&config, ledger.state())?;
        Ok(Self {
            watch: Watch::new(places(&config, &cadence), options.pace),
            observing: Observing::new(cadence),
            provider,
            settling: Settling::new(options.pace.quiet),
            backoff: Backoff::new(BackoffPolicy { seed, ..DEVICE_BACKOFF }),
            known: ledger.known(),
            unconfirmed: Unconfirmed::of(ledger.state()),
            ledger: Some(ledger),
            started: Instant::now(),
            failures: 0,
            notices: Notices::default(),
            metrics: Metrics::default(),
            watchdog: Watchdog::start(options.resync),
            woken: None,
            touched: Touched::anything(),
            next: Next::default(),
            last: LastPass::default(),
            publication: Publication::default(),
            heard: None,
            saved: Arc::new(Notify::new()),
            watched: Watched::default(),
            deliveries,
            config,
            options,
            signals,
        })
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
