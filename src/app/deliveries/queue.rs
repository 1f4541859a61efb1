//! What one sink has yet to tell: no file, no clock, no network.
//!
//! Jobs go out in the order of their entries; those of one device one after the other, so that none is told
//! of an end before its beginning. A job that failed waits by itself, twice as long each time, and once
//! several failed in a row the sink is left alone, and one job goes first.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::recently_sent::RecentlySent;
use super::waiting::{Jobs, Key, Waiting};
use crate::domain::backoff::BackoffPolicy;
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::notice::{Attempt, Job};
use crate::domain::state::event::{Entry, Event};

/// Between tries of one job.
const JOB: BackoffPolicy =
    BackoffPolicy { first: Duration::from_secs(5), most: Duration::from_secs(3600), seed: 0 };
/// Between tries of a sink that fails for every job.
const SINK: BackoffPolicy =
    BackoffPolicy { first: Duration::from_secs(15), most: Duration::from_secs(900), seed: 1 };
/// Failures in a row after which it is the sink.
const BREAKS_AFTER: u32 = 5;
/// How long a job is tried: longer than a weekend.
const PATIENCE: chrono::TimeDelta = chrono::TimeDelta::hours(72);
/// So many that were given up are remembered, to be tried again by hand.
const REMEMBERED: usize = 1000;
/// How many others a sink may choose from, to go out with the first.
const CANDIDATES: usize = 2000;

/// What the log says of jobs that are not taken in yet, read before them.
#[derive(Debug, Clone, Default, PartialEq)]
struct Ahead {
    /// The last entry that was read.
    to: u64,
    settled: HashSet<CompactString>,
    intended: HashMap<CompactString, (u64, Timestamp)>,
}

/// What one sink has yet to tell, as its checkpoint keeps it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Queue {
    /// The last entry that was taken in.
    pub(crate) cursor: u64,
    waiting: Jobs,
    #[serde(skip)]
    ahead: Ahead,
    /// What is not tried any more, and why; the latest last.
    #[serde(default)]
    pub(crate) given_up: Vec<Waiting>,
    #[serde(default, skip_serializing_if = "RecentlySent::is_empty")]
    sent: RecentlySent,
    #[serde(skip)]
    failures: u32,
    /// Until when the sink is left alone, and why.
    #[serde(skip)]
    resting: Option<(Duration, String)>,
    /// The wait that the far side asked for: it holds for the next process, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_to_wait: Option<AskedToWait>,
}

/// That the far side asked not to be called for so long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct AskedToWait {
    at: Timestamp,
    seconds: u64,
    why: String,
}

impl AskedToWait {
    /// What is left of it. A clock that was set back makes it no longer than it was.
    fn left(&self, now: Timestamp) -> Duration {
        let passed = (now - self.at).to_std().unwrap_or_default();
        Duration::from_secs(self.seconds).saturating_sub(passed)
    }
}

/// Jobs that go out now, as one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Batch {
    keys: Vec<Key>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) doubt: bool,
    /// Of an earlier try of all of them.
    pub(crate) intent: Option<u64>,
}

/// One job that is not told any more: with its intent, if there was one, and why.
pub(crate) type Over = (Batch, Option<u64>, String);

impl Batch {
    fn of<'a>(chosen: impl Iterator<Item = (Key, &'a Waiting)>) -> Self {
        let mut batch = Self { keys: Vec::new(), jobs: Vec::new(), doubt: false, intent: None };
        let mut intents = BTreeSet::new();
        for (key, waiting) in chosen {
            batch.keys.push(key);
            batch.jobs.push(waiting.job.clone());
            batch.doubt |= waiting.doubt;
            intents.insert(waiting.intent);
        }
        // Those of different intents go out under a new one.
        batch.intent = intents.pop_first().flatten().filter(|_| intents.is_empty());
        batch
    }

    /// Without the jobs for which `why` has a reason; `None` where none is left.
    pub(crate) fn split(self, why: impl Fn(&Job) -> Option<String>) -> (Option<Self>, Vec<Over>) {
        let Self { keys, jobs, doubt, intent } = self;
        let mut rest = Self { keys: Vec::new(), jobs: Vec::new(), doubt, intent };
        let mut over = Vec::new();
        for (key, job) in keys.into_iter().zip(jobs) {
            match why(&job) {
                None => {
                    rest.keys.push(key);
                    rest.jobs.push(job);
                }
                Some(why) => {
                    let one = Self { keys: vec![key], jobs: vec![job], doubt, intent };
                    over.push((one, intent, why));
                }
            }
        }
        ((!rest.jobs.is_empty()).then_some(rest), over)
    }
}

/// What becomes of a batch after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchOutcome {
    Done,
    /// There was nothing to tell any more.
    Dropped,
    Again,
    GivenUp,
}

impl Queue {
    pub(crate) fn from(cursor: u64) -> Self {
        Self { cursor, ..Self::default() }
    }

    /// As a new process goes on with it: since a checkpoint is older than what came after it, whatever was
    /// announced may have arrived.
    pub(crate) fn resumed(mut self, now: Timestamp, elapsed: Duration) -> Self {
        let asked = self.asked_to_wait.as_ref();
        let asked = asked.map(|asked| (asked.left(now), &asked.why));
        let left = asked.filter(|(left, _)| !left.is_zero());
        self.resting = left.map(|(left, why)| (elapsed + left, why.clone()));
        for waiting in self.waiting.values_mut() {
            waiting.doubt |= waiting.intent.is_some();
        }
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter().map(|(_, waiting)| waiting)
    }

    /// What went out in the last hour.
    pub(crate) fn sent(&self) -> &RecentlySent {
        &self.sent
    }

    /// Why the sink is left alone.
    pub(crate) fn resting(&self) -> Option<&str> {
        self.resting.as_ref().map(|(_, why)| why.as_str())
    }

    /// The oldest entry whose job could have gone out by now.
    pub(crate) fn oldest(&self, now: Timestamp) -> Option<Timestamp> {
        self.due(now).map(|waiting| waiting.job.not_before.unwrap_or(waiting.job.at)).min()
    }

    fn due(&self, now: Timestamp) -> impl Iterator<Item = &Waiting> {
        self.waiting().filter(move |waiting| waiting.job.not_before.is_none_or(|at| at <= now))
    }

    /// Whether fewer than `most` jobs wait that could go out by now.
    pub(crate) fn has_room(&self, most: usize, now: Timestamp) -> bool {
        self.waiting.len() < most || self.due(now).count() < most
    }

    /// Learns what the log says of jobs of `sink`, up to an entry that may be far ahead of those that are
    /// taken in. To be called for each entry from the cursor on, before any is taken in.
    pub(crate) fn look_ahead(&mut self, sink: &str, entry: &Entry) {
        self.ahead.to = entry.seq;
        self.sent.take_in(sink, entry);
        match &entry.event {
            Event::NoticeIntended(told) if told.sink == sink => {
                for id in &told.ids {
                    if !self.announced(id, told.intent, entry.at) {
                        self.ahead.intended.insert(id.clone(), (told.intent, entry.at));
                    }
                }
            }
            event => {
                for id in settled(event, sink) {
                    if !self.forget(id) {
                        self.ahead.intended.remove(id);
                        self.ahead.settled.insert(id.clone());
                    }
                }
            }
        }
    }

    /// Takes an entry in: jobs that follow from it, or what the log says of earlier ones of `sink`.
    pub(crate) fn take_in(&mut self, sink: &str, entry: &Entry, jobs: Vec<Job>) {
        self.cursor = entry.seq;
        if entry.seq > self.ahead.to {
            self.ahead = Ahead::default();
            self.sent.take_in(sink, entry);
            match &entry.event {
                Event::NoticeIntended(told) if told.sink == sink => {
                    for id in &told.ids {
                        self.announced(id, told.intent, entry.at);
                    }
                }
                event => {
                    for id in settled(event, sink) {
                        self.forget(id);
                    }
                }
            }
        }
        for job in jobs {
            if self.ahead.settled.contains(job.id.as_str()) {
                continue;
            }
            let mut waiting = Waiting::new(job);
            if let Some((intent, at)) = self.ahead.intended.get(waiting.job.id.as_str()) {
                waiting.announced(*intent, *at);
            }
            self.waiting.add(waiting);
        }
    }

    /// That the log says that a job was announced; whether it waits.
    fn announced(&mut self, id: &str, intent: u64, at: Timestamp) -> bool {
        let Some(key) = self.waiting.key_of(id) else { return false };
        // One that the checkpoint knows says itself what came of it.
        if let Some(waiting) = self.waiting.get_mut(key).filter(|one| one.intent != Some(intent)) {
            waiting.announced(intent, at);
        }
        true
    }

    /// Forgets a job that is settled; whether it waited.
    fn forget(&mut self, id: &str) -> bool {
        let key = self.waiting.key_of(id);
        key.and_then(|key| self.waiting.remove(key)).is_some()
    }

    /// Jobs that could go out now, in order: not those that wait, nor those behind them of the same
    /// device. `elapsed` is on a clock that only goes forward.
    fn ready(&self, now: Timestamp, elapsed: Duration) -> impl Iterator<Item = (Key, &Waiting)> {
        let mut behind: HashSet<DeviceId> = HashSet::new();
        self.waiting.iter().filter(move |(_, waiting)| {
            if waiting.job.not_before.is_some_and(|at| at > now) {
                return false;
            }
            let waits = waiting.again.is_some_and(|again| again > elapsed);
            match waiting.job.device {
                // One that waits keeps back those behind it.
                Some(device) if waits => {
                    behind.insert(device);
                    false
                }
                Some(device) => !behind.contains(&device),
                None => !waits,
            }
        })
    }

    /// What goes out next, one after the other: up to `most` jobs by themselves, or if that is one, with those
    /// that go out together with the first. `together` and `waits` are the sink's.
    pub(crate) fn next(
        &self,
        now: Timestamp,
        elapsed: Duration,
        most: usize,
        together: impl FnOnce(&Job, &[&Job]) -> Vec<usize>,
        waits: impl Fn(&Job) -> bool,
    ) -> Vec<Batch> {
        if self.rests(elapsed) {
            return Vec::new();
        }
        let mut ready = self.ready(now, elapsed).filter(|(_, waiting)| !waits(&waiting.job));
        // A sink that is left alone is tried with one job.
        if most > 1 || self.resting.is_some() {
            let most = if self.resting.is_some() { 1 } else { most };
            return ready.take(most).map(|one| Batch::of(std::iter::once(one))).collect();
        }
        let Some(first) = ready.next() else { return Vec::new() };
        let others: Vec<_> = ready.take(CANDIDATES).collect();
        let jobs: Vec<&Job> = others.iter().map(|(_, waiting)| &waiting.job).collect();
        let chosen = together(&first.1.job, &jobs);
        let others = chosen.into_iter().filter_map(|at| others.get(at).copied());
        vec![Batch::of(std::iter::once(first).chain(others))]
    }

    /// Whether the sink is left alone for now.
    pub(crate) fn rests(&self, elapsed: Duration) -> bool {
        self.resting.as_ref().is_some_and(|(until, _)| *until > elapsed)
    }

    /// The next moments at which something may go out that cannot now: by the wall clock, and by the
    /// one that only goes forward.
    pub(crate) fn wakes(&self, elapsed: Duration) -> (Option<Timestamp>, Option<Duration>) {
        let at = self.waiting().filter_map(|waiting| waiting.job.not_before).min();
        let again = self.waiting().filter_map(|waiting| waiting.again);
        let again = again.filter(|again| *again > elapsed).min();
        let resting = self.resting.as_ref().map(|(until, _)| *until);
        (at, resting.filter(|until| *until > elapsed).or(again))
    }

    /// That a batch is about to go out under this intent.
    pub(crate) fn intended(&mut self, batch: &Batch, intent: u64, now: Timestamp) {
        for key in &batch.keys {
            if let Some(waiting) = self.waiting.get_mut(*key) {
                waiting.intent = Some(intent);
                waiting.since.get_or_insert(now);
            }
        }
    }

    /// What came of a try.
    pub(crate) fn settle(
        &mut self,
        batch: &Batch,
        attempt: &Attempt,
        now: Timestamp,
        elapsed: Duration,
    ) -> BatchOutcome {
        self.asked_to_wait = None;
        let (why, doubt, for_good, after) = match attempt {
            Attempt::Done { .. } => {
                self.remove(batch);
                (self.failures, self.resting) = (0, None);
                return BatchOutcome::Done;
            }
            Attempt::NotNeeded { .. } => {
                self.remove(batch);
                (self.failures, self.resting) = (0, None);
                return BatchOutcome::Dropped;
            }
            Attempt::Refused { why } => (why, false, true, None),
            Attempt::Retry { why, after } => (why, false, false, *after),
            Attempt::InDoubt { why } => (why, true, false, None),
            Attempt::Misconfigured { why } => (why, false, false, None),
        };
        self.asked_to_wait = after.map(|after| {
            let seconds = after.as_secs();
            AskedToWait { at: now, seconds, why: why.clone() }
        });
        // What is refused says nothing of the sink; all else does.
        if !for_good {
            self.failures = self.failures.saturating_add(1);
            let broken = matches!(attempt, Attempt::Misconfigured { .. }) || after.is_some();
            if broken || self.failures >= BREAKS_AFTER {
                let rest =
                    SINK.wait(&batch.jobs[0].id, self.failures.saturating_sub(BREAKS_AFTER) + 1);
                self.resting = Some((elapsed + rest.max(after.unwrap_or_default()), why.clone()));
            }
        }
        let first = batch.keys.iter().filter_map(|key| self.waiting.get(*key)?.since).min();
        let patience_over = first.is_some_and(|since| now > since + PATIENCE);
        let misconfigured = matches!(attempt, Attempt::Misconfigured { .. });
        if for_good || (patience_over && !misconfigured) {
            for key in &batch.keys {
                let Some(mut waiting) = self.waiting.remove(*key) else { continue };
                waiting.tries = waiting.tries.saturating_add(1);
                waiting.why = Some(why.clone());
                self.given_up.push(waiting);
            }
            let excess = self.given_up.len().saturating_sub(REMEMBERED);
            self.given_up.drain(..excess);
            return BatchOutcome::GivenUp;
        }
        for key in &batch.keys {
            let Some(waiting) = self.waiting.get_mut(*key) else { continue };
            waiting.tries = waiting.tries.saturating_add(1);
            waiting.doubt |= doubt;
            waiting.why = Some(why.clone());
            waiting.again = Some(elapsed + JOB.wait(&waiting.job.id, waiting.tries));
        }
        BatchOutcome::Again
    }

    /// Forgets jobs: they are told, or not true any more.
    pub(crate) fn remove(&mut self, batch: &Batch) {
        for key in &batch.keys {
            self.waiting.remove(*key);
        }
    }

    /// Tries a job again that was given up; whether there was one.
    pub(crate) fn retry(&mut self, id: &str) -> bool {
        let Some(at) = self.given_up.iter().position(|waiting| waiting.job.id == id) else {
            return false;
        };
        let waiting = self.given_up.remove(at);
        self.waiting.add(Waiting { tries: 0, since: None, again: None, ..waiting });
        (self.failures, self.resting, self.asked_to_wait) = (0, None, None);
        true
    }
}

/// The jobs of a sink of which an entry says what became.
fn settled<'e>(event: &'e Event, sink: &str) -> &'e [CompactString] {
    let (of, ids) = match event {
        Event::NoticeSent(told) => (&told.sink, &told.ids),
        Event::NoticeFailed(told) | Event::NoticeDropped(told) => (&told.sink, &told.ids),
        Event::TicketOpened(told) | Event::TicketNoted(told) => (&told.sink, &told.ids),
        _ => return &[],
    };
    if of == sink { ids } else { &[] }
}

#[cfg(test)]
mod tests;
