//! What a command needs of the system before it begins: said as an error where it is not there,
//! since the libraries below panic then.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::Failure;

/// Threads of the runtime, and those that it starts for what blocks.
const WORKERS: usize = 2;
const BLOCKING: usize = 2;
/// Pairs of descriptors that starting the runtime takes, with some to spare.
const PAIRS: usize = 6;

/// From now on a write beyond the limit of file sizes fails like one on a full disk, instead of
/// killing the process in the middle of its work.
pub(super) fn outlive_the_file_size_limit() {
    // It can only fail for signals that nobody may catch.
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
    let Err(error) = rayon::ThreadPoolBuilder::new().build_global() else { return Ok(()) };
    // Without a cause they run already.
    std::error::Error::source(&error).map_or(Ok(()), |cause| no_threads(cause.to_string()))
}

/// Starts what asynchronous calls need.
///
/// # Errors
/// If there are no threads or no descriptors for it.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    let pairs: Result<Vec<_>, _> = (0..PAIRS).map(|_| UnixStream::pair()).collect();
    if let Err(error) = pairs {
        return Err(Failure::new(format!("cannot open what a start needs: {error}"))
            .help("raise the limit of open files (ulimit -n, LimitNOFILE= of the unit)"));
    }
    if let Err(error) = try_threads(WORKERS + BLOCKING) {
        return no_threads(error.to_string());
    }
    Ok(Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?)
}

fn no_threads<T>(why: String) -> Result<T, Failure> {
    Err(Failure::new(format!("cannot start threads: {why}"))
        .help("raise the limit of processes and threads (ulimit -u, TasksMax= of the unit)"))
}

/// Whether so many threads can run at once: starts them, and lets them end.
fn try_threads(n: usize) -> io::Result<()> {
    let gate = (Mutex::new(()), Condvar::new());
    let open = AtomicBool::new(false);
    thread::scope(|scope| {
        let wait = || {
            let mut held = gate.0.lock().unwrap_or_else(PoisonError::into_inner);
            while !open.load(Ordering::Relaxed) {
                held = gate.1.wait(held).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let started: io::Result<Vec<_>> =
            (0..n).map(|_| thread::Builder::new().spawn_scoped(scope, wait)).collect();
        let held = gate.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.store(true, Ordering::Relaxed);
        gate.1.notify_all();
        drop(held);
        started.map(drop)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_can_start_end_again() {
        for n in [0, 1, 8] {
            try_threads(n).unwrap();
        }
    }
}
