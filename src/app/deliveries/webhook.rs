//! Webhooks: every entry that one asked for, as it is.

use async_trait::async_trait;
use serde_json::json;

use super::ids::job_id;
use super::sink::{Flow, Sink, Ticketed};
use crate::domain::model::Timestamp;
use crate::domain::notice::{Announcement, Attempt, Job, Topic};
use crate::domain::notify_settings::{AlertSettings, WebhookFormat, WebhookSettings};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::state::event::{Entry, Event};
use crate::edges::notify::webhook::Webhook;

/// One webhook of the configuration.
pub(crate) struct WebhookSink {
    name: String,
    settings: WebhookSettings,
    /// Whether it hears what the people who run this have to look at, whatever else it asked for.
    hears_alerts: bool,
    webhook: Webhook,
    now: fn() -> Timestamp,
}

impl WebhookSink {
    pub(crate) fn new(
        settings: &WebhookSettings,
        alerts: &AlertSettings,
        now: fn() -> Timestamp,
    ) -> Self {
        Self {
            name: format!("webhook:{}", settings.name),
            settings: settings.clone(),
            hears_alerts: alerts.webhooks.contains(&settings.name),
            webhook: Webhook::new(settings, now),
            now,
        }
    }
}

#[async_trait]
impl Sink for WebhookSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn jobs(&self, entry: &Entry, recorded: &State, _: &Settings) -> Vec<Job> {
        let device = entry.device.and_then(|id| recorded.devices.get(&id));
        let alert = matches!(entry.event, Event::AlertBegan(_) | Event::AlertEnded(_));
        let asked = self.settings.hears(entry.event.kind(), device);
        let told = asked || (alert && self.hears_alerts);
        if !told {
            return Vec::new();
        }
        vec![Job {
            id: job_id(recorded, entry.seq, self.settings.name.as_str()),
            entry: entry.seq,
            at: entry.at,
            not_before: None,
            device: entry.device,
            episode: None,
            topic: Topic::Entry,
            payload: json!(Announcement::of_entry(entry, recorded)),
        }]
    }

    fn obsolete(&self, _: &Job, _: &State) -> Option<String> {
        // What happened has happened: programs keep their own records of it.
        None
    }

    fn flow(&self) -> Flow {
        match self.settings.format {
            WebhookFormat::Plain | WebhookFormat::Cloudevents => Flow::KNOWN_BY_ID,
            // A chat shows a message as often as it comes.
            WebhookFormat::Slack | WebhookFormat::Teams => Flow::ONE_BY_ONE,
        }
    }

    async fn deliver(
        &self,
        jobs: &[Job],
        recorded: &State,
        _: bool,
    ) -> (Attempt, Option<Ticketed>) {
        let [job] = jobs else { return (unreadable("several notices at once"), None) };
        match serde_json::from_value(job.payload.clone()) {
            Ok(announcement) => {
                let ledger = recorded.lineage_of(job.entry);
                (self.webhook.deliver(&job.id, &announcement, ledger).await, None)
            }
            Err(error) => (unreadable(&error.to_string()), None),
        }
    }

    async fn test(&self) -> Attempt {
        let now = (self.now)();
        let id = format!("test-{}", now.millis());
        self.webhook.test(&id, &Announcement::test(now)).await
    }
}

/// A checkpoint of another version holds what this one cannot send.
pub(super) fn unreadable(why: &str) -> Attempt {
    Attempt::Refused { why: format!("what was kept of it cannot be read: {why}") }
}
