//! How many calls may go to a tenant in a while: no more than Microsoft documents, and fewer once
//! it turned some away.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Microsoft counts calls in windows of this length.
const WINDOW: Duration = Duration::from_secs(20);
/// Half of what Intune takes of one app: people use the tenant too.
const WRITES: usize = 100;
/// Less than the 1,000 that Intune takes of one app.
const READS: usize = 800;

/// What a call counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
}

/// Of one tenant.
#[derive(Debug)]
pub(crate) struct Limiter {
    reads: Mutex<Window>,
    writes: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    /// Calls in a window that are never exceeded.
    most: usize,
    /// Calls in a window now.
    limit: usize,
    /// When the limit changed last.
    changed: Instant,
    /// When calls went, or will go, in this order: as many as `most`.
    taken: VecDeque<Instant>,
    /// Nothing goes before.
    closed: Option<Instant>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { reads: Mutex::new(Window::new(READS)), writes: Mutex::new(Window::new(WRITES)) }
    }
}

impl Limiter {
    /// When so many calls of a kind may go; their places are taken.
    pub(crate) fn reserve(&self, kind: Kind, calls: usize) -> Instant {
        self.window(kind).reserve(calls, Instant::now())
    }

    /// Until when nothing of this kind may go, where Microsoft wants to be left alone.
    pub(crate) fn closed(&self, kind: Kind) -> Option<Instant> {
        self.window(kind).closed.filter(|until| *until > Instant::now())
    }

    /// A call was turned away, and Microsoft wants to be left alone for so long.
    pub(crate) fn throttled(&self, kind: Kind, wait: Duration) {
        self.window(kind).throttled(wait, Instant::now());
    }

    fn window(&self, kind: Kind) -> MutexGuard<'_, Window> {
        let window = match kind {
            Kind::Read => &self.reads,
            Kind::Write => &self.writes,
        };
        window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn new(most: usize) -> Self {
        let taken = VecDeque::with_capacity(most);
        Self { most, limit: most, changed: Instant::now(), taken, closed: None }
    }

    fn reserve(&mut self, calls: usize, now: Instant) -> Instant {
        self.recover(now);
        let mut at = now;
        for _ in 0..calls {
            at = self.taken.back().map_or(at, |last| at.max(*last));
            let before = self.taken.len().checked_sub(self.limit);
            if let Some(before) = before.and_then(|n| self.taken.get(n)) {
                at = at.max(*before + WINDOW);
            }
            if self.taken.len() == self.most {
                self.taken.pop_front();
            }
            self.taken.push_back(at);
        }
        at
    }

    fn throttled(&mut self, wait: Duration, now: Instant) {
        // Others that were under way at the same time make it no worse.
        if self.closed.is_none_or(|until| until <= now) {
            self.recover(now);
            self.limit = (self.limit / 2).max(self.most / 20);
            self.changed = now;
        }
        let until = now + wait;
        self.closed = Some(self.closed.map_or(until, |closed| closed.max(until)));
    }

    /// A tenth more for each window in which nothing was turned away.
    fn recover(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.changed);
        let windows = (since.as_secs() / WINDOW.as_secs()) as usize;
        if windows > 0 {
            let more = windows.saturating_mul(self.most / 10);
            self.limit = self.limit.saturating_add(more).min(self.most);
            self.changed = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Seconds from the beginning at which each of these calls goes, asked for one by one.
    fn times(window: &mut Window, start: Instant, calls: usize, now: Instant) -> Vec<u64> {
        (0..calls).map(|_| (window.reserve(1, now) - start).as_secs()).collect()
    }

    #[test]
    fn no_window_ever_holds_more_than_the_limit() {
        let start = Instant::now();
        let mut window = Window::new(100);
        let mut went: Vec<Instant> = Vec::new();
        // In bursts and one by one, at whatever time.
        for (calls, wait) in [(70, 3), (20, 0), (40, 19), (1, 1), (150, 25), (100, 20), (7, 100)] {
            let now = start + SECOND * wait;
            for _ in 0..calls {
                went.push(window.reserve(1, now.max(start)));
            }
        }
        assert!(went.is_sorted());
        for (n, at) in went.iter().enumerate().skip(100) {
            assert!(*at - went[n - 100] >= WINDOW, "call {n}");
        }
        assert_eq!(went[99], start + SECOND * 19, "nobody waits without need");
        let first_that_waits = went[100];
        assert_eq!(first_that_waits, start + SECOND * 23);
    }

    #[test]
    fn a_batch_counts_as_all_of_its_parts() {
        let start = Instant::now();
        let mut window = Window::new(100);
        let at: Vec<u64> = (0..6).map(|_| (window.reserve(20, start) - start).as_secs()).collect();
        assert_eq!(at, [0, 0, 0, 0, 0, 20]);
    }

    #[test]
    fn once_turned_away_fewer_go_and_then_more_again() {
        let start = Instant::now();
        let mut window = Window::new(100);
        for _ in 0..30 {
            window.throttled(SECOND * 5, start);
        }
        assert_eq!(window.limit, 50, "those that were under way make it no worse");
        assert_eq!(window.closed, Some(start + SECOND * 5));
        let times = times(&mut window, start, 101, start + SECOND * 5);
        assert_eq!((times[49], times[50], times[100]), (5, 25, 45));
        window.throttled(SECOND, start + SECOND * 6);
        assert_eq!(window.limit, 25);
        window.reserve(1, start + SECOND * 46);
        assert_eq!(window.limit, 45, "two windows later");
        for n in 0..10 {
            window.throttled(SECOND, start + SECOND * (50 + 2 * n));
        }
        assert_eq!(window.limit, 5, "never nothing");
        window.reserve(1, start + SECOND * 4000);
        assert_eq!(window.limit, 100, "never more");
    }
}
