//! What the outside says: stop, stop at once, read the configuration again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// A stop that takes longer than this is cut short: service managers wait for ten seconds. A
/// cut loses nothing: the next start carries on, as after any crash.
const GRACE: Duration = Duration::from_secs(9);

/// SIGTERM, SIGINT and SIGHUP.
#[derive(Debug)]
pub struct Signals {
    stop: Arc<AtomicBool>,
    /// Whether nothing but the snapshot is left to be written.
    done: Arc<AtomicBool>,
    stopped: Arc<Notify>,
    reload: Signal,
}

impl Signals {
    /// Listens from now on; in a runtime.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn listen() -> io::Result<Self> {
        let stopped = Arc::new(Notify::new());
        let (notify, done) = (stopped.clone(), Arc::new(AtomicBool::new(false)));
        let ended = done.clone();
        let say = || {
            tracing::info!(
                "shutting down after the current batch (send the signal again to stop \
                 immediately)"
            );
        };
        let wake = move || {
            notify.notify_one();
            tokio::spawn(cut_short(ended.clone()));
        };
        let stop = stop_flag(say, wake)?;
        Ok(Self { stop, done, stopped, reload: signal(SignalKind::hangup())? })
    }

    /// Set once it is to stop.
    #[must_use]
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.stop
    }

    /// Nothing but the snapshot is left: to cut it short is no failure.
    pub(crate) fn done(&self) {
        self.done.store(true, Ordering::Relaxed);
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Until it is to stop.
    pub(crate) async fn stop(&self) {
        if !self.stopping() {
            self.stopped.notified().await;
        }
    }

    /// Until it is to stop, or the configuration to be read again.
    pub(crate) async fn next(&mut self) -> Request {
        tokio::select! {
            biased;
            () = self.stopped.notified() => Request::Stop,
            _ = self.reload.recv() => Request::Reload,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Stop,
    Reload,
}

/// A flag that the first SIGINT or SIGTERM sets. It is said before, so that nothing that follows from
/// it is said first; `wake` is called after it. The second signal ends the process at once. In a runtime.
///
/// # Errors
/// If the system refuses.
pub(crate) fn stop_flag(
    say: impl Fn() + Clone + Send + 'static,
    wake: impl Fn() + Clone + Send + 'static,
) -> io::Result<Arc<AtomicBool>> {
    let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    for (kind, code) in [(SignalKind::interrupt(), 130), (SignalKind::terminate(), 143)] {
        let mut signals = signal(kind)?;
        let (stop, seen, say, wake) = (stop.clone(), seen.clone(), say.clone(), wake.clone());
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if seen.swap(true, Ordering::Relaxed) {
                    std::process::exit(code);
                }
                say();
                stop.store(true, Ordering::Relaxed);
                wake();
            }
        });
    }
    Ok(stop)
}

async fn cut_short(done: Arc<AtomicBool>) {
    tokio::time::sleep(GRACE).await;
    if done.load(Ordering::Relaxed) {
        tracing::info!("the snapshot is not waited for; the next start reads the end of the log");
        std::process::exit(0);
    }
    tracing::error!("the current batch takes too long; the next start continues with it");
    std::process::exit(1);
}
