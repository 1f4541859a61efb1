//! Intune, as the controller sees it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::connection::{Connection, InvalidConnection};
use super::observe::Memory;
use super::recent::Recent;
use crate::domain::diagnosis::Check;
use crate::domain::model::Timestamp;
use crate::domain::plan::IssuableWipe;
use crate::domain::provider_settings::IntuneSettings;
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::diagnosis::Diagnosis;
use crate::edges::provider::effect::{
    LicenseTarget, Licensed, Prepared, Presence, ProfileSetup, Push, Receipt, Target, WipeOrder,
    Withdrawn,
};
use crate::edges::provider::error::Error;
use crate::edges::provider::interface::{Cadence, Limits, Provider};
use crate::edges::provider::observed::{Acknowledgement, Asked, Cursor, Observed};

/// Microsoft Intune. Copies share everything.
#[derive(Debug, Clone)]
pub(crate) struct Intune {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) settings: IntuneSettings,
    pub(super) connection: Connection,
    /// The data directory.
    pub(super) data: PathBuf,
    pub(super) now: fn() -> Timestamp,
    /// What the last look found.
    pub(super) memory: Mutex<Memory>,
    /// What was written a moment ago.
    recent: Mutex<Recent>,
}

impl Inner {
    pub(super) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intune {
    /// A tenant; nobody is asked anything yet.
    ///
    /// # Errors
    /// If the settings name no tenant that can be asked.
    pub(crate) fn new(
        settings: &IntuneSettings,
        data: &Path,
        now: fn() -> Timestamp,
    ) -> Result<Self, InvalidConnection> {
        let inner = Inner {
            settings: settings.clone(),
            connection: Connection::new(settings, now)?,
            data: data.to_owned(),
            now,
            memory: Mutex::default(),
            recent: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl Inner {
    /// What the last look found. What a panic left of it is as good as nothing: the next look is whole.
    pub(super) fn lock_memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Provider for Intune {
    fn limits(&self) -> Limits {
        // A batch of Graph is of 20; four of them share what is looked up once for all. A call of a
        // hundred devices is bounded by what a pass may wait, and takes minutes at worst.
        Limits { batch: 80, concurrency: 2, timeout: Duration::from_secs(15 * 60) }
    }

    fn cadence(&self) -> Cadence {
        Cadence { wakes: Vec::new(), every: Some(self.inner.settings.poll) }
    }

    async fn observe(&self, asked: Asked<'_>) -> Result<Observed, Error> {
        self.inner.connection.begin_pass();
        self.inner.observe(asked.recorded).await
    }

    async fn prepare(&self, setup: &ProfileSetup) -> Result<Prepared, Error> {
        self.inner.prepare(setup).await
    }

    async fn push(&self, push: Push) -> Vec<Result<(), Error>> {
        self.inner.push(&push).await
    }

    async fn assign_license(
        &self,
        sku: &str,
        targets: Vec<LicenseTarget>,
        _: u64,
    ) -> Vec<Result<Licensed, Error>> {
        self.inner.assign_license(sku, &targets).await
    }

    async fn sync(&self, targets: Vec<Target>, _: u64) -> Vec<Result<(), Error>> {
        self.inner.sync(&targets).await
    }

    async fn set_access(
        &self,
        targets: Vec<Target>,
        blocked: bool,
        _: u64,
    ) -> Vec<Result<(), Error>> {
        self.inner.set_access(&targets, blocked).await
    }

    async fn wipe(&self, wipe: &IssuableWipe, order: WipeOrder<'_>) -> Result<Receipt, Error> {
        self.inner.wipe(wipe, order).await
    }

    async fn has(&self, target: &Target, _: u64, _: Option<u64>) -> Result<Presence, Error> {
        self.inner.has(target).await
    }

    async fn withdraw(&self, _: &Target, _: u64) -> Result<Withdrawn, Error> {
        Ok(Withdrawn::NotPossible("Microsoft Graph has no call that cancels it".to_owned()))
    }

    async fn acknowledge(&self, _: &Cursor, _: Vec<Acknowledgement>) -> Result<(), Error> {
        let inner = self.inner.clone();
        let written = tokio::task::spawn_blocking(move || inner.acknowledge());
        written
            .await
            .map_err(|_| Error::new(ErrorClass::Transient, "the program is being stopped"))?
    }

    async fn diagnose(&self, asked: Diagnosis<'_>) -> Vec<Check> {
        self.inner.connection.begin_pass();
        self.inner.diagnose(asked).await
    }
}
