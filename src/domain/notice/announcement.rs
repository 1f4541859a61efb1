//! What programs and rooms are told: an entry of the log, with what it takes to understand it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::model::Timestamp;
use crate::domain::state::event::{Entry, Event};
use crate::domain::state::{Device, State};
use crate::domain::summary::summary;
use crate::domain::wording::harmless_within;

/// Longest sentence: room for a message is small.
const LONGEST: usize = 1_000;
/// Larger data are left out: receivers of webhooks expect less than 20 kB.
const MOST_DATA: usize = 14_000;

/// What is told, made when the entry was read, so that it says the same however often it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Announcement {
    /// A kind of entry, or a word of ours: `alert.began`, `test`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// When it happened.
    pub(crate) timestamp: Timestamp,
    /// For people, in a line.
    pub(crate) title: String,
    /// For people: a sentence.
    pub(crate) text: String,
    /// For people: names and values.
    pub(crate) facts: Vec<(String, String)>,
    /// For programs.
    pub(crate) data: Value,
}

impl Announcement {
    /// Of an entry, with what is recorded of its device.
    #[must_use]
    pub(crate) fn of_entry(entry: &Entry, recorded: &State) -> Self {
        let Entry { seq, at, device: id, actor, source, event } = entry;
        let text = harmless_within(&summary(event), LONGEST);
        let device = id.and_then(|id| recorded.devices.get(&id));
        let mut data = json!({
            "seq": seq,
            "ledger": recorded.lineage_of(*seq),
            "actor": actor,
            "summary": text,
            "data": whole(event),
        });
        let title = match (id, device) {
            (Some(id), Some(device)) => {
                data["device"] = json!(id);
                describe(&mut data, device);
                format!("{}: {id} {}", event.kind(), device.spec.name)
            }
            (Some(id), None) => {
                data["device"] = json!(id);
                format!("{}: {id}", event.kind())
            }
            (None, _) => event.kind().to_owned(),
        };
        if let Some(source) = source {
            data["source"] = json!(source);
        }
        let mut facts = Vec::new();
        if let Some(device) = device {
            facts.push(("User".to_owned(), device.spec.user_email.to_string()));
            facts.push(("Serial number".to_owned(), device.spec.serial_number.to_string()));
            facts.push(("Profile".to_owned(), device.spec.profile.to_string()));
        }
        facts.push(("Time".to_owned(), at.short()));
        facts.push(("Entry".to_owned(), seq.to_string()));
        Self { kind: event.kind().to_owned(), timestamp: *at, title, text, facts, data }
    }

    /// What tries whether it works.
    #[must_use]
    pub(crate) fn test(now: Timestamp) -> Self {
        let text = "This is a test of Fleetform. Nothing happened, and nothing is to be done.";
        Self {
            kind: "test".to_owned(),
            timestamp: now,
            title: "Test".to_owned(),
            text: text.to_owned(),
            facts: Vec::new(),
            data: json!({"summary": text}),
        }
    }
}

fn describe(data: &mut Value, device: &Device) {
    let spec = &device.spec;
    data["name"] = json!(spec.name);
    data["serialNumber"] = json!(spec.serial_number);
    data["userEmail"] = json!(spec.user_email);
    data["profile"] = json!(spec.profile);
    data["platform"] = json!(spec.platform);
}

/// The data of an entry, where they fit. The settings of a profile are pushed to devices and may hold
/// a password of a network: they leave this machine that way and no other.
fn whole(event: &Event) -> Value {
    if let Event::ProfileRecorded(profile) = event {
        return json!({"name": profile.name, "digest": profile.digest});
    }
    match serde_json::to_value(event) {
        Ok(data) if data.to_string().len() <= MOST_DATA => data,
        _ => json!({"leftOut": true}),
    }
}
