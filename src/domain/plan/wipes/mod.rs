//! The decision over wipe requests.
//!
//! Requests are taken in a fixed order, those accepted before first, then by `issuedAt`, each
//! counting for the next. A request is known by the digest of its content: once issued it is
//! consumed, under whatever name it comes back. Every pass judges anew, up to the moment of
//! issue: a key revoked or a veto committed while a wipe cools off still stops it.

mod issue;
mod ownership;
mod show;
mod unsigned;
mod withdraw;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;

use self::ownership::Ownerships;
use super::{Action, Cause, DamageIndex, Inputs, Op, Plan};
use crate::domain::fleet::WipeFile;
use crate::domain::model::{DeviceId, Digest, Email, Place, Timestamp};
use crate::domain::state::event::{TrustChanged, TrustFiles, WipeAccepted, WipeStopped};
use crate::domain::state::{Wipe, WipeState};
use crate::domain::wipe::Namespace;
use crate::domain::wipe::clock::TOLERANCE;
use crate::domain::wipe::quorum::{self, Decision, History, Lacks};
use crate::domain::wipe::target::{LedgerId, LoggedHead};
use crate::domain::wipe::verify::{
    Evidence, Judgement, Reason, Recorded, Rule, Verdict, VerifiedWipe, verify,
};

pub use issue::{Fresh, IssuableWipe, NotIssued, ahead_of, issuable};
pub use show::{WipeStanding, WipeView};
pub(super) use withdraw::withdraw;

/// The clock was set back: nothing is issued by it.
pub(super) const CLOCK_BEHIND: &str = "clockBehind";

/// The code of a request that a signer objects to.
const VETO: &str = "veto";

/// What the rest of the plan has to know.
pub(super) struct Wipes {
    /// To be done after everything else.
    pub actions: Vec<Action>,
    /// Devices with a wipe under way after this plan.
    pub busy: HashSet<DeviceId>,
}

struct Deciding<'a, 'p> {
    inputs: &'a Inputs<'a>,
    plan: &'p mut Plan,
    actions: Vec<Action>,
    /// Devices of which no other request is accepted.
    taken: HashSet<DeviceId>,
    issued: Vec<Timestamp>,
    ahead: usize,
    ownerships: Ownerships<'a>,
    /// How many more requests that nobody signed are recorded.
    room: usize,
    /// Requests that nobody signed and that are not recorded.
    surplus: Vec<Place>,
    /// Requests that cannot go on now, with their signers.
    short: Vec<(&'a Arc<WipeFile>, Vec<Email>)>,
}

/// Decides on every request, known or new.
pub(super) fn decide(inputs: &Inputs<'_>, damage: &DamageIndex<'_>, plan: &mut Plan) -> Wipes {
    let recorded = inputs.recorded;
    let of = |holds: &dyn Fn(&Wipe) -> bool| -> HashSet<DeviceId> {
        recorded.wipes.values().filter(|w| holds(w)).map(|w| w.subject.device_id).collect()
    };
    let taken = of(&|wipe| wipe.blocks(inputs.now));
    let issued_to = of(&|wipe| wipe.state == WipeState::Issued && wipe.blocks(inputs.now));
    let issued = recorded.wipes.values().filter_map(|wipe| wipe.issued_at).collect();
    let (actions, short) = (Vec::new(), Vec::new());
    let (ownerships, room) = (Ownerships::new(inputs), unsigned::room(inputs));
    let surplus = Vec::new();
    let mut deciding = Deciding {
        inputs,
        plan,
        actions,
        taken,
        issued,
        ahead: 0,
        ownerships,
        room,
        surplus,
        short,
    };
    deciding.trust();
    deciding.gone(damage);
    for file in in_order(inputs) {
        deciding.request(file);
    }
    // What they lack is judged last: those that go on may have taken their place meanwhile, or
    // their device, and the next plan would then say something else. It is done first: one that
    // was accepted before has to let go of its device.
    let going_on = std::mem::take(&mut deciding.actions);
    for (file, signers) in std::mem::take(&mut deciding.short) {
        deciding.hold(file, &signers);
    }
    deciding.actions.extend(going_on);
    deciding.too_many();
    let Deciding { actions, taken, plan, .. } = deciding;
    plan.wipes.sort_by(|a, b| a.place.cmp(&b.place));
    Wipes { actions, busy: &taken | &issued_to }
}

/// The highest time that is known, where this machine's clock is behind it: it was set back.
fn time_ahead_of(inputs: &Inputs<'_>) -> Option<Timestamp> {
    let logged = inputs.recorded.at.filter(|at| inputs.now < *at);
    let seen = inputs.clock.filter(|at| inputs.now + TOLERANCE < *at);
    logged.max(seen)
}

/// When an accepted request may be issued. A delay that was raised counts for those accepted
/// before as well, a lowered one does not. What was issued, or deferred after that, has cooled off
/// already; `since` then says when that was, and not when it was accepted.
fn issue_at(wipe: &Wipe, delay: TimeDelta) -> Option<Timestamp> {
    let deferred = wipe.code.as_deref() == Some(crate::domain::state::DEFERRED);
    let cooled = deferred || wipe.state == WipeState::Issued;
    if cooled { wipe.issue_at } else { wipe.issue_at.max(Some(wipe.since + delay)) }
}

fn clock_behind(seen: Timestamp) -> String {
    format!(
        "this machine's clock is behind {}, the highest time that this ledger has seen; fix the clock",
        seen.short()
    )
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

impl<'a> Deciding<'a, '_> {
    fn trust(&mut self) {
        let Ok(trust) = self.inputs.trust else { return };
        let to =
            TrustFiles { allowed_signers: trust.digest(), revoked_keys: trust.revoked_digest() };
        let from = self.inputs.recorded.trust;
        if from != Some(to) {
            self.plan.actions.push(Action {
                device: None,
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
            if damage.at(&wipe.path).is_some() {
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
            self.stop(WipeState::Vetoed, stopped, place);
        }
    }

    fn request(&mut self, file: &'a Arc<WipeFile>) {
        let known = self.inputs.recorded.wipes.get(&file.request.digest);
        if let Some(wipe) = known.filter(|wipe| !wipe.state.is_open()) {
            return self.over(file, wipe);
        }
        let judgement = judge_with(self.inputs, &self.ownerships, file);
        let signers = judgement.signers();
        // A veto is recorded whenever it is seen, and so is what refuses for good: neither is
        // undone by what comes later, a clock that is right again included.
        if let Verdict::Vetoed(by) = &judgement.verdict {
            let detail = format!("{by} objects");
            return self.stopped(file, &signers, WipeState::Vetoed, VETO, &detail);
        }
        if let Some((reason, detail)) = &judgement.for_good {
            let state = WipeState::RefusedForGood;
            return self.stopped(file, &signers, state, reason.as_str(), detail);
        }
        // With a clock that was set back expiry and windows mean nothing.
        if let Some(at) = time_ahead_of(self.inputs) {
            return self.show(file, &[], WipeStanding::Held, CLOCK_BEHIND, &clock_behind(at));
        }
        match &judgement.verdict {
            Verdict::Refused(Reason::Expired) => {
                let detail = judgement.why();
                self.stopped(file, &signers, WipeState::Expired, "expired", &detail);
            }
            Verdict::Refused(Reason::NotSigned) => self.not_signed(file, &judgement),
            Verdict::Refused(reason) if reason.holds() => {
                let detail = judgement.why();
                self.stopped(file, &signers, WipeState::Held, reason.as_str(), &detail);
            }
            Verdict::Refused(reason) => {
                let detail = judgement.why();
                self.stopped(file, &signers, WipeState::Refused, reason.as_str(), &detail);
            }
            Verdict::Verified(wipe) => self.verified(file, wipe, known),
            Verdict::Vetoed(_) => unreachable!("a veto was told of before"),
        }
    }

    /// Without a signature it is not wrong, only short of one.
    fn not_signed(&mut self, file: &Arc<WipeFile>, judgement: &Judgement) {
        let needs = self.decide_quorum(0);
        let detail = judgement.why();
        self.stopped(file, &[], WipeState::Held, Reason::NotSigned.as_str(), &detail);
        if let (Some(view), Decision::Held(hold)) = (self.plan.wipes.last_mut(), needs) {
            view.needs = hold.needs;
        }
    }

    fn decide_quorum(&self, has: u32) -> Decision {
        let history = History { issued: &self.issued, ahead: self.ahead };
        quorum::decide(&self.inputs.settings.wipes.quorum, history, self.inputs.now, has)
    }

    fn verified(&mut self, file: &'a Arc<WipeFile>, wipe: &VerifiedWipe, known: Option<&Wipe>) {
        let signers = wipe.signers();
        let device = file.request.device_id;
        let accepted = known.filter(|wipe| wipe.state == WipeState::Accepted);
        let needed = match self.decide_quorum(people(signers)) {
            Decision::Issue { needs } if accepted.is_some() || !self.taken.contains(&device) => {
                needs
            }
            Decision::Issue { .. } | Decision::Held(_) => {
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
        if self.inputs.now < issue_at {
            let deferred = accepted
                .filter(|wipe| wipe.code.as_deref() == Some(crate::domain::state::DEFERRED));
            let (code, detail) = match deferred {
                Some(wipe) => {
                    let until = issue_at.short();
                    let detail =
                        format!("not issued yet: {}; tried again from {until}", wipe.detail);
                    (crate::domain::state::DEFERRED, detail)
                }
                None => ("coolingOff", format!("cools off until {}", issue_at.short())),
            };
            self.show(file, signers, WipeStanding::CoolingOff, code, &detail);
        } else {
            self.show(file, signers, WipeStanding::Issue, "issue", "every rule holds");
            let manifest = self.inputs.desired.by_serial(&file.request.serial).cloned();
            let wipe = Box::new(wipe.clone());
            let op = Op::Wipe { wipe, needed, file: file.clone(), manifest };
            self.act(device, op, file.place.clone(), "the request holds");
        }
        if let Some(view) = self.plan.wipes.last_mut() {
            view.needs = Some(needed);
            view.until = Some(issue_at).filter(|at| self.inputs.now < *at);
            view.new = accepted.is_none();
        }
    }

    /// A request that every rule admits, but neither its device nor the window.
    fn hold(&mut self, file: &WipeFile, signers: &[Email]) {
        let device = file.request.device_id;
        if self.taken.contains(&device) {
            let detail = self.under_way(device);
            self.stopped(file, signers, WipeState::Held, "deviceBusy", &detail);
            // By the other one, whatever this one was.
            self.taken.insert(device);
            return;
        }
        match self.decide_quorum(people(signers)) {
            Decision::Held(hold) => {
                let detail = short_of(&hold);
                self.stopped(file, signers, WipeState::Held, hold.reason.as_str(), &detail);
                if let Some(view) = self.plan.wipes.last_mut() {
                    (view.needs, view.until) = (hold.needs, hold.until);
                }
            }
            Decision::Issue { .. } => unreachable!("more wipes never need fewer signers"),
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
            None => format!("another wipe of {device} is under way"),
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
        self.act(file.request.device_id, op, file.place.clone(), "the request holds");
    }

    /// A request that does not go on: logged when it comes to that, not at every pass.
    fn stopped(
        &mut self,
        file: &WipeFile,
        signers: &[Email],
        state: WipeState,
        code: &str,
        detail: &str,
    ) {
        let standing = match state {
            WipeState::Held => WipeStanding::Held,
            WipeState::Vetoed => WipeStanding::Vetoed,
            WipeState::Expired => WipeStanding::Expired,
            WipeState::Refused
            | WipeState::RefusedForGood
            | WipeState::Accepted
            | WipeState::Issued
            | WipeState::Confirmed
            | WipeState::Failed => WipeStanding::Refused,
        };
        self.show(file, signers, standing, code, detail);
        let known = self.inputs.recorded.wipes.get(&file.request.digest);
        let said = known.is_some_and(|wipe| {
            wipe.state == state && wipe.code.as_deref() == Some(code) && wipe.signers == signers
        });
        if known.is_some_and(|wipe| wipe.state == WipeState::Accepted) {
            self.taken.remove(&file.request.device_id);
        }
        if said || (signers.is_empty() && !self.records(file, state, known)) {
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
            for_good: state == WipeState::RefusedForGood,
            intent: None,
        };
        self.stop(state, stopped, file.place.clone());
    }

    fn stop(&mut self, state: WipeState, stopped: WipeStopped, place: Place) {
        let reason = stopped.detail.clone();
        let device = stopped.subject.device_id;
        let path = place.path.clone();
        let op = Op::StopWipe { state, stopped: Box::new(stopped), path };
        self.act(device, op, place, reason);
    }

    fn act(
        &mut self,
        device: DeviceId,
        op: Op,
        place: Place,
        reason: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        // A request may name a device that does not exist: the log then names none.
        let device = Some(device).filter(|id| self.inputs.recorded.devices.contains_key(id));
        // A veto is no intent that a freeze may withhold: stopping is easier than starting.
        let veto = matches!(&op, Op::StopWipe { stopped, .. } if stopped.code == VETO);
        let cause = if veto { Cause::Fact } else { Cause::Intent };
        let (place, reason) = (Some(place), reason.into());
        self.actions.push(Action { device, op, place, cause, reason });
    }
}

/// Judges one request by the rules that it has to keep by itself; what other wipes mean for it
/// only the whole plan says.
#[must_use]
pub fn judge(inputs: &Inputs<'_>, file: &WipeFile) -> Judgement {
    judge_with(inputs, &Ownerships::new(inputs), file)
}

fn judge_with(inputs: &Inputs<'_>, ownerships: &Ownerships<'_>, file: &WipeFile) -> Judgement {
    let device = inputs.recorded.devices.get(&file.request.device_id);
    let device = device.map(|device| Recorded {
        id: file.request.device_id,
        serial: device.spec.serial_number.clone(),
        ownership: ownerships.strictest(device),
        wiped: device.is_wiped(),
        unclear: ownerships.unclear(device),
    });
    verify(&Evidence {
        request: &file.request,
        bytes: &file.bytes,
        signatures: &file.signatures,
        vetoes: &file.vetoes,
        unreadable: &file.unreadable,
        trust: inputs.trust,
        ledger: inputs.recorded.lineage.map(LedgerId),
        logged: named(inputs, file),
        require_head: inputs.settings.wipes.require_head,
        device: device.as_ref(),
        now: inputs.now,
        max_validity: inputs.settings.wipes.max_validity,
    })
}

/// The entry that the request names, as the log has it.
fn named(inputs: &Inputs<'_>, file: &WipeFile) -> Option<LoggedHead> {
    let seq = file.request.head?.seq;
    inputs.heads.iter().find(|logged| logged.head.seq == seq).copied()
}

fn people(signers: &[Email]) -> u32 {
    u32::try_from(signers.len()).unwrap_or(u32::MAX)
}

fn short_of(hold: &quorum::Hold) -> String {
    let until = hold.until.map(|at| format!("; passes as it is from {}", at.short()));
    let until = until.unwrap_or_default();
    let window = hold.tier.map_or_else(String::new, |tier| {
        let per = crate::domain::lifecycle::text(tier.per);
        format!(" ({} wipes within {per} already)", hold.count)
    });
    match (hold.reason, hold.needs) {
        (Lacks::Signatures, Some(needs)) => {
            format!("needs signatures of {needs} people, has {}{window}{until}", hold.has)
        }
        (Lacks::Signatures | Lacks::Room, _) => {
            format!("over every tier{window}, whoever signs{until}")
        }
    }
}

impl Judgement {
    /// The people whose signatures hold, sorted, each once.
    #[must_use]
    pub fn signers(&self) -> Vec<Email> {
        let people: BTreeSet<&Email> = self
            .files
            .iter()
            .filter(|file| file.purpose == Namespace::Wipe)
            .filter_map(|file| file.outcome.as_ref().ok())
            .collect();
        people.into_iter().cloned().collect()
    }

    /// What the first rule that does not hold found, and what is wrong with the files beside it.
    fn why(&self) -> String {
        let first = self.checks.iter().find(|check| !check.holds);
        let mut why = first.map(|check| check.detail.clone()).unwrap_or_default();
        if first.is_some_and(|check| check.rule == Rule::Signatures) {
            for file in &self.files {
                if let Err(discounted) = &file.outcome {
                    why.push_str(&format!("; {}: {}", file.name, discounted.detail));
                }
                if why.len() > 1_000 {
                    break;
                }
            }
        }
        why
    }
}
