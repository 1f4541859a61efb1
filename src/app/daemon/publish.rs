//! What is done between passes, because it takes longer the larger the fleet is: the snapshot,
//! and the copy of everything for whoever reads over HTTP.
//!
//! Neither is needed for a pass: the log has it all. The copy takes a tenth of the time at most, and the
//! snapshot a hundredth: a small fleet is published at once, and one of 100,000 devices every few seconds.

use std::sync::Arc;

use tokio::time::Instant;

use super::heard::LastHeard;
use super::unattended::Daemon;
use crate::app::reconcile::{self, Basis, acknowledge_saved, heads};
use crate::app::status::{AccessBasis, MadeOf, Metrics, Status, View};
use crate::app::wiring;
use crate::domain::access::Directory;
use crate::domain::state::State;
use crate::domain::wipe::target::LedgerId;
use crate::edges::clock;
use crate::edges::ledger::Ledger;
use crate::edges::requests;
use crate::edges::source::revision;
use crate::edges::watch::Mode;

impl Daemon {
    /// Begins to write the snapshot, if it is not up to date, and publishes what it will say.
    pub(super) async fn publish(&mut self) -> Result<(), reconcile::Error> {
        let began = Instant::now();
        let Some(mut ledger) = self.ledger.take() else { return Ok(()) };
        let was_saving = ledger.is_saving();
        let saving = if self.heard.is_some() || self.publication.may_save() {
            let done = self.saved.clone();
            ledger.begin_saving(move || done.notify_one())
        } else {
            ledger.end_pass()
        };
        match saving {
            Ok(()) if ledger.is_saving() => self.publication.saving(began),
            Ok(()) if ledger.is_saved() => self.publication.saved(began),
            Ok(()) => self.publication.unsaved(),
            Err(error) => return self.let_go(ledger, Err(error.into())),
        }
        self.publish_status(ledger.state());
        if self.last.begun {
            self.last.waiting = None;
        }
        self.publish_numbers(ledger.state());
        self.publication.done(began, ledger.state().seq);
        let done = match &mut self.heard {
            Some(heard) if ledger.is_saving() => {
                heard.is_saving |= !was_saving;
                Ok(())
            }
            Some(_) => self.acknowledge(&mut ledger).await,
            None => Ok(()),
        };
        self.let_go(ledger, done)
    }

    /// Takes note of a snapshot that was being written beside the passes, and acknowledges what it says.
    pub(super) async fn end_saving(&mut self) -> Result<(), reconcile::Error> {
        let Some(mut ledger) = self.ledger.take() else {
            // It was closed, which waited for the snapshot.
            self.publication.saved_beside(false);
            return Ok(());
        };
        let saved = ledger.end_saving();
        let mut done = saved.map_err(Into::into);
        if !ledger.is_saving() {
            self.publication.saved_beside(ledger.is_saved());
            match &self.heard {
                Some(heard) if heard.is_saving && done.is_ok() => {
                    done = self.acknowledge(&mut ledger).await;
                }
                // It was begun before: the next one says it.
                Some(_) => self.publication.want_now(),
                None => {}
            }
        }
        self.let_go(ledger, done)
    }

    /// Acknowledges what was heard: a snapshot says it durably.
    pub(super) async fn acknowledge(
        &mut self,
        ledger: &mut Ledger,
    ) -> Result<(), reconcile::Error> {
        let Some(LastHeard { what, reports, left_open, .. }) = self.heard.take() else {
            return Ok(());
        };
        self.publication.acknowledged();
        if left_open {
            self.next.at = Some(Instant::now());
        }
        let cursor = what.cursor().clone();
        acknowledge_saved(what, ledger, &self.provider).await?;
        self.metrics.reports.add(reports);
        self.observing.cursor = Some(cursor);
        Ok(())
    }

    /// Publishes what is recorded, and what is shown of it.
    fn publish_status(&self, recorded: &State) {
        if self.options.views.is_none() && self.deliveries.is_empty() {
            return;
        }
        let shown = self.deliveries.recorded();
        // A copy costs time and memory: only where something is new.
        let is_new = *shown != *recorded;
        let recorded = if is_new { Arc::new(recorded.clone()) } else { shown };
        self.deliveries.show(recorded.clone());
        let Some(views) = &self.options.views else { return };
        let known = views.borrow().access.directory.clone().filter(|_| !is_new);
        let (config, desired) = (&self.config, self.last.live.desired());
        let log = wiring::ledger(config);
        let asked = requests::read(&config.data);
        let now = clock::now();
        let directory = config
            .access
            .as_ref()
            .map(|_| known.unwrap_or_else(|| Arc::new(Directory::of(&recorded))));
        let access = AccessBasis { directory, as_of: Some(now), unreadable: false };
        let basis = Basis {
            now,
            settings: &config.settings,
            desired,
            recorded: &recorded,
            requests: &asked,
            trust: self.trust_state(),
            accept_removals: None,
            heads: &heads(log.as_ref(), desired, &recorded),
            clock: log.highest_time(),
            only: None,
        };
        let made_of = MadeOf {
            root: config.fleet.display().to_string(),
            revision: revision::of(&config.fleet),
            seq: recorded.seq,
            head: recorded.head.0,
            lineage: recorded.lineage.map(LedgerId),
            trust: self.last.trust.clone(),
        };
        let status = Arc::new(Status::new(basis, made_of));
        self.show(|view, _| {
            view.recorded = recorded;
            view.status = Some(status);
            view.access = access;
        });
    }

    /// Publishes what a pass has counted, and whether the daemon does its work.
    pub(super) fn publish_numbers(&self, recorded: &State) {
        self.show(|view, daemon| {
            let frozen = recorded.frozen.as_ref().map(|frozen| &frozen.why);
            let frozen =
                frozen.map(|why| format!("frozen: {}; {}", why.cause.explain(), why.help()));
            view.not_ready = frozen.into_iter().chain(daemon.last.waiting.clone()).collect();
            let broken = daemon.trust_state().broken();
            let broken = broken.map(|why| format!("every wipe is refused: {why}"));
            let unobserved = daemon.observing.failed();
            let unobserved = unobserved.map(|why| {
                format!("devices get no commands: the provider cannot be observed: {why}")
            });
            // Where nothing new waits to be shown, what is shown is as it is now.
            if !daemon.publication.wanted() && view.access.as_of.is_some() {
                view.access.as_of = Some(clock::now());
            }
            view.access.unreadable = false;
            let untold = daemon.deliveries.statuses().stuck(clock::now());
            view.degraded = broken.into_iter().chain(unobserved).chain(untold).collect();
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
            signers: self.trust_state().usable().map_or(0, |trust| trust.people(clock::now())),
            ..self.metrics.clone()
        };
        view.statuses = self.deliveries.statuses().clone();
        view.held_back = self.last.held_back.clone();
        view.findings = self.last.findings;
        change(&mut view, self);
        views.send_replace(Arc::new(view));
    }
}
