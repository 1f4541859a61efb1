//! One recorded device, and what entries about it change.

use std::sync::Arc;

use compact_str::CompactString;
use serde_json::Value;

use super::episode::{Episode, EpisodeKind, NoticeResult, Ticket};
use super::event::{
    Change, ComplianceChanged, DeviceStatus, Entry, ErrorClass, Event, Field, ProfilePush, Source,
};
use super::license::Licenses;
use super::shared::Alike;
use super::sparse::{Sparse, Usual};
use super::sync::{LastSync, SyncStanding};
use crate::domain::model::{ComplianceState, DeviceSpec, Digest, Email, Facts, Status, Timestamp};

/// One recorded device.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    pub spec: Arc<DeviceSpec>,
    pub status: Status,
    pub(crate) status_since: Timestamp,
    pub(crate) status_reason: Arc<str>,
    pub enrollment: u32,
    pub(crate) manifest: Manifest,
    pub(crate) compliance: Compliance,
    pub push: LastPush,
    /// What only few devices have.
    pub rare: Sparse<Rare>,
    /// What its users were to get of the licenses of its profile.
    pub(crate) licenses: Sparse<Licenses>,
    /// What its verdict leads to; the last one there was.
    pub(crate) episode: Option<Box<Episode>>,
    /// Telemetry: date of the last report, or its arrival where that date is not believed.
    pub last_sync: Option<Timestamp>,
    /// Telemetry: facts of the last report.
    pub facts: Option<Box<Facts>>,
}

/// What only few devices have: apart from the rest of their records, which are many.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rare {
    /// Since when its manifest has been gone.
    pub orphaned_since: Option<Timestamp>,
    /// Since when it has been out of the way: wiped, or orphaned until its manifest is back.
    pub(crate) archived_since: Option<Timestamp>,
    /// The last wipe that was accepted for it.
    pub(crate) wipe: Option<Digest>,
    /// When it reported that it was erased though nobody had asked for it; until `enrollment` is
    /// raised.
    pub unrequested_wipe: Option<Timestamp>,
    /// Since when a complete list of the MDM's devices has not had it.
    pub missing_since: Option<Timestamp>,
    /// The last sync that somebody asked for.
    pub sync_requested: Option<Box<LastSync>>,
    /// Reports dated up to then say nothing of the device as it is: it began anew.
    pub(crate) void_until: Option<Timestamp>,
    /// Telemetry: how many reports were passed over because a later one had been heard before.
    pub(crate) passed_over: u64,
}

impl Rare {
    /// Whether two are equal but for telemetry.
    pub(crate) fn is_as_logged(&self, other: &Self) -> bool {
        let logged = |rare: &Self| Self { passed_over: 0, ..rare.clone() };
        self == other || logged(self) == logged(other)
    }
}

impl Usual for Rare {
    fn usual() -> &'static Self {
        static NONE: Rare = Rare {
            orphaned_since: None,
            archived_since: None,
            wipe: None,
            unrequested_wipe: None,
            missing_since: None,
            sync_requested: None,
            void_until: None,
            passed_over: 0,
        };
        &NONE
    }
}

/// The document that a device's record comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Relative to the root of the fleet directory.
    pub(crate) path: Arc<str>,
    /// Over the document's bytes as last applied.
    pub(crate) digest: Digest,
}

/// The recorded verdict.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compliance {
    pub(crate) state: ComplianceState,
    pub(crate) since: Timestamp,
    pub(crate) checks: Sparse<Checks>,
}

/// The checks that a device does not pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Checks {
    /// Those that fail, sorted.
    pub(crate) failing: Vec<String>,
    /// Those that lack a fact, sorted.
    pub(crate) missing: Vec<String>,
}

impl Usual for Checks {
    fn usual() -> &'static Self {
        static PASSED: Checks = Checks { failing: Vec::new(), missing: Vec::new() };
        &PASSED
    }
}

/// The last push of a profile to a device.
#[derive(Debug, Clone, PartialEq)]
pub struct LastPush {
    pub(crate) intent: u64,
    /// Of the profile; shared, since thousands of devices have the same one.
    pub(crate) digest: Arc<Digest>,
    pub(crate) progress: Sparse<PushProgress>,
}

/// How far a push came; nearly all are done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PushProgress {
    pub(crate) state: PushState,
    /// Since when the device has been without what was to be pushed, however often that was tried.
    pub(crate) since: Option<Timestamp>,
    /// Whose the device was, as long as the provider may not know that it is theirs no more.
    pub(crate) former_users: Vec<Email>,
}

impl Usual for PushProgress {
    fn usual() -> &'static Self {
        static DONE: PushProgress =
            PushProgress { state: PushState::Pushed, since: None, former_users: Vec::new() };
        &DONE
    }
}

/// How a push stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum PushState {
    /// Logged, and no outcome yet: in doubt if no pass is running.
    Intended,
    #[default]
    Pushed,
    Failed(ErrorClass, Box<str>),
}

impl Device {
    /// Whether the end of this device id has come.
    #[must_use]
    pub fn is_wiped(&self) -> bool {
        self.status == Status::Wiped
    }

    /// Whether a manifest is expected for it: it is neither wiped nor orphaned.
    #[must_use]
    pub(crate) fn is_active(&self) -> bool {
        !self.is_wiped() && self.rare.orphaned_since.is_none()
    }

    /// The last sign of life, or since when one has been waited for.
    #[must_use]
    pub(crate) fn heard_from(&self) -> Timestamp {
        self.last_sync.unwrap_or(self.status_since)
    }

    /// The last sync that was asked for, and what became of it; a device that is wiped syncs no more.
    #[must_use]
    pub(crate) fn sync(&self) -> Option<(&LastSync, SyncStanding<'_>)> {
        let asked = self.rare.sync_requested.as_deref().filter(|_| !self.is_wiped())?;
        Some((asked, asked.standing(self.last_sync)))
    }

    /// The episode that goes on.
    #[must_use]
    pub(crate) fn open_episode(&self) -> Option<&Episode> {
        self.episode.as_deref().filter(|episode| episode.is_open())
    }

    /// The episode of a check that fails, while something may follow from it: not once the device was
    /// erased.
    #[must_use]
    pub(crate) fn failing_episode(&self) -> Option<&Episode> {
        let open = self.open_episode().filter(|open| open.kind == EpisodeKind::NonCompliant);
        open.filter(|_| !self.is_erased())
    }

    /// Whether it reported that it was erased, by a wipe of ours or not, and has not begun anew since.
    #[must_use]
    pub(crate) fn is_erased(&self) -> bool {
        self.is_wiped() || self.rare.unrequested_wipe.is_some()
    }

    /// Takes an entry about it in; `latest` is the latest time that the log has seen, `alike` has what
    /// other devices have, too.
    pub(super) fn apply(
        &mut self,
        entry: &Entry,
        latest: Timestamp,
        alike: &mut Alike,
    ) -> Result<(), String> {
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
            Event::DeviceStatus(status) => {
                self.set_status((entry.at, latest), status, alike)?;
            }
            Event::DeviceOrphaned(_) => {
                if self.rare.orphaned_since.is_some() {
                    return Err("it is orphaned already".into());
                }
                self.rare.orphaned_since = Some(entry.at);
            }
            Event::DeviceAdopted(_) => {
                self.rare.orphaned_since.take().ok_or("it was not orphaned")?;
                self.rare.archived_since = None;
                self.manifest =
                    Manifest::from(entry.source.as_ref().ok_or("it names no manifest")?);
            }
            Event::DeviceArchived(_) => {
                if self.rare.archived_since.is_some() {
                    return Err("it is archived already".into());
                }
                if !self.is_wiped() && self.rare.orphaned_since.is_none() {
                    return Err("it is neither wiped nor orphaned".into());
                }
                self.rare.archived_since = Some(entry.at);
            }
            Event::DeviceMissing(_) => {
                if self.rare.missing_since.is_some() {
                    return Err("it is missing already".into());
                }
                self.rare.missing_since = Some(entry.at);
            }
            Event::DeviceFound(_) => {
                self.rare.missing_since.take().ok_or("it was not missing")?;
            }
            Event::ProfileIntended(push) => {
                let since = self.push.progress.since.or(Some(latest));
                self.push = LastPush::new(push, PushState::Intended, since, alike);
                self.licenses.forget_failed();
            }
            Event::ProfilePushed(push) => {
                self.push = LastPush::new(push, PushState::Pushed, None, alike);
            }
            Event::ProfileFailed(failed) => {
                if self.push.intent != failed.intent {
                    return Err(format!(
                        "its last intent is {}, not {}",
                        self.push.intent, failed.intent
                    ));
                }
                self.push.progress.state =
                    PushState::Failed(failed.class, failed.error.as_str().into());
            }
            Event::ComplianceChanged(changed) => {
                self.set_compliance(entry.at, changed);
                self.follow_verdict(entry.seq, latest, changed)?;
            }
            Event::EvidenceMissing(_) => {
                if self.open_episode().is_some() {
                    return Err("an episode is still open".into());
                }
                self.begin_episode(EpisodeKind::Unknown, entry.seq, latest);
            }
            Event::EvidenceReturned(_) => match self.episode.as_deref_mut() {
                Some(episode) if episode.is_open() && episode.kind == EpisodeKind::Unknown => {
                    episode.end(latest);
                }
                _ => return Err("evidence was not missing".into()),
            },
            Event::AccessIntended(order) => self.last_episode()?.order(latest, order),
            Event::AccessBlocked(order) | Event::AccessRestored(order) => {
                self.last_episode()?.done(order)?;
            }
            Event::AccessFailed(failed) => self.last_episode()?.fail(failed)?,
            Event::LicenseIntended(order) => self.licenses.order(entry.at, order),
            Event::LicenseAssigned(assigned) => self.licenses.assigned(entry.at, assigned),
            Event::LicenseFailed(failed) => self.licenses.fail(entry.at, failed),
            Event::SyncRequested(requested) => {
                self.rare.sync_requested = Some(Box::new(LastSync::new(entry.at, requested)));
            }
            Event::SyncFailed(failed) => {
                self.rare.sync_requested.as_mut().ok_or("no sync was requested")?.fail(failed)?;
            }
            Event::WipeUnrequested(_) => {
                if self.rare.unrequested_wipe.is_some() {
                    return Err("it is known to be erased already".into());
                }
                self.rare.unrequested_wipe = Some(entry.at);
                // What it failed is erased with it.
                let episode = self.episode.as_deref_mut();
                if let Some(failing) =
                    episode.filter(|episode| episode.kind == EpisodeKind::NonCompliant)
                {
                    failing.end(latest);
                }
            }
            _ => return Err("it is not about a device".into()),
        }
        Ok(())
    }

    fn set_status(
        &mut self,
        (at, latest): (Timestamp, Timestamp),
        status: &DeviceStatus,
        alike: &mut Alike,
    ) -> Result<(), String> {
        if self.status != status.from {
            return Err(format!("the device is {}, not {}", self.status, status.from));
        }
        self.status = status.to;
        self.status_since = at;
        self.status_reason = alike.reason(status.reason.as_str());
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
        if status.to == Status::Wiped {
            self.end_episode(latest);
        }
        Ok(())
    }

    /// What follows from a verdict: an episode begins, goes on, or ends.
    fn follow_verdict(
        &mut self,
        seq: u64,
        latest: Timestamp,
        changed: &ComplianceChanged,
    ) -> Result<(), String> {
        let open = self.open_episode().map(|episode| episode.kind);
        match (changed.to, changed.episode) {
            (ComplianceState::NonCompliant, Some(opened)) => {
                let episode = self.last_episode()?;
                if episode.opened != opened || episode.kind != EpisodeKind::NonCompliant {
                    return Err(format!("its last episode is not that of entry {opened}"));
                }
                episode.ended = None;
            }
            (ComplianceState::NonCompliant, None) if open != Some(EpisodeKind::NonCompliant) => {
                self.begin_episode(EpisodeKind::NonCompliant, seq, latest);
            }
            (ComplianceState::Compliant, _) => self.end_episode(latest),
            (ComplianceState::NonCompliant | ComplianceState::Unknown, _) => {}
        }
        Ok(())
    }

    fn begin_episode(&mut self, kind: EpisodeKind, seq: u64, latest: Timestamp) {
        let episode = Episode::new(kind, (seq, latest), self.episode.as_deref());
        self.episode = Some(Box::new(episode));
    }

    fn end_episode(&mut self, at: Timestamp) {
        if let Some(episode) = &mut self.episode {
            episode.end(at);
        }
    }

    fn last_episode(&mut self) -> Result<&mut Episode, String> {
        self.episode.as_deref_mut().ok_or_else(|| "it had no episode".into())
    }

    /// What came of telling somebody about its episode: an earlier one is over, and forgotten.
    pub(super) fn tell(&mut self, key: CompactString, told: NoticeResult) {
        if let Some(episode) = self.episode.as_deref_mut() {
            episode.told.insert(key, told);
        }
    }

    pub(super) fn ticketed(&mut self, ticket: Ticket) {
        if let Some(episode) = self.episode.as_deref_mut() {
            episode.ticket = Some(ticket);
        }
    }

    /// Others that cannot be told from the ticket of its episode, if it is that one.
    pub(super) fn has_like_tickets(&mut self, id: &str, others: &[CompactString]) {
        let ticket = self.episode.as_deref_mut().and_then(|episode| episode.ticket.as_mut());
        if let Some(ticket) = ticket.filter(|ticket| ticket.id == id) {
            ticket.others = others.to_vec();
        }
    }

    /// Under a new enrollment: an erasure was seen to, and what was reported up to then is void.
    fn begin_anew(&mut self, void_until: Option<Timestamp>) {
        self.rare.unrequested_wipe = None;
        self.rare.void_until = self.rare.void_until.max(void_until);
    }

    fn set_compliance(&mut self, at: Timestamp, changed: &ComplianceChanged) {
        let since = if self.compliance.state == changed.to { self.compliance.since } else { at };
        self.compliance = Compliance {
            state: changed.to,
            since,
            checks: Sparse::new(Checks {
                failing: changed.failing.clone(),
                missing: changed.missing.clone(),
            }),
        };
    }
}

impl LastPush {
    fn new(
        push: &ProfilePush,
        state: PushState,
        since: Option<Timestamp>,
        alike: &mut Alike,
    ) -> Self {
        let ProfilePush { intent, profile: _, digest, former_users } = push;
        let former_users = former_users.clone();
        let progress = Sparse::new(PushProgress { state, since, former_users });
        Self { intent: *intent, digest: alike.digest(*digest), progress }
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
            Field::Access => spec.access = value(to)?,
            Field::Enrollment | Field::Manifest => {
                return Err("not a field of the specification".into());
            }
        }
        Ok(())
    }
}
