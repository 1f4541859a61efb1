//! Pass after pass, until stopped: wake, look, decide, carry out.
//!
//! What a pass does is [`reconcile`]'s business; here is only when, how carefully, and what
//! happens when it fails. A failed ledger is let go of at once, and effects with it; it is
//! opened again, by reading the whole log, until it can be. Large and destructive changes wait
//! for a second look that finds the same. What takes longer the larger the fleet is, the
//! snapshot and the copy for readers, are chores, done between passes and for a tenth of the
//! time at most.

mod notices;
mod pass;
mod publish;
mod settle;
mod signals;
mod watchdog;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use self::notices::Told;
use self::pass::Sight;
use self::publish::Chores;
use self::settle::Caution;
use self::signals::Request;
pub use self::signals::Signals;
use self::watchdog::Heart;
use crate::app::reconcile::{self, Unconfirmed};
use crate::domain::backoff::{Backoff, Growth};
use crate::domain::model::Timestamp;
use crate::edges::clock;
use crate::edges::config::Config;
use crate::edges::ledger::{self, Expected, Known, Ledger};
use crate::edges::provider::Provider;
use crate::edges::watch::{Pace, Places, Touched, Watch};
use crate::ui::http::metrics::Metrics;
use crate::ui::http::view::View;

/// Between tries to open a ledger or ask a provider that failed: soon enough that a mended disk
/// is noticed, late enough that a broken one is not worn out.
const TROUBLE: Growth =
    Growth { first: Duration::from_secs(1), most: Duration::from_secs(60), seed: 0 };
/// Between tries of one device's effect.
const DEVICE: Growth =
    Growth { first: Duration::from_secs(30), most: Duration::from_secs(3600), seed: 0 };

/// Reads the configuration again, given the one that holds, and all that belongs to it and not
/// to the daemon; or says why nothing of it is taken.
pub type Reload = dyn Fn(&Config) -> Result<Config, String> + Send;

/// So often the clock is asked whether what it is waited for is due.
const ASK_THE_CLOCK: Duration = Duration::from_secs(1);

/// How the daemon runs; what it does is in the configuration.
pub struct Options {
    /// For the log.
    pub actor: Arc<str>,
    /// How often to look though nothing woke it.
    pub resync: Duration,
    /// When an event leads to a look.
    pub pace: Pace,
    /// How the configuration is read again.
    pub reload: Box<Reload>,
    /// Where to publish what others read; without it nothing is kept for them.
    pub views: Option<watch::Sender<Arc<View>>>,
}

/// The reconciler that runs unattended.
pub struct Daemon {
    config: Config,
    options: Options,
    signals: Signals,
    provider: Arc<dyn Provider>,
    ledger: Option<Ledger>,
    /// Of the ledger, to open the same one again and no other.
    known: Known,
    /// Wipes of an earlier process that the provider has yet to be asked about.
    unconfirmed: Unconfirmed,
    watch: Watch,
    caution: Caution,
    backoff: Backoff,
    started: Instant,
    /// Passes that failed as a whole, in a row.
    failures: u32,
    told: Told,
    metrics: Metrics,
    heart: Heart,
    /// When the event came that led to this pass.
    woken: Option<Instant>,
    /// Where the next pass has to look.
    touched: Touched,
    next: Next,
    sight: Sight,
    chores: Chores,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    Pass,
    Chores,
}

/// When to look again.
#[derive(Debug, Clone, Copy, Default)]
struct Next {
    /// At the latest, by the clock on the wall.
    due: Option<Timestamp>,
    /// At the latest, for another reason.
    at: Option<Instant>,
    /// Not before that, whatever changes.
    not_before: Option<Instant>,
}

/// Where a configuration's fleet directory, reports and trust are to be watched.
fn places(config: &Config) -> Places {
    let trust = &config.trust;
    Places {
        fleet: config.fleet.clone(),
        inbox: config.data.join("inbox"),
        files: trust
            .allowed_signers
            .iter()
            .chain(&trust.revoked_keys)
            .cloned()
            .collect::<Vec<PathBuf>>(),
    }
}

impl Daemon {
    /// Opens the ledger, whose one writer it is from now on; `expected` is what has to be there.
    ///
    /// # Errors
    /// If that fails: a daemon that cannot begin says so and ends.
    pub fn start(
        config: Config,
        expected: Expected,
        options: Options,
        signals: Signals,
    ) -> Result<Self, ledger::Error> {
        let ledger = reconcile::open(&config, expected, options.actor.clone())?;
        let seed = u64::from(std::process::id());
        Ok(Self {
            provider: reconcile::provider(&config),
            watch: Watch::new(places(&config), options.pace),
            caution: Caution::new(options.pace.quiet),
            backoff: Backoff::new(Growth { seed, ..DEVICE }),
            known: ledger.known(),
            unconfirmed: Unconfirmed::of(ledger.state()),
            ledger: Some(ledger),
            started: Instant::now(),
            failures: 0,
            told: Told::default(),
            metrics: Metrics::default(),
            heart: Heart::start(options.resync),
            woken: None,
            touched: Touched::anything(),
            next: Next::default(),
            sight: Sight::default(),
            chores: Chores::default(),
            config,
            options,
            signals,
        })
    }

    /// Runs until a signal stops it; the snapshot is then up to date.
    ///
    /// # Errors
    /// If the last snapshot fails; the log has all that it would have held.
    pub async fn run(mut self) -> Result<(), ledger::Error> {
        tracing::info!(fleet = ?self.config.fleet, data = ?self.config.data, "the daemon runs");
        let mut wake = Wake::Pass;
        while !self.signals.stopping() {
            self.heart.beat();
            let done = match wake {
                Wake::Pass => self.pass().await,
                Wake::Chores => self.do_chores(),
            };
            self.settle(done);
            if !self.signals.stopping() {
                wake = self.wait().await;
            }
        }
        tracing::info!("the daemon stops");
        watchdog::stopping();
        self.ledger.as_mut().map_or(Ok(()), Ledger::snapshot)
    }

    /// Until there is something to do.
    async fn wait(&mut self) -> Wake {
        let Next { due, at, not_before } = self.next;
        let resync = self.sight.looked + self.options.resync;
        let latest = not_before.unwrap_or_else(|| at.map_or(resync, |at| resync.min(at)));
        let due = due.filter(|_| not_before.is_none());
        let watching = not_before.is_none();
        loop {
            let rested = self.chores.rested();
            // The clock on the wall may jump, and goes on while the machine is suspended.
            let until = due.map_or(latest, |due| {
                let wait = (due - clock::now()).to_std().unwrap_or_default();
                latest.min(Instant::now() + wait.min(ASK_THE_CLOCK))
            });
            tokio::select! {
                biased;
                request = self.signals.next() => {
                    if request == Request::Reload {
                        self.reload();
                        self.touched = Touched::anything();
                    }
                    return Wake::Pass;
                }
                // Before what is touched next, which may never end: chores, which take little of the
                // time, and what is due.
                () = tokio::time::sleep_until(rested), if watching && self.chores.undone() => {
                    return Wake::Chores;
                }
                () = tokio::time::sleep_until(until) => {
                    if until == latest || due.is_some_and(|due| due <= clock::now()) {
                        self.touched = Touched::anything();
                        return Wake::Pass;
                    }
                }
                // Reports are let go of with a snapshot, and so wait for the next one.
                () = tokio::time::sleep_until(rested), if watching && self.touched.inbox => {
                    return Wake::Pass;
                }
                (first, touched) = self.watch.settled(), if watching => {
                    self.woken.get_or_insert(first);
                    self.touched.merge(touched);
                    if self.touched.anything || !self.touched.files.is_empty() {
                        return Wake::Pass;
                    }
                }
            }
        }
    }

    /// One pass; the ledger is let go of where it failed.
    async fn pass(&mut self) -> Result<(), reconcile::Error> {
        let mut ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => {
                let expected = Expected::Same(self.known);
                let ledger = reconcile::open(&self.config, expected, self.options.actor.clone())?;
                self.unconfirmed = Unconfirmed::of(ledger.state());
                ledger
            }
        };
        self.unconfirmed.ask(&mut ledger, &self.provider, clock::now()).await?;
        let touched = std::mem::take(&mut self.touched);
        let passed = match ledger.prove() {
            Ok(_) => self.noted_look(touched, &mut ledger).await,
            Err(error) => Err(error.into()),
        };
        self.let_go(ledger, passed)
    }

    /// A look under a configuration that the log knows.
    async fn noted_look(
        &mut self,
        touched: Touched,
        ledger: &mut Ledger,
    ) -> Result<(), reconcile::Error> {
        reconcile::note_config(&self.config, ledger)?;
        self.look(touched, ledger).await
    }

    /// Keeps the ledger, unless it failed: what is on the disk is then read anew.
    fn let_go(
        &mut self,
        ledger: Ledger,
        done: Result<(), reconcile::Error>,
    ) -> Result<(), reconcile::Error> {
        self.known = ledger.known();
        let keeps = match &done {
            Ok(()) | Err(reconcile::Error::Provider(_)) => true,
            // It was made anew, and nobody was let in meanwhile; whoever let go now would let them.
            Err(reconcile::Error::Ledger(error)) => {
                matches!(error, ledger::Error::LockRemoved { .. })
            }
        };
        self.ledger = keeps.then_some(ledger);
        done
    }

    /// After a pass or chores: a failure puts off what comes next.
    fn settle(&mut self, done: Result<(), reconcile::Error>) {
        match done {
            Ok(()) => {
                if self.failures > 0 {
                    tracing::info!("it works again");
                }
                self.failures = 0;
                self.heart.ready();
            }
            Err(error) => {
                // Whatever it was about to do is not done: begin anew.
                self.touched = Touched::anything();
                self.failures = self.failures.saturating_add(1);
                let wait = TROUBLE.wait(std::process::id(), self.failures);
                self.told.trouble(&error, wait);
                self.metrics.failed_passes += 1;
                let why = format!("{error}; {}", notices::help(&error));
                self.show(|view, _| view.not_ready = vec![why]);
                self.next = Next { not_before: Some(Instant::now() + wait), ..Next::default() };
            }
        }
    }

    /// Takes the configuration anew: all of it, or nothing.
    fn reload(&mut self) {
        self.heart.reloading();
        match (self.options.reload)(&self.config) {
            Ok(config) => {
                let (before, after) = (places(&self.config), places(&config));
                if before != after {
                    self.watch = Watch::new(after, self.options.pace);
                }
                self.config = config;
                tracing::info!("the configuration was read again");
            }
            Err(why) => tracing::error!(%why, "the configuration was not taken; the old one stays"),
        }
        self.heart.reloaded();
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

#[cfg(test)]
mod tests;
