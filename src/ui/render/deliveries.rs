//! What has yet to be told to whom, and what came of trying.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::json;
use super::out::{Out, Tone};
use crate::app::deliveries::{LATE, Queue, Waiting};
use crate::domain::model::{DeviceId, Timestamp, words};
use crate::domain::notice::{Attempt, Topic};

words! {
    /// How it is with a notice.
    enum DeliveryState { Waiting = "waiting", GivenUp = "givenUp" }
}

/// One notice that is not settled, or was given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    id: String,
    sink: String,
    state: DeliveryState,
    topic: Topic,
    device: Option<DeviceId>,
    entry: u64,
    at: Timestamp,
    not_before: Option<Timestamp>,
    tries: u32,
    why: Option<String>,
}

impl Delivery {
    fn new(sink: &str, state: DeliveryState, waiting: &Waiting) -> Self {
        let job = &waiting.job;
        Self {
            id: job.id.clone(),
            sink: sink.replacen('_', ":", 1),
            state,
            topic: job.topic,
            device: job.device,
            entry: job.entry,
            at: job.at,
            not_before: job.not_before,
            tries: waiting.tries,
            why: waiting.why.clone(),
        }
    }
}

/// All of them: `{"version": 1, "deliveries": [{"id", "sink", "state", "topic", "device", "entry", "at",
/// "notBefore", "tries", "why"}, …]}`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Deliveries {
    version: u32,
    deliveries: Vec<Delivery>,
}

impl Deliveries {
    /// From the queues of all sinks, by their names.
    #[must_use]
    pub(crate) fn of(queues: &[(String, Queue)]) -> Self {
        let of = |(sink, queue): &(String, Queue)| {
            let waiting =
                queue.waiting().map(|one| Delivery::new(sink, DeliveryState::Waiting, one));
            let given_up =
                queue.given_up.iter().map(|one| Delivery::new(sink, DeliveryState::GivenUp, one));
            waiting.chain(given_up).collect::<Vec<_>>()
        };
        Self { version: 1, deliveries: queues.iter().flat_map(of).collect() }
    }

    /// Only those of which a try failed.
    #[must_use]
    pub(crate) fn failed(mut self) -> Self {
        self.deliveries.retain(|delivery| delivery.why.is_some());
        self
    }

    /// Those about devices that people or their tickets should have heard of by now, by device. What
    /// programs are told is in the log, and not of each device.
    #[must_use]
    pub(crate) fn undelivered(self, now: Timestamp) -> BTreeMap<DeviceId, Vec<Delivery>> {
        let mut by_device: BTreeMap<DeviceId, Vec<Delivery>> = BTreeMap::new();
        for delivery in self.deliveries {
            if let Some(id) = delivery.device.filter(|_| delivery.is_undelivered(now)) {
                by_device.entry(id).or_default().push(delivery);
            }
        }
        by_device
    }

    /// Whether the one with this id was given up.
    pub(crate) fn has_given_up(&self, id: &str) -> bool {
        let is = |one: &Delivery| one.state == DeliveryState::GivenUp && one.id == id;
        self.deliveries.iter().any(is)
    }

    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::pretty(out, self)
    }

    /// A line each.
    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        if self.deliveries.is_empty() {
            out.note("No notifications are waiting.");
        }
        self.deliveries.iter().try_for_each(|delivery| delivery.text(out))
    }
}

impl Delivery {
    /// When it could have gone out.
    fn due(&self) -> Timestamp {
        self.not_before.map_or(self.at, |at| at.max(self.at))
    }

    fn is_undelivered(&self, now: Timestamp) -> bool {
        let is_late = now > self.due() + LATE;
        let waits = self.state == DeliveryState::Waiting;
        waits && !self.sink.contains(':') && (is_late || self.why.is_some())
    }

    /// A value of `show`.
    pub(super) fn brief(&self) -> String {
        let tries = self.failed_tries().map_or_else(String::new, |tries| format!(", {tries}"));
        let why = self.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        format!("{}: {} since {}{tries}{why}", self.sink, self.topic, self.due().short())
    }

    fn failed_tries(&self) -> Option<String> {
        match self.tries {
            0 => None,
            1 => Some("1 try failed".to_owned()),
            n => Some(format!("{n} tries failed")),
        }
    }

    fn text(&self, out: &mut Out) -> io::Result<()> {
        let Self { id, sink, state, topic, device, entry, at, not_before, tries: _, why } = self;
        let device = device.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let (word, tone) = match (*state, why) {
            (DeliveryState::GivenUp, _) => ("given up", Tone::Removed),
            (_, Some(_)) => ("failing", Tone::Changed),
            (_, None) => ("waiting", Tone::Plain),
        };
        let later = not_before.map(|at| format!(", not before {}", at.short()));
        let tries = self.failed_tries().map(|tries| format!(", {tries}"));
        let line = format!(
            "{sink:<14}  {topic:<16}  {device:<6}  {id}  entry {entry}, {}{}{}",
            at.short(),
            later.unwrap_or_default(),
            tries.unwrap_or_default()
        );
        let word = format!("{word:<8}");
        writeln!(out, "{}  {}", out.paint(tone, &word), out.paint(Tone::Plain, &line))?;
        if let Some(why) = why {
            writeln!(out, "{:10}{}", "", out.paint(Tone::Plain, why))?;
        }
        Ok(())
    }
}

/// What came of a test.
pub(crate) struct Trial {
    pub(crate) sink: String,
    pub(crate) attempt: Attempt,
}

/// The word for it, and what was said.
fn outcome(attempt: &Attempt) -> (&'static str, Option<&str>) {
    match attempt {
        Attempt::Done { reference } => ("taken", reference.as_deref()),
        Attempt::NotNeeded { why } => ("notNeeded", Some(why)),
        Attempt::Retry { why, .. } => ("notTaken", Some(why)),
        Attempt::InDoubt { why } => ("unknown", Some(why)),
        Attempt::Refused { why } => ("refused", Some(why)),
        Attempt::Misconfigured { why } => ("misconfigured", Some(why)),
    }
}

/// A line each.
pub(crate) fn trials_text(trials: &[Trial], out: &mut Out) -> io::Result<()> {
    for Trial { sink, attempt } in trials {
        let (word, said) = outcome(attempt);
        let tone =
            if matches!(attempt, Attempt::Done { .. }) { Tone::Added } else { Tone::Removed };
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        let line = format!("{sink}{said}");
        let word = format!("{word:<13}");
        writeln!(out, "{}  {}", out.paint(tone, &word), out.paint(Tone::Plain, &line))?;
    }
    Ok(())
}

/// `{"version": 1, "sinks": [{"sink", "outcome", "detail"}, …]}`
pub(crate) fn trials_json(trials: &[Trial], out: &mut Out) -> io::Result<()> {
    #[derive(Serialize)]
    struct View<'a> {
        sink: &'a str,
        outcome: &'static str,
        detail: Option<&'a str>,
    }
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        sinks: Vec<View<'a>>,
    }
    let sinks = trials.iter().map(|Trial { sink, attempt }| {
        let (outcome, detail) = outcome(attempt);
        View { sink, outcome, detail }
    });
    json::pretty(out, &Document { version: 1, sinks: sinks.collect() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_people_should_have_heard_of_by_now_is_told_by_device() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let one = |sink: &str, device: &str, at: &str, more: serde_json::Value| {
            let mut one = json!({
                "id": "x", "sink": sink, "state": "waiting", "topic": "nonCompliant", "device": device,
                "entry": 7, "at": format!("2026-11-22T{at}:00Z"), "notBefore": null, "tries": 0,
                "why": null,
            });
            one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            one
        };
        let all = json!({"version": 1, "deliveries": [
            one("mail", "D001", "09:55", json!({"tries": 2, "why": "451 later"})),
            one("serviceNow", "D001", "09:00", json!({})),
            one("mail", "D002", "09:55", json!({})),
            one("mail", "D003", "09:00", json!({"notBefore": "2026-11-22T12:00:00Z"})),
            one("webhook:siem", "D004", "09:00", json!({"tries": 9, "why": "503"})),
            one("mail", "D005", "09:00", json!({"state": "givenUp", "tries": 1, "why": "550"})),
        ]});
        let all: Deliveries = serde_json::from_value(all).unwrap();
        let late = all.undelivered(now);
        assert_eq!(late.keys().map(ToString::to_string).collect::<Vec<_>>(), ["D001"]);
        let told: Vec<_> = late.values().flatten().map(Delivery::brief).collect();
        let expected = [
            "mail: nonCompliant since 2026-11-22T09:55:00Z, 2 tries failed: 451 later",
            "serviceNow: nonCompliant since 2026-11-22T09:00:00Z",
        ];
        assert_eq!(told, expected);
    }
}
