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
use crate::domain::state::State;
use crate::domain::state::event::{Entry, Event};
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
    let (was_compliant, is_compliant) = match &entry.event {
        Event::ComplianceChanged(changed) => (is_compliant(changed.from), is_compliant(changed.to)),
        // An id that has ended is compliant no more, whatever was known of it.
        Event::DeviceStatus(status) if status.to == Status::Wiped => (true, false),
        _ => return None,
    };
    let device = recorded.devices.get(&id).filter(|_| was_compliant != is_compliant)?;
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
        self.stream.verify().await
    }
}
