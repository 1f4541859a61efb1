//! When there is time to publish, and to write the snapshot.

use tokio::time::Instant;

/// After publishing nothing is published for so many times as long as it took.
const REST: u32 = 9;
/// Likewise after what was heard is acknowledged, and before more is heard: where a pass could not take all
/// reports that wait, what is left takes as long whenever it is heard, and whoever else wants something has half
/// of the time meanwhile.
const BACKLOG_REST: u32 = 1;
/// After the snapshot was written, none is for so many times as long as that took: readers find in the
/// log what it lacks.
const SNAPSHOT_REST: u32 = 99;

/// What there is time for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// A pass that hears reports.
    Hear,
    Publish,
}

/// Whether there is something to publish, and when it may be done.
#[derive(Debug)]
pub(super) struct Publication {
    wanted: bool,
    /// The last entry that was published.
    published: u64,
    /// When a pass began that has heard reports: then it is published at once.
    begun: Option<Instant>,
    rested: Instant,
    /// When a pass began that has heard reports which are not acknowledged yet.
    heard: Option<Instant>,
    /// Whether that pass left reports for the next one.
    backlog: bool,
    /// From when on more may be heard.
    hear_at: Instant,
    /// Whether there is something to write to the snapshot.
    unsaved: bool,
    /// When the one began that is being written beside the passes.
    saving: Option<Instant>,
    /// From when on it may be written again.
    save_at: Instant,
}

impl Default for Publication {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            wanted: false,
            published: 0,
            begun: None,
            rested: now,
            heard: None,
            backlog: false,
            hear_at: now,
            unsaved: false,
            saving: None,
            save_at: now,
        }
    }
}

impl Publication {
    /// Asks for a publication: something changed.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// Asks for a publication, if the log goes on after what was published: nobody hears of an entry before that.
    pub(super) fn logged(&mut self, seq: u64) {
        self.wanted |= seq > self.published;
    }

    /// Asks for a publication, since a pass that began at `at` has heard reports; `backlog` where more wait
    /// than it could take.
    pub(super) fn begin(&mut self, at: Instant, backlog: bool) {
        (self.wanted, self.begun) = (true, Some(at));
        (self.heard, self.backlog) = (Some(at), backlog);
    }

    /// Asks for a publication at once.
    pub(super) fn want_now(&mut self) {
        (self.wanted, self.begun) = (true, Some(Instant::now()));
    }

    /// What was heard is acknowledged, or never will be.
    pub(super) fn acknowledged(&mut self) {
        if let Some(began) = self.heard.take() {
            let rest = if self.backlog { BACKLOG_REST } else { REST };
            self.hear_at = Instant::now() + began.elapsed() * rest;
        }
    }

    /// Whether a pass that began at `at` may hear reports.
    pub(super) fn may_hear(&self, at: Instant) -> bool {
        self.heard.is_none() && self.hear_at <= at
    }

    pub(super) fn wanted(&self) -> bool {
        self.wanted
    }

    /// What comes next, and when; `reports` where some wait to be heard. What a pass has heard is published
    /// before more is heard; but what others want published comes after that, since those who write what they
    /// tell want it all the time.
    pub(super) fn turn(&self, reports: bool) -> Option<(Instant, Turn)> {
        let hear = (reports && self.heard.is_none()).then_some(self.hear_at);
        match (hear, self.next()) {
            (Some(hear), Some(publish)) if publish < hear => Some((publish, Turn::Publish)),
            (Some(hear), _) => Some((hear, Turn::Hear)),
            (None, publish) => publish.map(|at| (at, Turn::Publish)),
        }
    }

    /// When there is something to do.
    fn next(&self) -> Option<Instant> {
        match self.wanted {
            true => Some(self.begun.unwrap_or(self.rested)),
            false => (self.unsaved && self.saving.is_none()).then_some(self.save_at),
        }
    }

    /// Whether the snapshot may be written.
    pub(super) fn may_save(&self) -> bool {
        self.saving.is_none() && self.save_at <= Instant::now()
    }

    /// The snapshot is being written since then.
    pub(super) fn saving(&mut self, began: Instant) {
        self.saving.get_or_insert(began);
        self.unsaved = false;
    }

    /// The snapshot was written, which began then.
    pub(super) fn saved(&mut self, began: Instant) {
        (self.unsaved, self.saving) = (false, None);
        self.save_at = self.save_at.max(Instant::now() + began.elapsed() * SNAPSHOT_REST);
    }

    /// The snapshot that was being written is there; `whole` if it says all that is recorded by now.
    pub(super) fn saved_beside(&mut self, whole: bool) {
        if let Some(began) = self.saving {
            self.saved(began);
        }
        self.unsaved = !whole;
    }

    /// The snapshot is left for later.
    pub(super) fn unsaved(&mut self) {
        self.unsaved = true;
    }

    /// It was done, up to this entry; it began then.
    pub(super) fn done(&mut self, began: Instant, seq: u64) {
        let took = self.begun.unwrap_or(began).elapsed();
        (self.wanted, self.begun, self.published) = (false, None, seq);
        self.rested = Instant::now() + took * REST;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reports_wait_for_their_own_publication_and_for_no_other_that_is_wanted_all_the_time() {
        let took = Duration::from_secs(1);
        let mut publication = Publication::default();
        let began = Instant::now();
        publication.begin(began, false);
        assert_eq!(publication.turn(true), Some((began, Turn::Publish)), "those heard before");
        tokio::time::advance(took).await;
        publication.done(began, 0);
        assert_eq!(publication.turn(true), None, "those heard before are not acknowledged");
        publication.acknowledged();
        let rested = Instant::now() + took * REST;
        assert_eq!(publication.turn(false), None);
        publication.want();
        assert_eq!(publication.turn(false), Some((rested, Turn::Publish)));
        assert_eq!(publication.turn(true), Some((rested, Turn::Hear)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_pass_had_to_leave_of_the_reports_waits_as_long_as_it_took_and_no_longer() {
        let took = Duration::from_secs(8);
        let mut publication = Publication::default();
        for (backlog, rest) in [(true, took), (true, took), (false, took * REST), (true, took)] {
            let began = Instant::now();
            publication.begin(began, backlog);
            assert_eq!(publication.turn(true), Some((began, Turn::Publish)));
            tokio::time::advance(took).await;
            publication.done(began, 0);
            publication.acknowledged();
            let rested = Instant::now() + rest;
            assert_eq!(publication.turn(true), Some((rested, Turn::Hear)), "{backlog}");
            assert!(!publication.may_hear(Instant::now()) && publication.may_hear(rested));
            // Meanwhile others write, and what they write is published after what is heard.
            publication.logged(1);
            assert_eq!(publication.turn(true), Some((rested, Turn::Hear)), "{backlog}");
            tokio::time::advance(rest).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_entry_of_the_log_is_published_whoever_wrote_it_and_once() {
        let mut publication = Publication::default();
        publication.logged(7);
        assert!(publication.wanted());
        publication.done(Instant::now(), 7);
        publication.logged(7);
        assert!(!publication.wanted(), "nothing is new");
        publication.logged(8);
        assert!(publication.wanted());
    }

    #[tokio::test(start_paused = true)]
    async fn a_snapshot_takes_a_hundredth_of_the_time_and_is_made_up_for() {
        let pass = Duration::from_secs(2);
        let mut publication = Publication::default();
        assert!(publication.may_save() && publication.next().is_none());
        publication.want();
        let began = Instant::now();
        tokio::time::advance(pass).await;
        publication.saved(began);
        publication.done(began, 0);
        assert_eq!(publication.next(), None);
        // Something changes, and is shown before it may be written again.
        publication.want();
        assert_eq!(publication.next(), Some(Instant::now() + pass * REST));
        tokio::time::advance(pass * REST).await;
        assert!(!publication.may_save());
        publication.unsaved();
        publication.done(Instant::now(), 0);
        assert_eq!(publication.next(), Some(began + pass * (SNAPSHOT_REST + 1)));
        tokio::time::advance(pass * SNAPSHOT_REST).await;
        assert!(publication.may_save());
    }
}
