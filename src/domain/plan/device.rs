//! The decision over one device.
//!
//! Facts come first (what it reported), then the manifest, then time, then what follows
//! from them: the push of its profile and the verdict over its facts.

use std::borrow::Cow;
use std::sync::Arc;

use super::action::{Action, Cause, Op};
use super::archive::archive;
use super::changes::diff;
use super::damage::DamageIndex;
use super::decision::{Plan, Telemetry};
use super::hold::{Hold, HoldReason, shared_detail};
use super::inputs::Inputs;
use super::reports::Dated;
use super::subject::Subject;
use crate::domain::compliance::{Reported, assess, because};
use crate::domain::lifecycle::{Desire, LifeState, Stimulus, Transition, step};
use crate::domain::manifest::Unusable;
use crate::domain::model::{
    ComplianceState, DesiredDevice, DesiredStatus, DeviceId, DeviceSpec, Facts, Place, Platform,
    Profile, Status, SyncRequest, Timestamp,
};
use crate::domain::state::event::{Change, ErrorClass, Field};
use crate::domain::state::{Device, PushState, WipeState};

/// A device while it is decided on: the record, and what this plan has already moved.
pub(super) struct DevicePlanner<'a, 'p> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) id: DeviceId,
    pub(super) device: &'a Device,
    pub(super) desired: Option<&'a DesiredDevice>,
    pub(super) state: LifeState,
    pub(super) last_sync: Option<Timestamp>,
    facts: Option<(Timestamp, Cow<'a, Facts>)>,
    moved: bool,
    restarted: bool,
    /// Whether this plan gives it its profile under a new order.
    pub(super) pushes_anew: bool,
    pub(super) plan: &'p mut Plan,
}

/// Why its manifest cannot be used now: its exemption would last too long.
pub(super) fn too_long(inputs: &Inputs<'_>, desired: &DesiredDevice) -> Option<String> {
    desired.spec.access.as_ref()?.too_long(inputs.now)
}

/// A device that the ledger knows, and what the plan knows of it so far.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(crate) id: DeviceId,
    pub(crate) device: &'a Device,
    /// Its manifest, where there is a usable one.
    pub(crate) desired: Option<&'a DesiredDevice>,
    /// Whether a wipe is in progress, or about to be.
    pub(crate) wiping: bool,
    /// What was asked for by command.
    pub(crate) requests: &'a [&'a Arc<SyncRequest>],
}

/// Decides on a device that the ledger knows.
pub(super) fn decide(
    inputs: &Inputs<'_>,
    damage: &DamageIndex<'_>,
    known: Known<'_>,
    reports: &[Dated<'_>],
    plan: &mut Plan,
) {
    let Known { id, device, desired, wiping, requests } = known;
    let held = desired.and_then(|desired| Some((desired, too_long(inputs, desired)?)));
    let usable = desired.filter(|_| held.is_none());
    let known = Known { desired: usable, ..known };
    let mut planner = DevicePlanner::new(inputs, known, plan);
    if device.is_wiped() {
        planner.follow_up(device.compliance.state, false, wiping);
        if let Some(desired) = desired {
            planner.plan.holds.push(Hold::of_wiped(id, device, desired));
        }
        return archive(inputs, id, device, plan);
    }
    let passed_over = planner.hear(reports, wiping);
    planner.hear_from_provider(wiping);
    match usable {
        // Whatever else is wanted of a device that is being wiped comes too late, or too early.
        _ if wiping => planner.wait_for_wipe(),
        Some(desired) if let Some(unread) = damage.twin(device, &desired.place.path) => {
            planner.hidden(unread);
        }
        Some(desired) => planner.follow(desired),
        // It keeps what is recorded, as with any other manifest that is invalid.
        None => match held {
            Some((held, why)) => {
                planner.hold(Some(held.place.clone()), HoldReason::ManifestInvalid, why);
            }
            None => planner.miss(damage),
        },
    }
    planner.explain_erasure();
    planner.sync(requests, wiping);
    planner.assess(reports.is_empty(), wiping);
    planner.note_telemetry(passed_over);
}

pub(super) fn desire(desired: &DesiredDevice) -> Desire {
    Desire { status: desired.status, enrollment: desired.enrollment }
}

impl<'a, 'p> DevicePlanner<'a, 'p> {
    fn new(inputs: &'a Inputs<'a>, known: Known<'a>, plan: &'p mut Plan) -> Self {
        let Known { id, device, desired, .. } = known;
        let facts = device.facts.as_deref().zip(device.last_sync);
        Self {
            inputs,
            id,
            device,
            desired,
            state: LifeState {
                status: device.status,
                since: device.status_since,
                enrollment: device.enrollment,
                erased: device.rare.unrequested_wipe.is_some(),
            },
            last_sync: device.last_sync,
            facts: facts.map(|(facts, at)| (at, Cow::Borrowed(facts))),
            moved: false,
            restarted: false,
            pushes_anew: false,
            plan,
        }
    }
}

impl DevicePlanner<'_, '_> {
    /// Whether this plan moves its status.
    pub(super) fn moved(&self) -> bool {
        self.moved
    }

    /// Takes the reports in. Of two the later one counts, by their dates where both are believed
    /// and else by their arrival; the other changes nothing, but for what it says of a wipe. Gives how many
    /// came too late to count.
    fn hear(&mut self, reports: &[Dated<'_>], wiping: bool) -> u64 {
        self.finish_wipe();
        self.fail_if_erased();
        let mut passed_over = 0;
        for dated in reports {
            // What comes after the end is no fact about this device: whatever bears the serial
            // number then has another id.
            if self.state.status == Status::Wiped {
                break;
            }
            if !self.is_news(dated) {
                // The same date is the same report, heard again after a crash.
                passed_over += u64::from(self.last_sync != Some(dated.at));
                self.hear_of_wipe(dated);
                continue;
            }
            let report = &dated.heard.report;
            self.last_sync = Some(dated.at);
            self.facts = Some((dated.at, Cow::Owned(report.facts(dated.believed))));
            self.hear_of_wipe(dated);
            if !wiping {
                let error = report.enrollment_error.as_deref();
                self.step(Stimulus::Report { enrollment_error: error }, Cause::Fact);
            }
        }
        passed_over
    }

    /// What was heard and still counts: facts of before a new enrollment are void, and must not be
    /// recorded after it.
    fn note_telemetry(self, passed_over: u64) {
        // Facts of its own are those that were heard just now.
        let last = match self.facts {
            Some((at, Cow::Owned(facts))) => Some((at, facts)),
            _ => None,
        };
        if last.is_some() || passed_over > 0 {
            self.plan.telemetry.push(Telemetry { device: self.id, last, passed_over });
        }
    }

    fn is_news(&self, dated: &Dated<'_>) -> bool {
        let known = self.facts.as_ref().map(|(_, facts)| facts);
        let off = known.is_some_and(|facts| facts.clock_is_off());
        // An MDM learns of a device between two of its syncs, too.
        let told = |mdm| self.last_sync == Some(dated.at) && known.is_none_or(|f| f.mdm != mdm);
        off || !dated.believed
            || self.last_sync.is_none_or(|last| dated.at > last)
            || dated.heard.report.mdm.as_ref().is_some_and(|mdm| told(Some(mdm.clone())))
    }

    /// A wipe that was confirmed just before a crash still ends the device.
    fn finish_wipe(&mut self) {
        // None was ever accepted of most devices: those need no search.
        let mut wipes =
            self.device.rare.wipe.iter().flat_map(|_| self.inputs.recorded.wipes_of(self.id));
        if wipes.any(|wipe| wipe.state == WipeState::Confirmed) {
            self.wiped();
        }
    }

    pub(super) fn wiped(&mut self) {
        self.moved_to(Status::Wiped, None, "the wipe is confirmed".to_owned(), Cause::Fact);
        self.facts = None;
    }

    fn wait_for_wipe(&mut self) {
        if self.state.status == Status::Wiped {
            return;
        }
        let detail = "a wipe is in progress; nothing else is done to the device".to_owned();
        self.hold(self.place(), HoldReason::WipeUnderWay, detail);
    }

    /// Makes the record follow its manifest.
    fn follow(&mut self, desired: &DesiredDevice) {
        if self.device.rare.orphaned_since.is_some() {
            self.act(
                Op::Adopt { to: desired.clone() },
                Cause::Intent,
                "a manifest with its serial number is back",
            );
        }
        let before = self.state.enrollment;
        self.step(Stimulus::Manifest, Cause::Intent);
        let mut changes = diff(self.device, desired);
        if desired.enrollment > self.state.enrollment {
            changes.push(Change {
                field: Field::Enrollment,
                from: before.into(),
                to: desired.enrollment.into(),
            });
            changes.sort_by_key(|change| change.field);
            self.state.enrollment = desired.enrollment;
            self.state.erased = false;
        }
        // A manifest that only moved while its device was orphaned is adopted where it is.
        let moved_only = changes.iter().all(|change| change.field == Field::Manifest);
        let adopted = moved_only && self.device.rare.orphaned_since.is_some();
        let is_changed = !moved_only;
        // Before the update: after a crash between the two the change is still seen, and whose the
        // device was is still recorded.
        let again = self.reason_to_push_again(desired);
        let first = again.is_some() || (is_changed && self.is_refused());
        if first {
            self.push_profile(desired, again, is_changed);
        }
        if !(changes.is_empty() || adopted) {
            let reason = if moved_only { "the manifest moved" } else { "the manifest changed" };
            let op = Op::Update { changes, to: desired.clone() };
            self.act_as(desired.spec.clone(), op, Cause::Intent, reason);
        }
        if !first {
            self.push_profile(desired, None, is_changed);
        }
        let settings = self.inputs.settings;
        let clock =
            Stimulus::Clock { now: self.inputs.now, deadline: settings.enrollment_deadline };
        self.step(clock, Cause::Clock);
        self.license(desired);
        self.explain(desired);
    }

    /// Its manifest is gone, or hidden by damage.
    fn miss(&mut self, damage: &DamageIndex<'_>) {
        if let Some(damaged) = damage.of(self.device) {
            self.hidden(damaged);
        } else if self.device.rare.orphaned_since.is_some() {
            archive(self.inputs, self.id, self.device, self.plan);
        } else {
            self.act(
                Op::Orphan,
                Cause::Intent,
                "its manifest is gone; the device keeps its settings",
            );
        }
    }

    fn hidden(&mut self, damaged: &Unusable) {
        let (reason, detail) = damaged.explain();
        self.hold(Some(damaged.place.clone()), reason, detail);
    }

    /// Whether the provider refused its profile for good.
    fn is_refused(&self) -> bool {
        matches!(self.device.push.progress.state, PushState::Failed(ErrorClass::Permanent, _))
    }

    /// Where the device lacks its profile, or where it has it and there is a reason to push it
    /// `again`; a refused one is tried again once profile or device `is_changed`.
    fn push_profile(
        &mut self,
        desired: &DesiredDevice,
        again: Option<Cow<'static, str>>,
        is_changed: bool,
    ) {
        let profile = self.inputs.desired.profiles[&desired.spec.profile].clone();
        let push = &self.device.push;
        let (resume, reason): (_, Cow<'static, str>) = if self.restarted {
            (None, "the device enrolls again".into())
        } else if *push.digest != profile.digest {
            let same = self.device.spec.profile == desired.spec.profile;
            let reason =
                if same { "the profile changed" } else { "the device got another profile" };
            (None, reason.into())
        } else {
            match &push.progress.state {
                PushState::Pushed => match again {
                    Some(reason) => (None, reason),
                    None => return,
                },
                PushState::Intended => {
                    (Some(push.intent), "it is not known whether it was pushed".into())
                }
                PushState::Failed(ErrorClass::Permanent, _) if is_changed => {
                    (None, "the provider refused the profile before, and the device changed".into())
                }
                PushState::Failed(ErrorClass::Permanent, error) => {
                    let detail = format!(
                        "the provider refused profile {}: {error}; change the profile or the device to try again",
                        desired.spec.profile
                    );
                    let place = Some(desired.place.clone());
                    return self.hold(place, HoldReason::ProviderRefused, detail);
                }
                PushState::Failed(ErrorClass::Transient | ErrorClass::Unknown, _) => {
                    (Some(push.intent), "the last push failed".into())
                }
            }
        };
        self.pushes_anew |= resume.is_none();
        let op = Op::Push { profile, resume };
        self.act_as(desired.spec.clone(), op, Cause::Intent, reason);
    }

    /// Whatever the manifest wants that this plan does not bring about.
    fn explain(&mut self, desired: &DesiredDevice) {
        let place = Some(desired.place.clone());
        if desired.enrollment < self.state.enrollment {
            let detail = format!(
                "the manifest says enrollment {}, but {} is recorded; it can only be raised",
                desired.enrollment, self.state.enrollment
            );
            self.hold(place.clone(), HoldReason::EnrollmentLowered, detail);
        }
        if desired.status != DesiredStatus::Enrolled {
            return;
        }
        match self.state.status {
            Status::Pending => {
                let due = self.state.since + self.inputs.settings.enrollment_deadline;
                let detail =
                    format!("enrolls when the device reports; Failed from {}", due.short());
                self.hold(place, HoldReason::AwaitingReport, detail);
            }
            // `explain_erasure` holds it, with its own reason.
            Status::Failed if self.state.erased => {}
            Status::Failed => {
                let next = self.state.enrollment.saturating_add(1);
                let reason =
                    if self.moved { "enrollment failed" } else { &*self.device.status_reason };
                let detail = format!(
                    "Failed: {reason}; enrolls if the device reports after all, or set enrollment: {next} to try again"
                );
                self.hold(place, HoldReason::EnrollmentFailed, detail);
            }
            Status::Enrolled | Status::Wiped => {}
        }
    }

    /// Judges the facts anew, and what follows from that.
    fn assess(&mut self, silent: bool, wiping: bool) {
        let verdict = self.judge(silent);
        let to = verdict.unwrap_or(self.device.compliance.state);
        let changed = to != self.device.compliance.state;
        self.follow_up(to, changed, wiping);
    }

    /// The new verdict; without telemetry (it is not in the log) the recorded one
    /// stands, until something happens that calls for a new one.
    fn judge(&mut self, silent: bool) -> Option<ComplianceState> {
        let (platform, profile) = self.requirements()?;
        let changed = *self.device.push.digest != profile.digest;
        // A verdict over reports that do not count any more, as the device enrolled again: a crash lost the
        // one that comes after it.
        let is_void = self.device.compliance.state != ComplianceState::Unknown
            && self.device.rare.void_until.is_some_and(|until| self.last_sync <= Some(until));
        if self.facts.is_none() && !self.moved && !changed && !is_void {
            return None;
        }
        let reported = self.facts.as_ref().map(|(at, facts)| Reported { facts, at: *at });
        let verdict = assess(&profile.compliance, platform, reported);
        let recorded = &self.device.compliance;
        if (recorded.state, &recorded.checks.failing, &recorded.checks.missing)
            == (verdict.state, &verdict.failing, &verdict.missing)
        {
            return None;
        }
        let reason = because(recorded.state, &verdict);
        let cause = if silent { Cause::Intent } else { Cause::Fact };
        let spec = self.desired.map_or(&self.device.spec, |desired| &desired.spec).clone();
        let (from, to) = (recorded.state, verdict.state);
        let episode = self.continued(to).filter(|_| from != to);
        let op = Op::Compliance { from, verdict: Box::new(verdict), episode };
        self.act_as(spec, op, cause, reason);
        Some(to)
    }

    /// What the device is judged by: the desired profile, or the recorded one where there is no
    /// usable manifest.
    fn requirements(&self) -> Option<(Platform, Arc<Profile>)> {
        let (spec, profiles) = match self.desired {
            Some(desired) => (&desired.spec, &self.inputs.desired.profiles),
            None => (&self.device.spec, &self.inputs.recorded.profiles),
        };
        Some((spec.platform, profiles.get(&spec.profile)?.clone()))
    }

    pub(super) fn step(&mut self, stimulus: Stimulus<'_>, cause: Cause) {
        let desire = self.desired.map(desire);
        let Some(transition) = step(self.state, desire, stimulus) else { return };
        let Transition { to, reason, enrollment } = transition;
        if let Some(enrollment) = enrollment {
            self.state.enrollment = enrollment;
            self.state.erased = false;
            self.restarted = true;
            self.facts = None;
        }
        self.moved_to(to, enrollment, reason, cause);
    }

    pub(super) fn moved_to(
        &mut self,
        to: Status,
        enrollment: Option<u32>,
        reason: String,
        cause: Cause,
    ) {
        let from = self.state.status;
        let manifest = self.desired.filter(|_| cause == Cause::Intent).cloned();
        self.state.status = to;
        self.state.since = self.inputs.now;
        self.moved = true;
        let last_sync = enrollment.and(self.last_sync);
        self.act(Op::Status { from, to, enrollment, last_sync, manifest }, cause, reason);
    }

    /// Where it is desired.
    pub(super) fn place(&self) -> Option<Place> {
        self.desired.map(|desired| desired.place.clone())
    }

    /// An action on the device as it is recorded.
    pub(super) fn act(&mut self, op: Op, cause: Cause, reason: impl Into<Cow<'static, str>>) {
        self.act_as(self.device.spec.clone(), op, cause, reason);
    }

    /// An action on the device as this specification says that it is.
    pub(super) fn act_as(
        &mut self,
        spec: Arc<DeviceSpec>,
        op: Op,
        cause: Cause,
        reason: impl Into<Cow<'static, str>>,
    ) {
        let place = self.desired.map_or_else(
            || Some(Place { path: self.device.manifest.path.clone(), line: 1 }),
            |desired| Some(desired.place.clone()),
        );
        let subject = Subject::Device { id: self.id, spec };
        self.plan.actions.push(Action { subject, op, place, cause, reason: reason.into() });
    }

    pub(super) fn hold(&mut self, place: Option<Place>, reason: HoldReason, detail: String) {
        let spec = &self.device.spec;
        let detail = shared_detail(detail, &self.plan.holds);
        self.plan.holds.push(Hold {
            place,
            device: Some(self.id),
            serial: Some(spec.serial_number.clone()),
            name: Some(self.desired.map_or(&spec.name, |desired| &desired.spec.name).clone()),
            reason,
            detail,
        });
    }
}
