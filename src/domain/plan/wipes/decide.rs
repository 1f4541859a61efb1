//! Decides on every wipe request, known or new.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::capacity::lacks;
use super::clock::{CLOCK_BEHIND, clock_behind, issue_at, time_ahead_of};
use super::news::{ApprovalState, approval, awaited};
use super::ownership::Ownerships;
use super::quorum::{people, short_of};
use super::request::{VETO, verify_with};
use super::unsigned::Unsigned;
use super::view::WipeStanding;
use crate::domain::model::{DeviceId, Digest, Email, Place, Timestamp, WipeScope};
use crate::domain::plan::action::{Action, Cause, Op};
use crate::domain::plan::damage::DamageIndex;
use crate::domain::plan::decision::Plan;
use crate::domain::plan::inputs::Inputs;
use crate::domain::plan::subject::{RequestSubject, Subject};
use crate::domain::plan::wipe_stop::WipeStop;
use crate::domain::state::event::{
    TrustChanged, TrustFiles, WipeAccepted, WipeStopped, WipeSubject,
};
use crate::domain::state::{DEFERRED, Wipe, WipeState};
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::quorum::{self, History, Ruling};
use crate::domain::wipe::trust_state::TrustState;
use crate::domain::wipe::verify::{Conclusion, Judgement, Reason, VerifiedWipe};

/// The code of a request that waits for approval in the MDM.
pub(super) const AWAITED: &str = "awaitingApproval";

/// What the rest of the plan has to know.
pub(in crate::domain::plan) struct WipePlan {
    /// To be done after everything else.
    pub(crate) actions: Vec<Action>,
    /// Devices with a wipe under way after this plan.
    pub(crate) busy: HashSet<DeviceId>,
}

/// The plan over wipes while it is made.
pub(super) struct WipePlanner<'a, 'p> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) plan: &'p mut Plan,
    actions: Vec<Action>,
    /// Devices of which no other request is accepted.
    taken: HashSet<DeviceId>,
    issued: Vec<Timestamp>,
    ahead: usize,
    /// Those of `ahead` that are issued in this plan, by scope.
    issuing: HashMap<WipeScope, usize>,
    ownerships: Ownerships<'a>,
    unsigned: Unsigned,
    /// Requests that cannot go on now, with their signers.
    short: Vec<(&'a Arc<WipeFile>, Vec<Email>)>,
}

/// Decides on every request, known or new.
pub(in crate::domain::plan) fn decide(
    inputs: &Inputs<'_>,
    damage: &DamageIndex<'_>,
    plan: &mut Plan,
) -> WipePlan {
    let recorded = inputs.recorded;
    let of = |holds: &dyn Fn(&Wipe) -> bool| -> HashSet<DeviceId> {
        recorded.wipes.values().filter(|w| holds(w)).map(|w| w.subject.device_id).collect()
    };
    let taken = of(&|wipe| wipe.blocks(inputs.now));
    let issued_to = of(&|wipe| wipe.state == WipeState::Issued && wipe.blocks(inputs.now));
    let issued = recorded.wipes.values().filter_map(|wipe| wipe.issued_at).collect();
    let (actions, short) = (Vec::new(), Vec::new());
    let (ownerships, unsigned) = (Ownerships::new(inputs), Unsigned::new(inputs));
    let mut planner = WipePlanner {
        inputs,
        plan,
        actions,
        taken,
        issued,
        ahead: 0,
        issuing: HashMap::new(),
        ownerships,
        unsigned,
        short,
    };
    planner.trust();
    planner.gone(damage);
    for file in in_order(inputs) {
        planner.request(file);
    }
    // Held requests are judged last, since those that go on may take their place in the window
    // or their device; otherwise the next plan would say something else. Their actions come
    // first, since a request that was accepted before must free its device.
    let going_on = std::mem::take(&mut planner.actions);
    for (file, signers) in std::mem::take(&mut planner.short) {
        planner.hold(file, &signers);
    }
    planner.actions.extend(going_on);
    let WipePlanner { actions, taken, plan, unsigned, .. } = planner;
    plan.findings.extend(unsigned.finding());
    plan.wipes.sort_by(|a, b| a.place.cmp(&b.place));
    WipePlan { actions, busy: &taken | &issued_to }
}

/// Those accepted before, in the order in which they were, then the others by `issuedAt`.
fn in_order<'a>(inputs: &Inputs<'a>) -> Vec<&'a Arc<WipeFile>> {
    let mut files: Vec<_> = inputs.desired.wipes.iter().collect();
    files.sort_by_key(|file| {
        let digest = file.request.digest;
        let accepted = inputs
            .recorded
            .wipes
            .get(&digest)
            .filter(|wipe| wipe.state == WipeState::Accepted)
            .map(|wipe| wipe.since);
        (accepted.is_none(), accepted, file.request.issued_at, digest)
    });
    files
}

impl<'a> WipePlanner<'a, '_> {
    fn trust(&mut self) {
        let TrustState::Usable(trust) = self.inputs.trust else { return };
        let to =
            TrustFiles { allowed_signers: trust.digest(), revoked_keys: trust.revoked_digest() };
        let from = self.inputs.recorded.trust;
        if from != Some(to) {
            self.plan.actions.push(Action {
                subject: Subject::Fleet,
                op: Op::Trust(Box::new(TrustChanged { from, to })),
                place: None,
                // Not an intent of the fleet directory: the trust files lie outside of it.
                cause: Cause::Fact,
                reason: "the trust files changed".into(),
            });
        }
    }

    /// Open requests whose files are gone: deleting a request stops it for good.
    fn gone(&mut self, damage: &DamageIndex<'_>) {
        let there: BTreeSet<Digest> =
            self.inputs.desired.wipes.iter().map(|file| file.request.digest).collect();
        for (digest, wipe) in &self.inputs.recorded.wipes {
            let open = matches!(wipe.state, WipeState::Held | WipeState::Accepted);
            if !open || there.contains(digest) || self.inputs.desired.missing.is_some() {
                continue;
            }
            let place = Place { path: wipe.path.clone(), line: 1 };
            if damage.at(&wipe.path).or_else(|| damage.anywhere()).is_some() {
                let detail = "its file cannot be used, so the request waits";
                self.show_known(wipe, place, WipeStanding::Held, "requestUnreadable", detail);
                continue;
            }
            let detail = "its file was deleted or changed";
            self.show_known(wipe, place.clone(), WipeStanding::Vetoed, "requestDeleted", detail);
            if wipe.state == WipeState::Accepted {
                self.taken.remove(&wipe.subject.device_id);
            }
            let stopped = WipeStopped {
                subject: wipe.subject.clone(),
                code: "requestDeleted".into(),
                detail: detail.to_owned(),
                signers: wipe.signers.clone(),
                for_good: false,
                intent: None,
            };
            self.stop(WipeStop::Vetoed, stopped, place);
        }
    }

    fn request(&mut self, file: &'a Arc<WipeFile>) {
        let known = self.inputs.recorded.wipes.get(&file.request.digest);
        if let Some(wipe) = known.filter(|wipe| !wipe.state.is_open()) {
            return self.over(file, wipe);
        }
        let judgement = verify_with(self.inputs, &self.ownerships, file);
        let signers = judgement.signers();
        // A veto is recorded whenever it is seen, and so is what refuses for good: neither is
        // undone by what comes later, a clock that is right again included.
        if let Conclusion::Vetoed(by) = &judgement.conclusion {
            let detail = format!("{by} objects");
            return self.stopped(file, &signers, WipeStop::Vetoed, VETO, &detail);
        }
        if let Some((reason, detail)) = &judgement.for_good {
            let stop = WipeStop::Refused { for_good: true };
            return self.stopped(file, &signers, stop, reason.as_str(), detail);
        }
        // With a clock that was set back expiry and windows mean nothing.
        if let Some(at) = time_ahead_of(self.inputs) {
            return self.show(file, &[], WipeStanding::Held, CLOCK_BEHIND, &clock_behind(at));
        }
        match &judgement.conclusion {
            Conclusion::Refused(Reason::Expired) => {
                let detail = judgement.why();
                self.stopped(file, &signers, WipeStop::Expired, "expired", &detail);
            }
            Conclusion::Refused(Reason::NotSigned) => self.not_signed(file, &judgement),
            Conclusion::Refused(reason) if reason.holds() => {
                let detail = judgement.why();
                self.stopped(file, &signers, WipeStop::Held, reason.as_str(), &detail);
            }
            Conclusion::Refused(reason) => {
                let detail = judgement.why();
                let stop = WipeStop::Refused { for_good: false };
                self.stopped(file, &signers, stop, reason.as_str(), &detail);
            }
            Conclusion::Verified(wipe) => self.verified(file, wipe, known),
            Conclusion::Vetoed(_) => unreachable!("a veto was told of before"),
        }
    }

    /// Without a signature it is not wrong, only short of one.
    fn not_signed(&mut self, file: &Arc<WipeFile>, judgement: &Judgement) {
        let needs = self.decide_quorum(0);
        let detail = judgement.why();
        self.stopped(file, &[], WipeStop::Held, Reason::NotSigned.as_str(), &detail);
        if let (Some(view), Ruling::Held(hold)) = (self.plan.wipes.last_mut(), needs) {
            view.needs = hold.needs;
        }
    }

    fn decide_quorum(&self, has: u32) -> Ruling {
        let restored = self.inputs.recorded.restored.map(|restored| restored.at);
        let history = History { issued: &self.issued, ahead: self.ahead, restored };
        quorum::decide(&self.inputs.settings.wipes.quorum, history, self.inputs.now, has)
    }

    fn verified(&mut self, file: &'a Arc<WipeFile>, wipe: &VerifiedWipe, known: Option<&Wipe>) {
        let signers = wipe.signers();
        let device = file.request.device_id;
        let accepted = known.filter(|wipe| wipe.state == WipeState::Accepted);
        if !self.provider_takes(file, signers) {
            return;
        }
        let needed = match self.decide_quorum(people(signers)) {
            Ruling::Issue { needs } if accepted.is_some() || !self.taken.contains(&device) => needs,
            Ruling::Issue { .. } | Ruling::Held(_) => {
                if accepted.is_some() {
                    self.taken.remove(&device);
                }
                return self.short.push((file, signers.to_vec()));
            }
        };
        let delay = self.inputs.settings.wipes.delay;
        let issue_at = accepted.and_then(|wipe| issue_at(wipe, delay));
        let issue_at = issue_at.unwrap_or(self.inputs.now + delay);
        if accepted.is_none() {
            self.accept(file, wipe, issue_at);
        }
        self.taken.insert(device);
        self.ahead += 1;
        let approval = approval(self.inputs, file);
        if let ApprovalState::Awaited(code) = approval {
            self.show(file, signers, WipeStanding::AwaitingApproval, AWAITED, &awaited(&code));
        } else if self.inputs.now < issue_at {
            let deferred = accepted.filter(|wipe| wipe.code.as_deref() == Some(DEFERRED));
            let (code, detail) = match deferred {
                Some(wipe) => {
                    let until = issue_at.short();
                    let detail =
                        format!("not issued yet: {}; tried again from {until}", wipe.detail);
                    (DEFERRED, detail)
                }
                None => ("coolingOff", format!("waits until {} (wipes.delay)", issue_at.short())),
            };
            self.show(file, signers, WipeStanding::CoolingOff, code, &detail);
        } else {
            *self.issuing.entry(file.request.scope).or_default() += 1;
            self.show(file, signers, WipeStanding::Issue, "issue", "every rule holds");
            let manifest = self.inputs.desired.by_serial(&file.request.serial).cloned();
            let wipe = Box::new(wipe.clone());
            let op = Op::Wipe { wipe, needed, file: file.clone(), manifest };
            self.act(file.request.subject(), op, file.place.clone(), "the request holds");
        }
        if let Some(view) = self.plan.wipes.last_mut() {
            view.needs = Some(needed);
            view.until = Some(issue_at).filter(|at| self.inputs.now < *at);
            view.new = accepted.is_none();
        }
    }

    /// Whether the provider would carry the request out; where not, it says why.
    fn provider_takes(&mut self, file: &'a Arc<WipeFile>, signers: &[Email]) -> bool {
        if let ApprovalState::Refused(code, detail) = approval(self.inputs, file) {
            let stop = WipeStop::Refused { for_good: true };
            self.stopped(file, signers, stop, code, &detail);
            return false;
        }
        let (request, scope) = (file.request.digest, file.request.scope);
        let ahead = self.issuing.get(&scope).copied().unwrap_or_default();
        let Some((code, detail, until)) = lacks(self.inputs, (request, scope), ahead) else {
            return true;
        };
        self.stopped(file, signers, WipeStop::Held, code, &detail);
        if let Some(view) = self.plan.wipes.last_mut() {
            view.until = until;
        }
        false
    }

    /// A request that every rule admits, but neither its device nor the window.
    fn hold(&mut self, file: &WipeFile, signers: &[Email]) {
        let device = file.request.device_id;
        if self.taken.contains(&device) {
            let detail = self.under_way(device);
            self.stopped(file, signers, WipeStop::Held, "deviceBusy", &detail);
            // The device is taken by the other request, whether or not this one held it before.
            self.taken.insert(device);
            return;
        }
        match self.decide_quorum(people(signers)) {
            Ruling::Held(hold) => {
                let detail = short_of(&hold);
                self.stopped(file, signers, WipeStop::Held, hold.reason.as_str(), &detail);
                if let Some(view) = self.plan.wipes.last_mut() {
                    (view.needs, view.until) = (hold.needs, hold.until);
                }
            }
            Ruling::Issue { .. } => unreachable!("more wipes never need fewer signers"),
        }
    }

    fn under_way(&self, device: DeviceId) -> String {
        let issued = |wipe: &&Wipe| wipe.state == WipeState::Issued;
        let until = self.inputs.recorded.wipes_of(device).filter(issued);
        match until.map(|wipe| wipe.subject.expires_at).max() {
            Some(until) => format!(
                "another wipe of {device} is issued and not confirmed; this one can follow if that \
                 does not change until {}",
                until.short()
            ),
            None => format!("another wipe of {device} is in progress"),
        }
    }

    fn accept(&mut self, file: &Arc<WipeFile>, wipe: &VerifiedWipe, issue_at: Timestamp) {
        let accepted = Box::new(WipeAccepted {
            subject: file.request.subject(),
            signers: wipe.signers().to_vec(),
            issue_at,
            trust: wipe.trust(),
        });
        let op = Op::AcceptWipe { accepted, file: file.clone() };
        self.act(file.request.subject(), op, file.place.clone(), "the request holds");
    }

    /// A request that does not go on: logged when it comes to that, not at every pass.
    fn stopped(
        &mut self,
        file: &WipeFile,
        signers: &[Email],
        stop: WipeStop,
        code: &str,
        detail: &str,
    ) {
        let standing = match stop {
            WipeStop::Held => WipeStanding::Held,
            WipeStop::Refused { .. } => WipeStanding::Refused,
            WipeStop::Expired => WipeStanding::Expired,
            WipeStop::Vetoed => WipeStanding::Vetoed,
        };
        self.show(file, signers, standing, code, detail);
        let known = self.inputs.recorded.wipes.get(&file.request.digest);
        let said = known.is_some_and(|wipe| {
            wipe.state == stop.state()
                && wipe.code.as_deref() == Some(code)
                && wipe.signers == signers
        });
        if known.is_some_and(|wipe| wipe.state == WipeState::Accepted) {
            self.taken.remove(&file.request.device_id);
        }
        if said || (signers.is_empty() && !self.unsigned.records(file, stop, known)) {
            return;
        }
        if let Some(view) = self.plan.wipes.last_mut() {
            view.new = true;
        }
        let stopped = WipeStopped {
            subject: file.request.subject(),
            code: code.into(),
            detail: detail.to_owned(),
            signers: signers.to_vec(),
            for_good: stop == WipeStop::Refused { for_good: true },
            intent: None,
        };
        self.stop(stop, stopped, file.place.clone());
    }

    fn stop(&mut self, stop: WipeStop, stopped: WipeStopped, place: Place) {
        let (reason, subject) = (stopped.detail.clone(), stopped.subject.clone());
        let op = Op::StopWipe { stop, stopped: Box::new(stopped) };
        self.act(subject, op, place, reason);
    }

    fn act(
        &mut self,
        about: WipeSubject,
        op: Op,
        place: Place,
        reason: impl Into<Cow<'static, str>>,
    ) {
        // A request may name a device that does not exist: the log then names none.
        let device =
            Some(about.device_id).filter(|id| self.inputs.recorded.devices.contains_key(id));
        let subject = Subject::Request(Box::new(RequestSubject {
            device,
            request: about.request,
            name: about.name,
            serial: about.serial_number,
            path: place.path.clone(),
        }));
        // A veto is no intent that a freeze may withhold: stopping is easier than starting.
        let veto = matches!(&op, Op::StopWipe { stopped, .. } if stopped.code == VETO);
        let cause = if veto { Cause::Fact } else { Cause::Intent };
        let (place, reason) = (Some(place), reason.into());
        self.actions.push(Action { subject, op, place, cause, reason });
    }
}
