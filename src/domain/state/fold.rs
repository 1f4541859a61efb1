//! The recorded fleet: a fold over the log.
//!
//! [`State::fold`] is the only code that changes it, in a pass and in a replay alike;
//! [`State::observe`] adds telemetry, which is never logged. A log that this module
//! refuses was not written by it.

pub mod event;

mod wipes;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use compact_str::CompactString;
use serde_json::Value;

use crate::domain::model::{
    ComplianceState, DeviceId, DeviceSpec, Digest, Facts, Name, Profile, SerialNumber, Status,
    Timestamp,
};
use crate::domain::state::event::{
    Change, ComplianceChanged, ConfigRights, DeviceProvisioned, DeviceStatus, Entry, ErrorClass,
    Event, Field, FreezeCause, PassFrozen, ProfilePush, ProfileRecorded, Source, TrustFiles,
};

pub use wipes::{DEFERRED, Wipe, WipeState, refused};

/// Everything that the ledger says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Made once, with the log.
    pub lineage: Option<uuid::Uuid>,
    /// Of the last entry folded in; 0 before the first.
    pub seq: u64,
    /// The latest time of all entries folded in: a clock that was set back does not set it back.
    pub at: Option<Timestamp>,
    /// Hash of the last line folded in.
    pub head: Head,
    /// By id; none is ever removed. Boxed, because ids only rise, which leaves the nodes of
    /// the map half full: of pointers, and not of 300 bytes for each device.
    pub devices: BTreeMap<DeviceId, Box<Device>>,
    /// The last revision of each profile that a device was to get.
    pub profiles: BTreeMap<Name, Arc<Profile>>,
    /// Wipe requests that the log knows, by the digest of their files; none is ever removed.
    pub wipes: BTreeMap<Digest, Wipe>,
    /// The trust files last seen.
    pub trust: Option<TrustFiles>,
    /// What the configuration said last about rights.
    pub config: Option<Box<ConfigRights>>,
    /// Set while the guard refuses whole plans.
    pub frozen: Option<Frozen>,
    by_serial: HashMap<SerialNumber, DeviceId>,
}

/// A digest that starts as 64 zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head(pub Digest);

impl Default for Head {
    fn default() -> Self {
        Self(Digest::ZERO)
    }
}

/// Since when, and why, nothing is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen {
    /// When the guard first refused.
    pub since: Timestamp,
    /// Why.
    pub why: PassFrozen,
}

/// One recorded device.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// As last applied.
    pub spec: Arc<DeviceSpec>,
    /// Where it stands.
    pub status: Status,
    /// Since when.
    pub status_since: Timestamp,
    /// Why, for people.
    pub status_reason: CompactString,
    /// As last applied.
    pub enrollment: u32,
    /// What was last applied.
    pub manifest: Manifest,
    /// The verdict over its facts.
    pub compliance: Compliance,
    /// The last push of a profile.
    pub push: Push,
    /// Since when its manifest has been gone.
    pub orphaned_since: Option<Timestamp>,
    /// The last wipe that was accepted for it.
    pub wipe: Option<Digest>,
    /// When it reported that it was erased though nobody had asked for it; until `enrollment` is
    /// raised.
    pub unrequested_wipe: Option<Timestamp>,
    /// Reports dated up to then say nothing of the device as it is: it began anew.
    pub void_until: Option<Timestamp>,
    /// Telemetry: date of the last report, or its arrival where that date is not believed.
    pub last_sync: Option<Timestamp>,
    /// Telemetry: facts of the last report.
    pub facts: Option<Box<Facts>>,
    /// Telemetry: how many reports were passed over because a later one had been heard before.
    pub passed_over: u64,
}

/// The document that a device's record comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Relative to the root of the fleet directory.
    pub path: Arc<str>,
    /// Over the document's bytes as last applied.
    pub digest: Digest,
}

/// The recorded verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compliance {
    /// The verdict.
    pub state: ComplianceState,
    /// Since when it is that.
    pub since: Timestamp,
    /// The checks that fail, sorted.
    pub failing: Vec<String>,
    /// The checks that lack a fact, sorted.
    pub missing: Vec<String>,
}

/// The last push of a profile to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Number of the intent.
    pub intent: u64,
    /// Revision of the profile.
    pub digest: Digest,
    /// How it stands.
    pub state: PushState,
}

/// How a push stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushState {
    /// Logged, and no outcome yet: in doubt if no pass is running.
    Intended,
    /// The provider has it.
    Pushed,
    /// It went wrong.
    Failed(ErrorClass, Box<str>),
}

/// Why an entry cannot follow what came before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} ({kind}) cannot follow what came before it: {why}")]
pub struct FoldError {
    /// Of the entry.
    pub seq: u64,
    /// Of the entry.
    pub kind: &'static str,
    /// What is wrong.
    pub why: String,
}

impl State {
    /// The device that bears this serial now: the last one provisioned with it.
    #[must_use]
    pub fn by_serial(&self, serial: &SerialNumber) -> Option<(DeviceId, &Device)> {
        let id = *self.by_serial.get(serial)?;
        Some((id, &self.devices[&id]))
    }

    /// The id that the next new device gets.
    #[must_use]
    pub fn next_id(&self) -> DeviceId {
        self.devices.last_key_value().map_or(DeviceId::FIRST, |(id, _)| id.next())
    }

    /// Devices that a manifest is expected for: neither wiped nor orphaned.
    pub fn active(&self) -> impl Iterator<Item = (DeviceId, &Device)> {
        self.devices
            .iter()
            .filter(|(_, d)| d.status != Status::Wiped && d.orphaned_since.is_none())
            .map(|(id, d)| (*id, &**d))
    }

    /// A state read back from a snapshot; the index is made anew.
    #[must_use]
    pub fn reindexed(mut self) -> Self {
        self.by_serial =
            self.devices.iter().map(|(id, d)| (d.spec.serial_number.clone(), *id)).collect();
        self
    }

    /// Takes one entry in; `line` is the hash of its line.
    ///
    /// # Errors
    /// If the entry cannot follow what came before it; the state is then as it was.
    pub fn fold(&mut self, entry: &Entry, line: Digest) -> Result<(), FoldError> {
        let fail = |why: String| FoldError { seq: entry.seq, kind: entry.event.kind(), why };
        if entry.seq != self.seq + 1 {
            return Err(fail(format!("its number should be {}", self.seq + 1)));
        }
        if (entry.seq == 1) != matches!(entry.event, Event::LedgerCreated(_)) {
            return Err(fail("the first entry, and only it, is ledger.created".into()));
        }
        self.apply(entry).map_err(fail)?;
        self.seq = entry.seq;
        self.at = self.at.max(Some(entry.at));
        self.head = Head(line);
        Ok(())
    }

    /// Telemetry of a report newer than the last one: kept in the snapshot, never logged.
    pub fn observe(&mut self, id: DeviceId, at: Timestamp, facts: &Facts) {
        if let Some(device) = self.devices.get_mut(&id) {
            device.last_sync = Some(at);
            device.facts = Some(Box::new(facts.clone()));
        }
    }

    /// Telemetry: reports that came too late to count.
    pub fn pass_over(&mut self, id: DeviceId, reports: u64) {
        if let Some(device) = self.devices.get_mut(&id) {
            device.passed_over = device.passed_over.saturating_add(reports);
        }
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), String> {
        match &entry.event {
            Event::LedgerCreated(created) => {
                self.lineage = Some(created.lineage);
                Ok(())
            }
            Event::ProfileRecorded(profile) => {
                let profile = Profile::from(profile.as_ref());
                self.profiles.insert(profile.name.clone(), Arc::new(profile));
                Ok(())
            }
            Event::PassFrozen(why) => {
                self.frozen = Some(Frozen { since: entry.at, why: why.clone() });
                Ok(())
            }
            Event::PassThawed(_) => {
                self.frozen.take().map(|_| ()).ok_or_else(|| "nothing was frozen".into())
            }
            Event::LogRepaired(_) => Ok(()),
            Event::TrustChanged(changed) => {
                self.trust = Some(changed.to);
                Ok(())
            }
            Event::ConfigChanged(changed) => {
                self.config = Some(Box::new(changed.to.clone()));
                Ok(())
            }
            Event::WipeAccepted(_)
            | Event::WipeRefused(_)
            | Event::WipeHeld(_)
            | Event::WipeIssued(_)
            | Event::WipeDeferred(_)
            | Event::WipeConfirmed(_)
            | Event::WipeFailed(_)
            | Event::WipeExpired(_)
            | Event::WipeVetoed(_) => self.apply_wipe(entry),
            Event::DeviceProvisioned(new) => self.provision(entry, new),
            Event::DeviceUpdated(_)
            | Event::DeviceStatus(_)
            | Event::DeviceOrphaned(_)
            | Event::DeviceAdopted(_)
            | Event::ProfileIntended(_)
            | Event::ProfilePushed(_)
            | Event::ProfileFailed(_)
            | Event::ComplianceChanged(_)
            | Event::WipeUnrequested(_) => {
                let id = entry.device.ok_or("it names no device")?;
                let device =
                    self.devices.get_mut(&id).ok_or_else(|| format!("there is no device {id}"))?;
                device.apply(entry)
            }
        }
    }

    fn provision(&mut self, entry: &Entry, new: &DeviceProvisioned) -> Result<(), String> {
        let id = entry.device.ok_or("it names no device")?;
        if id != self.next_id() {
            return Err(format!("the next device is {}, not {id}", self.next_id()));
        }
        if let Some((old, device)) = self.by_serial(&new.spec.serial_number)
            && device.status != Status::Wiped
        {
            return Err(format!("serial {} is that of {old}", new.spec.serial_number));
        }
        let source = entry.source.as_ref().ok_or("it names no manifest")?;
        // What the hardware said under its last id says nothing of this one.
        let void_until = self.by_serial(&new.spec.serial_number).map(|_| entry.at);
        self.by_serial.insert(new.spec.serial_number.clone(), id);
        self.devices.insert(
            id,
            Box::new(Device {
                spec: new.spec.clone(),
                status: Status::Pending,
                status_since: entry.at,
                status_reason: "provisioned".into(),
                enrollment: new.enrollment,
                manifest: Manifest::from(source),
                compliance: Compliance {
                    state: ComplianceState::Unknown,
                    since: entry.at,
                    failing: Vec::new(),
                    missing: Vec::new(),
                },
                push: Push {
                    intent: new.intent,
                    digest: new.profile_digest,
                    state: PushState::Intended,
                },
                orphaned_since: None,
                wipe: None,
                unrequested_wipe: None,
                void_until,
                last_sync: None,
                facts: None,
                passed_over: 0,
            }),
        );
        Ok(())
    }
}

impl Device {
    /// Whether the end of this device id has come.
    #[must_use]
    pub fn is_wiped(&self) -> bool {
        self.status == Status::Wiped
    }

    /// The last sign of life, or since when one has been waited for.
    #[must_use]
    pub fn heard_from(&self) -> Timestamp {
        self.last_sync.unwrap_or(self.status_since)
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), String> {
        match &entry.event {
            Event::DeviceUpdated(updated) => {
                let mut spec = DeviceSpec::clone(&self.spec);
                for change in &updated.changes {
                    match change.field {
                        Field::Enrollment => {
                            self.enrollment = value(&change.to)?;
                            self.begin_anew(None);
                        }
                        Field::Manifest => {}
                        _ => change.apply_to(&mut spec)?,
                    }
                }
                self.spec = Arc::new(spec);
                self.manifest =
                    Manifest::from(entry.source.as_ref().ok_or("it names no manifest")?);
            }
            Event::DeviceStatus(status) => self.set_status(entry.at, status)?,
            Event::DeviceOrphaned(_) => {
                if self.orphaned_since.is_some() {
                    return Err("it is orphaned already".into());
                }
                self.orphaned_since = Some(entry.at);
            }
            Event::DeviceAdopted(_) => {
                self.orphaned_since.take().ok_or("it was not orphaned")?;
                self.manifest =
                    Manifest::from(entry.source.as_ref().ok_or("it names no manifest")?);
            }
            Event::ProfileIntended(push) => self.push = Push::new(push, PushState::Intended),
            Event::ProfilePushed(push) => self.push = Push::new(push, PushState::Pushed),
            Event::ProfileFailed(failed) => {
                if self.push.intent != failed.intent {
                    return Err(format!(
                        "its last intent is {}, not {}",
                        self.push.intent, failed.intent
                    ));
                }
                self.push.state = PushState::Failed(failed.class, failed.error.as_str().into());
            }
            Event::ComplianceChanged(changed) => self.set_compliance(entry.at, changed),
            Event::WipeUnrequested(_) => {
                if self.unrequested_wipe.is_some() {
                    return Err("it is known to be erased already".into());
                }
                self.unrequested_wipe = Some(entry.at);
            }
            _ => return Err("it is not about a device".into()),
        }
        Ok(())
    }

    fn set_status(&mut self, at: Timestamp, status: &DeviceStatus) -> Result<(), String> {
        if self.status != status.from {
            return Err(format!("the device is {}, not {}", self.status, status.from));
        }
        self.status = status.to;
        self.status_since = at;
        self.status_reason = status.reason.as_str().into();
        if let Some(enrollment) = status.enrollment {
            self.enrollment = enrollment;
            self.begin_anew(status.last_sync);
        }
        // A replay knows no telemetry, and a crash may have lost it: what is void stays void.
        self.last_sync = self.last_sync.max(status.last_sync);
        // What it said before it was erased or began anew says nothing of what it is.
        if status.enrollment.is_some() || status.to == Status::Wiped {
            self.facts = None;
        }
        Ok(())
    }

    /// Under a new enrolment: an erasure was seen to, and what was reported up to then is void.
    fn begin_anew(&mut self, void_until: Option<Timestamp>) {
        self.unrequested_wipe = None;
        self.void_until = self.void_until.max(void_until);
    }

    fn set_compliance(&mut self, at: Timestamp, changed: &ComplianceChanged) {
        let since = if self.compliance.state == changed.to { self.compliance.since } else { at };
        self.compliance = Compliance {
            state: changed.to,
            since,
            failing: changed.failing.clone(),
            missing: changed.missing.clone(),
        };
    }
}

impl Push {
    fn new(push: &ProfilePush, state: PushState) -> Self {
        Self { intent: push.intent, digest: push.digest, state }
    }
}

impl From<&Source> for Manifest {
    fn from(source: &Source) -> Self {
        Self { path: source.path.clone(), digest: source.digest }
    }
}

fn value<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|e| e.to_string())
}

impl Change {
    fn apply_to(&self, spec: &mut DeviceSpec) -> Result<(), String> {
        let to = &self.to;
        match self.field {
            Field::Name => spec.name = value(to)?,
            Field::UserEmail => spec.user_email = value(to)?,
            Field::Profile => spec.profile = value(to)?,
            Field::Platform => spec.platform = value(to)?,
            Field::OsVersion => spec.os_version = value(to)?,
            Field::Ownership => spec.ownership = value(to)?,
            Field::Labels => spec.labels = value(to)?,
            Field::Hardware => spec.hardware = value(to)?,
            Field::Enrollment | Field::Manifest => {
                return Err("not a field of the specification".into());
            }
        }
        Ok(())
    }
}

impl From<&ProfileRecorded> for Profile {
    fn from(recorded: &ProfileRecorded) -> Self {
        let ProfileRecorded {
            name,
            description,
            platforms,
            apps,
            settings,
            licenses,
            compliance,
            digest,
        } = recorded.clone();
        Self { name, description, platforms, apps, settings, licenses, compliance, digest }
    }
}

impl From<&Profile> for ProfileRecorded {
    fn from(profile: &Profile) -> Self {
        let Profile { name, description, platforms, apps, settings, licenses, compliance, digest } =
            profile.clone();
        Self { name, description, platforms, apps, settings, licenses, compliance, digest }
    }
}

impl FreezeCause {
    /// A sentence without a full stop, for people.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Missing => "the fleet directory cannot be read",
            Self::Empty => "the fleet directory holds no device",
            Self::Shrunken => "too many devices are gone from the fleet directory at once",
        }
    }
}
