//! What one sink has yet to tell: no file, no clock, no network.
//!
//! Jobs go out in the order of their entries; those of one device one after the other, so that none is told
//! of an end before its beginning. A job that failed waits by itself, twice as long each time, and once
//! several failed in a row the sink is left alone, and one job goes first.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

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

/// A job, and what became of it so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Waiting {
    pub(crate) job: Job,
    /// Tries that failed.
    #[serde(default)]
    pub(crate) tries: u32,
    /// Its last `notice.intended`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) intent: Option<u64>,
    /// When it was tried for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Timestamp>,
    /// Whether a try may have arrived.
    #[serde(default)]
    pub(crate) doubt: bool,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// Not again before: on the clock of this process.
    #[serde(skip)]
    again: Option<Duration>,
}

/// What one sink has yet to tell, as its checkpoint keeps it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Queue {
    /// The last entry that was taken in.
    pub(crate) cursor: u64,
    /// By entry, and then in the order in which they were made.
    #[serde(with = "as_list")]
    waiting: BTreeMap<(u64, u32), Waiting>,
    /// What is not tried any more, and why; the latest last.
    #[serde(default)]
    pub(crate) given_up: Vec<Waiting>,
    #[serde(skip)]
    failures: u32,
    /// Until when the sink is left alone, and why.
    #[serde(skip)]
    resting: Option<(Duration, String)>,
}

/// Jobs that go out now, as one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Batch {
    keys: Vec<(u64, u32)>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) doubt: bool,
    /// Of an earlier try of all of them.
    pub(crate) intent: Option<u64>,
}

/// One job that is not told any more: with its intent, if there was one, and why.
pub(crate) type Over = (Batch, Option<u64>, String);

impl Batch {
    fn of<'a>(chosen: impl Iterator<Item = (&'a (u64, u32), &'a Waiting)>) -> Self {
        let mut batch = Self { keys: Vec::new(), jobs: Vec::new(), doubt: false, intent: None };
        let mut intents = BTreeSet::new();
        for (key, waiting) in chosen {
            batch.keys.push(*key);
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
    Again,
    GivenUp,
}

impl Queue {
    pub(crate) fn from(cursor: u64) -> Self {
        Self { cursor, ..Self::default() }
    }

    /// As a new process goes on with it: since a checkpoint is older than what came after it, whatever was
    /// announced may have arrived.
    pub(crate) fn resumed(mut self) -> Self {
        for waiting in self.waiting.values_mut() {
            waiting.doubt |= waiting.intent.is_some();
        }
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.values()
    }

    /// Why the sink is left alone.
    pub(crate) fn resting(&self) -> Option<&str> {
        self.resting.as_ref().map(|(_, why)| why.as_str())
    }

    /// The oldest entry whose job could have gone out by now.
    pub(crate) fn oldest(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.waiting.values().filter(|w| w.job.not_before.is_none_or(|at| at <= now));
        due.map(|waiting| waiting.job.not_before.unwrap_or(waiting.job.at)).min()
    }

    /// Takes an entry in: jobs that follow from it, or what the log says of earlier ones of `sink`.
    pub(crate) fn take_in(&mut self, sink: &str, entry: &Entry, jobs: Vec<Job>) {
        self.cursor = entry.seq;
        match &entry.event {
            Event::NoticeIntended(told) if told.sink == sink => {
                let ids: BTreeSet<&str> = told.ids.iter().map(|id| id.as_str()).collect();
                for waiting in self.waiting.values_mut() {
                    // One that the checkpoint knows says itself what came of it.
                    let known = waiting.intent == Some(told.intent);
                    if !known && ids.contains(waiting.job.id.as_str()) {
                        (waiting.intent, waiting.doubt) = (Some(told.intent), true);
                        waiting.since.get_or_insert(entry.at);
                    }
                }
            }
            Event::NoticeSent(told) if told.sink == sink => self.forget(&told.ids),
            Event::NoticeFailed(told) | Event::NoticeDropped(told) if told.sink == sink => {
                self.forget(&told.ids);
            }
            Event::TicketOpened(told) | Event::TicketNoted(told) if told.sink == sink => {
                self.forget(&told.ids);
            }
            _ => {}
        }
        for (n, job) in jobs.into_iter().enumerate() {
            let waiting = Waiting {
                job,
                tries: 0,
                intent: None,
                since: None,
                doubt: false,
                why: None,
                again: None,
            };
            self.waiting.insert((entry.seq, u32::try_from(n).unwrap_or(u32::MAX)), waiting);
        }
    }

    fn forget(&mut self, ids: &[compact_str::CompactString]) {
        if self.waiting.is_empty() {
            return;
        }
        let ids: BTreeSet<&str> = ids.iter().map(|id| id.as_str()).collect();
        self.waiting.retain(|_, waiting| !ids.contains(waiting.job.id.as_str()));
    }

    /// Jobs that could go out now, in order: not those that wait, nor those behind them of the same
    /// device. `elapsed` is on a clock that only goes forward.
    fn ready(
        &self,
        now: Timestamp,
        elapsed: Duration,
    ) -> impl Iterator<Item = (&(u64, u32), &Waiting)> {
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

    /// What goes out next; `together` and `waits` are the sink's.
    pub(crate) fn next(
        &self,
        now: Timestamp,
        elapsed: Duration,
        together: impl FnOnce(&Job, &[&Job]) -> Vec<usize>,
        waits: impl Fn(&Job) -> bool,
    ) -> Option<Batch> {
        if self.resting.as_ref().is_some_and(|(until, _)| *until > elapsed) {
            return None;
        }
        let mut ready = self.ready(now, elapsed).filter(|(_, waiting)| !waits(&waiting.job));
        let (key, first) = ready.next()?;
        // A sink that is left alone is tried with one job.
        let rest = if self.resting.is_some() { 0 } else { CANDIDATES };
        let others: Vec<_> = ready.take(rest).collect();
        let jobs: Vec<&Job> = others.iter().map(|(_, waiting)| &waiting.job).collect();
        let chosen = together(&first.job, &jobs);
        let others = chosen.into_iter().filter_map(|at| others.get(at).copied());
        Some(Batch::of(std::iter::once((key, first)).chain(others)))
    }

    /// The next moments at which something may go out that cannot now: by the wall clock, and by the
    /// one that only goes forward.
    pub(crate) fn wakes(&self, elapsed: Duration) -> (Option<Timestamp>, Option<Duration>) {
        let at = self.waiting.values().filter_map(|waiting| waiting.job.not_before).min();
        let again = self.waiting.values().filter_map(|waiting| waiting.again);
        let again = again.filter(|again| *again > elapsed).min();
        let resting = self.resting.as_ref().map(|(until, _)| *until);
        (at, resting.filter(|until| *until > elapsed).or(again))
    }

    /// That a batch is about to go out under this intent.
    pub(crate) fn intended(&mut self, batch: &Batch, intent: u64, now: Timestamp) {
        for key in &batch.keys {
            if let Some(waiting) = self.waiting.get_mut(key) {
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
        let (why, doubt, for_good, after) = match attempt {
            Attempt::Done { .. } => {
                self.remove(batch);
                (self.failures, self.resting) = (0, None);
                return BatchOutcome::Done;
            }
            Attempt::Refused { why } => (why, false, true, None),
            Attempt::Retry { why, after } => (why, false, false, *after),
            Attempt::InDoubt { why } => (why, true, false, None),
            Attempt::Misconfigured { why } => (why, false, false, None),
        };
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
        let first = batch.keys.iter().filter_map(|key| self.waiting.get(key)?.since).min();
        let patience_over = first.is_some_and(|since| now > since + PATIENCE);
        let misconfigured = matches!(attempt, Attempt::Misconfigured { .. });
        if for_good || (patience_over && !misconfigured) {
            for key in &batch.keys {
                let Some(mut waiting) = self.waiting.remove(key) else { continue };
                waiting.why = Some(why.clone());
                self.given_up.push(waiting);
            }
            let excess = self.given_up.len().saturating_sub(REMEMBERED);
            self.given_up.drain(..excess);
            return BatchOutcome::GivenUp;
        }
        for key in &batch.keys {
            let Some(waiting) = self.waiting.get_mut(key) else { continue };
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
            self.waiting.remove(key);
        }
    }

    /// Tries a job again that was given up; whether there was one.
    pub(crate) fn retry(&mut self, id: &str) -> bool {
        let Some(at) = self.given_up.iter().position(|waiting| waiting.job.id == id) else {
            return false;
        };
        let waiting = self.given_up.remove(at);
        let waiting = Waiting { tries: 0, since: None, again: None, ..waiting };
        let entry = waiting.job.entry;
        let free = (0..).find(|n| !self.waiting.contains_key(&(entry, *n)));
        if let Some(n) = free {
            self.waiting.insert((entry, n), waiting);
        }
        (self.failures, self.resting) = (0, None);
        true
    }
}

mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Waiting;

    pub(super) fn serialize<S: Serializer>(
        waiting: &BTreeMap<(u64, u32), Waiting>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(waiting.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<(u64, u32), Waiting>, D::Error> {
        let list = Vec::<Waiting>::deserialize(deserializer)?;
        let mut waiting = BTreeMap::new();
        for one in list {
            let entry = one.job.entry;
            let next = waiting
                .range((entry, 0)..=(entry, u32::MAX))
                .next_back()
                .map_or(0, |((_, n), _): (&(u64, u32), _)| n + 1);
            waiting.insert((entry, next), one);
        }
        Ok(waiting)
    }
}
