//! The embedded provider, as the controller sees it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::command::{Command, CommandId};
use super::doctor;
use super::error::Error;
use super::inbox::{Inbox, REJECTED};
use super::outbox::{Outbox, Struck};
use super::seen::Seen;
use crate::domain::diagnosis::Check;
use crate::domain::model::SerialNumber;
use crate::domain::plan::IssuableWipe;
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::diagnosis::Diagnosis;
use crate::edges::provider::effect::{
    LicenseTarget, Licensed, Prepared, Presence, ProfileSetup, Push, Receipt, Target, WipeOrder,
    Withdrawn,
};
use crate::edges::provider::error as provider;
use crate::edges::provider::interface::{Cadence, Limits, Provider, WatchedDir};
use crate::edges::provider::observed::{Acknowledgement, Asked, Cursor, Observed, ReportOutcome};

/// The embedded provider.
#[derive(Debug, Clone)]
pub struct Local {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    data: PathBuf,
    pub(super) inbox: Mutex<Inbox>,
    pub(super) outbox: Outbox,
    /// Intents of wipes that a thread of this process may still be writing.
    pub(super) under_way: Mutex<BTreeSet<u64>>,
}

impl Local {
    /// Over the data directory; touches nothing yet.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self::with(data.into(), Outbox::new())
    }

    pub(super) fn with(data: PathBuf, outbox: Outbox) -> Self {
        let (inbox, under_way) = (Mutex::default(), Mutex::default());
        let inner = Inner { data, inbox, outbox, under_way };
        Self { inner: Arc::new(inner) }
    }

    /// Puts one command into the outboxes of devices.
    async fn put(
        &self,
        command: Command,
        serials: Vec<SerialNumber>,
    ) -> Vec<Result<(), provider::Error>> {
        let count = serials.len();
        let work = move |inner: &Inner| inner.outbox.push(&inner.data, &command, &serials);
        match self.blocking(work).await {
            Ok(outcomes) => outcomes.into_iter().map(|o| o.map_err(Into::into)).collect(),
            Err(error) => vec![Err(error); count],
        }
    }

    async fn command(
        &self,
        command: Command,
        targets: Vec<Target>,
    ) -> Vec<Result<(), provider::Error>> {
        self.put(command, targets.into_iter().map(|target| target.serial).collect()).await
    }

    /// Runs file work where it may block. A panic goes on in the caller.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, provider::Error> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(|error| {
            match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => provider::Error::new(
                    ErrorClass::Unknown,
                    "the program was stopped in the middle of it",
                ),
            }
        })
    }
}

/// What a panic left behind in a lock is as good as what a crash leaves on the disk.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Provider for Local {
    fn limits(&self) -> Limits {
        // A call shares two fsyncs (4 ms each), and 8,192 devices are served in 50 ms: few enough to stop a
        // pass within a second. One directory takes one name at a time; the other calls are in line, so
        // that none waits for whoever makes them.
        Limits { batch: 8192, concurrency: 4, timeout: Duration::from_secs(60) }
    }

    fn cadence(&self) -> Cadence {
        let inbox = WatchedDir { dir: self.inner.data.join("inbox"), ignoring: &[REJECTED] };
        Cadence { wakes: vec![inbox], every: None }
    }

    // What was acknowledged is gone from the inbox: there is no place in it to go on from.
    fn is_quiet(&self) -> bool {
        let nothing = Observed { complete: true, ..Observed::default() };
        lock(&self.inner.inbox).observe(&self.inner.data) == nothing
    }

    async fn observe(&self, _: Asked<'_>) -> Result<Observed, provider::Error> {
        self.blocking(|inner| lock(&inner.inbox).observe(&inner.data)).await
    }

    // A profile is pushed as it is: there is nothing to prepare.
    async fn prepare(&self, _: &ProfileSetup) -> Result<Prepared, provider::Error> {
        Ok(Prepared::default())
    }

    async fn push(&self, push: Push) -> Vec<Result<(), provider::Error>> {
        let serials = push.targets.iter().map(|t| t.spec.serial_number.clone()).collect();
        self.put(Command::profile(push.intent, &push.profile), serials).await
    }

    // Whoever reads the outbox has the units: here the order is all that there is to give, and once for
    // each user.
    async fn assign_license(
        &self,
        sku: &str,
        targets: Vec<LicenseTarget>,
        intent: u64,
    ) -> Vec<Result<Licensed, provider::Error>> {
        let count = targets.len();
        let given: Vec<bool> = targets.iter().map(|target| target.given).collect();
        let command = |LicenseTarget { id: _, serial, user, given: _ }: LicenseTarget| {
            let command = Command::license(intent, sku, &user);
            (serial, command)
        };
        let ordered = targets.into_iter().filter(|target| !target.given);
        let commands: Vec<_> = ordered.map(command).collect();
        let work = move |inner: &Inner| inner.outbox.push_each(&inner.data, &commands);
        let done = |outcome: Result<(), Error>| Ok(outcome.map(|()| Licensed::Assigned)?);
        match self.blocking(work).await {
            Ok(outcomes) => {
                let mut ordered = outcomes.into_iter().map(done);
                let outcome = |given| if given { Some(Ok(Licensed::Had)) } else { ordered.next() };
                given.into_iter().filter_map(outcome).collect()
            }
            Err(error) => vec![Err(error); count],
        }
    }

    async fn sync(&self, targets: Vec<Target>, intent: u64) -> Vec<Result<(), provider::Error>> {
        self.command(Command::sync(intent), targets).await
    }

    async fn set_access(
        &self,
        targets: Vec<Target>,
        blocked: bool,
        intent: u64,
    ) -> Vec<Result<(), provider::Error>> {
        self.command(Command::access(intent, blocked), targets).await
    }

    async fn wipe(
        &self,
        wipe: &IssuableWipe,
        WipeOrder { intent, approval: _ }: WipeOrder<'_>,
    ) -> Result<Receipt, provider::Error> {
        let command = Command::wipe(intent, wipe.wipe());
        let serial = wipe.wipe().request().serial.clone();
        // The caller may give up before the thread begins.
        lock(&self.inner.under_way).insert(intent);
        let work = move |inner: &Inner| {
            let done = inner.outbox.order(&inner.data, &command, &serial);
            lock(&inner.under_way).remove(&intent);
            done
        };
        self.blocking(work).await??;
        Ok(Receipt::default())
    }

    async fn has(
        &self,
        target: &Target,
        intent: u64,
        witness: Option<u64>,
    ) -> Result<Presence, provider::Error> {
        let serial = target.serial.clone();
        let witness = witness.map(CommandId);
        let work = move |inner: &Inner| {
            if lock(&inner.under_way).contains(&intent) {
                return Ok(Presence::Unknown);
            }
            inner.outbox.presence(&inner.data, &serial, CommandId(intent), witness)
        };
        Ok(self.blocking(work).await??)
    }

    async fn withdraw(&self, target: &Target, intent: u64) -> Result<Withdrawn, provider::Error> {
        let serial = target.serial.clone();
        let work =
            move |inner: &Inner| inner.outbox.withdraw(&inner.data, &serial, CommandId(intent));
        Ok(self.blocking(work).await??)
    }

    async fn acknowledge(
        &self,
        cursor: &Cursor,
        done: Vec<Acknowledgement>,
    ) -> Result<(), provider::Error> {
        let cursor = cursor.clone();
        Ok(self.blocking(move |inner| inner.acknowledge(&cursor, &done)).await??)
    }

    async fn diagnose(&self, Diagnosis { data, .. }: Diagnosis<'_>) -> Vec<Check> {
        doctor::diagnose(&self.inner.data, data)
    }
}

impl Inner {
    /// Commands are struck out before the reports that show them done are removed: after a
    /// crash in between they are struck out again. A file stays where that failed.
    fn acknowledge(&self, cursor: &Cursor, done: &[Acknowledgement]) -> Result<(), Error> {
        let outcomes: HashMap<_, _> = done.iter().map(|done| (&done.id, &done.outcome)).collect();
        let mut inbox = lock(&self.inbox);
        let mut completed: BTreeMap<SerialNumber, Struck> = BTreeMap::new();
        let mut strikes = BTreeSet::new();
        for said in inbox.settled(cursor, &outcomes).into_iter().flat_map(|seen| &seen.good) {
            let Some(ReportOutcome::Taken { erased, synced }) = outcomes.get(&said.id) else {
                continue;
            };
            if said.completed.is_empty() && erased.is_empty() && synced.is_empty() {
                continue;
            }
            strikes.insert(said.id.clone());
            let struck = completed.entry(said.serial.clone()).or_default();
            struck.done.extend(said.completed.iter().copied());
            struck.done.extend(synced.iter().copied().map(CommandId));
            struck.erased.extend(erased.iter().copied().map(CommandId));
        }
        let failed = self.outbox.complete(&self.data, &completed)?;
        let stays = |seen: &Seen| {
            let mut said = seen.good.iter();
            said.any(|said| strikes.contains(&said.id) && failed.contains_key(&said.serial))
        };
        inbox.release(&self.data, cursor, &outcomes, stays)?;
        failed.into_values().next().map_or(Ok(()), Err)
    }
}
