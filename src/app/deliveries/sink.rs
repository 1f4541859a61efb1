//! Whoever is told what happens.

use async_trait::async_trait;

use super::recently_sent::RecentlySent;
use crate::domain::model::Timestamp;
use crate::domain::notice::{Attempt, Job};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::state::event::Entry;

/// The ticket that a delivery was about: the log then says `ticket.opened` or `ticket.noted`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticketed {
    pub(crate) id: String,
    pub(crate) number: String,
    /// Numbers of others that cannot be told from it.
    pub(crate) others: Vec<String>,
    /// Whether it was opened now.
    pub(crate) opened: bool,
}

/// How many notices a sink deals with at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flow {
    /// Announced in the log at once; each goes out by itself.
    pub(crate) at_once: usize,
    /// Taken in at once, while fewer than that could go out.
    pub(crate) taken_in: usize,
}

impl Flow {
    /// After a crash at most one is in doubt; all are taken in, since some may have to wait for others.
    pub(crate) const ONE_BY_ONE: Self = Self { at_once: 1, taken_in: usize::MAX };
    /// For a far side that knows by its id what it has already: that many are in doubt after a crash does no
    /// harm, and they are made as they go out, so that no number of them is too many.
    pub(crate) const KNOWN_BY_ID: Self = Self { at_once: 100, taken_in: 1_000 };
}

/// Somebody who is told what happens. What it decides on is pure; only [`Sink::deliver`] and
/// [`Sink::test`] reach the outside, and bound their own time.
#[async_trait]
pub(crate) trait Sink: Send + Sync {
    /// `mail`, `serviceNow`, `webhook:siem`, `events:idp`: in the log, and in the name of its checkpoint.
    fn name(&self) -> &str;

    /// What is to be told of an entry, given what is recorded now.
    fn jobs(&self, entry: &Entry, recorded: &State, settings: &Settings) -> Vec<Job>;

    /// Why a job is not to be told any more, without a full stop: it is not true now.
    fn obsolete(&self, job: &Job, recorded: &State) -> Option<String>;

    /// Which of the others go out with the first, by their place; all could go out now.
    fn together(&self, _first: &Job, _others: &[&Job]) -> Vec<usize> {
        Vec::new()
    }

    /// How many are told at once.
    fn flow(&self) -> Flow {
        Flow::ONE_BY_ONE
    }

    /// What went out in the last hour, before anything is asked of it: limits count it.
    fn recall(&self, _sent: &RecentlySent) {}

    /// Until when a job has to wait that could go out now, say because of a limit an hour.
    fn waits_until(&self, _job: &Job, _now: Timestamp) -> Option<Timestamp> {
        None
    }

    /// To whom jobs go, for the log, where that is a person.
    fn recipient(&self, _jobs: &[Job]) -> Option<String> {
        None
    }

    /// Tells them; `doubt` if an earlier try may have arrived.
    async fn deliver(
        &self,
        jobs: &[Job],
        recorded: &State,
        doubt: bool,
    ) -> (Attempt, Option<Ticketed>);

    /// Sends a marked test.
    async fn test(&self) -> Attempt;
}
