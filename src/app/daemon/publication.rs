//! When there is time to publish.

use tokio::time::Instant;

/// After publishing nothing is published for so many times as long as it took.
const REST: u32 = 9;

/// Whether there is something to publish, and when it may be done.
#[derive(Debug)]
pub(super) struct Publication {
    wanted: bool,
    /// When a pass began that had to write the snapshot itself: then the rest comes at once.
    begun: Option<Instant>,
    rested: Instant,
}

impl Default for Publication {
    fn default() -> Self {
        Self { wanted: false, begun: None, rested: Instant::now() }
    }
}

impl Publication {
    /// Asks for a publication: something changed.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// Asks for a publication, since a pass that began at `at` has written entries.
    pub(super) fn begin(&mut self, at: Instant) {
        (self.wanted, self.begun) = (true, Some(at));
    }

    pub(super) fn wanted(&self) -> bool {
        self.wanted
    }

    /// From when on it may be done again.
    pub(super) fn rested(&self) -> Instant {
        self.begun.unwrap_or(self.rested)
    }

    pub(super) fn done(&mut self, began: Instant) {
        let took = self.begun.unwrap_or(began).elapsed();
        *self = Self { wanted: false, begun: None, rested: Instant::now() + took * REST };
    }
}
