//! What is done between passes, because it takes longer the larger the fleet is: the snapshot,
//! and the copy of everything for whoever reads over HTTP.
//!
//! Neither is needed for a pass: the log has it all. Chores take a tenth of the time at most, so
//! a small fleet's are done at once, and those of 100,000 devices every few seconds.

use std::sync::Arc;

use tokio::time::Instant;

use super::Daemon;
use crate::app::reconcile;
use crate::app::status::Status;
use crate::domain::state::State;
use crate::edges::clock;
use crate::edges::source::revision;
use crate::edges::watch::Mode;
use crate::ui::http::metrics::Metrics;
use crate::ui::http::view::View;

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
        self.publish(ledger.state());
        if self.sight.begun {
            self.sight.waiting = None;
        }
        self.publish_numbers(ledger.state());
        self.ledger = Some(ledger);
        self.chores.done(began);
        Ok(())
    }

    /// Publishes what is recorded, and what is shown of it.
    fn publish(&self, recorded: &State) {
        let Some(views) = &self.options.views else { return };
        let shown = views.borrow().recorded.clone();
        // A copy costs time and memory: only where something is new.
        let recorded = if *shown == *recorded { shown } else { Arc::new(recorded.clone()) };
        let status = Status::new(
            &self.config,
            &recorded,
            self.sight.live.desired(),
            self.trust_state(),
            revision::of(&self.config.fleet).as_deref(),
            clock::now(),
        );
        match status {
            Ok(status) => self.show(|view, _| {
                view.recorded = recorded;
                view.status = Some(Arc::new(status));
            }),
            Err(error) => tracing::error!(%error, "what HTTP shows cannot be renewed"),
        }
    }

    /// Publishes what a pass has counted, and whether the daemon does its work.
    pub(super) fn publish_numbers(&self, recorded: &State) {
        self.show(|view, daemon| {
            let frozen = recorded.frozen.as_ref().map(|frozen| &frozen.why.cause);
            let frozen = frozen.map(|why| format!("frozen: {}; {}", why.explain(), why.help()));
            view.not_ready = frozen.into_iter().chain(daemon.sight.waiting.clone()).collect();
            let broken = daemon.trust_state().broken();
            view.degraded =
                broken.map(|why| format!("every wipe is refused: {why}")).into_iter().collect();
        });
    }

    /// For whoever reads beside it: nothing of what was shown is ever changed again.
    pub(super) fn show(&self, change: impl FnOnce(&mut View, &Self)) {
        let Some(views) = &self.options.views else { return };
        let mut view = View::clone(&views.borrow());
        view.config = Arc::new(self.config.clone());
        let now = self.elapsed();
        view.metrics = Metrics {
            watching: *self.watch.mode() == Mode::Watching,
            backing_off: self.backoff.waiting(now),
            breaker: Some(self.backoff.admission(now)),
            trust: Some(self.trust_state().word()),
            ..self.metrics.clone()
        };
        view.held_back = self.sight.held_back.clone();
        view.findings = self.sight.findings;
        change(&mut view, self);
        views.send_replace(Arc::new(view));
    }
}
