//! Waits until something may have changed: by events where there are any, else by looking.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use rustix::io::Errno;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::filter::Filter;
use super::paths::anchors;
use super::prints::Prints;
use super::survey::{self, Identity, Survey};
use super::touched::{Places, Touched};

/// How often watching is tried again where it was impossible.
const TRY_AGAIN: Duration = Duration::from_secs(60);
/// A tree that changes while it is being watched anew is watched anew so often; after that the
/// events wake once more.
const ATTEMPTS: usize = 3;

/// When a wake-up comes: how long events are gathered, and how often it looks without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// So long nothing may have happened.
    pub quiet: Duration,
    /// But so long after the first event it comes anyway.
    pub most: Duration,
    /// How often to look where watching is impossible.
    pub poll: Duration,
    /// Whether to look even where watching is possible.
    pub always_poll: bool,
}

/// How changes are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    Watching,
    /// By looking every so often, for this reason.
    Polling(String),
}

/// Knows when to look again.
#[derive(Debug)]
pub(crate) struct Watch {
    places: Places,
    pace: Pace,
    mode: Mode,
    pub(super) shared: Arc<Shared>,
    watcher: Option<RecommendedWatcher>,
    pub(super) known: BTreeMap<PathBuf, Identity>,
    prints: Prints,
    /// When to look next where nobody tells of changes: whoever waits may stop and begin again
    /// any number of times.
    next_poll: Option<Instant>,
    tried: Option<Instant>,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    wake: Notify,
    dirt: Mutex<Dirt>,
    filter: Mutex<Filter>,
}

/// Since when there is something to look at, and where.
#[derive(Debug, Default)]
struct Dirt {
    first: Option<Instant>,
    last: Option<Instant>,
    touched: Touched,
    /// Events were lost, or watches: watch anew.
    lost: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn soil(&self, touched: Touched) {
        let now = Instant::now();
        let mut dirt = lock(&self.dirt);
        dirt.first.get_or_insert(now);
        dirt.last = Some(now);
        dirt.touched.merge(touched);
        drop(dirt);
        self.wake.notify_one();
    }

    pub(super) fn lose(&self) {
        lock(&self.dirt).lost = true;
        self.soil(Touched::anything());
    }

    pub(super) fn take(&self, event: notify::Result<notify::Event>) {
        match event {
            Ok(event) if event.need_rescan() || lock(&self.filter).unwatches(&event) => self.lose(),
            Ok(event) => {
                let anything = lock(&self.dirt).touched.anything;
                let touched = lock(&self.filter).touched(&event, anything);
                if !touched.is_empty() {
                    self.soil(touched);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "watching failed; it starts again");
                self.lose();
            }
        }
    }
}

impl Watch {
    /// Watches nothing before [`Watch::arm`].
    #[must_use]
    pub(crate) fn new(places: Places, pace: Pace) -> Self {
        Self {
            places,
            pace,
            mode: Mode::Watching,
            shared: Arc::default(),
            watcher: None,
            known: BTreeMap::new(),
            prints: Prints::default(),
            next_poll: None,
            tried: None,
        }
    }

    /// Whether events are relied on.
    #[must_use]
    pub(crate) fn mode(&self) -> &Mode {
        &self.mode
    }

    /// Watches whatever there is by now. To be called before each look, so that what changes
    /// during the look wakes again.
    pub(crate) fn arm(&mut self) {
        let lost = std::mem::take(&mut lock(&self.shared.dirt).lost);
        if lost {
            self.forget();
        }
        let polled = matches!(self.mode, Mode::Polling(_));
        if polled {
            // What changed since the last look for changes: whoever looks now may not look at it.
            self.look_for_changes();
            if self.tried.is_some_and(|at| at.elapsed() < TRY_AGAIN) {
                return;
            }
        }
        self.tried = Some(Instant::now());
        match self.watch_all() {
            Ok(()) if polled => {
                // Between that look and the first watch, too.
                self.look_for_changes();
                tracing::info!("the fleet directory is watched again");
                self.mode = Mode::Watching;
            }
            Ok(()) => {}
            Err(why) => self.poll(why),
        }
    }

    fn poll(&mut self, why: String) {
        self.forget();
        if self.mode == Mode::Watching {
            self.prints = Prints::of(&self.places);
            let every = self.pace.poll;
            tracing::warn!(%why, ?every, "cannot watch for changes: looking for them instead");
        }
        self.mode = Mode::Polling(why);
    }

    fn forget(&mut self) {
        self.watcher = None;
        self.known.clear();
    }

    /// Watches what is not watched yet; all anew, once something is gone or another one.
    fn watch_all(&mut self) -> Result<(), String> {
        if self.pace.always_poll {
            return Err("asked to look for changes (--watch poll)".into());
        }
        if let Some(why) = survey::deaf(&self.places) {
            return Err(why);
        }
        for _ in 0..ATTEMPTS {
            if self.watcher.is_none() {
                let shared = self.shared.clone();
                let watcher = notify::recommended_watcher(move |event| shared.take(event));
                self.watcher = Some(watcher.map_err(|error| explain(&error))?);
            }
            let anchors = anchors(&self.places);
            lock(&self.shared.filter).set(&self.places, anchors.clone());
            let mut survey = Survey::new(&self.known);
            let watcher = self.watcher.as_mut();
            if let Some(watcher) = watcher {
                let filter = &self.shared.filter;
                let mut one = |path: &Path, new: bool| match new
                    .then(|| watcher.watch(path, RecursiveMode::NonRecursive))
                {
                    Some(Err(error)) if !is_passing(&error) => Err(explain(&error)),
                    _ => Ok(()),
                };
                survey.anchors(&anchors, &mut one)?;
                let entrances = self.places.reports.iter().chain([&self.places.requests]);
                for entrance in entrances {
                    survey.single(&entrance.dir, &mut one)?;
                }
                survey.tree(&self.places.fleet, &mut |path, new| {
                    lock(filter).add(path);
                    one(path, new)
                })?;
            }
            match survey.done() {
                Ok(known) => {
                    self.known = known;
                    return Ok(());
                }
                Err(survey::Replaced) => self.forget(),
            }
        }
        self.shared.lose();
        Ok(())
    }

    /// Waits until something may have changed and all has been quiet for a while; gives the
    /// moment of the first event, and where. May be dropped while it waits: nothing is lost.
    pub(crate) async fn settled(&mut self) -> (Instant, Touched) {
        loop {
            let (first, last) = {
                let dirt = lock(&self.shared.dirt);
                (dirt.first, dirt.last)
            };
            let at = first.zip(last).map(|(first, last)| {
                let Pace { quiet, most, .. } = self.pace;
                (first, (last + quiet).min(first + most.max(quiet)))
            });
            match at {
                Some((first, at)) if at <= Instant::now() => {
                    let mut dirt = lock(&self.shared.dirt);
                    (dirt.first, dirt.last) = (None, None);
                    return (first, std::mem::take(&mut dirt.touched));
                }
                Some((_, at)) => {
                    let _ = tokio::time::timeout_at(at, self.shared.wake.notified()).await;
                }
                None if self.mode == Mode::Watching => self.shared.wake.notified().await,
                None => self.poll_later().await,
            }
        }
    }

    async fn poll_later(&mut self) {
        let at = *self.next_poll.get_or_insert_with(|| Instant::now() + self.pace.poll);
        tokio::time::sleep_until(at).await;
        self.next_poll = None;
        self.look_for_changes();
    }

    fn look_for_changes(&mut self) {
        let prints = Prints::of(&self.places);
        let touched = prints.touched_since(&self.prints);
        if !touched.is_empty() {
            self.shared.soil(touched);
        }
        self.prints = prints;
    }
}

/// What is gone meanwhile, or may not be watched, changes no more than its parent tells.
fn is_passing(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => matches!(
            error.kind(),
            std::io::ErrorKind::NotFound
                | std::io::ErrorKind::PermissionDenied
                | std::io::ErrorKind::NotADirectory
        ),
        _ => false,
    }
}

fn explain(error: &notify::Error) -> String {
    match &error.kind {
        ErrorKind::MaxFilesWatch => {
            "the system's limit of watches is reached; raise fs.inotify.max_user_watches".into()
        }
        ErrorKind::Io(error) if error.raw_os_error() == Some(Errno::MFILE.raw_os_error()) => {
            "too many processes of this user watch files already (fs.inotify.max_user_instances), \
             or too many files are open (ulimit -n)"
                .into()
        }
        _ => error.to_string(),
    }
}
