//! `state.json`: the state as of one line of the log, with the telemetry that no line holds.
//!
//! Written as `jq -S .` would print it: two spaces, keys sorted at every level (the structs
//! here have their fields in that order), a newline at the end. Read strictly. Neither holds
//! more than some thousand devices in this form at a time. A lost or unreadable snapshot costs only
//! telemetry: the log has all else.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use compact_str::CompactString;
use rayon::prelude::*;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::STATE;
pub use super::load::read_state;
use super::share::Share;
use super::wipe_wire::{self, WipeWire};
use crate::domain::model::{
    ComplianceState, DeviceId, DeviceSpec, Digest, Email, Facts, Hardware, Name, OsVersion,
    Ownership, Platform, Profile, SerialNumber, Status, Timestamp, words,
};
use crate::domain::state::event::{
    ConfigRights, ErrorClass, FreezeCause, PassFrozen, ProfileRecorded, TrustFiles,
};
use crate::domain::state::{
    Compliance, Device, Frozen, Head, Manifest, Push, PushState, State, Wipe,
};
use crate::edges::fs::durable;

/// Devices that are in memory as text at once, and those that one thread writes at a time.
const WINDOW: usize = 2048;
const SHARE: usize = 128;

/// Of the data format.
const VERSION: u32 = 1;

/// Numbers up to this one are exact in every JSON reader; no log comes near it.
const MAX_SEQ: u64 = 1 << 53;

/// A state, and how much of the log it stands for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// As of the line `state.seq`.
    pub state: State,
    /// Where the line after that begins in `audit.jsonl`, in bytes.
    pub log_bytes: u64,
}

words! {
    /// How a push stands.
    PushWord { Intended = "intended", Pushed = "pushed", Failed = "failed" }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotOut<'a> {
    at: Option<Timestamp>,
    config: Option<&'a ConfigRights>,
    devices: Empty,
    frozen: Option<FrozenWire>,
    head: Digest,
    lineage: Option<uuid::Uuid>,
    log_bytes: u64,
    #[serde(serialize_with = "profiles_out")]
    profiles: &'a BTreeMap<Name, Arc<Profile>>,
    seq: u64,
    trust: Option<TrustFiles>,
    version: u32,
    #[serde(serialize_with = "wipe_wire::out")]
    wipes: &'a BTreeMap<Digest, Wipe>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SnapshotIn {
    at: Option<Timestamp>,
    // Older snapshots have none.
    #[serde(default)]
    config: Option<Box<ConfigRights>>,
    pub(super) devices: Devices,
    frozen: Option<FrozenWire>,
    head: Digest,
    lineage: Option<uuid::Uuid>,
    log_bytes: u64,
    profiles: BTreeMap<Name, ProfileRecorded>,
    seq: u64,
    trust: Option<TrustFiles>,
    version: u32,
    wipes: BTreeMap<Digest, WipeWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrozenWire {
    cause: FreezeCause,
    of: u64,
    removed: u64,
    since: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceOut<'a> {
    compliance: ComplianceOut<'a>,
    enrollment: u32,
    facts: Option<&'a Facts>,
    hardware: Option<HardwareOut<'a>>,
    labels: &'a BTreeMap<CompactString, CompactString>,
    last_sync: Option<Timestamp>,
    manifest: ManifestOut<'a>,
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
pub(super) struct DeviceIn {
    compliance: ComplianceIn,
    enrollment: u32,
    facts: Option<Box<Facts>>,
    hardware: Option<Box<Hardware>>,
    labels: BTreeMap<CompactString, CompactString>,
    last_sync: Option<Timestamp>,
    manifest: ManifestIn,
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
    autopilot_hash: Option<&'a str>,
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
struct ManifestIn {
    digest: Digest,
    path: Arc<str>,
}

#[derive(Serialize)]
struct PushOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<ErrorClass>,
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    intent: u64,
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
    intent: u64,
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
            compliance: Compliance { state, since, failing, missing },
            push,
            orphaned_since,
            wipe,
            unrequested_wipe,
            void_until,
            last_sync,
            facts,
            passed_over,
        } = device;
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
        } = spec.as_ref();
        Self {
            compliance: ComplianceOut { failing, missing, since: *since, state: *state },
            enrollment: *enrollment,
            facts: facts.as_deref(),
            hardware: hardware.as_deref().map(HardwareOut::from),
            labels,
            last_sync: *last_sync,
            manifest: ManifestOut { digest: manifest.digest, path: &manifest.path },
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
            unrequested_wipe: *unrequested_wipe,
            user_email,
            void_until: *void_until,
            wipe: *wipe,
        }
    }
}

impl<'a> From<&'a Hardware> for HardwareOut<'a> {
    fn from(hardware: &'a Hardware) -> Self {
        let Hardware { manufacturer, model, autopilot_hash } = hardware;
        Self {
            autopilot_hash: autopilot_hash.as_deref(),
            manufacturer: manufacturer.as_deref(),
            model: model.as_deref(),
        }
    }
}

impl<'a> From<&'a Push> for PushOut<'a> {
    fn from(push: &'a Push) -> Self {
        let Push { intent, digest, state } = push;
        let (state, class, error) = match state {
            PushState::Intended => (PushWord::Intended, None, None),
            PushState::Pushed => (PushWord::Pushed, None, None),
            PushState::Failed(class, error) => (PushWord::Failed, Some(*class), Some(&**error)),
        };
        Self { class, digest: *digest, error, intent: *intent, state }
    }
}

impl PushIn {
    fn push(self) -> Result<Push, &'static str> {
        let Self { class, digest, error, intent, state } = self;
        let state = match (state, class, error) {
            (PushWord::Intended, None, None) => PushState::Intended,
            (PushWord::Pushed, None, None) => PushState::Pushed,
            (PushWord::Failed, Some(class), Some(error)) => PushState::Failed(class, error),
            _ => return Err("a push has `class` and `error` if and only if it failed"),
        };
        Ok(Push { intent, digest, state })
    }
}

impl DeviceIn {
    pub(super) fn device(self, share: &mut Share) -> Result<Device, &'static str> {
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
            }),
            status: self.status,
            status_since: self.status_since,
            status_reason: self.status_reason,
            enrollment: self.enrollment,
            manifest: Manifest {
                path: share.path(self.manifest.path),
                digest: self.manifest.digest,
            },
            compliance: Compliance { state, since, failing, missing },
            push: self.push.push()?,
            orphaned_since: self.orphaned_since,
            wipe: self.wipe,
            unrequested_wipe: self.unrequested_wipe,
            void_until: self.void_until,
            last_sync: self.last_sync,
            facts: self.facts,
            passed_over: self.passed_over,
        })
    }
}

/// Each becomes what the core knows as soon as it is read.
#[derive(Default)]
pub(super) struct Devices(BTreeMap<DeviceId, Box<Device>>);

impl Devices {
    pub(super) fn collect(mut devices: Vec<(DeviceId, Device)>) -> Result<Self, String> {
        devices.sort_unstable_by_key(|(id, _)| *id);
        if let Some(twice) = devices.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("{} is there twice", twice[0].0));
        }
        Ok(Self(devices.into_iter().map(|(id, device)| (id, Box::new(device))).collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Devices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ById;
        impl<'de> Visitor<'de> for ById {
            type Value = Devices;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("devices by id")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Devices, A::Error> {
                let mut share = Share::default();
                let mut devices = Vec::new();
                while let Some((id, device)) = map.next_entry::<DeviceId, DeviceIn>()? {
                    devices.push((id, device.device(&mut share).map_err(A::Error::custom)?));
                }
                Devices::collect(devices).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_map(ById)
    }
}

/// What stands where the devices go.
#[derive(Serialize)]
struct Empty {}

/// Some devices, in the place that they have in the whole.
#[derive(Serialize)]
struct Part<'a> {
    #[serde(serialize_with = "members")]
    devices: &'a [Named<'a>],
}

type Named<'a> = (CompactString, &'a Device);

fn members<S: Serializer>(devices: &&[Named<'_>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(devices.iter().map(|(id, device)| (id, DeviceOut::from(*device))))
}

const BEFORE: &[u8] = b"\n  \"devices\": {";
const AFTER: &[u8] = b"\n  }";

/// `"D001": {…}` and so on, with a comma between them, as they stand within the whole.
fn members_out(devices: &[Named<'_>]) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(devices.len() * 1100);
    serde_json::to_writer_pretty(&mut text, &Part { devices })?;
    let end = text.len() - AFTER.len() - b"\n}".len();
    text.truncate(end);
    text.drain(..b"{".len() + BEFORE.len());
    Ok(text)
}

/// Writes the devices by all cores, in windows of a few megabytes.
fn devices_out(state: &State, mut out: impl Write) -> io::Result<()> {
    let mut by_name: Vec<Named<'_>> = state
        .devices
        .iter()
        .map(|(id, device)| (compact_str::format_compact!("{id}"), &**device))
        .collect();
    by_name.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut separator: &[u8] = b"";
    for window in by_name.chunks(WINDOW) {
        let written: Vec<_> = window.par_chunks(SHARE).map(members_out).collect();
        for members in written {
            out.write_all(separator)?;
            out.write_all(&members?)?;
            separator = b",";
        }
    }
    Ok(())
}

fn profiles_out<S: Serializer>(
    profiles: &&BTreeMap<Name, Arc<Profile>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    // A JSON value sorts its keys at every level; profiles are few.
    let sorted = profiles
        .iter()
        .map(|(name, profile)| {
            serde_json::to_value(ProfileRecorded::from(profile.as_ref())).map(|v| (name, v))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(serde::ser::Error::custom)?;
    serializer.collect_map(sorted)
}

impl SnapshotIn {
    pub(super) fn snapshot(self) -> Result<Snapshot, String> {
        if self.version != VERSION {
            return Err(format!("it is of version {}, not {VERSION}", self.version));
        }
        if self.seq > MAX_SEQ {
            return Err(format!("its `seq` {} is beyond any log", self.seq));
        }
        let mut state = State::default();
        state.lineage = self.lineage;
        state.seq = self.seq;
        state.at = self.at;
        state.head = Head(self.head);
        state.devices = self.devices.0;
        state.trust = self.trust;
        state.config = self.config;
        for (digest, wipe) in self.wipes {
            state.wipes.insert(digest, wipe.into_wipe(digest));
        }
        for (name, profile) in self.profiles {
            if name != profile.name {
                return Err(format!("the profile under {name} is {}", profile.name));
            }
            state.profiles.insert(name, Arc::new(Profile::from(&profile)));
        }
        state.frozen = self.frozen.map(|FrozenWire { cause, of, removed, since }| Frozen {
            since,
            why: PassFrozen { cause, removed, of },
        });
        Ok(Snapshot { state: state.reindexed(), log_bytes: self.log_bytes })
    }
}

/// Writes a snapshot as it stands in `state.json`.
///
/// # Errors
/// Those of `out`.
pub fn write(snapshot: &Snapshot, out: impl Write) -> io::Result<()> {
    write_state(&snapshot.state, snapshot.log_bytes, out)
}

/// As [`write()`], of a state that is not in a snapshot.
///
/// # Errors
/// Those of `out`.
pub fn write_state(state: &State, log_bytes: u64, mut out: impl Write) -> io::Result<()> {
    let wire = SnapshotOut {
        at: state.at,
        config: state.config.as_deref(),
        devices: Empty {},
        frozen: state.frozen.as_ref().map(|Frozen { since, why }| FrozenWire {
            cause: why.cause,
            of: why.of,
            removed: why.removed,
            since: *since,
        }),
        head: state.head.0,
        lineage: state.lineage,
        log_bytes,
        profiles: &state.profiles,
        seq: state.seq,
        trust: state.trust,
        version: VERSION,
        wipes: &state.wipes,
    };
    let mut whole = serde_json::to_vec_pretty(&wire)?;
    whole.push(b'\n');
    if state.devices.is_empty() {
        return out.write_all(&whole);
    }
    let gap = whole.windows(BEFORE.len()).position(|w| w == BEFORE).map(|at| at + BEFORE.len());
    let (before, after) = whole.split_at(gap.expect("the devices have their place"));
    out.write_all(before)?;
    devices_out(state, &mut out)?;
    out.write_all(AFTER)?;
    out.write_all(&after[b"}".len()..])
}

/// Replaces `state.json` in `dir`.
///
/// # Errors
/// If a step fails; the old one is then still there.
pub(super) fn save(dir: &Path, state: &State, log_bytes: u64) -> Result<(), durable::Error> {
    durable::replace_file("ledger.snapshot", &dir.join(STATE), |out: &mut BufWriter<File>| {
        write_state(state, log_bytes, out)
    })
}

/// The keys under which two records of a device differ, but for telemetry.
pub(super) fn differences(a: &Device, b: &Device) -> Vec<String> {
    let wire = |device| {
        let mut out = DeviceOut::from(device);
        out.facts = None;
        out.last_sync = None;
        out.passed_over = 0;
        out
    };
    let value = |device| serde_json::to_value(wire(device)).unwrap_or_default();
    let bytes = |device| serde_json::to_vec(&wire(device)).unwrap_or_default();
    if bytes(a) == bytes(b) {
        return Vec::new();
    }
    let (a, b) = (value(a), value(b));
    let keys = a.as_object().into_iter().flatten().map(|(key, _)| key);
    keys.filter(|key| a.get(key.as_str()) != b.get(key.as_str())).cloned().collect()
}
