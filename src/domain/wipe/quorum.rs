//! How many people must sign the next wipe: the more wipes lately, the more.
//!
//! Each tier is a cap: **among the wipes issued within any `per`, at most `upTo` have fewer
//! signers than the next tier needs.** For the last tier that is every wipe. So a wipe is judged
//! by all tiers, each with a window of its own: a tier is *exceeded* when the wipes in
//! `(now − per, now]`, this one with them, are more than its `upTo`. The wipe needs the signers
//! of the tier after the highest one exceeded (the first tier, if none is); when the last is
//! exceeded, no number suffices until its window has moved on. Where all `per` are the same, that
//! is the smallest tier with room.
//!
//! After a restore nobody knows what was wiped after the backup was made. As long as a window
//! reaches back to before the restore, every tier but the last counts as exceeded in it.
//!
//! Edges: a wipe exactly `per` ago no longer counts; one dated ahead of `now` does (the clock
//! went back). More wipes never need fewer signers.

use chrono::TimeDelta;

use crate::domain::model::{Invalid, Timestamp, words};

/// One line of `wipes.quorum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Wipes within `per`, from 1.
    pub up_to: u32,
    /// Length of the window.
    pub per: TimeDelta,
    /// Distinct people, from 1.
    pub signers: u32,
}

/// Tiers that make sense together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiers(Vec<Tier>);

impl Default for Tiers {
    fn default() -> Self {
        let per = TimeDelta::hours(24);
        Self(vec![Tier { up_to: 3, per, signers: 1 }, Tier { up_to: 25, per, signers: 2 }])
    }
}

impl Tiers {
    /// In the order given.
    ///
    /// # Errors
    /// If there is none, a number or window is not positive, or a tier has not both more wipes
    /// and more signers than the one before: it would then limit nothing.
    pub fn new(tiers: Vec<Tier>) -> Result<Self, Invalid> {
        if tiers.is_empty() {
            return Err(Invalid("needs at least one tier {upTo, per, signers}".into()));
        }
        let positive = |t: &Tier| t.up_to > 0 && t.signers > 0 && t.per > TimeDelta::zero();
        if !tiers.iter().all(positive) {
            return Err(Invalid("needs upTo, per and signers above zero in every tier".into()));
        }
        let rises =
            |pair: &[Tier]| pair[0].up_to < pair[1].up_to && pair[0].signers < pair[1].signers;
        if !tiers.windows(2).all(rises) {
            return Err(Invalid(
                "needs upTo and signers to rise from each tier to the next".into(),
            ));
        }
        Ok(Self(tiers))
    }

    /// In order, at least one.
    #[must_use]
    pub(crate) fn as_slice(&self) -> &[Tier] {
        &self.0
    }

    /// Each tier with the signers that the next one needs; none for the last.
    fn caps(&self) -> impl Iterator<Item = (&Tier, Option<u32>)> {
        let next = self.0.iter().skip(1).map(|tier| Some(tier.signers)).chain([None]);
        self.0.iter().zip(next)
    }
}

/// What was wiped lately, as far as a decision depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History<'a> {
    /// When wipes were issued, from the log, in any order, whatever became of them, but for
    /// those that surely did not reach the provider.
    pub(crate) issued: &'a [Timestamp],
    /// Wipes accepted and not yet issued (earlier in this pass, or cooling off): they count in
    /// every window.
    pub(crate) ahead: usize,
    /// When the ledger was restored: what was issued shortly before is not in it.
    pub(crate) restored: Option<Timestamp>,
}

words! {
    /// What a held wipe waits for.
    pub(crate) enum Lacks {
        /// More signatures would let it through now.
        Signatures = "needsSignatures",
        /// No number of signatures would: only time.
        Room = "overEveryTier",
    }
}

/// Why a wipe is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuorumHold {
    /// What it waits for.
    pub(crate) reason: Lacks,
    /// Distinct people needed now; none where no number suffices.
    pub(crate) needs: Option<u32>,
    /// Distinct people it has.
    pub(crate) has: u32,
    /// The earliest time at which it would pass as it is, if nothing else is issued meanwhile;
    /// none where it never would.
    pub(crate) until: Option<Timestamp>,
    /// The highest tier that it exceeds; none where it lacks what the first tier needs.
    pub(crate) tier: Option<Tier>,
    /// Wipes in that tier's window, without this one.
    pub(crate) count: usize,
}

impl QuorumHold {
    /// Whether it is only exceeded because of wipes that a restored ledger does not know.
    pub(crate) fn forgets(&self) -> bool {
        self.tier.is_some_and(|tier| self.count < room(&tier))
    }
}

/// Whether a wipe may be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// It has the signatures it `needs`.
    Issue {
        /// Distinct people needed now.
        needs: u32,
    },
    Held(QuorumHold),
}

/// Decides on one wipe with the signatures of `has` distinct people. The next one of the same
/// pass is decided with `ahead` raised by one if this one is issued.
#[must_use]
pub(crate) fn decide(tiers: &Tiers, history: History<'_>, now: Timestamp, has: u32) -> Ruling {
    let first = tiers.0.first().map(|tier| tier.signers);
    let (mut needs, mut exceeded, mut in_window) = (first, None, 0);
    for (tier, next) in tiers.caps() {
        let count = history.count(tier.per, now);
        if count >= room(tier) || (next.is_some() && history.forgets(tier, now)) {
            (needs, exceeded, in_window) = (next, Some(*tier), count);
        }
    }
    match needs {
        Some(needs) if has >= needs => Ruling::Issue { needs },
        _ => Ruling::Held(QuorumHold {
            reason: if needs.is_some() { Lacks::Signatures } else { Lacks::Room },
            needs,
            has,
            until: first.filter(|first| has >= *first).map(|_| history.passes(tiers, now, has)),
            tier: exceeded,
            count: in_window,
        }),
    }
}

/// Wipes that fit a tier's window.
fn room(tier: &Tier) -> usize {
    usize::try_from(tier.up_to).unwrap_or(usize::MAX)
}

/// What is left of one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) tier: Tier,
    /// Wipes in its window, with those that are accepted and not issued yet.
    pub(crate) used: usize,
    /// Wipes that still fit.
    pub(crate) left: usize,
    /// When the next place is free, if none is now; those ahead are taken to be issued now.
    pub(crate) free_at: Option<Timestamp>,
}

/// What is left of each tier.
#[must_use]
pub(crate) fn budget(tiers: &Tiers, history: History<'_>, now: Timestamp) -> Vec<Budget> {
    let mut newest_first: Vec<_> = history.issued.to_vec();
    newest_first.extend(std::iter::repeat_n(now, history.ahead));
    newest_first.sort_unstable_by(|a, b| b.cmp(a));
    let of = |tier: &Tier| {
        let used = history.count(tier.per, now);
        let left = room(tier).saturating_sub(used);
        let last = newest_first.get(room(tier) - 1).filter(|_| left == 0);
        Budget { tier: *tier, used, left, free_at: last.map(|at| *at + tier.per) }
    };
    tiers.as_slice().iter().map(of).collect()
}

impl History<'_> {
    /// Whether wipes that nobody knows of may be in this tier's window.
    fn forgets(&self, tier: &Tier, now: Timestamp) -> bool {
        self.restored.is_some_and(|at| at + tier.per > now)
    }

    fn count(&self, per: TimeDelta, now: Timestamp) -> usize {
        let in_window = self.issued.iter().filter(|at| **at + per > now).count();
        in_window.saturating_add(self.ahead)
    }

    /// When no tier that asks for more than `has` is exceeded any more. Those ahead are taken
    /// to be issued now, the earliest they can be.
    fn passes(&self, tiers: &Tiers, now: Timestamp, has: u32) -> Timestamp {
        let mut newest_first: Vec<_> = self.issued.to_vec();
        newest_first.extend(std::iter::repeat_n(now, self.ahead));
        newest_first.sort_unstable_by(|a, b| b.cmp(a));
        let mut passes = now;
        for (tier, next) in tiers.caps().filter(|(_, next)| next.is_none_or(|next| next > has)) {
            if let Some(at) = self.restored.filter(|_| next.is_some()) {
                passes = passes.max(at + tier.per);
            }
            // One place is free once the `upTo`-th newest has left the window.
            if let Some(at) = newest_first.get(room(tier) - 1) {
                passes = passes.max(*at + tier.per);
            }
        }
        passes
    }
}

/// A checker that shares nothing with [`decide`]: whether wipes, each with when it was issued and
/// how many people had signed it, keep to the tiers. No order is assumed.
#[must_use]
pub fn allows(history: &[(Timestamp, u32)], tiers: &Tiers) -> bool {
    let enough = |(_, signers): &(Timestamp, u32)| *signers >= tiers.0[0].signers;
    history.iter().all(enough)
        && tiers.caps().all(|(tier, next)| {
            let mut capped: Vec<_> = history
                .iter()
                .filter(|(_, signers)| next.is_none_or(|next| *signers < next))
                .map(|(at, _)| *at)
                .collect();
            capped.sort_unstable();
            // If no `upTo` + 1 of them in a row lie within less than `per`, no window holds more.
            capped
                .windows(room(tier).saturating_add(1))
                .all(|run| run[run.len() - 1] - run[0] >= tier.per)
        })
}

#[cfg(test)]
mod tests;
