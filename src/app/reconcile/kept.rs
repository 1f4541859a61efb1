//! A decision that there is nothing to do, kept until something that it rests on may have changed.
//!
//! In a settled fleet that is nearly every decision. It is kept with the versions of the ledger, of
//! every manifest, of the settings and of the trust files, and until time alone may change it. It is
//! shown and never carried out: whoever acts decides anew.

use crate::app::wiring;
use crate::domain::guard::ApprovedPlan;
use crate::domain::model::{Digest, Timestamp};
use crate::domain::packing::{Packed, Packer};
use crate::domain::plan::Hold;
use crate::domain::state::State;
use crate::domain::wipe::target::LedgerId;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::config::Config;
use crate::edges::provider::Provider;
use crate::edges::{requests, source};

/// Bytes of when it was made: the first ones.
const MADE: usize = 8;

/// A decision that was kept, and of which ledger it is.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) approved: ApprovedPlan,
    pub(crate) seq: u64,
    pub(crate) head: Digest,
    pub(crate) lineage: Option<LedgerId>,
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
    // That it was made again says nothing new.
    let is_new = |packed: &Vec<u8>| {
        cache.kept_decision().is_none_or(|kept| kept.get(MADE..) != packed.get(MADE..))
    };
    if let Some(packed) = packed.filter(is_new)
        && let Err(error) = cache.keep_decision(&packed)
    {
        tracing::debug!(%error, "the decision is not kept");
    }
}

fn pack(
    holds: &[Hold],
    rests_on: RestsOn,
    recorded: &State,
    (now, due): (Timestamp, Option<Timestamp>),
) -> Option<Vec<u8>> {
    let mut into = Packer::default();
    let RestsOn { index, ledger, settings } = rests_on;
    into.long(now.millis().cast_unsigned());
    for digest in [index, ledger, settings, recorded.head.0] {
        into.digest(&digest);
    }
    into.long(recorded.seq);
    into.long(due.map_or(i64::MAX, Timestamp::millis).cast_unsigned());
    into.optional(recorded.lineage.map(|lineage| lineage.to_string()).as_deref())?;
    into.number(u32::try_from(holds.len()).ok()?);
    holds.iter().try_for_each(|hold| hold.pack(&mut into))?;
    Some(into.finish())
}

/// The decision that was kept, if making it anew would give the very same.
pub(crate) fn kept(
    config: &Config,
    provider: &dyn Provider,
    trust: &TrustState,
    now: Timestamp,
) -> Option<Kept> {
    let cache = wiring::cache(config);
    let bytes = cache.kept_decision()?;
    let mut from = Packed::of(&bytes);
    let made = from.long()?.cast_signed();
    let (index, ledger, settings) = (from.digest()?, from.digest()?, from.digest()?);
    let rests_on = RestsOn { index, ledger, settings };
    let (head, seq) = (from.digest()?, from.long()?);
    let due = from.long()?.cast_signed();
    let quiet = (made..due).contains(&now.millis())
        && RestsOn::new(config, trust, index)? == rests_on
        && requests::read(&config.data).is_quiet()
        && provider.is_quiet();
    if !quiet || source::unchanged(&config.fleet, &cache)? != index {
        return None;
    }
    let lineage = from.optional()?.map(str::parse).transpose().ok()?.map(LedgerId);
    let count = from.number()?;
    let holds: Option<Vec<Hold>> = (0..count).map(|_| Hold::unpack(&mut from)).collect();
    let approved = ApprovedPlan::idle(holds.filter(|_| from.is_empty())?);
    Some(Kept { approved, seq, head, lineage })
}
