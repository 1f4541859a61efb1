//! Mails to the people who run Fleetform.

use super::ids::letter_id;
use super::letter::{AlertText, Letter};
use crate::domain::model::{Digest, Email};
use crate::domain::notice::{Job, Topic};
use crate::domain::state::State;
use crate::domain::state::event::{AlertChanged, AlertKind, Entry};
use crate::domain::wording::short;

/// To each of them, that something begins or is over.
pub(super) fn jobs(
    entry: &Entry,
    topic: Topic,
    changed: &AlertChanged,
    recorded: &State,
    (lineage, language): (&str, &str),
    to: &[Email],
) -> Vec<Job> {
    let AlertChanged { alert, about, detail } = changed;
    let about = match (&**about, about.parse::<Digest>()) {
        ("", _) => String::new(),
        (about, Err(_)) => format!(" ({about})"),
        // A request is known by its digest, which tells people nothing.
        (_, Ok(request)) => match recorded.wipes.get(&request) {
            Some(wipe) => {
                format!(" ({}, request {})", wipe.subject.device_id, short(request))
            }
            None => format!(" (request {})", short(request)),
        },
    };
    let text = AlertText { title: format!("{}{about}", title(*alert)), detail: detail.clone() };
    let letters = to.iter().map(|to| {
        let letter = Letter::to(to.clone(), language);
        Letter { alert: Some(text.clone()), ..letter }
    });
    let job = |letter: Letter| Job {
        id: letter_id(lineage, entry.seq, topic, &letter),
        entry: entry.seq,
        at: entry.at,
        not_before: None,
        device: None,
        episode: None,
        topic,
        payload: serde_json::to_value(letter).unwrap_or_default(),
    };
    letters.map(job).collect()
}

const fn title(alert: AlertKind) -> &'static str {
    match alert {
        AlertKind::Frozen => "The fleet is frozen",
        AlertKind::BreakerOpen => "The provider fails repeatedly",
        AlertKind::WipeUnsigned => "A wipe waits for signatures",
        AlertKind::WipeIssued => "A wipe was issued",
        AlertKind::WipeInDoubt => "It is unknown whether the provider has a wipe command",
        AlertKind::Unwritable => "The log or the snapshot cannot be written",
        AlertKind::Unreconciled => "Devices wait for too long",
        AlertKind::SinkStuck => "Notifications are not delivered",
        AlertKind::ClockBehind => "The clock of this machine is behind the log",
        AlertKind::TrustBroken => "The trust files cannot be relied on",
    }
}
