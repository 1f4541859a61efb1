//! What an action is, is about and changes: for output, the digest and the guard.

use std::borrow::Cow;
use std::sync::Arc;

use compact_str::CompactString;
use serde_json::{Value, json};

use super::changes::{profile_changes, provision_changes};
use super::subject::Subject;
use super::wipe_stop::WipeStop;
use crate::domain::compliance::ComplianceVerdict;
use crate::domain::model::{
    ComplianceState, DesiredDevice, DeviceId, DeviceSpec, Email, Place, Profile, Status,
    SyncRequest, Timestamp, words,
};
use crate::domain::state::WipeState;
use crate::domain::state::event::{
    Change, EvidenceGap, PassFrozen, TrustChanged, WipeAccepted, WipeConfirmed, WipeDeferred,
    WipeFailed, WipeProgress, WipeStopped, WipeSubject, WipeUnrequested,
};
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::verify::VerifiedWipe;

/// One step of the decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// The device, profile, request or fleet that it changes.
    pub subject: Subject,
    /// What is done to the subject, with all that execution needs.
    pub op: Op,
    /// Where the intent is written.
    pub(crate) place: Option<Place>,
    /// What it follows from.
    pub(crate) cause: Cause,
    /// Why, for people: a clause without a full stop.
    pub(crate) reason: Cow<'static, str>,
}

words! {
    /// What an action follows from: the guard lets facts through where it refuses intents.
    pub(crate) enum Cause {
        /// The manifests.
        Intent = "intent",
        /// A device's report.
        Fact = "fact",
        /// What somebody asked for by command. It follows from no manifest, and it only has a device
        /// report: so the guard lets it through, and where the fleet directory cannot be believed
        /// to hear from the devices is worth more than ever.
        Request = "request",
        /// A deadline that has passed.
        Clock = "clock",
        /// The guard itself.
        Guard = "guard",
    }
}

/// What an action does. Execution chooses nothing: whatever it needs is in here.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Remember a profile's revision, before devices get it.
    RecordProfile {
        /// As recorded so far.
        from: Option<Arc<Profile>>,
        /// The revision that the manifests want.
        to: Arc<Profile>,
    },
    /// Begin a device, and push its profile.
    Provision {
        /// What it is to be.
        to: DesiredDevice,
        /// The revision of `spec.profile` that it gets first.
        profile: Arc<Profile>,
    },
    /// A manifest with its serial is back.
    Adopt {
        /// Where it is back.
        to: DesiredDevice,
    },
    /// Recorded fields follow the manifest.
    Update {
        /// At least one.
        changes: Vec<Change>,
        /// What it is to be.
        to: DesiredDevice,
    },
    /// The status moves.
    Status {
        /// As recorded; by `lifecycle`, only some moves are possible.
        from: Status,
        /// As recorded once this is done.
        to: Status,
        /// The new enrollment, where it was raised.
        enrollment: Option<u32>,
        /// With it: the last report by now, which counts no more.
        last_sync: Option<Timestamp>,
        /// The manifest behind it.
        manifest: Option<DesiredDevice>,
    },
    /// Push the profile.
    Push {
        /// The recorded revision, or the one that this plan records.
        profile: Arc<Profile>,
        /// The intent to finish, where an earlier one is in doubt or failed for a while.
        resume: Option<u64>,
    },
    /// Give a license of the profile to the user.
    License {
        /// The part number of the product.
        sku: CompactString,
        /// Who gets it.
        user: Email,
        /// As of a push.
        resume: Option<u64>,
    },
    /// The user does not have a license any more that is recorded as given.
    LicenseMissing {
        /// The part number of the product.
        sku: CompactString,
        /// Who had it.
        user: Email,
        /// The order by which the user had it.
        intent: u64,
    },
    /// Ask the device to sync, because somebody asked for it.
    Sync {
        /// Who, and when.
        request: Arc<SyncRequest>,
        /// The intent to finish, where an earlier one is in doubt.
        resume: Option<u64>,
        /// When the device was last heard from.
        last_sync: Option<Timestamp>,
    },
    /// Put right what somebody changed in the MDM's objects of a profile.
    Restore {
        /// The profile.
        profile: Arc<Profile>,
        /// What was changed, each a clause without a full stop.
        what: Vec<String>,
        /// Who changed it, where the MDM tells.
        by: Option<String>,
    },
    /// A complete list of the MDM's devices does not have it any more.
    Missing {
        /// When it was last heard from.
        last_sync: Option<Timestamp>,
    },
    /// The MDM has it again.
    Found,
    /// The verdict over its facts changes.
    Compliance {
        /// The verdict on record.
        from: ComplianceState,
        /// The verdict now, with the checks that fail or lack a fact.
        verdict: Box<ComplianceVerdict>,
        /// The episode that goes on, where the device was compliant only for a short time.
        episode: Option<u64>,
    },
    /// Nobody could tell for too long whether it is compliant.
    EvidenceMissing {
        /// Why.
        cause: EvidenceGap,
        /// Since when.
        since: Timestamp,
    },
    /// It can be told again.
    EvidenceReturned,
    /// Block access to corporate mail, or restore it.
    Access {
        /// Which of the two.
        blocked: bool,
        /// The intent to finish, where an earlier one is in doubt or failed for a while.
        resume: Option<u64>,
    },
    /// The trust files are not what they were.
    Trust(Box<TrustChanged>),
    /// A wipe request holds.
    AcceptWipe {
        /// The data of the entry `wipe.accepted`.
        accepted: Box<WipeAccepted>,
        /// The request, with the `.sig` files as they were read.
        file: Arc<WipeFile>,
    },
    /// A wipe request does not hold, or not yet, or no more.
    StopWipe {
        /// How it is stopped.
        stop: WipeStop,
        /// The data of the entry; `stop` says its kind.
        stopped: Box<WipeStopped>,
    },
    /// Wipe a device: the one thing that cannot be undone.
    Wipe {
        /// Proof that every rule held when it was planned.
        wipe: Box<VerifiedWipe>,
        /// Distinct people who were needed.
        needed: u32,
        /// The request, with the `.sig` files as they were read.
        file: Arc<WipeFile>,
        /// The manifest of the device, where there is a usable one: to be read again.
        manifest: Option<DesiredDevice>,
    },
    /// Take back the command of a wipe that was issued, and that expired unconfirmed.
    WithdrawWipe {
        /// The data of the entry `wipe.expired`, written once it is taken back.
        stopped: Box<WipeStopped>,
        /// Where the request is, or was last seen.
        path: Arc<str>,
    },
    /// The MDM tells how far a wipe has come.
    WipeProgress {
        /// What the log will say.
        progress: Box<WipeProgress>,
    },
    /// The MDM tells that it never took the command of a wipe.
    DeferWipe {
        /// What the log will say.
        deferred: Box<WipeDeferred>,
    },
    /// The MDM tells that a wipe will not happen.
    FailWipe {
        /// What the log will say.
        failed: Box<WipeFailed>,
    },
    /// The device says that it is erased.
    ConfirmWipe {
        /// The data of the entry `wipe.confirmed`.
        confirmed: Box<WipeConfirmed>,
    },
    /// The device says that it is erased, and no wipe of it was issued.
    UnrequestedWipe {
        /// The data of the entry `wipe.unrequested`.
        unrequested: Box<WipeUnrequested>,
    },
    /// Its manifest is gone.
    Orphan,
    /// It has been wiped or orphaned for long: lists leave it out.
    Archive,
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
    pub enum ActionKind {
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
        /// The user gets a license.
        License = "license",
        /// The user does not have a license any more.
        LicenseMissing = "licenseMissing",
        /// The device is asked to sync.
        Sync = "sync",
        /// The MDM's objects of a profile are put right.
        Restore = "restore",
        /// The MDM does not have the device any more.
        Missing = "missing",
        /// The MDM has the device again.
        Found = "found",
        Compliance = "compliance",
        /// Nobody could tell for too long whether a device is compliant.
        EvidenceMissing = "evidenceMissing",
        /// It can be told again.
        EvidenceReturned = "evidenceReturned",
        /// Access to corporate mail is blocked.
        BlockAccess = "blockAccess",
        /// Access to corporate mail is restored.
        RestoreAccess = "restoreAccess",
        Orphan = "orphan",
        /// The device is moved out of the way.
        Archive = "archive",
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
        /// The MDM tells how far a wipe has come.
        WipeProgress = "wipeProgress",
        /// The command of a wipe was not taken, and is given again.
        DeferWipe = "deferWipe",
        /// A wipe will not happen.
        FailWipe = "failWipe",
        ConfirmWipe = "confirmWipe",
    }
}

impl Action {
    /// The word for it in output, which a plan's digest covers.
    #[must_use]
    pub fn kind(&self) -> ActionKind {
        match &self.op {
            Op::RecordProfile { .. } => ActionKind::Profile,
            Op::Provision { .. } => ActionKind::Provision,
            Op::Adopt { .. } => ActionKind::Adopt,
            Op::Update { .. } => ActionKind::Update,
            Op::Status { .. } => ActionKind::Status,
            Op::Push { .. } => ActionKind::Push,
            Op::License { .. } => ActionKind::License,
            Op::LicenseMissing { .. } => ActionKind::LicenseMissing,
            Op::Sync { .. } => ActionKind::Sync,
            Op::Restore { .. } => ActionKind::Restore,
            Op::Missing { .. } => ActionKind::Missing,
            Op::Found => ActionKind::Found,
            Op::WipeProgress { .. } => ActionKind::WipeProgress,
            Op::DeferWipe { .. } => ActionKind::DeferWipe,
            Op::FailWipe { .. } => ActionKind::FailWipe,
            Op::Compliance { .. } => ActionKind::Compliance,
            Op::EvidenceMissing { .. } => ActionKind::EvidenceMissing,
            Op::EvidenceReturned => ActionKind::EvidenceReturned,
            Op::Access { blocked: true, .. } => ActionKind::BlockAccess,
            Op::Access { blocked: false, .. } => ActionKind::RestoreAccess,
            Op::Orphan => ActionKind::Orphan,
            Op::Archive => ActionKind::Archive,
            Op::Trust(_) => ActionKind::Trust,
            Op::AcceptWipe { .. } => ActionKind::AcceptWipe,
            Op::StopWipe { stop, .. } => match stop {
                WipeStop::Held => ActionKind::HoldWipe,
                WipeStop::Refused { .. } => ActionKind::RefuseWipe,
                WipeStop::Expired => ActionKind::ExpireWipe,
                WipeStop::Vetoed => ActionKind::VetoWipe,
            },
            Op::Wipe { .. } => ActionKind::Wipe,
            Op::WithdrawWipe { .. } => ActionKind::WithdrawWipe,
            Op::ConfirmWipe { .. } => ActionKind::ConfirmWipe,
            Op::UnrequestedWipe { .. } => ActionKind::UnrequestedWipe,
            Op::Freeze(_) => ActionKind::Freeze,
            Op::Thaw { .. } => ActionKind::Thaw,
        }
    }

    /// The device that it is about.
    #[must_use]
    pub fn device(&self) -> Option<DeviceId> {
        self.subject.device()
    }

    /// The specification of the device that it is about, as it is to be or as recorded.
    #[must_use]
    pub(crate) fn spec(&self) -> Option<&Arc<DeviceSpec>> {
        match &self.subject {
            Subject::Device { spec, .. } => Some(spec),
            Subject::Profile(_) | Subject::Request(_) | Subject::Fleet => None,
        }
    }

    /// Field by field, what it changes; `null` stands for absent.
    #[must_use]
    pub(crate) fn changes(&self) -> Vec<Change<&'static str>> {
        let one = |field, from: Value, to: Value| vec![Change { field, from, to }];
        match &self.op {
            Op::RecordProfile { from, to } => profile_changes(from.as_deref(), to),
            Op::Provision { to, .. } => provision_changes(to),
            Op::Update { changes, .. } => changes
                .iter()
                .map(|c| Change { field: c.field.as_str(), from: c.from.clone(), to: c.to.clone() })
                .collect(),
            Op::Status { from, to, enrollment, .. } => {
                let mut changes = one("status", json!(from), json!(to));
                if let Some(enrollment) = enrollment {
                    changes.push(Change {
                        field: "enrollment",
                        from: Value::Null,
                        to: json!(enrollment),
                    });
                }
                changes
            }
            Op::Compliance { from, verdict, .. } => {
                one("compliance", json!(from), json!(verdict.state))
            }
            // Not since when, which telemetry says: the same gap is the same decision.
            Op::EvidenceMissing { cause, .. } => one("evidence", Value::Null, json!(cause)),
            Op::EvidenceReturned => one("evidence", json!(true), Value::Null),
            Op::Access { blocked, .. } => one("mailBlocked", json!(!blocked), json!(blocked)),
            Op::Push { profile, .. } => one("pushedProfile", Value::Null, json!(profile.name)),
            Op::License { sku, user, .. } => {
                one("license", Value::Null, json!({"sku": sku, "user": user}))
            }
            Op::LicenseMissing { sku, user, .. } => {
                one("license", json!({"sku": sku, "user": user}), Value::Null)
            }
            // Not when it was asked for: the same request is the same decision.
            Op::Sync { request, .. } => one(
                "sync",
                Value::Null,
                json!({"request": request.id, "by": request.by.to_string()}),
            ),
            Op::Restore { what, .. } => one("mdm", json!(what), Value::Null),
            Op::Missing { .. } => one("missing", json!(false), json!(true)),
            Op::Found => one("missing", json!(true), json!(false)),
            Op::WipeProgress { progress } => {
                let to = json!({"request": progress.request, "stage": progress.stage});
                one("wipe", Value::Null, to)
            }
            Op::DeferWipe { deferred } => {
                let to = json!({"request": deferred.request, "state": WipeState::Accepted});
                one("wipe", Value::Null, to)
            }
            Op::FailWipe { failed } => {
                let to = json!({"request": failed.request, "state": WipeState::Failed});
                one("wipe", Value::Null, to)
            }
            Op::Adopt { .. } => one("orphaned", json!(true), json!(false)),
            Op::Orphan => one("orphaned", json!(false), json!(true)),
            Op::Archive => one("archived", json!(false), json!(true)),
            Op::Freeze(_) => one("frozen", json!(false), json!(true)),
            Op::Thaw { .. } => one("frozen", json!(true), json!(false)),
            Op::Trust(changed) => one("trust", json!(changed.from), json!(changed.to)),
            Op::AcceptWipe { accepted, .. } => {
                wipe_change(&accepted.subject, WipeState::Accepted, &accepted.signers)
            }
            Op::StopWipe { stop, stopped } => {
                wipe_change(&stopped.subject, stop.state(), &stopped.signers)
            }
            Op::Wipe { wipe, .. } => {
                wipe_change(&wipe.request().subject(), WipeState::Issued, wipe.signers())
            }
            Op::WithdrawWipe { stopped, .. } => {
                wipe_change(&stopped.subject, WipeState::Expired, &stopped.signers)
            }
            Op::ConfirmWipe { confirmed } => {
                let request = json!({"request": confirmed.request, "state": WipeState::Confirmed});
                one("wipe", Value::Null, request)
            }
            Op::UnrequestedWipe { .. } => one("erased", json!(false), json!(true)),
        }
    }
}

fn wipe_change(
    subject: &WipeSubject,
    state: WipeState,
    signers: &[Email],
) -> Vec<Change<&'static str>> {
    let to = json!({
        "request": subject.request,
        "state": state,
        "scope": subject.scope,
        "reason": subject.reason,
        "requestedBy": subject.requested_by,
        "signers": signers,
        "expiresAt": subject.expires_at,
    });
    vec![Change { field: "wipe", from: Value::Null, to }]
}
