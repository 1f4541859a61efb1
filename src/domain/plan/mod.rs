//! `plan(&Inputs) -> Plan`: the decision, total and deterministic.
//!
//! What is desired is compared with what is recorded, device by device, and becomes actions
//! or holds, each with its reason and its place. The same function serves `plan` and
//! `apply`: it reads nothing, knows no clock but its input, and cannot fail. Actions come in
//! a fixed order: profiles by name, then devices by id, each device's in the order in which
//! they are to be done, then wipes. After they are done, planning again gives none.

mod action;
pub mod changes;
mod damage;
mod device;
mod digest;
pub mod due;
pub mod entries;
mod erased;
mod new_fields;
mod reports;
mod wipes;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::domain::fleet::{Desired, WipeFile};
use crate::domain::manifest::finding::Finding;
use crate::domain::model::{
    ComplianceState, DesiredDevice, DeviceId, DeviceSpec, Facts, Name, Place, Profile, Report,
    ReportId, SerialNumber, Status, Timestamp, words,
};
use crate::domain::settings::Settings;
use crate::domain::state::event::{
    Change, FreezeCause, PassFrozen, TrustChanged, WipeAccepted, WipeConfirmed, WipeStopped,
    WipeUnrequested,
};
use crate::domain::state::{Device, State, WipeState};
use crate::domain::wipe::target::LoggedHead;
use crate::domain::wipe::trust::Trust;
use crate::domain::wipe::verify::VerifiedWipe;
use changes::diff;
use damage::DamageIndex;

pub use digest::digest;
pub use wipes::{
    Fresh, IssuableWipe, NotIssued, WipeStanding, WipeView, ahead_of, issuable, judge,
};

/// All that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The clock.
    pub now: Timestamp,
    /// The numbers of the configuration.
    pub settings: &'a Settings,
    /// What the manifests want.
    pub desired: &'a Desired,
    /// What the ledger says.
    pub recorded: &'a State,
    /// What the provider has heard since the last pass.
    pub heard: &'a [Heard],
    /// Whom wipes are taken from, or in a sentence without a full stop why from nobody.
    pub trust: Result<&'a Trust, &'a str>,
    /// The entries that wipe requests name, as far as the log has them; in any order.
    pub heads: &'a [LoggedHead],
    /// The highest time that this ledger has seen, where it is known: a clock behind it was set back.
    pub clock: Option<Timestamp>,
}

/// A report and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The provider's own name for it.
    pub id: ReportId,
    /// Where it came from, for people: a file, say.
    pub origin: Arc<str>,
    /// What the device said.
    pub report: Report,
}

/// The decision.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// What is to be done, in order.
    pub actions: Vec<Action>,
    /// What is desired and not done, by place.
    pub holds: Vec<Hold>,
    /// Of the manifests and of the reports.
    pub findings: Vec<Finding>,
    /// What the devices last said, for the snapshot; never an action.
    pub telemetry: Vec<Telemetry>,
    /// Every wipe request that is there or was until now, by path: for a section of its own.
    pub wipes: Vec<WipeView>,
    /// Reports that nobody can use, and why.
    pub rejected: Vec<(ReportId, String)>,
    /// What of the reports that are used is odd: sentences without a full stop.
    pub notes: Vec<String>,
}

/// One step of the decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Whom it is about; a new device has the id that it will get.
    pub device: Option<DeviceId>,
    /// What is done.
    pub op: Op,
    /// Where the intent is written.
    pub place: Option<Place>,
    /// What it follows from.
    pub cause: Cause,
    /// Why, for people: a clause without a full stop.
    pub reason: Cow<'static, str>,
}

words! {
    /// What an action follows from: the guard lets facts through where it refuses intents.
    Cause {
        /// The manifests.
        Intent = "intent",
        /// A device's report.
        Fact = "fact",
        /// Time.
        Clock = "clock",
        /// The guard itself.
        Guard = "guard",
    }
}

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Remember a profile's revision, before devices get it.
    RecordProfile {
        /// As recorded so far.
        from: Option<Arc<Profile>>,
        /// As desired.
        to: Arc<Profile>,
    },
    /// Begin a device, and push its profile.
    Provision {
        /// What it is to be.
        to: Arc<DesiredDevice>,
        /// Its profile.
        profile: Arc<Profile>,
    },
    /// A manifest with its serial is back.
    Adopt {
        /// The record.
        spec: Arc<DeviceSpec>,
        /// Where it is back.
        to: Arc<DesiredDevice>,
    },
    /// Recorded fields follow the manifest.
    Update {
        /// At least one.
        changes: Vec<Change>,
        /// What it is to be.
        to: Arc<DesiredDevice>,
    },
    /// The status moves.
    Status {
        /// The record.
        spec: Arc<DeviceSpec>,
        /// Before.
        from: Status,
        /// After.
        to: Status,
        /// The new enrolment, where it was raised.
        enrollment: Option<u32>,
        /// With it: the last report by now, which counts no more.
        last_sync: Option<Timestamp>,
        /// The manifest behind it.
        manifest: Option<Arc<DesiredDevice>>,
    },
    /// Push the profile.
    Push {
        /// The record.
        spec: Arc<DeviceSpec>,
        /// What to push.
        profile: Arc<Profile>,
        /// The intent to finish, where an earlier one is in doubt or failed for a while.
        resume: Option<u64>,
    },
    /// The verdict over its facts changes.
    Compliance {
        /// The record.
        spec: Arc<DeviceSpec>,
        /// Before.
        from: ComplianceState,
        /// After.
        verdict: Box<crate::domain::compliance::Verdict>,
    },
    /// The trust files are not what they were.
    Trust(Box<TrustChanged>),
    /// A wipe request holds.
    AcceptWipe {
        /// What the log will say.
        accepted: Box<WipeAccepted>,
        /// The request.
        file: Arc<WipeFile>,
    },
    /// A wipe request does not hold, or not yet, or no more.
    StopWipe {
        /// Refused, held, expired or vetoed.
        state: WipeState,
        /// What the log will say.
        stopped: Box<WipeStopped>,
        /// Where the request is, or was last seen.
        path: Arc<str>,
    },
    /// Wipe a device: the one thing that cannot be undone.
    Wipe {
        /// The proof.
        wipe: Box<VerifiedWipe>,
        /// Distinct people who were needed.
        needed: u32,
        /// The request.
        file: Arc<WipeFile>,
        /// The manifest of the device, where there is a usable one: to be read again.
        manifest: Option<Arc<DesiredDevice>>,
    },
    /// Take back the command of a wipe that was issued, and that expired unconfirmed.
    WithdrawWipe {
        /// The record.
        spec: Arc<DeviceSpec>,
        /// What the log will say once it is taken back.
        stopped: Box<WipeStopped>,
        /// Where the request is, or was last seen.
        path: Arc<str>,
    },
    /// The device says that it is erased.
    ConfirmWipe {
        /// The record.
        spec: Arc<DeviceSpec>,
        /// What the log will say.
        confirmed: Box<WipeConfirmed>,
    },
    /// The device says that it is erased, and no wipe of it was issued.
    UnrequestedWipe {
        /// The record.
        spec: Arc<DeviceSpec>,
        /// What the log will say.
        unrequested: Box<WipeUnrequested>,
    },
    /// Its manifest is gone.
    Orphan {
        /// The record.
        spec: Arc<DeviceSpec>,
    },
    /// Refuse all intents from now on.
    Freeze(PassFrozen),
    /// Refuse them no more.
    Thaw {
        /// The number that an operator named.
        accepted_removals: Option<u64>,
    },
}

words! {
    /// The kind of an action, in output and in the digest.
    ActionKind {
        /// A device was erased, and nobody asked for it.
        UnrequestedWipe = "unrequestedWipe",
        Freeze = "freeze",
        Thaw = "thaw",
        Profile = "profile",
        Provision = "provision",
        Adopt = "adopt",
        Update = "update",
        Status = "status",
        Push = "push",
        Compliance = "compliance",
        Orphan = "orphan",
        Trust = "trust",
        /// A wipe request is accepted.
        AcceptWipe = "acceptWipe",
        RefuseWipe = "refuseWipe",
        HoldWipe = "holdWipe",
        ExpireWipe = "expireWipe",
        VetoWipe = "vetoWipe",
        /// The command is given.
        Wipe = "wipe",
        /// The command is taken back.
        WithdrawWipe = "withdrawWipe",
        ConfirmWipe = "confirmWipe",
    }
}

/// Something desired that is not planned, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hold {
    /// Where the intent is written, or was last seen.
    pub place: Option<Place>,
    /// Whom it is about, where the ledger knows.
    pub device: Option<DeviceId>,
    /// Where it is known.
    pub serial: Option<SerialNumber>,
    /// Where it is known.
    pub name: Option<Name>,
    /// A stable word.
    pub reason: HoldReason,
    /// For people: what is missing, until when, what to do.
    pub detail: String,
}

words! {
    /// Why something desired is not planned.
    HoldReason {
        /// The device reports that it was erased, and nobody asked for it.
        UnrequestedWipe = "unrequestedWipe",
        /// Its manifest cannot be used; the findings say why.
        ManifestInvalid = "manifestInvalid",
        /// Its profile's manifest cannot be used.
        ProfileInvalid = "profileInvalid",
        /// Enrolment completes when the device reports.
        AwaitingReport = "awaitingReport",
        /// Enrolment went wrong.
        EnrollmentFailed = "enrollmentFailed",
        /// The manifest's enrolment is lower than the recorded one.
        EnrollmentLowered = "enrollmentLowered",
        /// The device was wiped under this enrolment.
        Wiped = "wiped",
        /// The provider refused for good.
        ProviderRefused = "providerRefused",
        /// The guard refused the plan.
        Frozen = "frozen",
        /// The fleet directory is still being changed: a large or destructive change waits for
        /// a second look that finds the same.
        Unsettled = "unsettled",
        /// The provider failed, and is tried again later.
        BackingOff = "backingOff",
        /// A wipe of the device is under way, and nothing else is done to it.
        WipeUnderWay = "wipeUnderWay",
        /// A wipe request is held.
        WipeHeld = "wipeHeld",
        /// A wipe request is refused.
        WipeRefused = "wipeRefused",
        /// A wipe request is spent, expired or vetoed: its file can go.
        WipeOver = "wipeOver",
    }
}

/// What reports leave in the snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    /// Whose.
    pub device: DeviceId,
    /// When the last report counts, and its raw facts.
    pub last: Option<(Timestamp, Facts)>,
    /// Reports that were passed over, because a later one was heard before.
    pub passed_over: u64,
}

/// Decides on the whole fleet.
#[must_use]
pub fn plan(inputs: &Inputs<'_>) -> Plan {
    let Inputs { recorded, desired, .. } = inputs;
    let mut planning = Planning::begin(inputs, &desired.devices);
    planning.devices(&recorded.devices, desired.devices.iter());
    let Planning { damage, plan, .. } = &mut planning;
    damage.hold_unrecorded(inputs, plan);
    planning.end()
}

/// The part of [`plan`] that is about these recorded devices and those that were heard from,
/// their profiles, and wipes: as fast for one device of a large fleet as of a small one. Where
/// nothing else is left to do, its actions are those of the whole plan, in the same order.
#[must_use]
pub fn plan_for(inputs: &Inputs<'_>, only: &BTreeSet<DeviceId>) -> Plan {
    let Inputs { recorded, desired, heard, .. } = inputs;
    let heard = heard.iter().filter_map(|h| Some(recorded.by_serial(&h.report.serial_number)?.0));
    let ids: BTreeSet<DeviceId> = only.iter().copied().chain(heard).collect();
    let devices = || ids.iter().filter_map(|id| recorded.devices.get_key_value(id));
    // In order of serial number, each once: hardware that was wiped may have several ids.
    let theirs: BTreeMap<_, _> = devices()
        .filter_map(|(_, device)| desired.by_serial(&device.spec.serial_number))
        .map(|desired| (&desired.spec.serial_number, desired))
        .collect();
    let mut planning = Planning::begin(inputs, theirs.values().copied());
    planning.devices(devices(), theirs.values().copied());
    planning.end()
}

/// A plan under way.
struct Planning<'a> {
    inputs: &'a Inputs<'a>,
    heard: HashMap<DeviceId, Vec<reports::Dated<'a>>>,
    damage: DamageIndex<'a>,
    wipes: wipes::Wipes,
    plan: Plan,
}

impl<'a> Planning<'a> {
    /// With what goes before devices: the profiles of `users`, and the trust files.
    fn begin(
        inputs: &'a Inputs<'a>,
        users: impl IntoIterator<Item = &'a Arc<DesiredDevice>>,
    ) -> Self {
        let mut plan = Plan { findings: inputs.desired.findings.clone(), ..Plan::default() };
        let heard = reports::sort(inputs, &mut plan);
        record_profiles(inputs, users, &mut plan);
        let damage = DamageIndex::new(inputs);
        let wipes = wipes::decide(inputs, &damage, &mut plan);
        Self { inputs, heard, damage, wipes, plan }
    }

    /// Recorded devices, in order of ids, and what is new among these manifests.
    fn devices<'d>(
        &mut self,
        recorded: impl IntoIterator<Item = (&'d DeviceId, &'d Box<Device>)>,
        desired: impl ExactSizeIterator<Item = &'a Arc<DesiredDevice>>,
    ) {
        let (known, new) = match_serials(self.inputs.recorded, desired);
        for (id, device) in recorded {
            self.device(*id, device, known.get(id).copied());
        }
        let mut id = self.inputs.recorded.next_id();
        // At once: growing by doubling would hold up to three times as much for a moment.
        self.plan.actions.reserve_exact(new.len());
        for desired in new {
            device::provision(self.inputs, id, desired, &mut self.plan);
            id = id.next();
        }
    }

    fn device(&mut self, id: DeviceId, device: &Device, desired: Option<&'a Arc<DesiredDevice>>) {
        let Self { inputs, heard, damage, wipes, plan } = self;
        let reports = heard.get(&id).map_or(&[][..], Vec::as_slice);
        let known = device::Known { id, device, desired, wiping: wipes.busy.contains(&id) };
        device::decide(inputs, damage, known, reports, plan);
    }

    fn end(self) -> Plan {
        let Self { mut plan, wipes, inputs, .. } = self;
        let withdrawn = wipes::withdraw(inputs, &plan.actions);
        plan.actions.extend(withdrawn);
        plan.actions.extend(wipes.actions);
        plan.holds.sort();
        plan.findings.sort_by(|a, b| a.key().cmp(&b.key()));
        plan
    }
}

type Matches<'a> = (HashMap<DeviceId, &'a Arc<DesiredDevice>>, Vec<&'a Arc<DesiredDevice>>);

/// Which of these manifests belongs to which recorded device, and which are new, in their order.
fn match_serials<'a>(
    recorded: &State,
    desired: impl ExactSizeIterator<Item = &'a Arc<DesiredDevice>>,
) -> Matches<'a> {
    let mut known = HashMap::with_capacity(desired.len());
    let mut new = Vec::new();
    for desired in desired {
        match recorded.by_serial(&desired.spec.serial_number) {
            Some((_, device)) if device.is_wiped() && desired.enrollment > device.enrollment => {
                new.push(desired);
            }
            Some((id, _)) => {
                known.insert(id, desired);
            }
            None => new.push(desired),
        }
    }
    (known, new)
}

fn record_profiles<'a>(
    inputs: &Inputs<'a>,
    devices: impl IntoIterator<Item = &'a Arc<DesiredDevice>>,
    plan: &mut Plan,
) {
    let used: BTreeSet<&Name> = devices.into_iter().map(|d| &d.spec.profile).collect();
    for name in used {
        let Some(to) = inputs.desired.profiles.get(name) else { continue };
        let from = inputs.recorded.profiles.get(name);
        if from.is_none_or(|from| from.digest != to.digest) {
            plan.actions.push(Action {
                device: None,
                place: inputs.desired.profile_places.get(name).cloned(),
                cause: Cause::Intent,
                reason: if from.is_some() { "the profile changed" } else { "the profile is new" }
                    .into(),
                op: Op::RecordProfile { from: from.cloned(), to: to.clone() },
            });
        }
    }
}

impl FreezeCause {
    /// What an operator can do about it.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Missing => "check --fleet and that the checkout is there",
            Self::Empty | Self::Shrunken => {
                "restore the manifests, or name the number with `fleetform apply --accept-removals N` \
                 (while no daemon runs)"
            }
        }
    }
}

#[cfg(test)]
mod tests;
