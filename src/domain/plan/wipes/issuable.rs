//! The last judgement of a wipe: what it rests on is read again, right before it is issued.
//!
//! Between the plan and its last action lie minutes at worst: a slow disk, a stopped process,
//! thousands of other devices. A veto, a revocation or an expiry of that time still counts.

use std::collections::{BTreeSet, HashSet};

use super::capacity::lacks;
use super::clock::{CLOCK_BEHIND, clock_behind, issue_at, time_ahead_of};
use super::decide::AWAITED;
use super::news::{ApprovalState, approval, awaited};
use super::quorum::{people, short_of};
use super::request::{VETO, verify_request};
use crate::domain::fleet::Desired;
use crate::domain::manifest::Unusable;
use crate::domain::model::{DesiredDevice, Digest, Place, Timestamp};
use crate::domain::plan::inputs::Inputs;
use crate::domain::plan::news::NO_NEWS;
use crate::domain::settings::Settings;
use crate::domain::state::{State, Wipe, WipeState};
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::quorum::{self, History, Ruling};
use crate::domain::wipe::target::LoggedHead;
use crate::domain::wipe::trust_state::TrustState;
use crate::domain::wipe::verify::{Conclusion, VerifiedWipe};

/// What a wipe was judged by, read again.
#[derive(Debug)]
pub struct Fresh {
    pub(crate) now: Timestamp,
    /// The highest time that this ledger has seen, where it is known.
    pub(crate) clock: Option<Timestamp>,
    /// The entry that the request names, as far as the log has it.
    pub(crate) heads: Vec<LoggedHead>,
    /// The numbers of the configuration.
    pub(crate) settings: Settings,
    /// Whose signatures count for wipes, or why nobody's do.
    pub(crate) trust: TrustState,
    /// The request with what is beside it; or, without a full stop, why it cannot be read.
    pub(crate) file: Result<WipeFile, String>,
    /// Of the device's manifest; absent where there is no usable one.
    pub(crate) manifest: Option<Digest>,
    /// What of the fleet directory cannot be used: it may say that the device is personal.
    pub(crate) unusable: Vec<Unusable>,
    /// Of that, what says plainly that it is corporate.
    pub(crate) corporate: BTreeSet<Place>,
}

/// Proof that a wipe was judged again and still holds: a provider takes nothing less.
/// [`issuable`] is its only source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuableWipe {
    wipe: VerifiedWipe,
    needed: u32,
}

impl IssuableWipe {
    /// What was signed, and by whom.
    #[must_use]
    pub fn wipe(&self) -> &VerifiedWipe {
        &self.wipe
    }
    /// Distinct people who were needed.
    #[must_use]
    pub(crate) fn needed(&self) -> u32 {
        self.needed
    }
}

/// Why a wipe that was planned is not issued after all. The next plan says what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotIssued {
    pub(crate) code: String,
    /// Without a full stop.
    pub(crate) detail: String,
}

/// How many requests go before this accepted one: accepted earlier, not issued yet, and among
/// those that the same plan issues or lets cool off. They count in every window, as they did in the plan.
#[must_use]
pub(crate) fn ahead_of(recorded: &State, request: Digest, going_on: &HashSet<Digest>) -> usize {
    let Some(known) = recorded.wipes.get(&request) else { return 0 };
    let before = |wipe: &&Wipe| {
        wipe.state == WipeState::Accepted
            && going_on.contains(&wipe.subject.request)
            && wipe.since < known.since
    };
    recorded.wipes.values().filter(before).count()
}

/// Judges a wipe, planned by this request and this manifest, by what was read again. The request
/// must be accepted, or issued and not yet handed to the provider. `ahead` is from
/// `ahead_of`, asked before it was issued.
///
/// # Errors
/// If it does not hold any more, or nobody can tell.
pub(crate) fn issuable(
    recorded: &State,
    (planned, manifest): (&WipeFile, Option<&DesiredDevice>),
    fresh: &Fresh,
    ahead: usize,
) -> Result<IssuableWipe, NotIssued> {
    let no = |code: &str, detail: String| Err(NotIssued { code: code.to_owned(), detail });
    let request = planned.request.digest;
    let file = match &fresh.file {
        Ok(file) if file.request.digest == request => file,
        Ok(_) => return no("requestChanged", "its file was changed".to_owned()),
        Err(why) => return no("requestUnreadable", format!("its file cannot be read: {why}")),
    };
    if fresh.manifest != manifest.map(|manifest| manifest.digest) {
        return no("manifestChanged", "the manifest of its device was changed".to_owned());
    }
    let desired = Desired {
        devices: manifest.cloned().into_iter().collect(),
        unusable: fresh.unusable.clone(),
        corporate: fresh.corporate.clone(),
        ..Desired::default()
    };
    let inputs = Inputs {
        now: fresh.now,
        settings: &fresh.settings,
        desired: &desired,
        recorded,
        heard: &[],
        news: &NO_NEWS,
        requests: &[],
        trust: &fresh.trust,
        heads: &fresh.heads,
        clock: fresh.clock,
    };
    if let Some(seen) = time_ahead_of(&inputs) {
        return no(CLOCK_BEHIND, clock_behind(seen));
    }
    let judgement = verify_request(&inputs, file);
    let wipe = match &judgement.conclusion {
        Conclusion::Verified(wipe) => VerifiedWipe::clone(wipe),
        Conclusion::Vetoed(by) => return no(VETO, format!("{by} objects")),
        Conclusion::Refused(reason) => return no(reason.as_str(), judgement.why()),
    };
    let known = recorded.wipes.get(&request);
    let Some(known) = known.filter(|wipe| wipe.state.is_under_way()) else {
        return no("notAccepted", "the log does not have it as accepted".to_owned());
    };
    let at = issue_at(known, fresh.settings.wipes.delay);
    if let Some(at) = at.filter(|at| fresh.now < *at) {
        return no("coolingOff", format!("waits until {} (wipes.delay)", at.short()));
    }
    if let Some((code, detail, _)) = lacks(&inputs, (request, file.request.scope), 0) {
        return no(code, detail);
    }
    if let ApprovalState::Awaited(code) = approval(&inputs, file) {
        return no(AWAITED, awaited(&code));
    }
    let others = || recorded.wipes.values().filter(|wipe| wipe.subject.request != request);
    let issued: Vec<Timestamp> = others().filter_map(|wipe| wipe.issued_at).collect();
    let restored = recorded.restored.map(|restored| restored.at);
    let history = History { issued: &issued, ahead, restored };
    let has = people(wipe.signers());
    match quorum::decide(&fresh.settings.wipes.quorum, history, fresh.now, has) {
        Ruling::Issue { needs } => Ok(IssuableWipe { wipe, needed: needs }),
        Ruling::Held(hold) => no(hold.reason.as_str(), short_of(&hold)),
    }
}
