//! How long a pass may wait for Microsoft altogether.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What may still be waited in this pass. Calls that wait at the same time wait together.
#[derive(Debug)]
pub(crate) struct Budget {
    most: Duration,
    spent: Mutex<Spent>,
}

#[derive(Debug)]
struct Spent {
    waited: Duration,
    /// Until when it is counted already.
    until: Instant,
}

impl Budget {
    pub(crate) fn new(most: Duration) -> Self {
        let spent = Spent { waited: Duration::ZERO, until: Instant::now() };
        Self { most, spent: Mutex::new(spent) }
    }

    /// A new pass may wait as long as any other.
    pub(crate) fn begin(&self) {
        self.spent().waited = Duration::ZERO;
    }

    /// Whether somebody may wait until then; if so, it is spent.
    pub(crate) fn may_wait_until(&self, until: Instant) -> bool {
        let mut spent = self.spent();
        let more = until.saturating_duration_since(spent.until.max(Instant::now()));
        let waited = spent.waited.saturating_add(more);
        if waited > self.most {
            return false;
        }
        *spent = Spent { waited, until: spent.until.max(until) };
        true
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn who_waits_at_the_same_time_waits_together_and_a_new_pass_begins_anew() {
        let budget = Budget::new(SECOND * 60);
        let start = Instant::now();
        for _ in 0..1000 {
            assert!(budget.may_wait_until(start + SECOND * 40));
        }
        tokio::time::advance(SECOND * 30).await;
        assert!(budget.may_wait_until(start + SECOND * 55), "15 more");
        assert!(!budget.may_wait_until(start + SECOND * 61), "6 more than there are");
        assert!(budget.may_wait_until(start + SECOND * 60), "refusing costs nothing");
        tokio::time::advance(SECOND * 60).await;
        assert!(!budget.may_wait_until(Instant::now() + SECOND));
        budget.begin();
        assert!(budget.may_wait_until(Instant::now() + SECOND * 60));
    }
}
