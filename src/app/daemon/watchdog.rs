//! What a service manager is told: ready, alive, reloading, stopping. Without one nothing happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::Instant;

/// A pass that takes longer than this hangs.
const LONGEST_PASS: Duration = Duration::from_secs(300);

/// The loop's sign of life, passed on as often as the service manager asks for.
#[derive(Debug)]
pub(super) struct Watchdog {
    started: Instant,
    /// Milliseconds since the start.
    beat: Arc<AtomicU64>,
    ready: bool,
}

impl Watchdog {
    /// Passes signs of life on while there are any: `resync` is the longest sleep.
    pub(super) fn start(resync: Duration) -> Self {
        let started = Instant::now();
        let beat = Arc::new(AtomicU64::new(0));
        if let Some(every) = sd_notify::watchdog_enabled() {
            let (beat, limit) = (beat.clone(), resync + LONGEST_PASS);
            tokio::spawn(async move {
                loop {
                    let last = Duration::from_millis(beat.load(Ordering::Relaxed));
                    if started.elapsed().saturating_sub(last) < limit {
                        tell(&[NotifyState::Watchdog]);
                    }
                    tokio::time::sleep(every / 3).await;
                }
            });
        }
        Self { started, beat, ready: false }
    }

    /// The loop lives.
    pub(super) fn beat(&self) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.beat.store(millis, Ordering::Relaxed);
    }

    /// The first pass is done.
    pub(super) fn ready(&mut self) {
        if !std::mem::replace(&mut self.ready, true) {
            tell(&[NotifyState::Ready]);
        }
    }

    /// The configuration is about to be read again; before the first
    /// pass the service manager waits for "ready", and gets nothing else.
    pub(super) fn reloading(&self) {
        if self.ready
            && let Ok(now) = NotifyState::monotonic_usec_now()
        {
            tell(&[NotifyState::Reloading, now]);
        }
    }

    /// The configuration was read again, or refused.
    pub(super) fn reloaded(&self) {
        if self.ready {
            tell(&[NotifyState::Ready]);
        }
    }
}

pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager does not answer");
    }
}
