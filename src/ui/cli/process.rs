//! What a command needs of the system before it begins: threads, descriptors, signals. Where the
//! system gives none, the command fails with an error; left to themselves, the libraries panic.

use std::any::Any;
use std::ops::Deref;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::failure::Failure;
use crate::app::signals::stop_flag;
use crate::domain::shares;

/// A thread that takes longer to start than this does not start.
const START: Duration = Duration::from_secs(10);
/// Whatever blocks longer at the end is left behind.
const END: Duration = Duration::from_secs(1);
/// Longer than any process lives.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// From now on a write beyond the limit of file sizes fails like one on a full disk, instead of
/// killing the process in the middle of its work.
pub(super) fn outlive_the_file_size_limit() {
    // It fails only for signals that no process may catch.
    let _ = signal_hook::flag::register(
        rustix::process::Signal::XFSZ.as_raw(),
        Arc::new(AtomicBool::new(false)),
    );
}

/// Starts the threads that share heavy work.
///
/// # Errors
/// If the system starts no more threads.
pub(super) fn start_threads() -> Result<(), Failure> {
    shares::start().or_else(|error| no_threads(error.to_owned()))
}

/// What runs asynchronous calls. When it is dropped, threads that are blocked, say by a host that
/// does not answer, are waited for only for a moment: nobody needs what they bring any more.
pub(super) struct Calls(Option<Runtime>);

impl Deref for Calls {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(END);
        }
    }
}

/// Starts what asynchronous calls need.
///
/// # Errors
/// If there are no threads or no descriptors for it.
pub(super) fn runtime() -> Result<Calls, Failure> {
    // The library has no error for a thread or a descriptor that it does not get: it panics, which
    // is caught here, where nothing has begun yet.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let started = panic::catch_unwind(start_runtime);
    panic::set_hook(hook);
    let started = started.unwrap_or_else(|why| Err(cannot_start(&text(why.as_ref()))));
    started.map(|runtime| Calls(Some(runtime)))
}

fn start_runtime() -> Result<Runtime, Failure> {
    // Threads for what blocks stay once they are there: while there is one, no later call panics
    // for want of another, but waits for it.
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(FOR_EVER)
        .enable_all()
        .build()
        .map_err(|error| cannot_start(&error.to_string()))?;
    let first = async { tokio::time::timeout(START, tokio::task::spawn_blocking(|| ())).await };
    if matches!(runtime.block_on(first), Ok(Ok(()))) {
        return Ok(runtime);
    }
    runtime.shutdown_background();
    no_threads("the system starts none".to_owned())
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> String {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no reason is given").to_owned()
}

fn cannot_start(why: &str) -> Failure {
    Failure::new(format!("cannot start: {why}")).help(
        "raise the limits of open files (ulimit -n, LimitNOFILE= of the unit) and of processes and \
         threads (ulimit -u, TasksMax=)",
    )
}

fn no_threads<T>(why: String) -> Result<T, Failure> {
    Err(Failure::new(format!("cannot start threads: {why}"))
        .help("raise the limit of processes and threads (ulimit -u, TasksMax= of the unit)"))
}

/// Set by the first SIGINT or SIGTERM; the second ends the process at once.
pub(super) fn stop_on_signal(runtime: &Runtime) -> Result<Arc<AtomicBool>, Failure> {
    let _entered = runtime.enter();
    let first = || {
        tracing::warn!(
            "shutting down after the current batch (send the signal again \
                                   to stop immediately)"
        )
    };
    Ok(stop_flag(first, || ())?)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_thread_that_is_blocked_delays_the_end_only_for_a_moment() {
        let (release, blocked) = mpsc::channel::<()>();
        let (started, running) = mpsc::channel();
        let calls = runtime().unwrap_or_else(|_| panic!("no threads"));
        calls.spawn_blocking(move || {
            let _ = started.send(());
            let _ = blocked.recv_timeout(FOR_EVER);
        });
        running.recv().unwrap();
        let ended = Instant::now();
        drop(calls);
        assert!(ended.elapsed() < START, "{:?}", ended.elapsed());
        drop(release);
    }
}
