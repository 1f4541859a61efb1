//! Whoever is told what happens.

use async_trait::async_trait;

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
    /// Whether it was opened now.
    pub(crate) opened: bool,
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
