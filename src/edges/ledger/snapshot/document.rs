//! The snapshot as a JSON document, but for the devices within.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize, Serializer};

use super::devices::Devices;
use super::wipes::{self, WipeWire};
use crate::domain::model::{Digest, GraphId, Name, Platform, Profile, Timestamp};
use crate::domain::state::event::{AlertKind, ConfigRights, FreezeCause, PassFrozen, TrustFiles};
use crate::domain::state::{Frozen, HeadHash, Restored, State, Wipe};

/// Of the data format.
const VERSION: u32 = 1;

/// Numbers up to this one are exact in every JSON reader; no log comes near it.
const MAX_SEQ: u64 = 1 << 53;

/// A state, and how much of the log it stands for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// As of the line `state.seq`.
    pub state: State,
    /// Bytes of all lines up to that one, with their newlines.
    pub(crate) log_bytes: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SnapshotOut<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alerts: Vec<AlertWire>,
    at: Option<Timestamp>,
    config: Option<&'a ConfigRights>,
    devices: Empty,
    frozen: Option<FrozenWire>,
    head: Digest,
    lineage: Option<uuid::Uuid>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    lineages: &'a [(u64, uuid::Uuid)],
    log_bytes: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    policies: &'a BTreeMap<Name, BTreeMap<Platform, GraphId>>,
    #[serde(serialize_with = "profiles_out")]
    profiles: &'a BTreeMap<Name, Arc<Profile>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored: Option<RestoredWire>,
    seq: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    sinks: &'a BTreeMap<CompactString, u64>,
    trust: Option<TrustFiles>,
    version: u32,
    #[serde(serialize_with = "wipes::out")]
    wipes: &'a BTreeMap<Digest, Wipe>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::edges::ledger) struct SnapshotIn {
    #[serde(default)]
    alerts: Vec<AlertWire>,
    at: Option<Timestamp>,
    // Older snapshots have none.
    #[serde(default)]
    config: Option<Box<ConfigRights>>,
    pub(super) devices: Devices,
    frozen: Option<FrozenWire>,
    head: Digest,
    lineage: Option<uuid::Uuid>,
    #[serde(default)]
    lineages: Vec<(u64, uuid::Uuid)>,
    log_bytes: u64,
    #[serde(default)]
    policies: BTreeMap<Name, BTreeMap<Platform, GraphId>>,
    profiles: BTreeMap<Name, Profile>,
    #[serde(default)]
    restored: Option<RestoredWire>,
    seq: u64,
    #[serde(default)]
    sinks: BTreeMap<CompactString, u64>,
    trust: Option<TrustFiles>,
    version: u32,
    wipes: BTreeMap<Digest, WipeWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertWire {
    about: CompactString,
    alert: AlertKind,
    since: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrozenWire {
    cause: FreezeCause,
    of: u64,
    removed: u64,
    since: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RestoredWire {
    at: Timestamp,
    origin: uuid::Uuid,
}

/// What stands where the devices go.
#[derive(Serialize)]
struct Empty {}

fn profiles_out<S: Serializer>(
    profiles: &&BTreeMap<Name, Arc<Profile>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    // A JSON value sorts its keys at every level; profiles are few.
    let sorted = profiles
        .iter()
        .map(|(name, profile)| serde_json::to_value(profile.as_ref()).map(|v| (name, v)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(serde::ser::Error::custom)?;
    serializer.collect_map(sorted)
}

impl SnapshotIn {
    pub(in crate::edges::ledger) fn snapshot(self) -> Result<Snapshot, String> {
        if self.version != VERSION {
            return Err(format!("it is of version {}, not {VERSION}", self.version));
        }
        if self.seq > MAX_SEQ {
            return Err(format!("its `seq` {} is beyond any log", self.seq));
        }
        let mut state = State::default();
        state.lineage = self.lineage;
        state.lineages = self.lineages;
        state.restored = self.restored.map(|RestoredWire { at, origin }| Restored { at, origin });
        state.seq = self.seq;
        state.at = self.at;
        state.head = HeadHash(self.head);
        state.devices = self.devices.0;
        state.trust = self.trust;
        state.config = self.config;
        state.policies = self.policies;
        state.sinks = self.sinks;
        for AlertWire { about, alert, since } in self.alerts {
            state.alerts.insert((alert, about), since);
        }
        for (digest, wipe) in self.wipes {
            state.wipes.insert(digest, wipe.into_wipe(digest));
        }
        for (name, profile) in self.profiles {
            if name != profile.name {
                return Err(format!("the profile under {name} is {}", profile.name));
            }
            state.profiles.insert(name, Arc::new(profile));
        }
        state.frozen = self.frozen.map(|FrozenWire { cause, of, removed, since }| Frozen {
            since,
            why: PassFrozen { cause, removed, of },
        });
        Ok(Snapshot { state: state.reindexed(), log_bytes: self.log_bytes })
    }
}

impl<'a> SnapshotOut<'a> {
    /// Without the devices.
    pub(super) fn of(state: &'a State, log_bytes: u64) -> Self {
        let alerts = state.alerts.iter();
        let alerts = alerts.map(|((alert, about), since)| {
            let (about, alert, since) = (about.clone(), *alert, *since);
            AlertWire { about, alert, since }
        });
        Self {
            alerts: alerts.collect(),
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
            lineages: &state.lineages,
            log_bytes,
            policies: &state.policies,
            profiles: &state.profiles,
            restored: state.restored.map(|Restored { at, origin }| RestoredWire { at, origin }),
            seq: state.seq,
            sinks: &state.sinks,
            trust: state.trust,
            version: VERSION,
            wipes: &state.wipes,
        }
    }
}
