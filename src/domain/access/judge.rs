//! The answer: every requirement of the resource, asked of the device that is named, or of the
//! user's enrolled devices.

use chrono::TimeDelta;

use super::answer::Answer;
use super::block::{Blocking, block};
use super::directory::Directory;
use super::question::{APPLICATION, Question, USER};
use super::reason::Reason;
use super::rules::{Requirement, Resource, Rules, Users};
use super::wording;
use crate::domain::model::{ComplianceState, DeviceId, Ownership, SerialNumber, Status, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::{Device, State};

/// A client may keep an answer for so long at most: then it hears of what has changed.
const ALLOWED_FOR: TimeDelta = TimeDelta::minutes(5);
/// As `ALLOWED_FOR`: who has fixed the device should not wait long.
const DENIED_FOR: TimeDelta = TimeDelta::minutes(1);
/// A report counts as of its arrival if it is dated further ahead: later than that it says that
/// our clock was set back.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// How good the recorded state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Knowledge {
    /// There is none yet.
    Nothing,
    /// What is recorded may have been changed by others, and cannot be read.
    Unreadable,
    /// All that was known at this time.
    AsOf(Timestamp),
}

/// Everything that an answer depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) recorded: &'a State,
    pub(crate) directory: &'a Directory,
    pub(crate) knowledge: Knowledge,
    pub(crate) rules: &'a Rules,
    pub(crate) settings: &'a Settings,
    pub(crate) now: Timestamp,
}

/// One requirement, asked of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequirementCheck {
    /// Without one: that it is not wiped and not about to be, which every resource asks.
    pub(crate) requirement: Option<Requirement>,
    /// Nothing where it is fulfilled.
    pub(crate) failed: Option<Reason>,
    /// When time alone ends that it is fulfilled.
    until: Option<Timestamp>,
}

/// A denial that is not worded yet.
type Denied = (Reason, Option<DeviceId>);

/// The devices to ask, and whether one of them is enough.
enum Candidates<'a> {
    /// The one that is named.
    One(DeviceId),
    /// Those of the user; at least one is enrolled.
    Of(&'a [DeviceId]),
}

impl<'a> Judge<'a> {
    /// The answer to this question.
    #[must_use]
    pub(crate) fn answer(&self, question: &Question<'_>) -> Answer {
        let now = self.time();
        let longest = now + ALLOWED_FOR;
        match self.decide(question, longest) {
            Ok(valid_until) => Answer { denial: None, at: now, valid_until },
            Err((reason, device)) => {
                let denial = Some(wording::denial(&self.basis(), question, reason, device));
                Answer { denial, at: now, valid_until: now + DENIED_FOR }
            }
        }
    }

    /// Every requirement of the resource, asked of each device that [`Judge::answer`] may ask;
    /// nothing where there is no device to ask.
    #[must_use]
    pub(crate) fn explain(
        &self,
        question: &Question<'_>,
    ) -> Vec<(DeviceId, Vec<RequirementCheck>)> {
        let Ok((resource, candidates)) = self.candidates(question) else { return Vec::new() };
        let ids = match &candidates {
            Candidates::One(id) => std::slice::from_ref(id),
            Candidates::Of(ids) => *ids,
        };
        let asked = ids.iter().filter(|id| ids.len() == 1 || self.is_enrolled(**id));
        asked.map(|id| (*id, self.checks(resource, *id).collect())).collect()
    }

    /// What was seen where the requirement is fulfilled, or why it is not.
    #[must_use]
    pub(crate) fn detail(&self, id: DeviceId, check: &RequirementCheck) -> String {
        let device = &self.recorded.devices[&id];
        match check.failed {
            Some(reason) => wording::of_device(&self.basis(), reason, device),
            None => wording::seen(&self.basis(), check.requirement, device),
        }
    }

    pub(super) fn basis(&self) -> wording::Basis<'a> {
        let Self { recorded, rules, settings, .. } = *self;
        wording::Basis { recorded, rules, settings, now: self.time() }
    }

    /// The time that counts: a clock that was set back makes no evidence younger.
    pub(super) fn time(&self) -> Timestamp {
        let known = match self.knowledge {
            Knowledge::AsOf(at) => Some(at),
            Knowledge::Nothing | Knowledge::Unreadable => None,
        };
        [Some(self.now), known, self.recorded.at].into_iter().flatten().max().unwrap_or(self.now)
    }

    /// Until when the answer is yes, `longest` at most.
    fn decide(&self, question: &Question<'_>, longest: Timestamp) -> Result<Timestamp, Denied> {
        self.resource(question)?;
        let until = self.is_known()?.min(longest);
        let (resource, candidates) = self.candidates(question)?;
        let ids = match candidates {
            Candidates::One(id) => return self.device(resource, id, until),
            Candidates::Of(ids) => ids,
        };
        let mut asked = ids.iter().filter(|id| self.is_enrolled(**id));
        match resource.users {
            Users::All => asked.try_fold(until, |until, id| self.device(resource, *id, until)),
            Users::Any => {
                let mut first = None;
                for id in asked {
                    match self.device(resource, *id, until) {
                        Ok(until) => return Ok(until),
                        Err(denied) => first = first.or(Some(denied)),
                    }
                }
                Err(first.unwrap_or((Reason::NoEnrolledDevice, None)))
            }
        }
    }

    /// Until when what is recorded is good enough to say yes by.
    fn is_known(&self) -> Result<Timestamp, Denied> {
        let (now, age) = (self.time(), self.rules.max_age);
        let as_of = match self.knowledge {
            Knowledge::Nothing => return Err((Reason::NotReady, None)),
            Knowledge::Unreadable => return Err((Reason::LedgerUnreadable, None)),
            Knowledge::AsOf(at) => at + age,
        };
        if now > as_of {
            return Err((Reason::OutOfDate, None));
        }
        let frozen = self.recorded.frozen.as_ref().map(|frozen| frozen.since + age);
        match frozen {
            Some(until) if now > until => Err((Reason::Frozen, None)),
            frozen => Ok(as_of.min(frozen.unwrap_or(as_of))),
        }
    }

    fn resource(&self, question: &Question<'_>) -> Result<&'a Resource, Denied> {
        let known = self.rules.resources.get(question.resource);
        let known = known.filter(|_| question.resource_type == APPLICATION);
        known.ok_or((Reason::UnknownResource, None))
    }

    fn candidates(
        &self,
        question: &Question<'_>,
    ) -> Result<(&'a Resource, Candidates<'a>), Denied> {
        let resource = self.resource(question)?;
        let Question { subject_type, user, device, .. } = *question;
        if subject_type != USER {
            return Err((Reason::UnsupportedSubject, None));
        }
        let by_id = device.id.map(|id| self.by_id(id));
        let by_serial = device.serial.map(|serial| self.by_serial(serial));
        let id = match (by_id, by_serial) {
            (None, None) => {
                let ids = self.directory.devices_of(user);
                return match ids {
                    [] => Err((Reason::UnknownUser, None)),
                    ids if ids.iter().any(|id| self.is_enrolled(*id)) => {
                        Ok((resource, Candidates::Of(ids)))
                    }
                    _ => Err((Reason::NoEnrolledDevice, None)),
                };
            }
            (Some(None), _) | (_, Some(None)) => return Err((Reason::UnknownDevice, None)),
            (Some(Some(id)), Some(Some(other))) if id != other => {
                return Err((Reason::AmbiguousDevice, None));
            }
            (Some(Some(id)), _) | (None, Some(Some(id))) => id,
        };
        let owner = &self.recorded.devices[&id].spec.user_email;
        if !owner.as_str().eq_ignore_ascii_case(user) {
            return Err((Reason::ForeignDevice, Some(id)));
        }
        Ok((resource, Candidates::One(id)))
    }

    fn by_id(&self, id: &str) -> Option<DeviceId> {
        DeviceId::typed(id).filter(|id| self.recorded.devices.contains_key(id))
    }

    fn by_serial(&self, serial: &str) -> Option<DeviceId> {
        let serial: SerialNumber = serial.parse().ok()?;
        self.recorded.by_serial(&serial).map(|(id, _)| id)
    }

    fn is_enrolled(&self, id: DeviceId) -> bool {
        self.recorded.devices.get(&id).is_some_and(|device| device.status == Status::Enrolled)
    }

    /// Until when the device fulfils everything, `until` at most.
    fn device(
        &self,
        resource: &Resource,
        id: DeviceId,
        until: Timestamp,
    ) -> Result<Timestamp, Denied> {
        self.checks(resource, id).try_fold(until, |until, check| match check.failed {
            Some(reason) => Err((reason, Some(id))),
            None => Ok(check.until.map_or(until, |end| end.min(until))),
        })
    }

    fn checks<'r>(
        &self,
        resource: &'r Resource,
        id: DeviceId,
    ) -> impl Iterator<Item = RequirementCheck> + use<'a, 'r> {
        let judge = *self;
        let device = &self.recorded.devices[&id];
        let asked = resource.require.iter().copied().map(Some);
        std::iter::once(None).chain(asked).map(move |requirement| {
            let outcome = match requirement {
                None => judge.stays(id, device),
                Some(requirement) => judge.fulfils(device, requirement),
            };
            RequirementCheck { requirement, failed: outcome.err(), until: outcome.ok().flatten() }
        })
    }

    fn stays(&self, id: DeviceId, device: &Device) -> Result<Option<Timestamp>, Reason> {
        if device.is_wiped() {
            Err(Reason::Wiped)
        } else if self.directory.is_leaving(id) {
            Err(Reason::WipeUnderWay)
        } else {
            Ok(None)
        }
    }

    fn fulfils(
        &self,
        device: &Device,
        requirement: Requirement,
    ) -> Result<Option<Timestamp>, Reason> {
        match requirement {
            Requirement::Enrolled if device.status != Status::Enrolled => Err(Reason::NotEnrolled),
            Requirement::Enrolled if device.rare.missing_since.is_some() => Err(Reason::Missing),
            Requirement::Enrolled => Ok(None),
            Requirement::Compliant => match device.compliance.state {
                ComplianceState::NonCompliant => Err(Reason::NonCompliant),
                // A verdict over old facts says nothing of the device as it is.
                ComplianceState::Compliant => self.is_fresh(device).map(Some),
                ComplianceState::Unknown => Err(Reason::ComplianceUnknown),
            },
            Requirement::Fresh => self.is_fresh(device).map(Some),
            Requirement::NotBlocked => match block(device, self.settings, self.time()) {
                Blocking::None => Ok(None),
                Blocking::At(at) | Blocking::ExemptUntil(at) => Ok(Some(at)),
                // What would be done to it, if it could be done, counts.
                Blocking::Orphaned(at) if self.time() < at => Ok(Some(at)),
                Blocking::Orphaned(_) | Blocking::Due(_) | Blocking::Since(_) | Blocking::Gone => {
                    Err(Reason::Blocked)
                }
            },
            Requirement::Corporate => match device.spec.ownership {
                Ownership::Corporate => Ok(None),
                Ownership::Personal => Err(Reason::NotCorporate),
            },
            Requirement::Declared if device.rare.orphaned_since.is_some() => {
                Err(Reason::NotDeclared)
            }
            Requirement::Declared => Ok(None),
        }
    }

    /// Until when its last report is recent enough.
    fn is_fresh(&self, device: &Device) -> Result<Timestamp, Reason> {
        let now = self.time();
        let heard = device.last_sync.filter(|_| device.facts.is_some()).ok_or(Reason::Stale)?;
        let until = heard + self.rules.max_age;
        if now > until || heard > now + AHEAD { Err(Reason::Stale) } else { Ok(until) }
    }
}
