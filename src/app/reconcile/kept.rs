//! A decision that there is nothing to do, kept until something that it rests on may have changed.
//!
//! In a settled fleet that is nearly every decision. It is kept with the versions of the ledger, of
//! every manifest, of the settings and of the trust files, and until time alone may change it. It is
//! shown and never carried out: whoever acts decides anew. Where since then only a few manifests were edited,
//! only their devices are decided on.

use std::collections::BTreeSet;

use super::basis::Basis;
use super::few::{decide_on, devices_of};
use crate::app::wiring;
use crate::domain::guard::ApprovedPlan;
use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::packing::{Packed, Packer};
use crate::domain::plan::{Hold, HoldReason, Waiting};
use crate::domain::state::{State, Wipe};
use crate::domain::wipe::target::LedgerId;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::config::Config;
use crate::edges::ledger::store::Wanted;
use crate::edges::provider::{Observed, Provider};
use crate::edges::requests::{self, Requests};
use crate::edges::source::{self, Few};

/// Bytes of when it was made: the first ones.
const MADE: usize = 8;
/// Where more manifests were edited, everything is decided anew.
const MOST: usize = 64;

/// A decision that was kept, and of which ledger it is.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) approved: ApprovedPlan,
    /// All holds that only wait.
    pub(crate) waiting: Waiting,
    pub(crate) seq: u64,
    pub(crate) head: Digest,
    pub(crate) lineage: Option<LedgerId>,
}

/// Which holds the plan of a kept decision has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Those that wait for somebody, and of others whatever is at hand: for who wants no more than their
    /// numbers.
    ToDecide,
    All,
}

/// What a decision rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RestsOn {
    /// Every manifest.
    index: Digest,
    ledger: Digest,
    settings: Digest,
}

impl RestsOn {
    fn new(config: &Config, trust: &TrustState, index: Digest) -> Option<Self> {
        let trust = trust.version();
        let text = format!("{:?} {:?} {trust}", config.settings, config.provider.kind());
        let ledger = wiring::ledger(config).version()?;
        Some(Self { index, ledger, settings: Digest::of(text.as_bytes()) })
    }
}

/// Keeps a decision made at `now` over the fleet that the index says, which is nothing but these holds;
/// `due` is when time alone may change it. For whoever holds the ledger, once the snapshot says all.
/// Where it cannot be kept, that costs time alone.
pub(crate) fn keep(
    (config, trust): (&Config, &TrustState),
    (holds, index): (&[Hold], Digest),
    recorded: &State,
    (now, due): (Timestamp, Option<Timestamp>),
) {
    let cache = wiring::cache(config);
    let packed = RestsOn::new(config, trust, index)
        .and_then(|rests_on| pack(holds, rests_on, recorded, (now, due)));
    let Some((head, body)) = packed else { return };
    // That it was made again says nothing new.
    let same = cache.kept_decision().is_some_and(|kept| {
        kept.head().get(MADE..) == head.get(MADE..) && kept.body().as_ref() == Some(&body)
    });
    if !same && let Err(error) = cache.keep_decision(&head, &body) {
        tracing::debug!(%error, "the decision is not kept");
    }
}

/// The head has what a plan needs that is read at a glance: of holds that only wait no more than whom they
/// are about, and why. The body has these.
fn pack(
    holds: &[Hold],
    rests_on: RestsOn,
    recorded: &State,
    (now, due): (Timestamp, Option<Timestamp>),
) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut into, mut body) = (Packer::default(), Packer::default());
    let RestsOn { index, ledger, settings } = rests_on;
    into.long(now.millis().cast_unsigned());
    into.long(due.map_or(i64::MAX, Timestamp::millis).cast_unsigned());
    for digest in [index, ledger, settings, recorded.head.0] {
        into.digest(&digest);
    }
    into.long(recorded.seq);
    into.optional(recorded.lineage.map(|lineage| lineage.to_string()).as_deref())?;
    let (waiting, others): (Vec<&Hold>, Vec<&Hold>) =
        holds.iter().partition(|hold| hold.reason.is_waiting());
    into.number(u32::try_from(others.len()).ok()?);
    others.iter().try_for_each(|hold| hold.pack(&mut into))?;
    into.number(u32::try_from(waiting.len()).ok()?);
    for hold in waiting {
        into.number(hold.device.map_or(0, DeviceId::number));
        into.word(HoldReason::ALL, hold.reason)?;
        hold.pack(&mut body)?;
    }
    Some((into.finish(), body.finish()))
}

/// The head of a decision that was kept.
struct Head {
    made: i64,
    due: i64,
    rests_on: RestsOn,
    head: Digest,
    seq: u64,
    lineage: Option<LedgerId>,
    /// Those that do not only wait.
    others: Vec<Hold>,
    /// Number of the device, and the reason, of those that do.
    waiting: Vec<(u32, HoldReason)>,
}

impl Head {
    fn unpack(bytes: &[u8]) -> Option<Self> {
        let from = &mut Packed::of(bytes);
        let (made, due) = (from.long()?.cast_signed(), from.long()?.cast_signed());
        let (index, ledger, settings) = (from.digest()?, from.digest()?, from.digest()?);
        let rests_on = RestsOn { index, ledger, settings };
        let (head, seq) = (from.digest()?, from.long()?);
        let lineage = from.optional()?.map(str::parse).transpose().ok()?.map(LedgerId);
        let others = unpack_holds(from.number()?, from)?;
        let count = from.number()?;
        let one = |_| Some((from.number()?, from.word(HoldReason::ALL)?));
        let waiting = (0..count).map(one).collect::<Option<_>>()?;
        let whole = Self { made, due, rests_on, head, seq, lineage, others, waiting };
        from.is_empty().then_some(whole)
    }
}

fn unpack_holds(count: u32, from: &mut Packed<'_>) -> Option<Vec<Hold>> {
    (0..count).map(|_| Hold::unpack(from)).collect()
}

/// The decision that was kept, if making it anew would give the very same; where a few manifests were
/// edited since, with what is decided on their devices.
pub(crate) fn kept(
    (config, trust): (&Config, &TrustState),
    provider: &dyn Provider,
    now: Timestamp,
    which: Holds,
) -> Option<Kept> {
    let cache = wiring::cache(config);
    let kept = cache.kept_decision()?;
    let Head { made, due, rests_on, head, seq, lineage, others, waiting } =
        Head::unpack(kept.head())?;
    let quiet = (made..due).contains(&now.millis())
        && RestsOn::new(config, trust, rests_on.index)? == rests_on
        && requests::read(&config.data).is_quiet()
        && provider.is_quiet();
    let few = quiet.then(|| source::touched(&config.fleet, &cache, MOST)).flatten();
    let few = few.filter(|few| few.index() == rests_on.index)?;
    let (about, approved) = if few.is_empty() {
        (BTreeSet::new(), ApprovedPlan::idle())
    } else {
        decide_again((config, trust), &few, (seq, head), now)?
    };
    let numbers: BTreeSet<u32> = about.iter().map(|id| id.number()).collect();
    let still = waiting.iter().filter(|(number, _)| !numbers.contains(number));
    // No device has the number 0.
    let still = still.map(|(number, reason)| (Some(*number).filter(|n| *n > 0), *reason));
    let of_few = approved.plan().holds.iter().map(Waiting::of);
    let total = still.chain(of_few).collect();
    let mut beside = others;
    if which == Holds::All {
        let body = kept.body()?;
        let from = &mut Packed::of(&body);
        beside.extend(unpack_holds(u32::try_from(waiting.len()).ok()?, from)?);
        from.is_empty().then_some(())?;
    }
    beside.retain(|hold| hold.device.is_none_or(|id| !about.contains(&id)));
    Some(Kept { approved: approved.beside(beside), waiting: total, seq, head, lineage })
}

/// Decides on the devices of manifests that were edited since a decision over the ledger as it was at this
/// entry; `None` where that is not all there is to decide.
fn decide_again(
    (config, trust): (&Config, &TrustState),
    few: &Few,
    (seq, head): (u64, Digest),
    now: Timestamp,
) -> Option<(BTreeSet<DeviceId>, ApprovedPlan)> {
    let mut live = few.before()?;
    let serials = few.reread(&mut live)?;
    let log = wiring::ledger(config);
    let recorded = log.state_of(&Wanted::Serials(&serials)).ok()?;
    let is_over = |wipe: &Wipe| !wipe.state.is_open() && !wipe.state.is_under_way();
    let same = (recorded.seq, recorded.head.0) == (seq, head);
    // Wipes look at devices and manifests that are not at hand.
    (same && recorded.wipes.values().all(is_over)).then_some(())?;
    let about = devices_of(&serials, &recorded)?;
    let basis = Basis {
        now,
        settings: &config.settings,
        desired: live.desired(),
        recorded: &recorded,
        requests: &Requests::default(),
        trust,
        accept_removals: None,
        heads: &[],
        clock: log.highest_time(),
        only: None,
    };
    let nothing = Observed { complete: true, ..Observed::default() };
    let decision = decide_on(&about, basis, Ok(nothing))?;
    Some((about, decision.approved))
}
