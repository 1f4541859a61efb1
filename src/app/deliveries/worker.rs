//! One sink's own task: from entries of the log to what it told, and what the log says of that.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use super::entries::{Said, by_device, intended, is_about_telling, outcomes, stopped};
use super::log_writer::{LogWriter, Unwritten};
use super::queue::{Batch, BatchOutcome, Queue};
use super::sink::{Sink, Ticketed};
use super::statuses::SinkStatuses;
use crate::domain::model::Timestamp;
use crate::domain::notice::{Attempt, Job};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::state::event::{Entry, Event, NoticeBegun};
use crate::edges::fs::known_directory::KnownDirectory;
use crate::edges::ledger::{self, Draft, Reader};
use crate::edges::{clock, deliveries};

/// Of the checkpoint.
const VERSION: u32 = 1;
/// How often a checkpoint is written at most: what it lacks follows from the log.
const SAVE_EVERY: Duration = Duration::from_secs(2);
/// After a checkpoint none is written for so many times as long as it took: a long one must not take the time of
/// passes.
const SAVE_REST: u32 = 49;
/// How long outcomes wait for others at most, to be written with them.
const PAY_EVERY: Duration = Duration::from_secs(1);
/// How often a sink looks whether a clock was set or somebody asked for a job again.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How soon to go on where the log could not be read or written.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What all sinks work with.
#[derive(Clone)]
pub(crate) struct SinkContext {
    pub(crate) data: KnownDirectory,
    pub(crate) settings: Settings,
    pub(crate) log: Arc<dyn Reader>,
    pub(crate) log_writer: LogWriter,
    pub(crate) statuses: Arc<SinkStatuses>,
}

/// The task of one sink.
pub(crate) struct SinkWorker {
    sink: Arc<dyn Sink>,
    context: SinkContext,
    queue: Option<Queue>,
    /// Of the ledger that the queue follows from.
    lineage: Option<uuid::Uuid>,
    started: Instant,
    save_at: Instant,
    unsaved: bool,
    /// What the log has yet to hear.
    owed: Vec<Said>,
    paid: Instant,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checkpoint {
    version: u32,
    lineage: Option<uuid::Uuid>,
    queue: Queue,
}

/// Why a sink cannot go on now.
enum Interruption {
    Unwritten,
    Unread(ledger::Error),
}

impl From<Unwritten> for Interruption {
    fn from(Unwritten: Unwritten) -> Self {
        Self::Unwritten
    }
}

impl SinkWorker {
    pub(crate) fn new(sink: Arc<dyn Sink>, context: SinkContext) -> Self {
        let now = Instant::now();
        Self {
            sink,
            context,
            queue: None,
            lineage: None,
            started: now,
            save_at: now + SAVE_EVERY,
            unsaved: false,
            owed: Vec::new(),
            paid: now,
        }
    }

    /// Works until it is told to stop; or, where it is to be `done` once, until nothing can go out.
    pub(crate) async fn run(
        mut self,
        mut seen: watch::Receiver<Arc<State>>,
        mut stop: watch::Receiver<bool>,
        once: bool,
    ) {
        loop {
            let recorded = seen.borrow_and_update().clone();
            let went = self.work(&recorded, &seen, &stop).await;
            self.show(&went);
            let stopping = *stop.borrow();
            self.save(stopping).await;
            if stopping || once {
                self.save(true).await;
                return;
            }
            let rest = if went.is_err() { RETRY_AFTER } else { self.rest() };
            tokio::select! {
                changed = seen.changed() => if changed.is_err() { return },
                _ = stop.changed() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// All that can be done now, unless something new is recorded meanwhile.
    async fn work(
        &mut self,
        recorded: &Arc<State>,
        seen: &watch::Receiver<Arc<State>>,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), Interruption> {
        if recorded.lineage.is_none() {
            return Ok(());
        }
        self.pay().await?;
        self.begin(recorded).await?;
        while !*stop.borrow() {
            let read = self.take_in(recorded).await?;
            self.take_again();
            self.show(&Ok(()));
            let told = self.tell_next(recorded, stop).await?;
            if seen.has_changed().unwrap_or(true) || (!told && !read) {
                break;
            }
            self.save(false).await;
        }
        Ok(())
    }

    /// Goes on from the checkpoint, or else from where the log says that the sink began; a new one begins
    /// with what happens from now on.
    async fn begin(&mut self, recorded: &Arc<State>) -> Result<(), Interruption> {
        if self.queue.is_some() {
            return Ok(());
        }
        let name = self.sink.name();
        let begun = match recorded.sinks.get(name) {
            Some(begun) => *begun,
            None => {
                let event = Event::NoticeBegun(NoticeBegun { sink: name.into() });
                self.context.log_writer.write(move |_| vec![event.into()]).await?
            }
        };
        let kept = deliveries::load(self.context.data.path(), name);
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Checkpoint>(&bytes).ok());
        let usable = kept.filter(|kept| {
            let Checkpoint { version, lineage, queue } = kept;
            let within = queue.cursor >= begun && queue.cursor <= recorded.seq.max(begun);
            *version == VERSION && *lineage == recorded.lineage && within
        });
        self.lineage = recorded.lineage;
        let queue = usable.map_or_else(|| Queue::from(begun), |kept| kept.queue);
        let queue = queue.resumed(clock::now(), self.started.elapsed());
        // What is taken in later may be told already, which the log says further on.
        let ahead = recorded.seq;
        let sink = self.sink.clone();
        let (queue, failed) = self
            .read(queue, move |queue, entry| {
                let further = entry.seq <= ahead;
                if further {
                    queue.look_ahead(sink.name(), &entry);
                }
                further
            })
            .await?;
        match failed {
            Some(error) => Err(Interruption::Unread(error)),
            None => {
                self.sink.recall(queue.sent());
                (self.queue, self.unsaved) = (Some(queue), true);
                Ok(())
            }
        }
    }

    /// Reads the log from a queue's cursor on, while `take` says that it goes further; gives why it ended
    /// before that.
    async fn read(
        &self,
        mut queue: Queue,
        mut take: impl FnMut(&mut Queue, Entry) -> bool + Send + 'static,
    ) -> Result<(Queue, Option<ledger::Error>), Unwritten> {
        let log = self.context.log.clone();
        let read = tokio::task::spawn_blocking(move || {
            let from = queue.cursor;
            for logged in log.entries_from(from + 1) {
                let entry = match logged {
                    Ok(logged) => logged.entry,
                    Err(error) => return (queue, Some(error)),
                };
                if entry.seq > from && !take(&mut queue, entry) {
                    break;
                }
            }
            (queue, None)
        });
        finished(read).await
    }

    /// Reads on in the log, as far as `recorded` goes and there is room; whether it did.
    async fn take_in(&mut self, recorded: &Arc<State>) -> Result<bool, Interruption> {
        let (mut room, now) = (self.sink.flow().taken_in, clock::now());
        let next = |queue: &mut Queue| queue.cursor < recorded.seq && queue.has_room(room, now);
        let Some(queue) = self.queue.take_if(next) else { return Ok(false) };
        let (sink, settings) = (self.sink.clone(), self.context.settings.clone());
        let (state, last) = (recorded.clone(), recorded.seq);
        let take = move |queue: &mut Queue, entry: Entry| {
            if entry.seq > last {
                return false;
            }
            let own = is_about_telling(&entry.event);
            let jobs = if own { Vec::new() } else { sink.jobs(&entry, &state, &settings) };
            room = room.saturating_sub(jobs.len());
            queue.take_in(sink.name(), &entry, jobs);
            room > 0
        };
        let (queue, failed) = self.read(queue, take).await?;
        (self.queue, self.unsaved) = (Some(queue), true);
        failed.map_or(Ok(true), |error| Err(Interruption::Unread(error)))
    }

    /// Jobs that somebody wants to be tried again. What cannot be read is looked for later.
    fn take_again(&mut self) {
        let Some(queue) = &mut self.queue else { return };
        for id in deliveries::asked_again(self.context.data.path()).unwrap_or_default() {
            if queue.retry(&id) {
                self.unsaved = true;
                // It stays, and is found again, where it cannot be removed: that does no harm.
                let _ = deliveries::forget_asked(self.context.data.path(), &id);
            }
        }
    }

    /// Tells what goes out next; whether there was something.
    async fn tell_next(
        &mut self,
        recorded: &State,
        stop: &watch::Receiver<bool>,
    ) -> Result<bool, Unwritten> {
        let (now, elapsed) = (clock::now(), self.started.elapsed());
        let sink = self.sink.clone();
        let Some(queue) = &mut self.queue else { return Ok(false) };
        let next = queue.next(
            now,
            elapsed,
            sink.flow().at_once,
            |first, others| sink.together(first, others),
            |job| sink.waits_until(job, now).is_some_and(|until| until > now),
        );
        if next.is_empty() {
            return Ok(false);
        }
        self.unsaved = true;
        let mut going = Vec::new();
        for batch in next {
            let (batch, over) = batch.split(|job| sink.obsolete(job, recorded));
            for (job, intent, why) in over {
                let told = stopped(&sink, intent, std::slice::from_ref(&job.jobs[0]), why);
                queue.remove(&job);
                self.context.statuses.change(sink.name(), |status| status.dropped += 1);
                let device = job.jobs[0].device;
                self.owed.push((device, Event::NoticeDropped(Box::new(told))));
            }
            going.extend(batch);
        }
        let mut waits = BTreeSet::new();
        for (batch, intent) in self.announce(going, now).await? {
            let rests = self.queue.as_ref().is_none_or(|queue| queue.rests(self.started.elapsed()));
            if *stop.borrow() || rests {
                break;
            }
            // One that has to be tried again keeps back those behind it of the same device.
            if batch.jobs.iter().any(|job| job.device.is_some_and(|id| waits.contains(&id))) {
                continue;
            }
            self.context.statuses.change(sink.name(), |status| status.telling = true);
            let (attempt, ticketed) = sink.deliver(&batch.jobs, recorded, batch.doubt).await;
            if self.settle(&batch, intent, attempt, ticketed) == BatchOutcome::Again {
                waits.extend(batch.jobs.iter().filter_map(|job| job.device));
            }
            if self.paid.elapsed() >= PAY_EVERY {
                self.pay().await?;
            }
        }
        self.pay().await?;
        Ok(true)
    }

    /// Says in the log what is about to be told, unless it says so already; gives the intent of each.
    async fn announce(
        &mut self,
        batches: Vec<Batch>,
        now: Timestamp,
    ) -> Result<Vec<(Batch, u64)>, Unwritten> {
        let new = batches.iter().filter(|batch| batch.intent.is_none());
        let new: Vec<Vec<Job>> = new.map(|batch| batch.jobs.clone()).collect();
        let lengths: Vec<u64> = new.iter().map(|jobs| by_device(jobs).len() as u64).collect();
        let mut next = 0;
        if !new.is_empty() {
            let sink = self.sink.clone();
            let drafts = move |first: u64| {
                let mut drafts = Vec::new();
                for jobs in new {
                    let intent = first + drafts.len() as u64;
                    drafts.extend(intended(&sink, intent, &jobs));
                }
                drafts
            };
            next = self.context.log_writer.write(drafts).await?;
        }
        let mut lengths = lengths.into_iter();
        let mut going = Vec::with_capacity(batches.len());
        for batch in batches {
            let intent = batch.intent.unwrap_or(next);
            if batch.intent.is_none() {
                next += lengths.next().unwrap_or(0);
            }
            if let Some(queue) = &mut self.queue {
                queue.intended(&batch, intent, now);
            }
            going.push((batch, intent));
        }
        Ok(going)
    }

    fn settle(
        &mut self,
        batch: &Batch,
        intent: u64,
        attempt: Attempt,
        ticketed: Option<Ticketed>,
    ) -> BatchOutcome {
        let Some(queue) = &mut self.queue else { return BatchOutcome::Again };
        let settled = queue.settle(batch, &attempt, clock::now(), self.started.elapsed());
        if matches!(attempt, Attempt::Retry { after: Some(_), .. }) {
            // The next process must not call before that either.
            self.save_at = Instant::now();
        }
        let count = batch.jobs.len() as u64;
        self.context.statuses.change(self.sink.name(), |status| {
            (status.telling, status.failing) = (false, attempt.why().map(str::to_owned));
            match settled {
                BatchOutcome::Done => status.delivered += count,
                BatchOutcome::Dropped => status.dropped += count,
                BatchOutcome::Again => status.failed += 1,
                BatchOutcome::GivenUp => {
                    status.failed += 1;
                    status.given_up += count;
                }
            }
        });
        self.owed.extend(outcomes(&self.sink, batch, intent, settled, &attempt, ticketed.as_ref()));
        settled
    }

    /// Writes what the log has yet to hear.
    async fn pay(&mut self) -> Result<(), Unwritten> {
        self.paid = Instant::now();
        if self.owed.is_empty() {
            return Ok(());
        }
        let owed = self.owed.clone();
        let drafts = move |_| {
            let draft = |(device, event)| Draft { device, source: None, event };
            owed.into_iter().map(draft).collect()
        };
        self.context.log_writer.write(drafts).await?;
        self.owed.clear();
        Ok(())
    }

    fn show(&self, went: &Result<(), Interruption>) {
        let stuck = match went {
            Err(Interruption::Unwritten) => Some("the log cannot be written".to_owned()),
            Err(Interruption::Unread(error)) => Some(format!("the log cannot be read: {error}")),
            Ok(()) => self.queue.as_ref().and_then(|queue| queue.resting().map(str::to_owned)),
        };
        self.context.statuses.change(self.sink.name(), |status| {
            status.stuck = stuck;
            // Of one that cannot be read nobody knows what waits.
            if let Some(queue) = &self.queue {
                (status.known, status.waiting) = (true, queue.len());
                status.oldest = queue.oldest(clock::now());
            }
        });
    }

    /// Keeps where it stands, now or where that is due.
    async fn save(&mut self, now: bool) {
        let began = Instant::now();
        if !self.unsaved || !(now || self.save_at <= began) {
            return;
        }
        let Some(queue) = self.queue.take() else { return };
        let checkpoint = Checkpoint { version: VERSION, lineage: self.lineage, queue };
        let (data, sink) = (self.context.data.clone(), self.sink.clone());
        let saved = tokio::task::spawn_blocking(move || {
            let bytes = serde_json::to_vec(&checkpoint).map_err(|error| error.to_string());
            let saved = bytes.and_then(|bytes| {
                deliveries::save(&data, sink.name(), &bytes).map_err(|error| error.to_string())
            });
            (checkpoint.queue, saved)
        });
        // One that is lost with the program that stops is made again of the log.
        let Ok((queue, saved)) = finished(saved).await else { return };
        self.queue = Some(queue);
        match saved {
            Ok(()) => self.unsaved = false,
            // It follows from the log: nothing is lost but time.
            Err(error) => {
                tracing::warn!(sink = self.sink.name(), %error, "a checkpoint is not kept")
            }
        }
        self.save_at = Instant::now() + SAVE_EVERY.max(began.elapsed() * SAVE_REST);
    }

    /// How long there is nothing to do.
    fn rest(&self) -> Duration {
        let Some(queue) = &self.queue else { return LOOK_EVERY };
        let elapsed = self.started.elapsed();
        let (at, again) = queue.wakes(elapsed);
        let at = at.map(|at| (at - clock::now()).to_std().unwrap_or_default());
        let again = again.map(|again| again.saturating_sub(elapsed));
        // What could go out by now waits for something that no clock says.
        let soon = [at.filter(|at| !at.is_zero()), again].into_iter().flatten().min();
        soon.map_or(LOOK_EVERY, |soon| soon.min(LOOK_EVERY))
    }
}

/// What a thread that may block gives; it panics if that did.
async fn finished<T>(task: tokio::task::JoinHandle<T>) -> Result<T, Unwritten> {
    task.await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Unwritten,
    })
}

/// What each sink has yet to tell, as it was kept last, by the name of its file.
///
/// # Errors
/// If one of them cannot be read.
pub(crate) fn queues(data: &Path) -> Result<Vec<(String, Queue)>, String> {
    let sinks = deliveries::sinks(data).map_err(|error| error.to_string())?;
    let queue = |sink: String| {
        let bytes = deliveries::load(data, &sink);
        match bytes.and_then(|bytes| serde_json::from_slice::<Checkpoint>(&bytes).ok()) {
            Some(checkpoint) => Ok((sink, checkpoint.queue)),
            None => Err(format!("the checkpoint of {sink} cannot be read")),
        }
    };
    sinks.into_iter().map(queue).collect()
}
