//! The embedded provider: devices report into `inbox/` and read what to do from `outbox/`.
//!
//! Observing changes nothing. What was observed is let go only after the ledger has it,
//! and only if it still is what was observed. No step is lost or half done by a crash:
//! a repetition of the whole is harmless. It expects one writer, as the ledger's lock
//! guarantees; [`submit`] and [`pending`] may be called by anyone at any time.

mod files;
mod inbox;
mod outbox;
mod records;
mod rejected;
mod report;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

pub use files::Error;
pub use inbox::{FILE_LIMIT as BATCH_LIMIT, submit};
pub use outbox::{Command, CommandId, Verb, find, pending};
pub use records::{Problem, Records, parse as parse_reports};

use super::{Acknowledgement, Limits, Observation, Presence, Provider, Push, Target, Withdrawn};
use crate::domain::model::SerialNumber;
use crate::domain::plan::IssuableWipe;
use crate::domain::state::event::ErrorClass;
use inbox::Inbox;
use outbox::{Outbox, Struck};

/// Where a test can abort the process, by `fail`: before and after every step that changes
/// the disk. `return` aborts.
pub const CRASH_POINTS: &[&str] = &[
    "outbox.mkdir.before",
    "outbox.mkdir.after",
    "outbox.write.before",
    "outbox.write.after",
    "outbox.fsync.before",
    "outbox.fsync.after",
    "outbox.link.before",
    "outbox.link.after",
    "outbox.rename.before",
    "outbox.rename.after",
    "outbox.unlink.before",
    "outbox.unlink.after",
    "outbox.sync.before",
    "outbox.sync.after",
    "rejected.mkdir.before",
    "rejected.mkdir.after",
    "rejected.write.before",
    "rejected.write.after",
    "rejected.fsync.before",
    "rejected.fsync.after",
    "rejected.rename.before",
    "rejected.rename.after",
    "rejected.sync.before",
    "rejected.sync.after",
    "inbox.write.before",
    "inbox.write.after",
    "inbox.fsync.before",
    "inbox.fsync.after",
    "inbox.rename.before",
    "inbox.rename.after",
    "inbox.move.before",
    "inbox.move.after",
    "inbox.unlink.before",
    "inbox.unlink.after",
    "inbox.sync.before",
    "inbox.sync.after",
    "submit.mkdir.before",
    "submit.mkdir.after",
    "submit.write.before",
    "submit.write.after",
    "submit.fsync.before",
    "submit.fsync.after",
    "submit.rename.before",
    "submit.rename.after",
    "submit.sync.before",
    "submit.sync.after",
];

/// The embedded provider.
#[derive(Debug, Clone)]
pub struct Local {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    data: PathBuf,
    inbox: Mutex<Inbox>,
    outbox: Mutex<Outbox>,
    /// Intents of wipes that a thread of this process may still be writing.
    under_way: Mutex<BTreeSet<u64>>,
}

impl Local {
    /// Over the data directory; touches nothing yet.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self::with(data.into(), Outbox::new())
    }

    fn with(data: PathBuf, outbox: Outbox) -> Self {
        let (inbox, under_way) = (Mutex::default(), Mutex::default());
        let inner = Inner { data, inbox, outbox: Mutex::new(outbox), under_way };
        Self { inner: Arc::new(inner) }
    }

    /// Runs file work where it may block. A panic goes on in the caller.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, super::Error> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(|error| {
            match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => super::Error::new(
                    ErrorClass::Unknown,
                    "the program was stopped in the middle of it",
                ),
            }
        })
    }
}

/// What a panic left behind in a lock is as good as what a crash leaves on the disk.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Provider for Local {
    fn limits(&self) -> Limits {
        // A batch shares one fsync; 4,096 is enough to make that cheap and small enough to
        // stop a pass within a second. Both cores work in one call, so one call at a time.
        Limits { batch: 4096, concurrency: 1, timeout: Duration::from_secs(60) }
    }

    async fn observe(&self) -> Result<Observation, super::Error> {
        self.blocking(|inner| lock(&inner.inbox).observe(&inner.data)).await
    }

    async fn push(&self, push: Push) -> Vec<Result<(), super::Error>> {
        let count = push.targets.len();
        let work = move |inner: &Inner| {
            let serials: Vec<_> = push.targets.into_iter().map(|t| t.serial).collect();
            let command = Command::profile(push.intent, &push.profile);
            lock(&inner.outbox).push(&inner.data, &command, &serials)
        };
        match self.blocking(work).await {
            Ok(outcomes) => outcomes.into_iter().map(|o| o.map_err(Into::into)).collect(),
            Err(error) => vec![Err(error); count],
        }
    }

    async fn wipe(&self, wipe: &IssuableWipe, intent: u64) -> Result<(), super::Error> {
        let command = Command::wipe(intent, wipe.wipe());
        let serial = wipe.wipe().request().serial.clone();
        // The caller may give up before the thread begins.
        lock(&self.inner.under_way).insert(intent);
        let work = move |inner: &Inner| {
            let done = lock(&inner.outbox).order(&inner.data, &command, &serial);
            lock(&inner.under_way).remove(&intent);
            done
        };
        self.blocking(work).await?
    }

    async fn has(
        &self,
        target: &Target,
        intent: u64,
        witness: Option<u64>,
    ) -> Result<Presence, super::Error> {
        let serial = target.serial.clone();
        let witness = witness.map(CommandId);
        let work = move |inner: &Inner| {
            let outbox = lock(&inner.outbox);
            if lock(&inner.under_way).contains(&intent) {
                return Ok(Presence::Unknown);
            }
            outbox.presence(&inner.data, &serial, CommandId(intent), witness)
        };
        Ok(self.blocking(work).await??)
    }

    async fn withdraw(&self, target: &Target, intent: u64) -> Result<Withdrawn, super::Error> {
        let serial = target.serial.clone();
        let work = move |inner: &Inner| {
            lock(&inner.outbox).withdraw(&inner.data, &serial, CommandId(intent))
        };
        Ok(self.blocking(work).await??)
    }

    async fn acknowledge(&self, done: Vec<Acknowledgement>) -> Result<(), super::Error> {
        Ok(self.blocking(move |inner| inner.acknowledge(&done)).await??)
    }
}

impl Inner {
    /// Commands are struck out before the reports that show them done are let go: after a
    /// crash in between they are struck out again. A batch stays where that failed.
    fn acknowledge(&self, done: &[Acknowledgement]) -> Result<(), Error> {
        let mut completed: BTreeMap<SerialNumber, Struck> = BTreeMap::new();
        for report in done.iter().flat_map(|a| &a.taken) {
            // What is no id of a command names none; the inbox lets no such report through.
            let ids: Vec<CommandId> =
                report.completed.iter().filter_map(|id| id.parse().ok()).collect();
            if !ids.is_empty() {
                completed.entry(report.serial_number.clone()).or_default().done.extend(ids);
            }
        }
        for (serial, intent) in done.iter().flat_map(|a| &a.confirmed) {
            completed.entry(serial.clone()).or_default().erased.insert(CommandId(*intent));
        }
        let failed = lock(&self.outbox).complete(&self.data, &completed)?;
        let stays = |a: &&Acknowledgement| {
            a.taken.iter().any(|r| !r.completed.is_empty() && failed.contains_key(&r.serial_number))
                || a.confirmed.iter().any(|(serial, _)| failed.contains_key(serial))
        };
        let (_, released): (Vec<_>, Vec<_>) = done.iter().partition(stays);
        lock(&self.inbox).release(&self.data, &released)?;
        failed.into_values().next().map_or(Ok(()), Err)
    }
}
