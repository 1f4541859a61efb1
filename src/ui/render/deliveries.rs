//! What has yet to be told to whom, and what came of trying.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use crate::app::deliveries::Waiting;
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::notice::{Attempt, Topic};
use crate::domain::wording::count;

/// One notice that is not settled, or was given up.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    id: String,
    sink: String,
    state: &'static str,
    topic: Topic,
    device: Option<DeviceId>,
    entry: u64,
    at: Timestamp,
    not_before: Option<Timestamp>,
    tries: u32,
    why: Option<String>,
}

impl Delivery {
    pub(crate) fn waiting(sink: &str, waiting: &Waiting) -> Self {
        Self::new(sink, "waiting", waiting)
    }

    pub(crate) fn given_up(sink: &str, waiting: &Waiting) -> Self {
        Self::new(sink, "givenUp", waiting)
    }

    fn new(sink: &str, state: &'static str, waiting: &Waiting) -> Self {
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

    /// Whether a try failed.
    pub(crate) fn failed(&self) -> bool {
        self.why.is_some()
    }

    pub(crate) fn is_given_up(&self, id: &str) -> bool {
        self.state == "givenUp" && self.id == id
    }
}

/// A line each.
pub(crate) fn text(all: &[Delivery], out: &mut Out) -> io::Result<()> {
    if all.is_empty() {
        out.note("No notifications are waiting.");
        return Ok(());
    }
    for delivery in all {
        let Delivery { id, sink, state, topic, device, entry, at, not_before, tries, why } =
            delivery;
        let device = device.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let (word, tone) = match (*state, why) {
            ("givenUp", _) => ("given up", Tone::Removed),
            (_, Some(_)) => ("failing", Tone::Changed),
            (_, None) => ("waiting", Tone::Plain),
        };
        let later = not_before.map(|at| format!(", not before {}", at.short()));
        let tries = if *tries > 0 {
            format!(", {} failed", count((*tries).into(), "try"))
        } else {
            String::new()
        };
        let line = format!(
            "{sink:<14}  {topic:<16}  {device:<6}  {id}  entry {entry}, {}{}{tries}",
            at.short(),
            later.unwrap_or_default()
        );
        let word = format!("{word:<8}");
        writeln!(out, "{}  {}", out.paint(tone, &word), out.paint(Tone::Plain, &line))?;
        if let Some(why) = why {
            writeln!(out, "{:10}{}", "", out.paint(Tone::Plain, why))?;
        }
    }
    Ok(())
}

/// `{"version": 1, "deliveries": [{"id", "sink", "state", "topic", "device", "entry", "at", "notBefore",
/// "tries", "why"}, …]}`
pub(crate) fn json(all: &[Delivery], out: &mut Out) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        deliveries: &'a [Delivery],
    }
    json::pretty(out, &Document { version: 1, deliveries: all })
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
