//! All sinks at work: beside a daemon, or for a time after a pass.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::log_writer::{LogWriter, Request, Requests};
use super::sink::Sink;
use super::statuses::SinkStatuses;
use super::unlogged::Unlogged;
use super::worker::{SinkContext, SinkWorker};
use crate::app::wiring;
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::state::event::AlertChanged;
use crate::edges::clock;
use crate::edges::config::Config;
use crate::edges::fs::known_directory::KnownDirectory;
use crate::edges::ledger::{self, Ledger};

/// How long sinks may take to end what they are at, when they are stopped.
const STOPPING: Duration = Duration::from_secs(5);

/// All sinks at work.
pub(crate) struct Deliveries {
    /// Of the ledger: the same one, whatever has its name later.
    data: KnownDirectory,
    statuses: Arc<SinkStatuses>,
    sinks: Vec<Arc<dyn Sink>>,
    tasks: JoinSet<()>,
    unlogged: Unlogged,
    recorded: watch::Sender<Arc<State>>,
    stop: watch::Sender<bool>,
    requests: Requests,
}

impl Deliveries {
    /// Begins with what is recorded; where they are to work only `once`, they end by themselves.
    pub(crate) fn start(
        sinks: Vec<Arc<dyn Sink>>,
        config: &Config,
        statuses: Arc<SinkStatuses>,
        recorded: Arc<State>,
        once: bool,
    ) -> Self {
        let (log_writer, requests) = LogWriter::new();
        let (recorded, stop) = (watch::Sender::new(recorded), watch::Sender::new(false));
        let mut all = Self {
            data: KnownDirectory::of(&config.data),
            statuses,
            sinks: Vec::new(),
            tasks: JoinSet::new(),
            unlogged: Unlogged::default(),
            recorded,
            stop,
            requests,
        };
        all.begin(sinks, config, log_writer, once);
        all
    }

    /// In the place of those who are told now: they stop where they are, as a crash would stop them.
    pub(crate) fn begin_anew(&mut self, sinks: Vec<Arc<dyn Sink>>, config: &Config) {
        self.tasks.abort_all();
        let (log_writer, requests) = LogWriter::new();
        (self.tasks, self.requests) = (JoinSet::new(), requests);
        self.begin(sinks, config, log_writer, false);
    }

    fn begin(
        &mut self,
        sinks: Vec<Arc<dyn Sink>>,
        config: &Config,
        log_writer: LogWriter,
        once: bool,
    ) {
        let context = SinkContext {
            data: self.data.clone(),
            settings: config.settings.clone(),
            log: wiring::ledger(config),
            log_writer,
            statuses: self.statuses.clone(),
        };
        self.statuses.keep(&sinks.iter().map(|sink| sink.name()).collect::<Vec<_>>());
        self.unlogged.end();
        self.sinks.clone_from(&sinks);
        for sink in sinks {
            let worker = SinkWorker::new(sink, context.clone());
            self.tasks.spawn(worker.run(self.recorded.subscribe(), self.stop.subscribe(), once));
        }
    }

    /// Whether nobody is to be told anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// What was shown last.
    pub(crate) fn recorded(&self) -> Arc<State> {
        self.recorded.borrow().clone()
    }

    pub(crate) fn statuses(&self) -> &Arc<SinkStatuses> {
        &self.statuses
    }

    /// Tells what keeps the log from being written, without it; nothing while that is told already.
    pub(crate) fn tell_unlogged(&mut self, alert: AlertChanged, settings: &Settings) {
        let recorded = self.recorded();
        self.unlogged.begin(&self.sinks, alert, (&recorded, settings), clock::now());
    }

    /// The log can be written: what is told goes through it again.
    pub(crate) fn tell_logged(&mut self) {
        self.unlogged.end();
    }

    /// What is recorded now.
    pub(crate) fn show(&self, recorded: Arc<State>) {
        self.recorded.send_replace(recorded);
    }

    /// The next entries that a sink wants in the log; never, where there are no sinks.
    pub(crate) async fn next(&mut self) -> Request {
        loop {
            tokio::select! {
                Some(request) = self.requests.recv() => return request,
                Some(ended) = self.tasks.join_next() => self.ended(ended),
                else => std::future::pending().await,
            }
        }
    }

    /// Lets them end what they are at, and writes what they say of it.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub(crate) async fn stop(&mut self, ledger: Option<&mut Ledger>) -> Result<(), ledger::Error> {
        self.stop.send_replace(true);
        if !self.finish(ledger, STOPPING).await? {
            self.tasks.abort_all();
        }
        Ok(())
    }

    /// Until all have ended, or for so long; whether they have.
    async fn finish(
        &mut self,
        mut ledger: Option<&mut Ledger>,
        limit: Duration,
    ) -> Result<bool, ledger::Error> {
        let deadline = tokio::time::sleep(limit);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                biased;
                Some(request) = self.requests.recv() => {
                    // Whom nobody writes for hears so at once: the request is dropped.
                    if let Some(ledger) = &mut ledger {
                        request.carry_out(ledger)?;
                    }
                }
                ended = self.tasks.join_next() => match ended {
                    None => return Ok(true),
                    Some(ended) => self.ended(ended),
                },
                () = &mut deadline => return Ok(false),
            }
        }
    }

    /// A sink that panics is a bug in it: the others go on, and somebody hears of it.
    fn ended(&self, ended: Result<(), JoinError>) {
        let Err(error) = ended else { return };
        if error.is_panic() {
            tracing::error!(%error, "a sink failed; it continues when fleetform is restarted");
            self.statuses.change("a sink", |status| status.stuck = Some("it failed".into()));
        }
    }
}

/// Tells what can be told, for so long at most; the rest waits for the next time.
///
/// # Errors
/// If the log cannot be written.
pub(crate) async fn deliver_for(
    limit: Duration,
    sinks: Vec<Arc<dyn Sink>>,
    config: &Config,
    ledger: &mut Ledger,
    statuses: &Arc<SinkStatuses>,
) -> Result<(), ledger::Error> {
    if !sinks.is_empty() && !limit.is_zero() {
        let recorded = Arc::new(ledger.state().clone());
        let mut deliveries = Deliveries::start(sinks, config, statuses.clone(), recorded, true);
        // What is under way at the end may still come to its own.
        let last = STOPPING.min(limit / 2);
        if !deliveries.finish(Some(ledger), limit - last).await? {
            deliveries.stop.send_replace(true);
            if !deliveries.finish(Some(ledger), last).await? {
                deliveries.tasks.abort_all();
            }
        }
    }
    Ok(())
}
