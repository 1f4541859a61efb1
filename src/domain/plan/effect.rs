//! What an action says in the log, and what it does outside: nothing is left to choose.

use std::sync::Arc;

use compact_str::CompactString;

use super::action::{Action, Op};
use super::subject::Subject;
use super::wipe_stop::WipeStop;
use crate::domain::model::{DesiredDevice, Email, Profile};
use crate::domain::state::event::{
    AccessOrder, ComplianceChanged, DeviceMissing, DeviceProvisioned, DeviceStatus, DeviceUpdated,
    ErrorClass, Event, EvidenceMissing, LicenseFailed, LicenseIntended, Nothing, PassThawed,
    ProfileDrifted, ProfilePush, Source, SyncRequested, WipeConfirmed, WipeFailed, WipeIssued,
    WipeStopped,
};
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::verify::VerifiedWipe;

/// The part of an action that a provider carries out. Here and nowhere else is said which
/// actions have one.
#[derive(Debug, Clone, Copy)]
pub enum Effect<'a> {
    /// The device gets a profile.
    Push {
        /// The revision to push.
        profile: &'a Arc<Profile>,
        /// The number of an earlier intent to finish; a new one is needed otherwise.
        resume: Option<u64>,
    },
    /// The user gets a license.
    License {
        /// The part number of the product.
        sku: &'a CompactString,
        /// Who gets it.
        user: &'a Email,
        /// As of a push.
        resume: Option<u64>,
    },
    /// The device is asked to sync.
    Sync {
        /// As of a push.
        resume: Option<u64>,
    },
    /// Access to corporate mail is blocked, or restored.
    Access {
        /// Which of the two.
        blocked: bool,
        /// As of a push.
        resume: Option<u64>,
    },
    /// The provider's objects of a profile are put right.
    Restore {
        /// The profile.
        profile: &'a Arc<Profile>,
    },
    /// The device is erased.
    Wipe {
        /// The request that is read and judged again before the provider is called.
        file: &'a Arc<WipeFile>,
        /// The manifest of the device, where there is a usable one.
        manifest: Option<&'a DesiredDevice>,
    },
    /// The command to erase the device is taken back.
    Withdraw {
        /// The data of `wipe.expired`, with the intent that the provider is asked to drop.
        stopped: &'a WipeStopped,
    },
}

impl Action {
    /// The effect on the outside, if it has one.
    #[must_use]
    pub fn effect(&self) -> Option<Effect<'_>> {
        match &self.op {
            Op::Provision { profile, .. } => Some(Effect::Push { profile, resume: None }),
            Op::Push { profile, resume, .. } => Some(Effect::Push { profile, resume: *resume }),
            Op::License { sku, user, resume } => {
                Some(Effect::License { sku, user, resume: *resume })
            }
            Op::Sync { resume, .. } => Some(Effect::Sync { resume: *resume }),
            Op::Access { blocked, resume } => {
                Some(Effect::Access { blocked: *blocked, resume: *resume })
            }
            Op::Restore { profile, .. } => Some(Effect::Restore { profile }),
            Op::Wipe { file, manifest, .. } => {
                Some(Effect::Wipe { file, manifest: manifest.as_ref() })
            }
            Op::WithdrawWipe { stopped, .. } => Some(Effect::Withdraw { stopped }),
            Op::RecordProfile { .. }
            | Op::Adopt { .. }
            | Op::Update { .. }
            | Op::Status { .. }
            | Op::LicenseMissing { .. }
            | Op::Missing { .. }
            | Op::Found
            | Op::Compliance { .. }
            | Op::EvidenceMissing { .. }
            | Op::EvidenceReturned
            | Op::Orphan
            | Op::Archive
            | Op::Freeze(_)
            | Op::Thaw { .. }
            | Op::Trust(_)
            | Op::AcceptWipe { .. }
            | Op::StopWipe { .. }
            | Op::WipeProgress { .. }
            | Op::DeferWipe { .. }
            | Op::FailWipe { .. }
            | Op::ConfirmWipe { .. }
            | Op::UnrequestedWipe { .. } => None,
        }
    }

    /// What the log says before any effect; nothing where the intent is in the log already. Of a
    /// command taken back it is what the log says afterwards: until then it may still be there,
    /// and to take it back twice is harmless. `intent` is the number for a new intent.
    #[must_use]
    pub fn event(&self, intent: u64) -> Option<Event> {
        let event = match &self.op {
            Op::RecordProfile { to, .. } => Event::ProfileRecorded(Box::new(Profile::clone(to))),
            Op::Provision { to, profile } => {
                Event::DeviceProvisioned(Box::new(DeviceProvisioned {
                    spec: to.spec.clone(),
                    enrollment: to.enrollment,
                    intent,
                    profile_digest: profile.digest,
                }))
            }
            Op::Adopt { .. } => Event::DeviceAdopted(Nothing {}),
            Op::Update { changes, .. } => {
                Event::DeviceUpdated(DeviceUpdated { changes: changes.clone() })
            }
            Op::Status { from, to, enrollment, last_sync, .. } => {
                Event::DeviceStatus(DeviceStatus {
                    from: *from,
                    to: *to,
                    reason: self.reason.to_string(),
                    enrollment: *enrollment,
                    last_sync: *last_sync,
                })
            }
            Op::Push { resume: Some(_), .. }
            | Op::License { resume: Some(_), .. }
            | Op::Sync { resume: Some(_), .. }
            | Op::Access { resume: Some(_), .. } => return None,
            Op::Access { blocked, resume: None } => {
                Event::AccessIntended(AccessOrder { intent, blocked: *blocked })
            }
            Op::License { sku, user, resume: None } => {
                let (sku, user) = (sku.clone(), user.clone());
                Event::LicenseIntended(Box::new(LicenseIntended { intent, sku, user }))
            }
            Op::LicenseMissing { sku, user, intent } => {
                Event::LicenseFailed(Box::new(LicenseFailed {
                    intent: *intent,
                    sku: sku.clone(),
                    user: user.clone(),
                    class: ErrorClass::Transient,
                    error: self.reason.to_string(),
                }))
            }
            Op::EvidenceMissing { cause, since } => {
                Event::EvidenceMissing(EvidenceMissing { cause: *cause, since: *since })
            }
            Op::EvidenceReturned => Event::EvidenceReturned(Nothing {}),
            Op::Sync { request, resume: None, last_sync } => {
                Event::SyncRequested(Box::new(SyncRequested {
                    intent,
                    request: request.id,
                    by: request.by.by.clone(),
                    claims: request.by.claims.clone(),
                    last_sync: *last_sync,
                }))
            }
            Op::Push { profile, resume: None, .. } => {
                Event::ProfileIntended(pushed(profile, intent))
            }
            Op::Restore { profile, what, by } => Event::ProfileDrifted(Box::new(ProfileDrifted {
                intent,
                profile: profile.name.clone(),
                what: what.clone(),
                by: by.clone(),
            })),
            Op::Missing { last_sync } => {
                Event::DeviceMissing(DeviceMissing { last_sync: *last_sync })
            }
            Op::Found => Event::DeviceFound(Nothing {}),
            Op::WipeProgress { progress } => Event::WipeProgress(progress.clone()),
            Op::DeferWipe { deferred } => Event::WipeDeferred(deferred.clone()),
            Op::FailWipe { failed } => Event::WipeFailed(WipeFailed::clone(failed)),
            Op::Compliance { from, verdict, episode } => {
                Event::ComplianceChanged(ComplianceChanged {
                    from: *from,
                    to: verdict.state,
                    failing: verdict.failing.clone(),
                    missing: verdict.missing.clone(),
                    episode: *episode,
                })
            }
            Op::Orphan => Event::DeviceOrphaned(Nothing {}),
            Op::Archive => Event::DeviceArchived(Nothing {}),
            Op::Freeze(why) => Event::PassFrozen(why.clone()),
            Op::Thaw { accepted_removals } => {
                Event::PassThawed(PassThawed { accepted_removals: *accepted_removals })
            }
            Op::Trust(changed) => Event::TrustChanged(**changed),
            Op::AcceptWipe { accepted, .. } => Event::WipeAccepted(accepted.clone()),
            Op::StopWipe { stop, stopped } => {
                let stopped = stopped.clone();
                match stop {
                    WipeStop::Held => Event::WipeHeld(stopped),
                    WipeStop::Refused { .. } => Event::WipeRefused(stopped),
                    WipeStop::Expired => Event::WipeExpired(stopped),
                    WipeStop::Vetoed => Event::WipeVetoed(stopped),
                }
            }
            Op::Wipe { wipe, needed, .. } => {
                Event::WipeIssued(Box::new(issued(wipe, *needed, intent)))
            }
            Op::WithdrawWipe { stopped, .. } => Event::WipeExpired(stopped.clone()),
            Op::ConfirmWipe { confirmed } => Event::WipeConfirmed(WipeConfirmed::clone(confirmed)),
            Op::UnrequestedWipe { unrequested } => Event::WipeUnrequested(unrequested.clone()),
        };
        Some(event)
    }

    /// The manifest behind it.
    #[must_use]
    pub fn source(&self, revision: Option<&Arc<str>>) -> Option<Source> {
        let source = |path: &Arc<str>, digest| Source {
            path: path.clone(),
            digest,
            revision: revision.cloned(),
        };
        if let Subject::Request(request) = &self.subject {
            return Some(source(&request.path, request.request));
        }
        let manifest: &DesiredDevice = match &self.op {
            Op::Provision { to, .. } | Op::Adopt { to, .. } | Op::Update { to, .. } => to,
            Op::Status { manifest, .. } => manifest.as_ref()?,
            Op::WithdrawWipe { stopped, path } => {
                return Some(source(path, stopped.subject.request));
            }
            Op::RecordProfile { .. }
            | Op::Push { .. }
            | Op::License { .. }
            | Op::LicenseMissing { .. }
            | Op::Sync { .. }
            | Op::Restore { .. }
            | Op::Missing { .. }
            | Op::Found
            | Op::WipeProgress { .. }
            | Op::DeferWipe { .. }
            | Op::FailWipe { .. }
            | Op::Compliance { .. }
            | Op::EvidenceMissing { .. }
            | Op::EvidenceReturned
            | Op::Access { .. }
            | Op::Orphan
            | Op::Archive
            | Op::Freeze(_)
            | Op::Thaw { .. }
            | Op::Trust(_)
            | Op::AcceptWipe { .. }
            | Op::StopWipe { .. }
            | Op::Wipe { .. }
            | Op::ConfirmWipe { .. }
            | Op::UnrequestedWipe { .. } => return None,
        };
        Some(source(&manifest.place.path, manifest.digest))
    }
}

/// `data` of a wipe that is issued under this intent.
#[must_use]
pub(crate) fn issued(wipe: &VerifiedWipe, needed: u32, intent: u64) -> WipeIssued {
    WipeIssued {
        request: wipe.request().digest,
        intent,
        scope: wipe.request().scope,
        signers: wipe.signers().to_vec(),
        needed,
    }
}

/// `data` of a push of this profile under this intent.
#[must_use]
pub fn pushed(profile: &Profile, intent: u64) -> ProfilePush {
    let (profile, digest) = (profile.name.clone(), profile.digest);
    ProfilePush { intent, profile, digest, former_users: Vec::new() }
}
