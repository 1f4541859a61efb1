//! ServiceNow: a ticket an episode, a note when it is over, and when the device is wiped.

use async_trait::async_trait;
use serde_json::json;

use super::ids::job_id;
use super::sink::{Sink, Ticketed};
use super::webhook::unreadable;
use crate::domain::model::{ComplianceState, DeviceId, Status, Timestamp};
use crate::domain::notice::{
    Attempt, Job, Subject, TicketKey, TicketOrder, Topic, for_journal, mark,
};
use crate::domain::notify_settings::ServiceNowSettings;
use crate::domain::settings::Settings;
use crate::domain::state::event::{Entry, Event};
use crate::domain::state::{Before, Device, Episode, EpisodeKind, State};
use crate::domain::summary::summary;
use crate::edges::notify::service_now::ServiceNow;

/// The name of the sink, and of its jobs.
const NAME: &str = "serviceNow";
/// Of a second job of an entry that opens a ticket: the note in the one before.
const SUPERSEDED: &str = "serviceNow:superseded";

/// The instance of the configuration.
pub(crate) struct ServiceNowSink {
    settings: ServiceNowSettings,
    service_now: ServiceNow,
}

impl ServiceNowSink {
    pub(crate) fn new(settings: &ServiceNowSettings, now: fn() -> Timestamp) -> Self {
        Self { settings: settings.clone(), service_now: ServiceNow::new(settings, now) }
    }
}

/// What an entry means for the ticket of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The episode begins.
    Open,
    /// It is over.
    Over,
    /// What was unknown is known, and bad: another episode has a ticket of its own.
    Superseded,
    /// The device is being wiped.
    Wiping,
    /// It is wiped: that ends the episode too.
    Wiped,
    /// It was erased, and not by us: so does that.
    Erased,
}

/// An episode, as the system knows it.
type Named = (u64, EpisodeKind);

/// What an entry means, and for which episode: the last one, or what it began after.
fn steps(entry: &Entry, device: &Device) -> Vec<(Step, Named)> {
    let Some(episode) = device.episode.as_deref() else { return Vec::new() };
    let named = |before: &Before| (before.opened, before.kind);
    let before = episode.before.filter(|before| before.opened < entry.seq);
    if episode.opened == entry.seq {
        let replaced = before.filter(|before| before.replaced);
        let superseded = replaced.map(|before| (Step::Superseded, named(&before)));
        let opened = (Step::Open, (episode.opened, episode.kind));
        return [opened].into_iter().chain(superseded).collect();
    }
    let step = if episode.opened > entry.seq {
        // A newer one began before anybody heard of the end of this one.
        let ended = before.filter(|before| !before.replaced);
        let over = step(entry).filter(|step| *step == Step::Over);
        over.zip(ended.map(|before| named(&before)))
    } else {
        step_of_last(entry, episode).map(|step| (step, (episode.opened, episode.kind)))
    };
    step.into_iter().collect()
}

/// What an entry means for the last episode, that began before it.
fn step_of_last(entry: &Entry, episode: &Episode) -> Option<Step> {
    let step = step(entry).filter(|_| episode.ended.is_none_or(|ended| ended >= entry.at))?;
    // Of one that went on soon after nothing is said: it is not over.
    (step != Step::Over || !episode.is_open()).then_some(step)
}

fn step(entry: &Entry) -> Option<Step> {
    Some(match &entry.event {
        Event::WipeIssued(_) => Step::Wiping,
        Event::DeviceStatus(status) if status.to == Status::Wiped => Step::Wiped,
        Event::WipeUnrequested(_) => Step::Erased,
        Event::ComplianceChanged(changed) if changed.to == ComplianceState::Compliant => Step::Over,
        Event::EvidenceReturned(_) => Step::Over,
        _ => return None,
    })
}

impl ServiceNowSink {
    fn order(
        &self,
        entry: &Entry,
        (step, (opened, kind)): (Step, Named),
        (id, device): (DeviceId, &Device),
        recorded: &State,
    ) -> (TicketOrder, Topic) {
        let key = TicketKey::new(recorded.lineage_of(opened), id, opened);
        let of = |problem: String| {
            let compliance = &device.compliance;
            let checks = (&*compliance.checks.failing, &*compliance.checks.missing);
            Subject::new((id, device), problem, checks, (entry.seq, entry.at))
        };
        if step == Step::Open {
            let (problem, topic) = problem(entry, kind);
            let fields = self.settings.opening(&of(problem));
            return (TicketOrder::Open { key, fields }, topic);
        }
        let (text, topic) = match step {
            Step::Open | Step::Over if kind == EpisodeKind::Unknown => {
                ("It is known again whether the device is compliant", Topic::Compliant)
            }
            Step::Open | Step::Over => ("The device is compliant again", Topic::Compliant),
            Step::Superseded => (
                "It is known again whether the device is compliant, and it is not: see its new ticket",
                Topic::Superseded,
            ),
            Step::Wiping => ("A wipe of the device was issued", Topic::WipeIssued),
            Step::Wiped => ("The device is wiped", Topic::WipeConfirmed),
            Step::Erased => ("The device was erased without a wipe request", Topic::Erased),
        };
        let mark = mark(recorded.lineage_of(entry.seq), entry.seq);
        let note = format!(
            "{text} ({}): {} {mark}",
            entry.at.short(),
            for_journal(&summary(&entry.event))
        );
        let close = match step {
            Step::Open | Step::Wiping => [].into(),
            Step::Over | Step::Superseded | Step::Wiped | Step::Erased => {
                self.settings.closing(&of(text.to_owned()))
            }
        };
        (TicketOrder::Note { key, note, mark, close }, topic)
    }
}

/// What is wrong with a device, in a clause.
fn problem(entry: &Entry, kind: EpisodeKind) -> (String, Topic) {
    match (&entry.event, kind) {
        (Event::ComplianceChanged(changed), EpisodeKind::NonCompliant) => {
            let checks = changed.failing.join(", ");
            (format!("is not compliant: {checks}"), Topic::NonCompliant)
        }
        (_, EpisodeKind::NonCompliant) => ("is not compliant".to_owned(), Topic::NonCompliant),
        (event, EpisodeKind::Unknown) => {
            (format!("nothing is known of its compliance ({})", summary(event)), Topic::NoEvidence)
        }
    }
}

#[async_trait]
impl Sink for ServiceNowSink {
    fn name(&self) -> &str {
        NAME
    }

    fn jobs(&self, entry: &Entry, recorded: &State, settings: &Settings) -> Vec<Job> {
        let device = entry.device.and_then(|id| Some((id, recorded.devices.get(&id)?)));
        let Some((id, device)) = device else { return Vec::new() };
        let job = |(step, episode): (Step, Named)| {
            let (order, topic) = self.order(entry, (step, episode), (id, device), recorded);
            let name = if step == Step::Superseded { SUPERSEDED } else { NAME };
            Job {
                id: job_id(recorded, entry.seq, name),
                entry: entry.seq,
                at: entry.at,
                // A device that flaps is not noted as compliant in between.
                not_before: (topic == Topic::Compliant).then(|| entry.at + settings.settle),
                device: Some(id),
                episode: Some(episode.0),
                topic,
                payload: json!(order),
            }
        };
        steps(entry, device).into_iter().map(job).collect()
    }

    fn obsolete(&self, job: &Job, recorded: &State) -> Option<String> {
        let device = recorded.devices.get(&job.device?)?;
        let episode = device.episode.as_deref().filter(|it| Some(it.opened) == job.episode);
        match job.topic {
            Topic::NonCompliant | Topic::NoEvidence if device.is_wiped() => {
                Some("the device was wiped before a ticket was opened".to_owned())
            }
            Topic::NonCompliant if device.is_erased() => {
                Some("the device was erased before a ticket was opened".to_owned())
            }
            Topic::NonCompliant | Topic::NoEvidence => episode
                .is_none_or(|episode| !episode.is_open())
                .then(|| "it was over before a ticket was opened".to_owned()),
            Topic::Compliant => episode
                .is_some_and(Episode::is_open)
                .then(|| "the device failed again soon after: the episode continues".to_owned()),
            _ => None,
        }
    }

    async fn deliver(&self, jobs: &[Job], _: &State, doubt: bool) -> (Attempt, Option<Ticketed>) {
        let [job] = jobs else { return (unreadable("several orders at once"), None) };
        match serde_json::from_value::<TicketOrder>(job.payload.clone()) {
            Ok(order) => {
                let attempt = self.service_now.deliver(&order, doubt).await;
                let ticketed = ticketed(&attempt, matches!(order, TicketOrder::Open { .. }));
                (attempt, ticketed)
            }
            Err(error) => (unreadable(&error.to_string()), None),
        }
    }

    async fn test(&self) -> Attempt {
        self.service_now.test(&TicketKey::new(None, DeviceId::FIRST, 0)).await
    }
}

/// The ticket that a reference names: its number, and what the instance calls it.
fn ticketed(attempt: &Attempt, opened: bool) -> Option<Ticketed> {
    let Attempt::Done { reference: Some(reference) } = attempt else { return None };
    let mut names = reference.split(' ').map(str::to_owned);
    let (number, id) = (names.next()?, names.next()?);
    Some(Ticketed { id, number, others: names.collect(), opened })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::plan::tests::World;

    fn report(world: &mut World, encrypted: bool) {
        world.hear("A", json!({"encryption": {"enabled": encrypted}}));
        world.settle();
    }

    /// What each entry means, by what is recorded at the end.
    fn told(world: &World) -> Vec<(u64, Step, Named)> {
        let device = &world.state.devices[&DeviceId::FIRST];
        let of = |entry: &Entry| {
            let steps = steps(entry, device).into_iter();
            steps.map(|(step, named)| (entry.seq, step, named)).collect::<Vec<_>>()
        };
        world.entries.iter().filter(|entry| entry.device.is_some()).flat_map(of).collect()
    }

    fn later(world: &mut World, hours: i64) {
        world.now = world.now + TimeDelta::hours(hours);
    }

    #[test]
    fn a_ticket_about_what_was_unknown_says_that_it_is_known_now() {
        let mut world = World::enrolled(&["A"]);
        world.settings.unknown_after = TimeDelta::hours(24);
        later(&mut world, 30);
        world.settle();
        let unknown = (world.state.seq, EpisodeKind::Unknown);
        assert_eq!(told(&world), [(unknown.0, Step::Open, unknown)]);
        report(&mut world, false);
        let failing = (world.state.seq, EpisodeKind::NonCompliant);
        let expected = [(failing.0, Step::Open, failing), (failing.0, Step::Superseded, unknown)];
        assert_eq!(told(&world), expected);
    }

    #[test]
    fn of_an_episode_that_a_newer_one_followed_the_end_is_told_all_the_same() {
        let mut world = World::enrolled(&["A"]);
        report(&mut world, false);
        let first = (world.state.seq, EpisodeKind::NonCompliant);
        later(&mut world, 1);
        report(&mut world, true);
        let over = world.state.seq;
        later(&mut world, 1);
        report(&mut world, false);
        let second = (world.state.seq, EpisodeKind::NonCompliant);
        let expected = [(over, Step::Over, first), (second.0, Step::Open, second)];
        assert_eq!(told(&world), expected);
    }
}
