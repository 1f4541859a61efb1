//! One sink's own task: from entries of the log to what it told, and what the log says of that.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use super::log_writer::{LogWriter, Unwritten};
use super::queue::{Batch, BatchOutcome, Queue};
use super::sink::{Sink, Ticketed};
use super::statuses::SinkStatuses;
use crate::domain::model::DeviceId;
use crate::domain::notice::{Attempt, Job, Topic};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::state::event::{
    Event, NoticeBegun, NoticeIntended, NoticeSent, NoticeStopped, TicketTold,
};
use crate::edges::ledger::{self, Draft, Reader};
use crate::edges::{clock, deliveries};

/// Of the checkpoint.
const VERSION: u32 = 1;
/// How often a checkpoint is written at most: what it lacks follows from the log.
const SAVE_EVERY: Duration = Duration::from_secs(2);
/// How often a sink looks whether a clock was set or somebody asked for a job again.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How soon to go on where the log could not be read or written.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What all sinks work with.
#[derive(Clone)]
pub(crate) struct SinkContext {
    pub(crate) data: PathBuf,
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
    saved: Instant,
    unsaved: bool,
    /// What the log has yet to hear.
    owed: Vec<(Option<DeviceId>, Event)>,
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
            saved: now,
            unsaved: false,
            owed: Vec::new(),
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
            self.save(*stop.borrow());
            if *stop.borrow() || once {
                self.save(true);
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
        self.take_in(recorded).await?;
        self.take_again();
        while !*stop.borrow() && !seen.has_changed().unwrap_or(true) {
            if !self.tell_one(recorded).await? {
                break;
            }
            self.show(&Ok(()));
            self.save(false);
        }
        Ok(())
    }

    /// Goes on from the checkpoint, or else from where the log says that the sink began; a new one begins
    /// with what happens from now on.
    async fn begin(&mut self, recorded: &State) -> Result<(), Unwritten> {
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
        let kept = deliveries::load(&self.context.data, name);
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Checkpoint>(&bytes).ok());
        let usable = kept.filter(|kept| {
            let Checkpoint { version, lineage, queue } = kept;
            let within = queue.cursor >= begun && queue.cursor <= recorded.seq.max(begun);
            *version == VERSION && *lineage == recorded.lineage && within
        });
        self.lineage = recorded.lineage;
        let queue = usable.map_or_else(|| Queue::from(begun), |kept| kept.queue);
        self.queue = Some(queue.resumed());
        self.unsaved = true;
        Ok(())
    }

    /// Reads on in the log, as far as `recorded` goes.
    async fn take_in(&mut self, recorded: &Arc<State>) -> Result<(), Interruption> {
        let Some(mut queue) = self.queue.take() else { return Ok(()) };
        if queue.cursor >= recorded.seq {
            self.queue = Some(queue);
            return Ok(());
        }
        let (sink, recorded) = (self.sink.clone(), recorded.clone());
        let (log, settings) = (self.context.log.clone(), self.context.settings.clone());
        let read = tokio::task::spawn_blocking(move || {
            let mut failed = None;
            for logged in log.entries_from(queue.cursor + 1) {
                let entry = match logged {
                    Ok(logged) if logged.entry.seq > recorded.seq => break,
                    Ok(logged) if logged.entry.seq <= queue.cursor => continue,
                    Ok(logged) => logged.entry,
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                };
                let own = is_about_telling(&entry.event);
                let jobs = if own { Vec::new() } else { sink.jobs(&entry, &recorded, &settings) };
                queue.take_in(sink.name(), &entry, jobs);
            }
            (queue, failed)
        });
        match read.await {
            Ok((queue, failed)) => {
                (self.queue, self.unsaved) = (Some(queue), true);
                failed.map_or(Ok(()), |error| Err(Interruption::Unread(error)))
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Interruption::Unwritten),
            },
        }
    }

    /// Jobs that somebody wants to be tried again. What cannot be read is looked for later.
    fn take_again(&mut self) {
        let Some(queue) = &mut self.queue else { return };
        for id in deliveries::asked_again(&self.context.data).unwrap_or_default() {
            if queue.retry(&id) {
                self.unsaved = true;
                // It stays, and is found again, where it cannot be removed: that does no harm.
                let _ = deliveries::forget_asked(&self.context.data, &id);
            }
        }
    }

    /// Tells the next one; whether there was one.
    async fn tell_one(&mut self, recorded: &State) -> Result<bool, Unwritten> {
        let (now, elapsed) = (clock::now(), self.started.elapsed());
        let (sink, log_writer) = (self.sink.clone(), self.context.log_writer.clone());
        let Some(queue) = &mut self.queue else { return Ok(false) };
        let next = queue.next(
            now,
            elapsed,
            |first, others| sink.together(first, others),
            |job| sink.waits_until(job, now).is_some_and(|until| until > now),
        );
        let Some(batch) = next else { return Ok(false) };
        self.unsaved = true;
        let (batch, over) = batch.split(|job| sink.obsolete(job, recorded));
        for (job, intent, why) in over {
            let told = stopped(&sink, intent, std::slice::from_ref(&job.jobs[0]), why);
            queue.remove(&job);
            self.context.statuses.change(sink.name(), |status| status.dropped += 1);
            let device = job.jobs[0].device;
            self.owed.push((device, Event::NoticeDropped(Box::new(told))));
        }
        let Some(batch) = batch else {
            self.pay().await?;
            return Ok(true);
        };
        let intent = match batch.intent {
            Some(intent) => intent,
            None => {
                let (jobs, sink) = (batch.jobs.clone(), sink.clone());
                log_writer.write(move |intent| intended(&sink, intent, &jobs)).await?
            }
        };
        if let Some(queue) = &mut self.queue {
            queue.intended(&batch, intent, now);
        }
        let (attempt, ticketed) = sink.deliver(&batch.jobs, recorded, batch.doubt).await;
        self.settle(&batch, intent, attempt, ticketed);
        self.pay().await?;
        Ok(true)
    }

    fn settle(&mut self, batch: &Batch, intent: u64, attempt: Attempt, ticketed: Option<Ticketed>) {
        let Some(queue) = &mut self.queue else { return };
        let fate = queue.settle(batch, &attempt, clock::now(), self.started.elapsed());
        let count = batch.jobs.len() as u64;
        self.context.statuses.change(self.sink.name(), |status| match fate {
            BatchOutcome::Done => status.delivered += count,
            BatchOutcome::Again => status.failed += 1,
            BatchOutcome::GivenUp => {
                status.failed += 1;
                status.given_up += count;
            }
        });
        let sink = &self.sink;
        let to = sink.recipient(&batch.jobs).map(CompactString::from);
        for (device, jobs) in by_device(&batch.jobs) {
            let event = match (fate, &attempt, &ticketed) {
                (BatchOutcome::Again, ..) => continue,
                (BatchOutcome::GivenUp, attempt, _) => {
                    let told = stopped(sink, Some(intent), &jobs, reason(attempt));
                    Event::NoticeFailed(Box::new(told))
                }
                (BatchOutcome::Done, _, Some(Ticketed { id, number, opened })) => {
                    let told = TicketTold {
                        intent,
                        sink: sink.name().into(),
                        topic: topic(&jobs),
                        ids: ids(&jobs),
                        ticket: id.as_str().into(),
                        number: number.as_str().into(),
                    };
                    let event = if *opened { Event::TicketOpened } else { Event::TicketNoted };
                    event(Box::new(told))
                }
                (BatchOutcome::Done, attempt, None) => {
                    let reference = match attempt {
                        Attempt::Done { reference } => reference.as_deref().map(Into::into),
                        _ => None,
                    };
                    Event::NoticeSent(Box::new(NoticeSent {
                        intent,
                        sink: sink.name().into(),
                        topic: topic(&jobs),
                        ids: ids(&jobs),
                        to: to.clone(),
                        reference,
                    }))
                }
            };
            self.owed.push((device, event));
        }
    }

    /// Writes what the log has yet to hear.
    async fn pay(&mut self) -> Result<(), Unwritten> {
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
        let (waiting, oldest) = self
            .queue
            .as_ref()
            .map_or((0, None), |queue| (queue.len(), queue.oldest(clock::now())));
        self.context.statuses.change(self.sink.name(), |status| {
            (status.waiting, status.oldest, status.stuck) = (waiting, oldest, stuck);
        });
    }

    /// Keeps where it stands, now or where that is due.
    fn save(&mut self, now: bool) {
        if !self.unsaved || !(now || self.saved.elapsed() >= SAVE_EVERY) {
            return;
        }
        let Some(queue) = self.queue.take() else { return };
        let checkpoint = Checkpoint { version: VERSION, lineage: self.lineage, queue };
        let saved =
            serde_json::to_vec(&checkpoint).map_err(|error| error.to_string()).and_then(|bytes| {
                deliveries::save(&self.context.data, self.sink.name(), &bytes)
                    .map_err(|error| error.to_string())
            });
        self.queue = Some(checkpoint.queue);
        match saved {
            Ok(()) => self.unsaved = false,
            // It follows from the log: nothing is lost but time.
            Err(error) => {
                tracing::warn!(sink = self.sink.name(), %error, "a checkpoint is not kept")
            }
        }
        self.saved = Instant::now();
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

/// Entries that only say what was told: telling them would never end.
fn is_about_telling(event: &Event) -> bool {
    matches!(
        event,
        Event::NoticeBegun(_)
            | Event::NoticeIntended(_)
            | Event::NoticeSent(_)
            | Event::NoticeFailed(_)
            | Event::NoticeDropped(_)
            | Event::TicketOpened(_)
            | Event::TicketNoted(_)
    )
}

fn by_device(jobs: &[Job]) -> BTreeMap<Option<DeviceId>, Vec<Job>> {
    let mut found: BTreeMap<Option<DeviceId>, Vec<Job>> = BTreeMap::new();
    for job in jobs {
        found.entry(job.device).or_default().push(job.clone());
    }
    found
}

fn ids(jobs: &[Job]) -> Vec<CompactString> {
    jobs.iter().map(|job| job.id.as_str().into()).collect()
}

fn topic(jobs: &[Job]) -> CompactString {
    jobs.first().map_or(Topic::Entry, |job| job.topic).as_str().into()
}

fn intended(sink: &Arc<dyn Sink>, intent: u64, jobs: &[Job]) -> Vec<Draft> {
    let to = sink.recipient(jobs).map(CompactString::from);
    let draft = |(device, jobs): (Option<DeviceId>, Vec<Job>)| {
        let (sink, topic) = (sink.name().into(), topic(&jobs));
        let intended = NoticeIntended { intent, sink, topic, ids: ids(&jobs), to: to.clone() };
        Draft { device, source: None, event: Event::NoticeIntended(Box::new(intended)) }
    };
    by_device(jobs).into_iter().map(draft).collect()
}

fn stopped(
    sink: &Arc<dyn Sink>,
    intent: Option<u64>,
    jobs: &[Job],
    reason: String,
) -> NoticeStopped {
    NoticeStopped {
        intent,
        sink: sink.name().into(),
        topic: topic(jobs),
        ids: ids(jobs),
        to: sink.recipient(jobs).map(CompactString::from),
        reason,
    }
}

fn reason(attempt: &Attempt) -> String {
    match attempt {
        Attempt::Done { .. } => String::new(),
        Attempt::Retry { why, .. }
        | Attempt::InDoubt { why }
        | Attempt::Refused { why }
        | Attempt::Misconfigured { why } => why.clone(),
    }
}

/// What a sink has yet to tell, as it was kept last; nothing if there is nothing that can be read.
#[must_use]
pub(crate) fn kept(bytes: &[u8]) -> Option<Queue> {
    Some(serde_json::from_slice::<Checkpoint>(bytes).ok()?.queue)
}
