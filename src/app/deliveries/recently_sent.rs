//! What went out in the last hour, as the log says: limits count it after a start, too.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::domain::model::Timestamp;
use crate::domain::state::event::{Entry, Event};

/// How far limits look back.
const HOUR: TimeDelta = TimeDelta::hours(1);

/// When something went out, and to whom, by its intent: one may be about several devices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RecentlySent(BTreeMap<u64, (Timestamp, CompactString)>);

impl RecentlySent {
    /// Learns what an entry says of `sink`; an entry that is read again changes nothing.
    pub(super) fn take_in(&mut self, sink: &str, entry: &Entry) {
        let Event::NoticeSent(sent) = &entry.event else { return };
        let Some(to) = sent.to.as_ref().filter(|_| sent.sink == sink) else { return };
        self.0.retain(|_, (at, _)| *at + HOUR > entry.at);
        self.0.insert(sent.intent, (entry.at, to.clone()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of the log.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Timestamp, &str)> {
        self.0.values().map(|(at, to)| (*at, to.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(seq: u64, sink: &str, intent: u64, minutes: i64) -> Entry {
        let start: Timestamp = "2026-11-25T09:00:00Z".parse().unwrap();
        let to = "ana@example.com";
        let data = json!({"intent": intent, "sink": sink, "topic": "blocked", "ids": [], "to": to});
        let event = Event::parse("notice.sent", &data.to_string()).unwrap();
        let at = start + TimeDelta::minutes(minutes);
        Entry { seq, at, device: None, actor: "test".into(), source: None, event }
    }

    #[test]
    fn each_mail_of_the_last_hour_counts_once_however_often_the_log_is_read() {
        let mut recent = RecentlySent::default();
        let entries = [
            sent(2, "mail", 1, 0),
            sent(3, "mail", 1, 0),
            sent(5, "mail", 4, 30),
            sent(7, "other", 6, 31),
        ];
        for entry in entries.iter().chain(&entries) {
            recent.take_in("mail", entry);
        }
        assert_eq!(recent.iter().count(), 2, "one is about two devices");
        let kept = serde_json::to_string(&recent).unwrap();
        let mut recent: RecentlySent = serde_json::from_str(&kept).unwrap();
        recent.take_in("mail", &sent(9, "mail", 8, 60));
        assert_eq!(recent.iter().count(), 2, "the first is an hour old");
    }
}
