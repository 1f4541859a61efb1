//! What is done between passes, because it takes longer the larger the fleet is: the snapshot,
//! and the copy of everything for whoever reads over HTTP.
//!
//! Neither is needed for a pass: the log has it all. Chores take a tenth of the time at most, so
//! a small fleet's are done at once, and those of 100,000 devices every few seconds.

use std::sync::Arc;

use tokio::time::Instant;

use super::Daemon;
use crate::http::metrics::Metrics;
use crate::http::view::View;
use crate::reconcile;
use crate::state::State;
use crate::watch::Mode;

/// After chores they rest for so many times as long as they took.
const REST: u32 = 9;

/// Whether there are chores to do, and when they may be done.
#[derive(Debug)]
pub(super) struct Chores {
    undone: bool,
    /// When a pass began that had to write the snapshot itself: then the rest comes at once.
    begun: Option<Instant>,
    rested: Instant,
}

impl Default for Chores {
    fn default() -> Self {
        Self { undone: false, begun: None, rested: Instant::now() }
    }
}

impl Chores {
    pub(super) fn add(&mut self) {
        self.undone = true;
    }

    pub(super) fn begin(&mut self, at: Instant) {
        (self.undone, self.begun) = (true, Some(at));
    }

    pub(super) fn undone(&self) -> bool {
        self.undone
    }

    /// From when on they may be done again.
    pub(super) fn rested(&self) -> Instant {
        self.begun.unwrap_or(self.rested)
    }

    fn done(&mut self, began: Instant) {
        let took = self.begun.unwrap_or(began).elapsed();
        *self = Self { undone: false, begun: None, rested: Instant::now() + took * REST };
    }
}

impl Daemon {
    /// Writes the snapshot, if it is not up to date, and publishes what it says.
    pub(super) fn do_chores(&mut self) -> Result<(), reconcile::Error> {
        let began = Instant::now();
        let Some(mut ledger) = self.ledger.take() else { return Ok(()) };
        if let Err(error) = ledger.snapshot() {
            return self.let_go(ledger, Err(error.into()));
        }
        let recorded = ledger.state();
        self.show(|view, daemon| {
            // A copy costs time and memory: only where something is new.
            if *view.recorded != *recorded {
                view.recorded = Arc::new(recorded.clone());
            }
            view.desired = daemon.sight.live.desired().clone();
            view.trust = daemon.sight.trust.clone();
        });
        if self.sight.begun {
            self.sight.waiting = None;
        }
        self.publish_numbers(ledger.state());
        self.ledger = Some(ledger);
        self.chores.done(began);
        Ok(())
    }

    /// Publishes what a pass has counted, and whether the daemon does its work.
    pub(super) fn publish_numbers(&self, recorded: &State) {
        self.show(|view, daemon| {
            let frozen = recorded.frozen.as_ref().map(|frozen| &frozen.why.cause);
            let frozen = frozen.map(|why| format!("frozen: {}; {}", why.explain(), why.help()));
            view.not_ready = frozen.into_iter().chain(daemon.sight.waiting.clone()).collect();
        });
    }

    /// For whoever reads beside it: nothing of what was shown is ever changed again.
    pub(super) fn show(&self, change: impl FnOnce(&mut View, &Self)) {
        let Some(views) = &self.options.views else { return };
        let mut view = views.borrow().next();
        view.config = Arc::new(self.config.clone());
        let now = self.elapsed();
        view.metrics = Metrics {
            watching: *self.watch.mode() == Mode::Watching,
            backing_off: self.backoff.waiting(now),
            breaker: Some(self.backoff.admission(now)),
            ..self.metrics.clone()
        };
        view.held_back = self.sight.held_back.clone();
        view.findings = self.sight.findings;
        change(&mut view, self);
        views.send_replace(Arc::new(view));
    }
}
