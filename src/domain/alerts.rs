//! What the people who run Fleetform are told: once when it begins, once when it ends.
//!
//! What is wrong now is compared with the alerts that the log has open, so that a restart tells nothing
//! again. What only a running process can see (whether a provider answers, what came of a call) neither begins
//! nor ends before it has seen it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use compact_str::{CompactString, ToCompactString as _};

use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::plan::{WipeStanding, WipeView};
use crate::domain::state::event::{AlertChanged, AlertKind, ErrorClass, Event};
use crate::domain::state::{Device, PushState, State, WipeState};
use crate::domain::wipe::clock::TOLERANCE;

/// How something is that only a running process can see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Health {
    /// Nobody has seen yet.
    #[default]
    Unknown,
    Well,
    /// With the reason.
    Bad(String),
}

impl Health {
    fn bad(&self) -> Option<&str> {
        match self {
            Self::Bad(why) => Some(why),
            Self::Unknown | Self::Well => None,
        }
    }
}

/// What is true now, besides what is recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    pub(crate) now: Timestamp,
    pub(crate) recorded: &'a State,
    pub(crate) wipes: &'a [WipeView],
    /// Whether what is in the fleet directory has yet to be looked at again: requests may be missing.
    pub(crate) unsettled: bool,
    /// Whether the provider works.
    pub(crate) provider: &'a Health,
    /// Why the trust files cannot be relied on.
    pub(crate) trust_broken: Option<&'a str>,
    /// Why the log or the snapshot could not be written, until a moment ago.
    pub(crate) unwritable: Option<&'a str>,
    /// Whether those who are told things can be told, by name: all that there are.
    pub(crate) sinks: &'a BTreeMap<String, Health>,
    /// Requests of which nobody knows whether the provider has the command.
    pub(crate) doubtful: &'a BTreeSet<Digest>,
    /// Since when devices do not have what their manifests want.
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
        let (alert, about, detail) =
            (*alert, about.clone(), over(situation, *alert, about).to_owned());
        Event::AlertEnded(Box::new(AlertChanged { alert, about, detail }))
    });
    ended.chain(began).collect()
}

/// Since when a device does not have what its manifest wants, though nobody waits for the device.
#[must_use]
pub(crate) fn unreconciled_since(device: &Device) -> Option<Timestamp> {
    device
        .push
        .progress
        .since
        .filter(|_| !device.is_wiped() && device.rare.orphaned_since.is_none())
}

/// All that is wrong now, and what to say of it.
fn wrong(situation: Situation<'_>) -> BTreeMap<Key, String> {
    let Situation { now, recorded, wipes, provider, trust_broken, unwritable, sinks, .. } =
        situation;
    let mut wrong = BTreeMap::new();
    let mut add = |alert: AlertKind, about: &str, detail: String| {
        wrong.insert((alert, about.to_compact_string()), detail);
    };
    if let Some(frozen) = &recorded.frozen {
        let why = &frozen.why;
        add(AlertKind::Frozen, "", format!("frozen: {}; {}", why.cause.explain(), why.help()));
    }
    if let Some(why) = provider.bad() {
        add(AlertKind::BreakerOpen, "", why.to_owned());
    }
    if let Some(why) = trust_broken {
        add(AlertKind::TrustBroken, "", format!("every wipe is refused: {why}"));
    }
    if let Some(why) = unwritable {
        add(AlertKind::Unwritable, "", why.to_owned());
    }
    // Less than that is a step of whoever sets the clock right, over before anybody could look. Wipes wait for it.
    if recorded.at.is_some_and(|at| now + TOLERANCE < at) {
        let why =
            "this machine's clock is behind the log's last entry: no wipe is issued; fix the clock";
        add(AlertKind::ClockBehind, "", why.to_owned());
    }
    for (sink, why) in sinks.iter().filter_map(|(sink, health)| Some((sink, health.bad()?))) {
        add(AlertKind::SinkStuck, sink, why.to_owned());
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
    let why = match &recorded.devices[*id].push.progress.state {
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
        AlertKind::BreakerOpen => *situation.provider == Health::Unknown,
        AlertKind::SinkStuck => situation.sinks.get(about.as_str()) == Some(&Health::Unknown),
        // A directory that is gone or half there says nothing of its requests.
        AlertKind::WipeUnsigned => situation.unsettled || recorded.frozen.is_some(),
        AlertKind::Frozen
        | AlertKind::WipeIssued
        | AlertKind::Unwritable
        | AlertKind::Unreconciled
        | AlertKind::ClockBehind
        | AlertKind::TrustBroken => false,
    }
}

/// What to say of the end of an alert.
fn over(situation: Situation<'_>, alert: AlertKind, about: &str) -> &'static str {
    match alert {
        AlertKind::Frozen => "no longer frozen",
        AlertKind::BreakerOpen => "the provider works again",
        AlertKind::WipeUnsigned => "the request does not wait for signatures any more",
        AlertKind::WipeIssued => "the wipe is confirmed, failed or expired",
        AlertKind::WipeInDoubt => "what became of the wipe is known",
        AlertKind::Unwritable => "the log and the snapshot can be written again",
        AlertKind::Unreconciled => "no device has been without its profile for that long any more",
        AlertKind::SinkStuck if !situation.sinks.contains_key(about) => {
            "this sink is not configured any more"
        }
        AlertKind::SinkStuck => "notifications are delivered again",
        AlertKind::ClockBehind => "the clock is right again",
        AlertKind::TrustBroken => "the trust files can be relied on again",
    }
}

#[cfg(test)]
mod tests;
