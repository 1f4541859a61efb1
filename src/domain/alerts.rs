//! What the people who run Fleetform are told: once when it begins, once when it ends.
//!
//! What is wrong now is compared with the alerts that the log has open, so that a restart tells nothing
//! again. What only a running process can see (a call that nobody knows the outcome of) stays open after a
//! restart for as long as it could still be so.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use compact_str::{CompactString, ToCompactString as _};

use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::plan::{WipeStanding, WipeView};
use crate::domain::state::event::{AlertChanged, AlertKind, ErrorClass, Event};
use crate::domain::state::{Device, PushState, State, WipeState};

/// What is true now, besides what is recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    pub(crate) now: Timestamp,
    pub(crate) recorded: &'a State,
    pub(crate) wipes: &'a [WipeView],
    /// Why the provider is left alone.
    pub(crate) breaker_open: bool,
    /// Why the trust files cannot be relied on.
    pub(crate) trust_broken: Option<&'a str>,
    /// Why the log or the snapshot could not be written, until a moment ago.
    pub(crate) unwritable: Option<&'a str>,
    /// Who is not told, and why.
    pub(crate) stuck: &'a [(String, String)],
    /// Requests of which nobody knows whether the provider has the command.
    pub(crate) doubtful: &'a BTreeSet<Digest>,
    /// Since when devices do not have what their manifests want, as far as this process has seen.
    pub(crate) unreconciled: &'a BTreeMap<DeviceId, Timestamp>,
    /// How long they may be so.
    pub(crate) unreconciled_after: TimeDelta,
}

type Key = (AlertKind, CompactString);

/// What begins and what ends, in this order.
#[must_use]
pub(crate) fn changes(situation: Situation<'_>) -> Vec<Event> {
    let now = wrong(situation);
    let open = &situation.recorded.alerts;
    let began = now.iter().filter(|(key, _)| !open.contains_key(*key));
    let began = began.map(|((alert, about), detail)| {
        let (alert, about, detail) = (*alert, about.clone(), detail.clone());
        Event::AlertBegan(Box::new(AlertChanged { alert, about, detail }))
    });
    let ended = open.keys().filter(|key| !now.contains_key(*key) && !may_be(situation, key));
    let ended = ended.map(|(alert, about)| {
        let (alert, about, detail) = (*alert, about.clone(), over(*alert).to_owned());
        Event::AlertEnded(Box::new(AlertChanged { alert, about, detail }))
    });
    ended.chain(began).collect()
}

/// Whether a device does not have what its manifest wants, though nobody waits for the device.
#[must_use]
pub(crate) fn is_unreconciled(device: &Device) -> bool {
    let push = !matches!(device.push.state, PushState::Pushed);
    push && !device.is_wiped() && device.orphaned_since.is_none()
}

/// All that is wrong now, and what to say of it.
fn wrong(situation: Situation<'_>) -> BTreeMap<Key, String> {
    let Situation { now, recorded, wipes, breaker_open, trust_broken, unwritable, stuck, .. } =
        situation;
    let mut wrong = BTreeMap::new();
    let mut add = |alert: AlertKind, about: &str, detail: String| {
        wrong.insert((alert, about.to_compact_string()), detail);
    };
    if let Some(frozen) = &recorded.frozen {
        let why = &frozen.why;
        add(AlertKind::Frozen, "", format!("frozen: {}; {}", why.cause.explain(), why.help()));
    }
    if breaker_open {
        let why = "the provider failed repeatedly; calls to it are paused for a while";
        add(AlertKind::BreakerOpen, "", why.to_owned());
    }
    if let Some(why) = trust_broken {
        add(AlertKind::TrustBroken, "", format!("every wipe is refused: {why}"));
    }
    if let Some(why) = unwritable {
        add(AlertKind::Unwritable, "", why.to_owned());
    }
    if recorded.at.is_some_and(|at| now < at) {
        let why =
            "this machine's clock is behind the log's last entry: no wipe is issued; fix the clock";
        add(AlertKind::ClockBehind, "", why.to_owned());
    }
    for (sink, why) in stuck {
        add(AlertKind::SinkStuck, sink, why.clone());
    }
    let unsigned = |view: &&WipeView| view.standing == WipeStanding::Held && view.needs.is_some();
    for view in wipes.iter().filter(unsigned) {
        let subject = &view.subject;
        let detail = format!(
            "the request {} to wipe {} waits for signatures: {}",
            subject.name, subject.device_id, view.detail
        );
        add(AlertKind::WipeUnsigned, &subject.request.to_string(), detail);
    }
    for (request, wipe) in recorded.wipes.iter().filter(|(_, w)| w.state == WipeState::Issued) {
        let subject = &wipe.subject;
        let by: Vec<String> = wipe.signers.iter().map(ToString::to_string).collect();
        let detail = format!(
            "the command to wipe {} ({}) is given: {}, signed by {}",
            subject.device_id,
            subject.serial_number,
            subject.reason,
            by.join(", ")
        );
        add(AlertKind::WipeIssued, &request.to_string(), detail);
        if situation.doubtful.contains(request) {
            let detail = format!(
                "it is unknown whether the provider has the command to wipe {}; it is never \
                 repeated",
                subject.device_id
            );
            add(AlertKind::WipeInDoubt, &request.to_string(), detail);
        }
    }
    if let Some(detail) = unreconciled(situation) {
        add(AlertKind::Unreconciled, "", detail);
    }
    wrong
}

/// The devices that have waited for too long, in words.
fn unreconciled(situation: Situation<'_>) -> Option<String> {
    let Situation { now, recorded, unreconciled, unreconciled_after, .. } = situation;
    let late = unreconciled.iter().filter(|(_, since)| now > **since + unreconciled_after);
    let late: Vec<_> = late.filter(|(id, _)| recorded.devices.contains_key(id)).collect();
    let (id, since) = late.iter().min_by_key(|(_, since)| **since)?;
    let why = match &recorded.devices[*id].push.state {
        PushState::Failed(ErrorClass::Permanent, why) => format!(": refused: {why}"),
        PushState::Failed(_, why) => format!(": {why}"),
        PushState::Intended | PushState::Pushed => String::new(),
    };
    let others = match late.len() - 1 {
        0 => String::new(),
        n => format!(", and {n} more"),
    };
    Some(format!("{id} has been without its profile since {}{why}{others}", since.short()))
}

/// Whether an alert that this process cannot see may still be so.
fn may_be(situation: Situation<'_>, (alert, about): &Key) -> bool {
    let recorded = situation.recorded;
    match alert {
        AlertKind::WipeInDoubt => recorded.wipes.iter().any(|(request, wipe)| {
            wipe.state == WipeState::Issued
                && wipe.progress.is_none()
                && request.to_string() == about.as_str()
        }),
        AlertKind::Unreconciled => recorded.devices.values().any(|device| is_unreconciled(device)),
        _ => false,
    }
}

fn over(alert: AlertKind) -> &'static str {
    match alert {
        AlertKind::Frozen => "no longer frozen",
        AlertKind::BreakerOpen => "the provider works again",
        AlertKind::WipeUnsigned => "the request does not wait for signatures any more",
        AlertKind::WipeIssued => "the wipe is confirmed, failed or expired",
        AlertKind::WipeInDoubt => "what became of the wipe is known",
        AlertKind::Unwritable => "the log and the snapshot can be written again",
        AlertKind::Unreconciled => "every device has its profile",
        AlertKind::SinkStuck => "notifications are delivered again",
        AlertKind::ClockBehind => "the clock is right again",
        AlertKind::TrustBroken => "the trust files can be relied on again",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::state::event::Entry;

    fn at(minutes: i64) -> Timestamp {
        let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        start + TimeDelta::minutes(minutes)
    }

    /// Takes events in, as the log would.
    fn log(state: &mut State, events: Vec<Event>) {
        for event in events {
            let seq = state.seq + 1;
            let entry =
                Entry { seq, at: at(0), device: None, actor: "test".into(), source: None, event };
            state.fold(&entry, Digest::ZERO).unwrap();
        }
    }

    fn event(kind: &str, data: serde_json::Value) -> Event {
        Event::parse(kind, &data.to_string()).unwrap()
    }

    fn begun() -> State {
        let mut state = State::default();
        let lineage = uuid::Uuid::nil();
        log(&mut state, vec![event("ledger.created", json!({"version": 1, "lineage": lineage}))]);
        state
    }

    fn kinds(events: &[Event]) -> Vec<String> {
        let one = |event: &Event| match event {
            Event::AlertBegan(alert) => format!("+{} {}", alert.alert, alert.about),
            Event::AlertEnded(alert) => format!("-{} {}", alert.alert, alert.about),
            other => panic!("{other:?}"),
        };
        events.iter().map(|event| one(event).trim().to_owned()).collect()
    }

    fn situation(recorded: &State) -> Situation<'_> {
        static NOBODY: BTreeSet<Digest> = BTreeSet::new();
        static NOTHING: BTreeMap<DeviceId, Timestamp> = BTreeMap::new();
        Situation {
            now: at(0),
            recorded,
            wipes: &[],
            breaker_open: false,
            trust_broken: None,
            unwritable: None,
            stuck: &[],
            doubtful: &NOBODY,
            unreconciled: &NOTHING,
            unreconciled_after: TimeDelta::hours(24),
        }
    }

    #[test]
    fn each_alert_is_told_once_when_it_begins_and_once_when_it_ends() {
        let mut state = begun();
        log(
            &mut state,
            vec![event("pass.frozen", json!({"cause": "empty", "removed": 1, "of": 1}))],
        );
        let stuck = [("mail".to_owned(), "535 no".to_owned())];
        let all = |state: &State| {
            let bad = Situation {
                now: at(-5),
                breaker_open: true,
                trust_broken: Some("gone"),
                unwritable: Some("no space"),
                stuck: &stuck,
                ..situation(state)
            };
            changes(bad)
        };
        let began = all(&state);
        assert_eq!(
            kinds(&began),
            [
                "+frozen",
                "+breakerOpen",
                "+unwritable",
                "+sinkStuck mail",
                "+clockBehind",
                "+trustBroken"
            ]
        );
        log(&mut state, began);
        assert_eq!(all(&state), vec![], "not again");
        log(&mut state, vec![event("pass.thawed", json!({}))]);
        let ended = changes(situation(&state));
        assert_eq!(ended.len(), 6);
        assert!(kinds(&ended).iter().all(|kind| kind.starts_with('-')));
        log(&mut state, ended);
        assert_eq!(changes(situation(&state)), vec![]);
    }
}
