//! Shared signals: whoever asked hears at once that a device turned compliant, or not.

use async_trait::async_trait;
use serde_json::json;

use super::ids::job_id;
use super::sink::{Flow, Sink, Ticketed};
use super::webhook::unreadable;
use crate::domain::model::{DeviceId, Status, Timestamp};
use crate::domain::notice::{Attempt, Job, SecurityEvent, Topic, is_compliant};
use crate::domain::notify_settings::EventSettings;
use crate::domain::settings::Settings;
use crate::domain::state::event::{Entry, Event, EvidenceGap};
use crate::domain::state::{Device, EpisodeKind, State};
use crate::domain::summary::summary;
use crate::domain::wording::harmless_within;
use crate::edges::notify::events::Stream;

/// Longer reasons say no more.
const LONGEST: usize = 500;

/// One receiver of the configuration.
pub(crate) struct EventSink {
    name: String,
    /// As the configuration has it.
    plain: String,
    stream: Stream,
}

impl EventSink {
    pub(crate) fn new(settings: &EventSettings, issuer: String, now: fn() -> Timestamp) -> Self {
        Self {
            name: format!("events:{}", settings.name),
            plain: settings.name.to_string(),
            stream: Stream::new(settings, issuer, now),
        }
    }
}

/// What an entry says of the compliance of a device, in the two words that receivers have.
fn change(entry: &Entry, recorded: &State) -> Option<(DeviceId, SecurityEvent)> {
    let id = entry.device?;
    let device = recorded.devices.get(&id)?;
    let (was_compliant, is_compliant) = match &entry.event {
        Event::ComplianceChanged(changed) => {
            (is_compliant(changed.from) && !was_silent(entry, device), is_compliant(changed.to))
        }
        // A verdict that is too old is none: nobody can tell.
        Event::EvidenceMissing(missing) => {
            let known = missing.cause == EvidenceGap::Silent && device.compliance.since < entry.at;
            (!known || is_compliant(device.compliance.state), false)
        }
        Event::EvidenceReturned(_) => {
            let known = device.compliance.since < entry.at;
            (false, known && is_compliant(device.compliance.state))
        }
        // An id that has ended is compliant no more, whatever was known of it.
        Event::DeviceStatus(status) if status.to == Status::Wiped => (true, false),
        _ => return None,
    };
    if was_compliant == is_compliant {
        return None;
    }
    let ledger = recorded.lineage_of(entry.seq).unwrap_or_default();
    let event = SecurityEvent {
        device: id,
        user: device.spec.user_email.clone(),
        was_compliant,
        is_compliant,
        at: entry.at,
        reason: harmless_within(&summary(&entry.event), LONGEST),
        cause: format!("{ledger}-{}", entry.seq),
    };
    Some((id, event))
}

/// Whether nobody could tell of it when an entry changed its verdict: it was told as not compliant then.
fn was_silent(entry: &Entry, device: &Device) -> bool {
    let Some(episode) = device.episode.as_deref() else { return false };
    let ended_by_it = |kind, opened| kind == EpisodeKind::Unknown && opened < entry.seq;
    if episode.opened == entry.seq {
        let before = episode.before.filter(|before| before.replaced);
        return before.is_some_and(|before| ended_by_it(before.kind, before.opened));
    }
    ended_by_it(episode.kind, episode.opened) && episode.ended.is_none_or(|at| at >= entry.at)
}

#[async_trait]
impl Sink for EventSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn jobs(&self, entry: &Entry, recorded: &State, _: &Settings) -> Vec<Job> {
        let Some((device, event)) = change(entry, recorded) else { return Vec::new() };
        let topic = if event.is_compliant { Topic::Compliant } else { Topic::NonCompliant };
        vec![Job {
            id: job_id(recorded, entry.seq, &self.plain),
            entry: entry.seq,
            at: entry.at,
            not_before: None,
            device: Some(device),
            episode: None,
            topic,
            payload: json!(event),
        }]
    }

    fn obsolete(&self, _: &Job, _: &State) -> Option<String> {
        None
    }

    fn flow(&self) -> Flow {
        Flow::KNOWN_BY_ID
    }

    async fn deliver(&self, jobs: &[Job], _: &State, _: bool) -> (Attempt, Option<Ticketed>) {
        let [job] = jobs else { return (unreadable("several events at once"), None) };
        match serde_json::from_value(job.payload.clone()) {
            Ok(event) => (self.stream.deliver(&job.id, &event).await, None),
            Err(error) => (unreadable(&error.to_string()), None),
        }
    }

    async fn test(&self) -> Attempt {
        self.stream.test().await
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::plan::tests::World;

    fn report(world: &mut World, encrypted: Option<bool>) {
        world.hear("A", encrypted.map_or(json!({}), |on| json!({"encryption": {"enabled": on}})));
        world.settle();
    }

    fn later(world: &mut World, hours: i64) {
        world.now = world.now + TimeDelta::hours(hours);
    }

    /// What has been told by now, a word for each event: compliant, or not.
    fn told(world: &World) -> String {
        let changes = world.entries.iter().filter_map(|entry| change(entry, &world.state));
        changes.map(|(_, event)| if event.is_compliant { '+' } else { '-' }).collect()
    }

    #[test]
    fn a_silent_device_is_not_compliant_until_it_is_heard_from_and_nothing_is_told_twice() {
        let world = || {
            let mut world = World::enrolled(&["A"]);
            world.settings.unknown_after = TimeDelta::hours(24);
            assert_eq!(told(&world), "+");
            later(&mut world, 30);
            world.settle();
            assert_eq!(told(&world), "+-");
            world
        };
        for (heard, expected) in [(Some(true), "+-+"), (Some(false), "+-"), (None, "+-")] {
            let mut world = world();
            report(&mut world, heard);
            assert_eq!(told(&world), expected, "{heard:?}");
        }
        // It reports again, but not enough, and then all of it.
        let mut world = world();
        report(&mut world, None);
        later(&mut world, 1);
        report(&mut world, Some(true));
        assert_eq!(told(&world), "+-+");
    }

    #[test]
    fn of_a_device_that_was_not_compliant_silence_is_no_news() {
        let mut world = World::enrolled(&["A"]);
        world.settings.unknown_after = TimeDelta::hours(24);
        report(&mut world, None);
        later(&mut world, 30);
        world.settle();
        assert_eq!(told(&world), "+-");
    }
}
