//! One tenant: where it is, how it is reached, and how fast. Both app registrations share it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;

use super::endpoints::Endpoints;
use super::limiter::Limiter;
use crate::domain::model::Timestamp;
use crate::edges::http_client::{Network, Transport};

/// How long an answer may take, from the beginning to its end.
const ANSWER: Duration = Duration::from_secs(60);
/// The largest page; those of a thousand devices take about one MiB.
const LARGEST: u64 = 32 << 20;

/// A tenant.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) endpoints: Endpoints,
    pub(crate) transport: Arc<Transport>,
    pub(crate) limiter: Limiter,
    /// The system's clock.
    pub(crate) now: fn() -> Timestamp,
    skew: Mutex<Option<TimeDelta>>,
}

impl Tenant {
    /// Nobody is asked anything yet.
    pub(crate) fn new(endpoints: Endpoints, now: fn() -> Timestamp) -> Arc<Self> {
        Self::over(Network::of_system(ANSWER, LARGEST), endpoints, now)
    }

    /// Over another network than the system's.
    pub(crate) fn over(
        network: Network,
        endpoints: Endpoints,
        now: fn() -> Timestamp,
    ) -> Arc<Self> {
        let transport = Arc::new(Transport::new(network));
        let (limiter, skew) = (Limiter::default(), Mutex::default());
        Arc::new(Self { endpoints, transport, limiter, now, skew })
    }

    /// How far Graph's clock was ahead of ours, when it answered last.
    pub(crate) fn skew(&self) -> Option<TimeDelta> {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What time it is by Graph's clock.
    pub(crate) fn note_date(&self, date: Option<Timestamp>) {
        if let Some(date) = date {
            let skew = date - (self.now)();
            *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(skew);
        }
    }
}
