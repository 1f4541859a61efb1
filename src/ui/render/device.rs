//! What follows from a recorded device and the time, and its JSON.
//!
//! [`DeviceView`] is the one JSON form of a device, for `list` and `show`: the keys of the
//! snapshot, and `id`, `overdue`. Keys are always there; `null` stands for absent.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use compact_str::CompactString;
use serde::Serialize;

use super::episode::{self, EpisodeView};
use super::last_sync::{self, SyncView};
use super::license::{self, LicenseView};
use crate::domain::model::{
    ComplianceState, DeviceId, DeviceSpec, Digest, Email, Exemption, Facts, Hardware, Name,
    OsVersion, Ownership, Platform, SerialNumber, Status, Timestamp,
};
use crate::domain::settings::Settings;
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{
    Checks, Compliance, Device, LastPush, Manifest, PushProgress, PushState, Rare, Wipe, WipeState,
};

/// Since when a device should have been heard from; absent if it was, or is wiped.
#[must_use]
pub(crate) fn overdue_since(
    device: &Device,
    settings: &Settings,
    now: Timestamp,
) -> Option<Timestamp> {
    let due = device.heard_from() + settings.overdue_after();
    (!device.is_wiped() && now > due).then_some(due)
}

/// For each device the wipe that matters most: done or under way before failed and held.
#[must_use]
pub(crate) fn wipes_by_device(wipes: &BTreeMap<Digest, Wipe>) -> BTreeMap<DeviceId, &'static str> {
    let mut by_device: BTreeMap<DeviceId, (u8, &'static str)> = BTreeMap::new();
    for wipe in wipes.values() {
        let note = match wipe.state {
            WipeState::Issued => (4, "wipe issued"),
            WipeState::Accepted if wipe.awaits_approval() => (3, "wipe awaits approval"),
            WipeState::Accepted => (3, "wipe accepted"),
            WipeState::Failed => (2, "wipe failed"),
            WipeState::Held => (1, "wipe held"),
            WipeState::Confirmed => (5, "wiped by request"),
            WipeState::Refused
            | WipeState::RefusedForGood
            | WipeState::Expired
            | WipeState::Vetoed => continue,
        };
        let seen = by_device.entry(wipe.subject.device_id).or_insert(note);
        *seen = (*seen).max(note);
    }
    by_device.into_iter().map(|(id, (_, note))| (id, note)).collect()
}

/// Its exemption, over or not; one that is wiped needs none.
#[must_use]
pub(crate) fn exemption(device: &Device) -> Option<&Exemption> {
    device.spec.access.as_deref().filter(|_| !device.is_wiped())
}

/// What an operator should see at a glance, in words that never change; `wipe` is from
/// [`wipes_by_device`], and `late` says that somebody has not been told yet, though it is time.
#[must_use]
pub(crate) fn notes(
    device: &Device,
    (wipe, late): (Option<&'static str>, bool),
    settings: &Settings,
    now: Timestamp,
) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if device.rare.unrequested_wipe.is_some() && !device.is_wiped() {
        notes.push("erased, not by us");
    }
    notes.extend(wipe);
    if device.rare.missing_since.is_some() && !device.is_wiped() {
        notes.push("missing");
    }
    if device.rare.orphaned_since.is_some() {
        notes.push("orphaned");
    }
    if overdue_since(device, settings, now).is_some() {
        notes.push("overdue");
    }
    notes.extend(episode::note(device, settings, now));
    if exemption(device).is_some_and(|exemption| exemption.holds(now)) {
        notes.push("exempt");
    }
    let episode = device.open_episode();
    if episode.is_some_and(|episode| episode.told.values().any(|told| told.failed.is_some())) {
        notes.push("not notified");
    }
    if late {
        notes.push("not notified yet");
    }
    match device.push.progress.state {
        PushState::Failed(..) if !device.is_wiped() => notes.push("push failed"),
        PushState::Intended | PushState::Pushed | PushState::Failed(..) => {}
    }
    notes.extend(license::note(device));
    notes.extend(last_sync::note(device));
    notes
}

/// How long ago, or that it never was.
#[must_use]
pub(crate) fn ago(at: Option<Timestamp>, now: Timestamp) -> String {
    match at {
        None => "never".into(),
        Some(at) if now - at < TimeDelta::zero() => at.short(),
        Some(at) => format!("{} ago", super::text::span(now - at)),
    }
}

/// The fields of [`DeviceView`], those included that a device may lack.
pub(crate) const FIELDS: &[&str] = &[
    "id",
    "name",
    "serialNumber",
    "userEmail",
    "profile",
    "platform",
    "osVersion",
    "ownership",
    "labels",
    "hardware",
    "access",
    "status",
    "statusSince",
    "statusReason",
    "enrollment",
    "manifest",
    "compliance",
    "push",
    "orphanedSince",
    "wipe",
    "lastSync",
    "facts",
    "unrequestedWipe",
    "archivedSince",
    "missingSince",
    "licenses",
    "syncRequested",
    "passedOver",
    "overdue",
    "episode",
];

/// A device as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceView<'a> {
    id: DeviceId,
    name: &'a Name,
    serial_number: &'a SerialNumber,
    user_email: &'a Email,
    profile: &'a Name,
    platform: Platform,
    os_version: &'a OsVersion,
    ownership: Ownership,
    labels: &'a BTreeMap<CompactString, CompactString>,
    hardware: Option<&'a Hardware>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'a Exemption>,
    status: Status,
    status_since: Timestamp,
    status_reason: &'a str,
    enrollment: u32,
    manifest: ManifestView<'a>,
    compliance: ComplianceView<'a>,
    push: PushView<'a>,
    orphaned_since: Option<Timestamp>,
    wipe: Option<Digest>,
    last_sync: Option<Timestamp>,
    facts: Option<&'a Facts>,
    unrequested_wipe: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenseView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sync_requested: Option<SyncView<'a>>,
    passed_over: u64,
    overdue: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    episode: Option<EpisodeView<'a>>,
}

#[derive(Debug, Serialize)]
struct ManifestView<'a> {
    path: &'a str,
    digest: Digest,
}

#[derive(Debug, Serialize)]
struct ComplianceView<'a> {
    state: ComplianceState,
    since: Timestamp,
    failing: &'a [String],
    missing: &'a [String],
}

#[derive(Debug, Serialize)]
struct PushView<'a> {
    intent: u64,
    digest: Digest,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<ErrorClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(rename = "formerUsers", skip_serializing_if = "<[Email]>::is_empty")]
    former_users: &'a [Email],
}

impl<'a> DeviceView<'a> {
    /// Of this device, now.
    #[must_use]
    pub(crate) fn new(
        id: DeviceId,
        device: &'a Device,
        settings: &Settings,
        now: Timestamp,
    ) -> Self {
        let Device {
            spec,
            status,
            status_since,
            status_reason,
            enrollment,
            manifest: Manifest { path, digest },
            compliance: Compliance { state, since, checks },
            push,
            rare,
            licenses: _,
            episode: _,
            last_sync,
            facts,
        } = device;
        let Checks { failing, missing } = &**checks;
        let Rare {
            orphaned_since,
            archived_since,
            wipe,
            unrequested_wipe,
            missing_since,
            sync_requested: _,
            void_until: _,
            passed_over,
        } = &**rare;
        let DeviceSpec {
            name,
            serial_number,
            user_email,
            profile,
            platform,
            os_version,
            ownership,
            labels,
            hardware,
            access,
        } = spec.as_ref();
        Self {
            id,
            name,
            serial_number,
            user_email,
            profile,
            platform: *platform,
            os_version,
            ownership: *ownership,
            labels,
            hardware: hardware.as_deref(),
            access: access.as_deref(),
            status: *status,
            status_since: *status_since,
            status_reason,
            enrollment: *enrollment,
            manifest: ManifestView { path, digest: *digest },
            compliance: ComplianceView { state: *state, since: *since, failing, missing },
            push: PushView::new(push),
            orphaned_since: *orphaned_since,
            wipe: *wipe,
            last_sync: *last_sync,
            facts: facts.as_deref(),
            unrequested_wipe: *unrequested_wipe,
            archived_since: *archived_since,
            missing_since: *missing_since,
            licenses: LicenseView::all(device),
            sync_requested: SyncView::of(device),
            passed_over: *passed_over,
            overdue: overdue_since(device, settings, now).is_some(),
            episode: device.episode.as_deref().map(EpisodeView::of),
        }
    }
}

impl<'a> PushView<'a> {
    fn new(push: &'a LastPush) -> Self {
        let LastPush { intent, digest, progress } = push;
        let PushProgress { state, since: _, former_users } = &**progress;
        let (state, class, error) = match state {
            PushState::Intended => ("intended", None, None),
            PushState::Pushed => ("pushed", None, None),
            PushState::Failed(class, error) => ("failed", Some(*class), Some(error.as_ref())),
        };
        Self { intent: *intent, digest: **digest, state, class, error, former_users }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::render::testing::{now, state, time};

    fn device(id: &str) -> Device {
        Device::clone(&state().devices[&id.parse().unwrap()])
    }

    #[test]
    fn overdue_after_three_intervals_to_the_millisecond() {
        let settings = Settings::default();
        let mut device = device("D001");
        let heard = time("2026-11-20T00:00:00Z");
        let due = heard + TimeDelta::hours(24);
        device.last_sync = Some(heard);
        assert_eq!(overdue_since(&device, &settings, due), None);
        let later = due + TimeDelta::milliseconds(1);
        assert_eq!(overdue_since(&device, &settings, later), Some(due));
        device.last_sync = None;
        device.status_since = heard;
        assert_eq!(overdue_since(&device, &settings, later), Some(due));
        device.status = Status::Wiped;
        assert_eq!(overdue_since(&device, &settings, later), None);
    }

    #[test]
    fn notes_by_device() {
        let settings = Settings::default();
        for (id, expected) in [
            ("D001", vec!["block due"]),
            ("D002", vec!["orphaned", "overdue"]),
            ("D003", vec!["push failed"]),
            ("D004", vec![]),
        ] {
            assert_eq!(notes(&device(id), (None, false), &settings, now()), expected, "{id}");
        }
    }

    #[test]
    fn every_field_is_known_by_its_name() {
        let source = include_str!("device.rs");
        let (_, view) = source.split_once("struct DeviceView<'a> {").unwrap();
        let (view, _) = view.split_once("\n}").unwrap();
        let camel = |name: &str| {
            let (first, rest) = name.split_once('_').unwrap_or((name, ""));
            let upper = |word: &str| word[..1].to_uppercase() + &word[1..];
            let rest = rest.split('_').filter(|word| !word.is_empty()).map(upper);
            std::iter::once(first.to_owned()).chain(rest).collect::<String>()
        };
        let fields = view.lines().filter_map(|line| line.trim().split_once(": "));
        let fields: Vec<_> = fields.map(|(name, _)| camel(name)).collect();
        assert_eq!(fields, FIELDS);
        let view = serde_json::to_value(DeviceView::new(
            "D001".parse().unwrap(),
            &device("D001"),
            &Settings::default(),
            now(),
        ));
        for key in view.unwrap().as_object().unwrap().keys() {
            assert!(FIELDS.contains(&key.as_str()), "{key}");
        }
    }

    #[test]
    fn ages() {
        assert_eq!(ago(None, now()), "never");
        assert_eq!(ago(Some(now() + TimeDelta::hours(-2)), now()), "2h ago");
        // A device's clock may be ahead of ours.
        assert_eq!(ago(Some(now() + TimeDelta::hours(2)), now()), "2026-11-22T12:00:00Z");
    }
}
