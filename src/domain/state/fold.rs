//! The state, and how entries change it.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::by_serial::BySerial;
use super::device::{Compliance, Device, LastPush, Manifest, PushProgress, PushState, Rare};
use super::devices::Devices;
use super::event::{
    AlertKind, ConfigRights, DeviceProvisioned, Entry, Event, LedgerRestored, PassFrozen,
    ProfilePrepared, TrustFiles,
};
use super::shared::Alike;
use super::sparse::Sparse;
use super::wipe::Wipe;
use crate::domain::model::{
    ComplianceState, DesiredDevice, DeviceId, Digest, Facts, GraphId, Name, Platform, Profile,
    SerialNumber, Status, Timestamp,
};

/// Everything that the ledger says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// What wipe requests have to name: made with the log, and anew whenever it is restored.
    pub(crate) lineage: Option<uuid::Uuid>,
    /// Where the log goes on from a backup.
    pub(crate) restored: Option<Restored>,
    /// The lineages that it had before, each with the last entry of its time.
    pub(crate) lineages: Vec<(u64, uuid::Uuid)>,
    /// Of the last entry folded in; 0 before the first.
    pub seq: u64,
    /// The latest time of all entries folded in: a clock that was set back does not set it back.
    pub(crate) at: Option<Timestamp>,
    /// Hash of the last line folded in.
    pub(crate) head: HeadHash,
    /// By id; none is ever removed.
    pub devices: Devices,
    /// The last revision of each profile that a device was to get.
    pub profiles: BTreeMap<Name, Arc<Profile>>,
    /// Compliance policies that the MDM has for profiles, by platform.
    pub(crate) policies: BTreeMap<Name, BTreeMap<Platform, GraphId>>,
    /// Wipe requests that the log knows, by the digest of their files; none is ever removed.
    pub wipes: BTreeMap<Digest, Wipe>,
    /// The trust files last seen.
    pub(crate) trust: Option<TrustFiles>,
    /// What the configuration said last about rights.
    pub(crate) config: Option<Box<ConfigRights>>,
    /// Sinks that tell what happens, and since which entry.
    pub(crate) sinks: BTreeMap<CompactString, u64>,
    /// Alerts that are open, by what they are about, and since when.
    pub(crate) alerts: BTreeMap<(AlertKind, CompactString), Timestamp>,
    /// Set while the guard refuses whole plans.
    pub frozen: Option<Frozen>,
    by_serial: BySerial,
    alike: Alike,
}

/// A digest that starts as 64 zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeadHash(pub(crate) Digest);

impl Default for HeadHash {
    fn default() -> Self {
        Self(Digest::ZERO)
    }
}

/// That the log goes on from a backup, and nobody knows what happened after it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Restored {
    /// When it was restored; of several times, the last.
    pub(crate) at: Timestamp,
    /// The lineage that `ledger.created` gave it.
    pub(crate) origin: uuid::Uuid,
}

/// Since when, and why, nothing is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen {
    /// When the guard first refused.
    pub(crate) since: Timestamp,
    pub(crate) why: PassFrozen,
}

/// Why an entry cannot follow what came before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} ({kind}) cannot follow what came before it: {why}")]
pub struct FoldError {
    pub(crate) seq: u64,
    pub(crate) kind: &'static str,
    pub(crate) why: String,
}

impl State {
    /// The device that bears this serial now: the last one provisioned with it.
    #[must_use]
    pub fn by_serial(&self, serial: &SerialNumber) -> Option<(DeviceId, &Device)> {
        let id = self.by_serial.get(serial, &self.devices)?;
        Some((id, &self.devices[&id]))
    }

    /// Lets a manifest share the memory of what is recorded in the very same words.
    pub(crate) fn share_with(&self, desired: &mut DesiredDevice) {
        let Some((_, known)) = self.by_serial(&desired.spec.serial_number) else { return };
        if desired.spec.is_spelled_as(&known.spec) {
            desired.spec = known.spec.clone();
        }
        if desired.place.path == known.manifest.path {
            desired.place.path = known.manifest.path.clone();
        }
    }

    /// Makes room for so many new devices at once, where they are about to come.
    pub(crate) fn expect_devices(&mut self, more: usize) {
        self.by_serial.reserve(more, &self.devices);
    }

    /// The id that the next new device gets.
    #[must_use]
    pub(crate) fn next_id(&self) -> DeviceId {
        self.devices.last().map_or(DeviceId::FIRST, |(id, _)| id.next())
    }

    /// The lineage that the log began with: what this ledger made in the MDM bears it, and is found
    /// by it after the ledger was restored, too.
    #[must_use]
    pub(crate) fn origin(&self) -> Option<uuid::Uuid> {
        self.restored.map_or(self.lineage, |restored| Some(restored.origin))
    }

    /// The lineage that the log had when an entry was written. Who was told of the entry knows it by
    /// that, also after the ledger was restored.
    #[must_use]
    pub(crate) fn lineage_of(&self, seq: u64) -> Option<uuid::Uuid> {
        let earlier = self.lineages.iter().find(|(last, _)| seq <= *last);
        earlier.map_or(self.lineage, |(_, lineage)| Some(*lineage))
    }

    /// Devices that a manifest is expected for: neither wiped nor orphaned.
    pub(crate) fn active(&self) -> impl Iterator<Item = (DeviceId, &Device)> {
        self.devices.iter().filter(|(_, d)| d.is_active()).map(|(id, d)| (*id, d))
    }

    /// A state read back from a snapshot; the index is made anew.
    #[must_use]
    pub(crate) fn reindexed(mut self) -> Self {
        self.by_serial = BySerial::of(&self.devices);
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
        self.head = HeadHash(line);
        Ok(())
    }

    /// Telemetry of a report newer than the last one: kept in the snapshot, never logged.
    pub(crate) fn observe(&mut self, id: DeviceId, at: Timestamp, facts: &Facts) {
        if let Some(device) = self.devices.get_mut(&id) {
            device.last_sync = Some(at);
            device.facts = Some(Box::new(facts.clone()));
        }
    }

    /// Telemetry: reports that came too late to count.
    pub(crate) fn pass_over(&mut self, id: DeviceId, reports: u64) {
        if let Some(device) = self.devices.get_mut(&id) {
            let passed_over = &mut device.rare.passed_over;
            *passed_over = passed_over.saturating_add(reports);
        }
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), String> {
        let latest = self.at.map_or(entry.at, |at| at.max(entry.at));
        match &entry.event {
            Event::LedgerCreated(created) => {
                self.lineage = Some(created.lineage);
                Ok(())
            }
            Event::LedgerRestored(restored) => self.restore(entry.at, restored),
            Event::ProfileRecorded(profile) => {
                self.profiles.insert(profile.name.clone(), Arc::new(Profile::clone(profile)));
                Ok(())
            }
            Event::PassFrozen(why) => {
                self.frozen = Some(Frozen { since: entry.at, why: why.clone() });
                Ok(())
            }
            Event::PassThawed(_) => {
                self.frozen.take().map(|_| ()).ok_or_else(|| "nothing was frozen".into())
            }
            Event::LogRepaired(_) | Event::ProfileDrifted(_) => Ok(()),
            Event::ProfilePrepared(prepared) => {
                let ProfilePrepared { profile, policies, .. } = &**prepared;
                if policies.is_empty() {
                    self.policies.remove(profile);
                } else {
                    self.policies.insert(profile.clone(), policies.clone());
                }
                Ok(())
            }
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
            | Event::WipeProgress(_)
            | Event::WipeConfirmed(_)
            | Event::WipeFailed(_)
            | Event::WipeExpired(_)
            | Event::WipeVetoed(_) => self.apply_wipe(entry),
            Event::NoticeBegun(_)
            | Event::NoticeIntended(_)
            | Event::NoticeSent(_)
            | Event::NoticeFailed(_)
            | Event::NoticeDropped(_)
            | Event::TicketOpened(_)
            | Event::TicketNoted(_) => {
                self.apply_notice(entry);
                Ok(())
            }
            Event::AlertBegan(alert) => {
                self.alerts.insert((alert.alert, alert.about.clone()), latest);
                Ok(())
            }
            Event::AlertEnded(alert) => {
                self.alerts.remove(&(alert.alert, alert.about.clone()));
                Ok(())
            }
            Event::DeviceProvisioned(new) => self.provision((entry, latest), new),
            Event::DeviceUpdated(_)
            | Event::DeviceStatus(_)
            | Event::DeviceOrphaned(_)
            | Event::DeviceAdopted(_)
            | Event::DeviceArchived(_)
            | Event::DeviceMissing(_)
            | Event::DeviceFound(_)
            | Event::ProfileIntended(_)
            | Event::ProfilePushed(_)
            | Event::ProfileFailed(_)
            | Event::LicenseIntended(_)
            | Event::LicenseAssigned(_)
            | Event::LicenseFailed(_)
            | Event::SyncRequested(_)
            | Event::SyncFailed(_)
            | Event::ComplianceChanged(_)
            | Event::EvidenceMissing(_)
            | Event::EvidenceReturned(_)
            | Event::AccessIntended(_)
            | Event::AccessBlocked(_)
            | Event::AccessRestored(_)
            | Event::AccessFailed(_)
            | Event::WipeUnrequested(_) => {
                let id = entry.device.ok_or("it names no device")?;
                let device =
                    self.devices.get_mut(&id).ok_or_else(|| format!("there is no device {id}"))?;
                device.apply(entry, latest, &mut self.alike)
            }
        }
    }

    fn restore(&mut self, at: Timestamp, restored: &LedgerRestored) -> Result<(), String> {
        let LedgerRestored { backup_at: _, lineage, previous } = restored;
        if self.lineage != Some(*previous) {
            return Err(format!("the lineage until now is not {previous}"));
        }
        if lineage == previous {
            return Err(format!("the lineage {lineage} is not a new one"));
        }
        let origin = self.origin().unwrap_or(*previous);
        self.lineages.push((self.seq, *previous));
        self.restored = Some(Restored { at: self.at.map_or(at, |seen| seen.max(at)), origin });
        self.lineage = Some(*lineage);
        Ok(())
    }

    fn provision(
        &mut self,
        (entry, latest): (&Entry, Timestamp),
        new: &DeviceProvisioned,
    ) -> Result<(), String> {
        let id = entry.device.ok_or("it names no device")?;
        if id != self.next_id() {
            return Err(format!("the next device is {}, not {id}", self.next_id()));
        }
        let last = self.by_serial(&new.spec.serial_number);
        if let Some((last, device)) = last
            && !device.is_wiped()
        {
            return Err(format!("serial {} is that of {last}", new.spec.serial_number));
        }
        let source = entry.source.as_ref().ok_or("it names no manifest")?;
        // What the hardware said under its last id says nothing of this one.
        let void_until = last.map(|_| entry.at);
        self.devices.insert(
            id,
            Device {
                spec: new.spec.clone(),
                status: Status::Pending,
                status_since: entry.at,
                status_reason: self.alike.reason("provisioned"),
                enrollment: new.enrollment,
                manifest: Manifest::from(source),
                compliance: Compliance {
                    state: ComplianceState::Unknown,
                    since: entry.at,
                    checks: Sparse::default(),
                },
                push: LastPush {
                    intent: new.intent,
                    digest: self.alike.digest(new.profile_digest),
                    progress: Sparse::new(PushProgress {
                        state: PushState::Intended,
                        since: Some(latest),
                        former_users: Vec::new(),
                    }),
                },
                rare: Sparse::new(Rare { void_until, ..Rare::default() }),
                licenses: Sparse::default(),
                episode: None,
                last_sync: None,
                facts: None,
            },
        );
        self.by_serial.put(id, &self.devices);
        Ok(())
    }
}
