//! What follows from a device's verdict: evidence that is missing for too long, and access to
//! corporate mail, which is blocked after a time and restored once the cause is gone (docs/concepts.md).

use super::action::{Cause, Op};
use super::device::DevicePlanner;
use super::hold::HoldReason;
use crate::domain::access::blocks_at;
use crate::domain::model::{ComplianceState, Exemption, Status, Timestamp};
use crate::domain::state::event::{ErrorClass, EvidenceGap};
use crate::domain::state::{Block, BlockState, Episode, EpisodeKind};

/// The episode that goes on once this plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    kind: EpisodeKind,
    since: Timestamp,
}

impl DevicePlanner<'_, '_> {
    /// The episode that a device goes on with when it turns non-compliant now: the last one, if that
    /// ended a short time ago.
    pub(super) fn continued(&self, to: ComplianceState) -> Option<u64> {
        let last = self.device.episode.as_deref()?;
        let ended = last.ended?;
        let again = to == ComplianceState::NonCompliant && last.kind == EpisodeKind::NonCompliant;
        let soon = self.inputs.now < ended + self.inputs.settings.settle;
        (again && soon).then_some(last.opened)
    }

    /// What follows from the verdict `to`, which this plan may have `changed`.
    pub(super) fn follow_up(&mut self, to: ComplianceState, changed: bool, wiping: bool) {
        if wiping {
            return;
        }
        let mut open = self.open_after(to, changed);
        let erased =
            self.state.erased && open.is_some_and(|open| open.kind == EpisodeKind::NonCompliant);
        if self.state.status == Status::Wiped || erased {
            open = None;
        } else if self.desired.is_some() && self.state.status == Status::Enrolled {
            open = self.judge_evidence(to, changed, open);
        }
        self.order_access(open);
    }

    fn open_after(&self, to: ComplianceState, changed: bool) -> Option<Open> {
        let recorded = self.device.open_episode().map(Open::from);
        if !changed {
            return recorded;
        }
        match to {
            ComplianceState::Compliant => None,
            ComplianceState::Unknown => recorded,
            ComplianceState::NonCompliant => {
                let going_on = recorded.filter(|open| open.kind == EpisodeKind::NonCompliant);
                let last = self.device.episode.as_deref().filter(|_| self.continued(to).is_some());
                let latest = self.inputs.recorded.at.max(Some(self.inputs.now));
                let new = latest.map(|since| Open { kind: EpisodeKind::NonCompliant, since });
                going_on.or(last.map(Open::from)).or(new)
            }
        }
    }

    /// Notes that nobody could tell for too long whether the device is compliant, and that they can again.
    fn judge_evidence(
        &mut self,
        to: ComplianceState,
        changed: bool,
        open: Option<Open>,
    ) -> Option<Open> {
        let gap = self.evidence_gap(to, changed);
        match (open, gap) {
            (None, Some((cause, since))) => {
                let reason = match cause {
                    EvidenceGap::Silent => format!("no report since {}", since.short()),
                    EvidenceGap::MissingFacts => {
                        format!("its compliance has been unknown since {}", since.short())
                    }
                };
                self.act(Op::EvidenceMissing { cause, since }, Cause::Clock, reason);
                Some(Open { kind: EpisodeKind::Unknown, since: self.inputs.now })
            }
            // A verdict that changes says it by itself.
            // Nor does a record say so of which the last sign of life was lost.
            (Some(Open { kind: EpisodeKind::Unknown, .. }), None)
                if !changed && to != ComplianceState::Unknown && self.last_sync.is_some() =>
            {
                self.act(Op::EvidenceReturned, Cause::Fact, "it can be judged again");
                None
            }
            _ => open,
        }
    }

    /// Why nobody can tell, where that has gone on for too long, and since when.
    fn evidence_gap(&self, to: ComplianceState, changed: bool) -> Option<(EvidenceGap, Timestamp)> {
        let (now, after) = (self.inputs.now, self.inputs.settings.unknown_after);
        // Without a time nothing can be said: the record of the last sign of life may have been lost.
        let silent = self.last_sync.filter(|heard| now > *heard + after);
        if let Some(heard) = silent {
            return Some((EvidenceGap::Silent, heard));
        }
        let since = self.device.compliance.since.max(self.device.status_since);
        let unknown = to == ComplianceState::Unknown && !changed && !self.moved();
        (unknown && now > since + after).then_some((EvidenceGap::MissingFacts, since))
    }

    fn order_access(&mut self, open: Option<Open>) {
        let last = self.device.episode.as_deref().and_then(|episode| episode.block.as_ref());
        let blocked = self.wants_block(open, last);
        match last {
            None if !blocked => {}
            Some(block) if block.blocked == blocked => match &block.state {
                BlockState::Done => {}
                BlockState::Intended => {
                    self.order(blocked, Some(block.intent), "it is not known whether it was done");
                }
                BlockState::Failed(ErrorClass::Permanent, error) => {
                    let what = if blocked { "block" } else { "restore" };
                    let detail = format!(
                        "the provider refused to {what} access to corporate mail: {error}; do it by hand"
                    );
                    self.hold(self.place(), HoldReason::ProviderRefused, detail);
                }
                BlockState::Failed(ErrorClass::Transient | ErrorClass::Unknown, _) => {
                    self.order(blocked, Some(block.intent), "the last try failed");
                }
            },
            _ if blocked => {
                let since = open.map_or(self.inputs.now, |open| open.since);
                self.order(true, None, format!("not compliant since {}", since.short()));
            }
            _ => {
                let wiped = self.state.status == Status::Wiped;
                let reason = match self.exemption() {
                    _ if wiped => "the device is wiped".into(),
                    _ if self.state.erased => "the device was erased".into(),
                    Some(exemption) if open.is_some() => {
                        format!("it is exempt until {}", exemption.exempt_until.short())
                    }
                    Some(_) | None => "the cause is gone".into(),
                };
                self.order(false, None, reason);
            }
        }
    }

    /// Whether access is to be blocked: the device has been non-compliant for too long, and is not
    /// exempt. A block that is
    /// there stays as long as its episode, whatever the clock says now; and nothing new is done to a
    /// device that nobody declares.
    fn wants_block(&self, open: Option<Open>, last: Option<&Block>) -> bool {
        let Some(open) = open.filter(|open| open.kind == EpisodeKind::NonCompliant) else {
            return false;
        };
        let (settings, exemption) = (self.inputs.settings, self.exemption());
        // A clock that was set back revives no exemption.
        let latest = self.inputs.recorded.at.max(Some(self.inputs.now));
        if exemption.zip(latest).is_some_and(|(exemption, latest)| exemption.holds(latest)) {
            return false;
        }
        let stays = last.is_some_and(|block| block.blocked && block.at >= open.since);
        let due = self.inputs.now >= blocks_at(open.since, exemption, settings);
        stays || (due && self.desired.is_some())
    }

    /// By its manifest, as this plan records it.
    fn exemption(&self) -> Option<&Exemption> {
        let spec = self.desired.map_or(&self.device.spec, |desired| &desired.spec);
        spec.access.as_deref()
    }

    fn order(
        &mut self,
        blocked: bool,
        resume: Option<u64>,
        reason: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        // To restore follows from what the device says; to block, from the time that has passed.
        let cause = if blocked { Cause::Clock } else { Cause::Fact };
        self.act(Op::Access { blocked, resume }, cause, reason);
    }
}

impl From<&Episode> for Open {
    fn from(episode: &Episode) -> Self {
        Self { kind: episode.kind, since: episode.since }
    }
}
