//! The loop: wait, make a pass or publish, and put off what comes next where that failed.

use std::time::Duration;

use tokio::time::Instant;

use super::publication::Turn;
use super::schedule::{Next, NextStep};
use super::settle::WHILE_BUSY;
use super::unattended::{Daemon, places};
use super::watchdog;
use crate::app::deliveries;
use crate::app::notices::log::tell;
use crate::app::reconcile::{self, Unconfirmed};
use crate::app::signals::Request;
use crate::app::wiring;
use crate::domain::backoff::BackoffPolicy;
use crate::edges::clock;
use crate::edges::ledger::{self, Expected, Ledger};
use crate::edges::memory;
use crate::edges::source::revision;
use crate::edges::watch::{Touched, Watch};

/// Between failed tries to open a ledger, or to tell a provider what was taken: soon enough that
/// a fixed disk is noticed, late enough that a broken one is not worn out.
const TROUBLE: BackoffPolicy =
    BackoffPolicy { first: Duration::from_secs(1), most: Duration::from_secs(60), seed: 0 };
/// How often the clock is compared with the deadline that is waited for.
const ASK_THE_CLOCK: Duration = Duration::from_secs(1);

/// What comes next, once its time is there; without it, never.
async fn in_turn(turn: Option<(Instant, Turn)>) -> Turn {
    let Some((at, turn)) = turn else { return std::future::pending().await };
    tokio::time::sleep_until(at).await;
    turn
}

impl Daemon {
    /// Runs until a signal stops it; the snapshot is then up to date.
    ///
    /// # Errors
    /// If the last snapshot fails; the log has all that it would have held.
    pub async fn run(mut self) -> Result<(), ledger::Error> {
        let (fleet, data) = (self.config.fleet.display(), self.config.data.display());
        tracing::info!(%fleet, %data, "the daemon runs");
        let mut wake = NextStep::Pass;
        while !self.signals.stopping() {
            self.watchdog.beat();
            let done = match wake {
                NextStep::Pass => self.pass().await,
                NextStep::Publish => self.publish().await,
                NextStep::Saved => self.end_saving().await,
                NextStep::Write(request) => self.write(request),
            };
            self.settle(done);
            if self.signals.stopping() {
                break;
            }
            wake = self.wait().await;
        }
        tracing::info!("the daemon stops");
        watchdog::stopping();
        self.deliveries.stop(self.ledger.as_mut()).await?;
        let Some(mut ledger) = self.ledger.take() else { return Ok(()) };
        // A large snapshot may be cut short: the log is verified all the same.
        ledger.rest();
        self.signals.done();
        ledger.snapshot()?;
        if let Err(error) = self.acknowledge(&mut ledger).await {
            tracing::warn!(%error, "the last reports are heard again at the next start");
        }
        ledger.rest();
        Ok(())
    }

    /// Until there is something to do.
    pub(super) async fn wait(&mut self) -> NextStep {
        let Next { due, at, mut git, not_before } = self.next;
        let resync = self.last.complete_at + self.options.resync;
        let due = due.filter(|_| not_before.is_none());
        let watching = not_before.is_none();
        let resting = Instant::now() + memory::KEPT;
        let mut keeps_memory = true;
        loop {
            let latest =
                not_before.unwrap_or_else(|| at.into_iter().chain(git).fold(resync, Instant::min));
            // Reports are acknowledged after a snapshot: before that no more are heard.
            let turn = self.publication.turn(self.touched.reports).filter(|_| watching);
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
                    return NextStep::Pass;
                }
                // Before what is touched next, which may never end: publishing, which takes little of
                // the time, and what is due.
                () = self.saved.notified(), if watching => return NextStep::Saved,
                turn = in_turn(turn), if turn.is_some() => {
                    return if turn == Turn::Hear { NextStep::Pass } else { NextStep::Publish };
                }
                () = tokio::time::sleep_until(until) => {
                    let is_due = due.is_some_and(|due| due <= clock::now());
                    let looks = !is_due && git == Some(until) && at.is_none_or(|at| until < at);
                    if looks && until < resync && revision::busy(&self.config.fleet).is_some() {
                        git = Some(Instant::now() + WHILE_BUSY);
                        continue;
                    }
                    if until == latest || is_due {
                        self.last.resync = watching && !is_due && latest == resync && !self.touched.anything;
                        self.touched = Touched::anything();
                        return NextStep::Pass;
                    }
                }
                (first, touched) = self.watch.settled(), if watching => {
                    self.woken.get_or_insert(first);
                    self.touched.merge(touched);
                    if self.touched.is_urgent() {
                        return NextStep::Pass;
                    }
                }
                // Those who tell others may always have something to write, and no pass waits for that.
                request = self.deliveries.next(), if watching => return NextStep::Write(request),
                () = tokio::time::sleep_until(resting), if keeps_memory => {
                    memory::give_back();
                    keeps_memory = false;
                }
            }
        }
    }

    /// One pass; a ledger that failed is closed.
    pub(super) async fn pass(&mut self) -> Result<(), reconcile::Error> {
        let mut ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => {
                let expected = Expected::Same(self.known);
                let opened = wiring::open(&self.config, expected, self.options.actor.clone());
                self.last.unreadable = opened.as_ref().is_err_and(ledger::Error::hides_the_log);
                let ledger = opened?;
                self.unconfirmed = Unconfirmed::of(ledger.state());
                ledger
            }
        };
        self.unconfirmed.ask(&mut ledger, &self.provider, clock::now()).await?;
        self.watched.doubt(self.unconfirmed.doubtful());
        let touched = std::mem::take(&mut self.touched);
        let passed = match ledger.prove() {
            Ok(_) => self.noted_pass(touched, &mut ledger).await,
            Err(error) => Err(error.into()),
        };
        self.let_go(ledger, passed)
    }

    /// Writes what somebody who tells others says of it.
    fn write(&mut self, request: deliveries::Request) -> Result<(), reconcile::Error> {
        // Without a ledger nothing is written, and whoever asked hears so.
        let Some(mut ledger) = self.ledger.take() else { return Ok(()) };
        let written = request.carry_out(&mut ledger).map_err(Into::into);
        self.let_go(ledger, written)
    }

    /// Notes a changed configuration in the log, and makes a pass.
    async fn noted_pass(
        &mut self,
        touched: Touched,
        ledger: &mut Ledger,
    ) -> Result<(), reconcile::Error> {
        reconcile::note_config(&self.config, ledger)?;
        self.run_pass(touched, ledger).await
    }

    /// Keeps the ledger, unless it failed: what is on the disk is then read anew.
    pub(super) fn let_go(
        &mut self,
        ledger: Ledger,
        done: Result<(), reconcile::Error>,
    ) -> Result<(), reconcile::Error> {
        self.known = ledger.known();
        self.publication.logged(ledger.state().seq);
        let keeps = match &done {
            Ok(()) | Err(reconcile::Error::Provider(_) | reconcile::Error::Requests(_)) => true,
            // The lock file was replaced, and no other writer is in yet. Closing the ledger now
            // would let one in.
            Err(reconcile::Error::Ledger(error)) => {
                matches!(error, ledger::Error::LockRemoved { .. })
            }
        };
        if !keeps {
            // It is heard again.
            self.heard = None;
            self.publication.acknowledged();
        }
        self.ledger = keeps.then_some(ledger);
        done
    }

    /// After a pass, or after publishing: a failure puts off what comes next.
    fn settle(&mut self, done: Result<(), reconcile::Error>) {
        match done {
            Ok(()) => {
                if self.failures > 0 {
                    tracing::info!("recovered: reconciliation succeeds again");
                }
                self.failures = 0;
                self.deliveries.tell_logged();
                self.watchdog.ready();
            }
            Err(error) => {
                // Whatever it was about to do is not done: begin anew.
                self.touched = Touched::anything();
                self.failures = self.failures.saturating_add(1);
                let wait = TROUBLE.wait(std::process::id(), self.failures);
                tell([self.notices.of_failure(&error, wait)]);
                self.metrics.failed_passes += 1;
                if let reconcile::Error::Ledger(error) = &error {
                    self.watched.could_not_write(error.to_string());
                    self.alert_unlogged(error.to_string());
                }
                let why = format!("{error}; {}", error.help());
                self.show(|view, daemon| {
                    view.not_ready = vec![why];
                    view.access.unreadable = daemon.last.unreadable;
                });
                self.next = Next { not_before: Some(Instant::now() + wait), ..Next::default() };
            }
        }
    }

    /// Takes the configuration anew: all of it, or nothing.
    fn reload(&mut self) {
        self.watchdog.reloading();
        let reloaded = (self.options.reload)(&self.config);
        let reloaded = reloaded.and_then(|config| {
            let sinks = wiring::sinks(&config).map_err(|error| error.to_string())?;
            Ok((config, sinks))
        });
        match reloaded {
            Ok((config, sinks)) => {
                self.deliveries.begin_anew(sinks, &config);
                let cadence = self.provider.cadence();
                let [before, after] = [&self.config, &config].map(|of| places(of, &cadence));
                if before != after {
                    self.watch = Watch::new(after, self.options.pace);
                }
                self.config = config;
                tracing::info!("the configuration was read again");
            }
            Err(why) => tracing::error!(%why, "the new configuration is invalid; the old one \
                                               stays in effect"),
        }
        self.watchdog.reloaded();
    }
}
