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
use crate::domain::state::{Device, Episode, EpisodeKind, State};
use crate::domain::summary::summary;
use crate::edges::notify::service_now::ServiceNow;

/// The name of the sink, and of its jobs.
const NAME: &str = "serviceNow";

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
    /// The device is being wiped.
    Wiping,
    /// It is wiped: that ends the episode too.
    Wiped,
}

/// What an entry means, and for which episode; nothing where that is not the last one any more.
fn step<'a>(entry: &Entry, device: &'a Device) -> Option<(Step, &'a Episode)> {
    let episode = device.episode.as_deref()?;
    if episode.opened == entry.seq {
        return Some((Step::Open, episode));
    }
    let went_on = episode.ended.is_none_or(|ended| ended >= entry.at);
    if episode.opened > entry.seq || !went_on {
        return None;
    }
    let step = match &entry.event {
        Event::WipeIssued(_) => Step::Wiping,
        Event::DeviceStatus(status) if status.to == Status::Wiped => Step::Wiped,
        Event::ComplianceChanged(changed) if changed.to == ComplianceState::Compliant => Step::Over,
        Event::EvidenceReturned(_) => Step::Over,
        _ => return None,
    };
    // Of one that went on soon after nothing is said: it is not over.
    (step != Step::Over || !episode.is_open()).then_some((step, episode))
}

impl ServiceNowSink {
    fn order(
        &self,
        entry: &Entry,
        (id, device): (DeviceId, &Device),
        recorded: &State,
    ) -> Option<(TicketOrder, Topic, u64)> {
        let (step, episode) = step(entry, device)?;
        let key = TicketKey::new(recorded.lineage, id, episode.opened);
        let of = |problem: String| {
            let compliance = &device.compliance;
            let checks = (&*compliance.failing, &*compliance.missing);
            Subject::new((id, device), problem, checks, (entry.seq, entry.at))
        };
        if step == Step::Open {
            let (problem, topic) = problem(entry, episode.kind);
            let fields = self.settings.opening(&of(problem));
            return Some((TicketOrder::Open { key, fields }, topic, episode.opened));
        }
        let (text, topic) = match step {
            Step::Open | Step::Over if episode.kind == EpisodeKind::Unknown => {
                ("It is known again whether the device is compliant", Topic::Compliant)
            }
            Step::Open | Step::Over => ("The device is compliant again", Topic::Compliant),
            Step::Wiping => ("A wipe of the device was issued", Topic::WipeIssued),
            Step::Wiped => ("The device is wiped", Topic::WipeConfirmed),
        };
        let mark = mark(recorded.lineage, entry.seq);
        let note = format!(
            "{text} ({}): {} {mark}",
            entry.at.short(),
            for_journal(&summary(&entry.event))
        );
        let close = match step {
            Step::Open | Step::Wiping => [].into(),
            Step::Over | Step::Wiped => self.settings.closing(&of(text.to_owned())),
        };
        Some((TicketOrder::Note { key, note, mark, close }, topic, episode.opened))
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
        let device = entry.device.and_then(|id| Some((id, &**recorded.devices.get(&id)?)));
        let Some((id, device)) = device else { return Vec::new() };
        let Some((order, topic, episode)) = self.order(entry, (id, device), recorded) else {
            return Vec::new();
        };
        vec![Job {
            id: job_id(recorded, entry.seq, NAME),
            entry: entry.seq,
            at: entry.at,
            // A device that flaps is not noted as compliant in between.
            not_before: (topic == Topic::Compliant).then(|| entry.at + settings.settle),
            device: Some(id),
            episode: Some(episode),
            topic,
            payload: json!(order),
        }]
    }

    fn obsolete(&self, job: &Job, recorded: &State) -> Option<String> {
        let device = recorded.devices.get(&job.device?)?;
        let episode = device.episode.as_deref().filter(|it| Some(it.opened) == job.episode);
        match job.topic {
            Topic::NonCompliant | Topic::NoEvidence if device.is_wiped() => {
                Some("the device was wiped before a ticket was opened".to_owned())
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
    let (number, id) = reference.split_once(' ')?;
    Some(Ticketed { id: id.to_owned(), number: number.to_owned(), opened })
}
