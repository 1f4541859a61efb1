//! A device as it stands in the snapshot.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::episode::{EpisodeIn, EpisodeOut};
use super::license::{LicenseIn, LicenseOut};
use super::sync::{SyncIn, SyncOut};
use crate::domain::model::{
    ComplianceState, DeviceSpec, Digest, Email, Exemption, Facts, Hardware, HardwareHash, Name,
    OsVersion, Ownership, Platform, SerialNumber, Status, Timestamp, words,
};
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{
    Checks, Compliance, Device, LastPush, Manifest, PushProgress, PushState, Rare, Sparse,
};
use crate::edges::ledger::intern::Interner;

words! {
    /// How a push stands.
    pub(crate) enum PushWord { Intended = "intended", Pushed = "pushed", Failed = "failed" }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'a Exemption>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_since: Option<Timestamp>,
    compliance: ComplianceOut<'a>,
    enrollment: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    episode: Option<EpisodeOut<'a>>,
    facts: Option<&'a Facts>,
    hardware: Option<HardwareOut<'a>>,
    labels: &'a BTreeMap<CompactString, CompactString>,
    last_sync: Option<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenseOut<'a>>,
    manifest: ManifestOut<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_since: Option<Timestamp>,
    name: &'a Name,
    orphaned_since: Option<Timestamp>,
    os_version: &'a OsVersion,
    ownership: Ownership,
    #[serde(skip_serializing_if = "is_zero")]
    passed_over: u64,
    platform: Platform,
    profile: &'a Name,
    push: PushOut<'a>,
    serial_number: &'a SerialNumber,
    status: Status,
    status_reason: &'a str,
    status_since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    sync_requested: Option<SyncOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unrequested_wipe: Option<Timestamp>,
    user_email: &'a Email,
    #[serde(skip_serializing_if = "Option::is_none")]
    void_until: Option<Timestamp>,
    wipe: Option<Digest>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeviceIn<'a> {
    #[serde(default)]
    access: Option<Box<Exemption>>,
    #[serde(default)]
    archived_since: Option<Timestamp>,
    compliance: ComplianceIn,
    enrollment: u32,
    #[serde(default)]
    episode: Option<EpisodeIn>,
    facts: Option<Box<Facts>>,
    hardware: Option<Box<Hardware>>,
    labels: BTreeMap<CompactString, CompactString>,
    last_sync: Option<Timestamp>,
    #[serde(default)]
    licenses: Vec<LicenseIn>,
    #[serde(borrow)]
    manifest: ManifestIn<'a>,
    #[serde(default)]
    missing_since: Option<Timestamp>,
    name: Name,
    orphaned_since: Option<Timestamp>,
    os_version: OsVersion,
    ownership: Ownership,
    #[serde(default)]
    passed_over: u64,
    platform: Platform,
    profile: Name,
    push: PushIn,
    serial_number: SerialNumber,
    status: Status,
    status_reason: CompactString,
    status_since: Timestamp,
    #[serde(default)]
    sync_requested: Option<SyncIn>,
    #[serde(default)]
    unrequested_wipe: Option<Timestamp>,
    user_email: Email,
    #[serde(default)]
    void_until: Option<Timestamp>,
    wipe: Option<Digest>,
}

#[derive(Serialize)]
struct ComplianceOut<'a> {
    failing: &'a [String],
    missing: &'a [String],
    since: Timestamp,
    state: ComplianceState,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComplianceIn {
    failing: Vec<String>,
    missing: Vec<String>,
    since: Timestamp,
    state: ComplianceState,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HardwareOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    autopilot_hash: Option<&'a HardwareHash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
}

#[derive(Serialize)]
struct ManifestOut<'a> {
    digest: Digest,
    path: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestIn<'a> {
    digest: Digest,
    // Nothing that lasts is allocated by the threads that read: it would keep the rest of their
    // memory from being given back.
    #[serde(borrow)]
    path: Cow<'a, str>,
}

#[derive(Serialize)]
struct PushOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<ErrorClass>,
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(rename = "formerUsers", skip_serializing_if = "<[Email]>::is_empty")]
    former_users: &'a [Email],
    intent: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    state: PushWord,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PushIn {
    #[serde(default)]
    class: Option<ErrorClass>,
    digest: Digest,
    #[serde(default)]
    error: Option<Box<str>>,
    #[serde(default, rename = "formerUsers")]
    former_users: Vec<Email>,
    intent: u64,
    #[serde(default)]
    since: Option<Timestamp>,
    state: PushWord,
}

impl<'a> From<&'a Device> for DeviceOut<'a> {
    fn from(device: &'a Device) -> Self {
        let Device {
            spec,
            status,
            status_since,
            status_reason,
            enrollment,
            manifest,
            compliance: Compliance { state, since, checks },
            push,
            rare,
            licenses,
            episode,
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
            sync_requested,
            void_until,
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
            access: access.as_deref(),
            archived_since: *archived_since,
            compliance: ComplianceOut { failing, missing, since: *since, state: *state },
            enrollment: *enrollment,
            episode: episode.as_deref().map(EpisodeOut::from),
            facts: facts.as_deref(),
            hardware: hardware.as_deref().map(HardwareOut::from),
            labels,
            last_sync: *last_sync,
            licenses: licenses.iter().map(LicenseOut::from).collect(),
            manifest: ManifestOut { digest: manifest.digest, path: &manifest.path },
            missing_since: *missing_since,
            name,
            orphaned_since: *orphaned_since,
            os_version,
            ownership: *ownership,
            passed_over: *passed_over,
            platform: *platform,
            profile,
            push: PushOut::from(push),
            serial_number,
            status: *status,
            status_reason,
            status_since: *status_since,
            sync_requested: sync_requested.as_deref().map(SyncOut::from),
            unrequested_wipe: *unrequested_wipe,
            user_email,
            void_until: *void_until,
            wipe: *wipe,
        }
    }
}

impl<'a> DeviceOut<'a> {
    /// Without telemetry.
    pub(super) fn of_log(device: &'a Device) -> Self {
        Self { facts: None, last_sync: None, passed_over: 0, ..Self::from(device) }
    }
}

impl<'a> From<&'a Hardware> for HardwareOut<'a> {
    fn from(hardware: &'a Hardware) -> Self {
        let Hardware { manufacturer, model, autopilot_hash } = hardware;
        Self {
            autopilot_hash: autopilot_hash.as_ref(),
            manufacturer: manufacturer.as_deref(),
            model: model.as_deref(),
        }
    }
}

impl<'a> From<&'a LastPush> for PushOut<'a> {
    fn from(push: &'a LastPush) -> Self {
        let LastPush { intent, digest, progress } = push;
        let PushProgress { state, since, former_users } = &**progress;
        let (state, class, error) = match state {
            PushState::Intended => (PushWord::Intended, None, None),
            PushState::Pushed => (PushWord::Pushed, None, None),
            PushState::Failed(class, error) => (PushWord::Failed, Some(*class), Some(&**error)),
        };
        Self { class, digest: **digest, error, former_users, intent: *intent, since: *since, state }
    }
}

impl PushIn {
    fn push(self, share: &mut Interner) -> Result<LastPush, &'static str> {
        let Self { class, digest, error, former_users, intent, since, state } = self;
        let state = match (state, class, error) {
            (PushWord::Intended, None, None) => PushState::Intended,
            (PushWord::Pushed, None, None) => PushState::Pushed,
            (PushWord::Failed, Some(class), Some(error)) => PushState::Failed(class, error),
            _ => return Err("a push has `class` and `error` if and only if it failed"),
        };
        let progress = Sparse::new(PushProgress { state, since, former_users });
        Ok(LastPush { intent, digest: share.alike.digest(digest), progress })
    }
}

impl DeviceIn<'_> {
    pub(super) fn device(self, share: &mut Interner) -> Result<Device, &'static str> {
        let ComplianceIn { failing, missing, since, state } = self.compliance;
        Ok(Device {
            spec: Arc::new(DeviceSpec {
                name: self.name,
                serial_number: self.serial_number,
                user_email: self.user_email,
                profile: self.profile,
                platform: self.platform,
                os_version: self.os_version,
                ownership: self.ownership,
                labels: share.labels(Arc::new(self.labels)),
                hardware: self.hardware,
                access: self.access,
            }),
            status: self.status,
            status_since: self.status_since,
            status_reason: share.alike.reason(&self.status_reason),
            enrollment: self.enrollment,
            manifest: Manifest {
                path: share.path(&self.manifest.path),
                digest: self.manifest.digest,
            },
            compliance: Compliance {
                state,
                since,
                checks: Sparse::new(Checks { failing, missing }),
            },
            push: self.push.push(share)?,
            rare: Sparse::new(Rare {
                orphaned_since: self.orphaned_since,
                archived_since: self.archived_since,
                wipe: self.wipe,
                unrequested_wipe: self.unrequested_wipe,
                missing_since: self.missing_since,
                sync_requested: self.sync_requested.map(SyncIn::sync).transpose()?,
                void_until: self.void_until,
                passed_over: self.passed_over,
            }),
            licenses: Sparse::new(
                self.licenses.into_iter().map(LicenseIn::license).collect::<Result<_, _>>()?,
            ),
            episode: self.episode.map(EpisodeIn::episode).transpose()?,
            last_sync: self.last_sync,
            facts: self.facts,
        })
    }
}

/// The keys under which two records of a device differ, but for telemetry.
pub(in crate::edges::ledger) fn differences(a: &Device, b: &Device) -> Vec<String> {
    if same(a, b) {
        return Vec::new();
    }
    let value = |device| serde_json::to_value(DeviceOut::of_log(device)).unwrap_or_default();
    let bytes = |device| serde_json::to_vec(&DeviceOut::of_log(device)).unwrap_or_default();
    if bytes(a) == bytes(b) {
        return Vec::new();
    }
    let (a, b) = (value(a), value(b));
    // A key may be in one of them only.
    let keys: BTreeSet<&String> = [&a, &b]
        .into_iter()
        .flat_map(|value| value.as_object().into_iter().flatten().map(|(key, _)| key))
        .collect();
    keys.into_iter().filter(|key| a.get(key.as_str()) != b.get(key.as_str())).cloned().collect()
}

/// Whether two records are equal but for telemetry, at once: nearly all are.
fn same(a: &Device, b: &Device) -> bool {
    let Device {
        spec,
        status,
        status_since,
        status_reason,
        enrollment,
        manifest,
        compliance,
        push,
        rare,
        licenses,
        episode,
        last_sync: _,
        facts: _,
    } = a;
    spec.is_spelled_as(&b.spec)
        && *status == b.status
        && *status_since == b.status_since
        && *status_reason == b.status_reason
        && *enrollment == b.enrollment
        && *manifest == b.manifest
        && *compliance == b.compliance
        && *push == b.push
        && rare.is_as_logged(&b.rare)
        && *licenses == b.licenses
        && *episode == b.episode
}
