//! Who ends a delivery: the thread that makes it, or whoever stopped waiting for it.

use std::sync::atomic::{AtomicU8, Ordering};

/// Nothing of the mail was handed over yet, and nobody gave up.
const OPEN: u8 = 0;
const HANDED_OVER: u8 = 1;
const GIVEN_UP: u8 = 2;

/// Taken once: either the content is handed over, or the delivery is given up before that.
#[derive(Debug, Default)]
pub(super) struct Claim(AtomicU8);

impl Claim {
    /// The thread is about to hand over the content. If it may not, nobody waits any more, and the
    /// mail must not be sent.
    pub(super) fn hand_over(&self) -> bool {
        self.take(HANDED_OVER)
    }

    /// Whoever waits waits no longer. If it cannot, the content may have been sent.
    pub(super) fn give_up(&self) -> bool {
        self.take(GIVEN_UP)
    }

    fn take(&self, as_what: u8) -> bool {
        self.0.compare_exchange(OPEN, as_what, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_side_gets_it() {
        let claim = Claim::default();
        assert!(claim.hand_over() && !claim.give_up() && !claim.hand_over());
        let claim = Claim::default();
        assert!(claim.give_up() && !claim.hand_over());
    }
}
