//! What a device reports of a wipe: that it is done, or an erasure that nobody requested.
//!
//! A wipe that was issued is confirmed by the first report dated after that with `wiped: true`,
//! by one whose date is not believed, or by any report that names the wipe's own command. Where
//! none was issued, somebody erased the device by another way: that is logged once, and the
//! device is Failed until `enrollment` is raised.

use super::action::{Cause, Op};
use super::device::DevicePlanner;
use super::hold::HoldReason;
use super::inputs::Heard;
use super::reports::Dated;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::model::{DeviceId, Digest, Status, Timestamp};
use crate::domain::state::event::{WipeConfirmed, WipeUnrequested};
use crate::domain::state::{Wipe, WipeState};

/// Why the device is Failed.
const ERASED: &str = "reports that it was erased without a wipe request";

impl DevicePlanner<'_, '_> {
    /// Takes in what a report says of a wipe.
    pub(super) fn hear_of_wipe(&mut self, dated: &Dated<'_>) {
        if self.state.status == Status::Wiped {
            return;
        }
        if let Some((request, intent)) = self.confirmed_by(dated) {
            let confirmed = Box::new(WipeConfirmed { request, intent, reported_at: dated.at });
            self.act(
                Op::ConfirmWipe { confirmed },
                Cause::Fact,
                "the device reports that it is erased",
            );
            return self.wiped();
        }
        if !dated.heard.report.wiped {
            return;
        }
        let issued = self.wipes_issued().next().is_some();
        let void =
            self.device.rare.void_until.is_some_and(|until| dated.believed && dated.at <= until);
        if issued {
            self.plan.findings.push(unexpected_wipe(self.id, dated.heard, true));
        } else if !(void || self.state.erased) {
            self.plan.findings.push(unexpected_wipe(self.id, dated.heard, false));
            let unrequested = Box::new(WipeUnrequested {
                serial_number: dated.heard.report.serial_number.clone(),
                origin: dated.heard.origin.to_string(),
                reported_at: dated.heard.report.at,
            });
            self.act(Op::UnrequestedWipe { unrequested }, Cause::Fact, ERASED);
            self.state.erased = true;
            self.fail_if_erased();
        }
    }

    /// Also where the process died right after the log had it.
    pub(super) fn fail_if_erased(&mut self) {
        let moves = matches!(self.state.status, Status::Pending | Status::Enrolled);
        if self.state.erased && moves {
            self.moved_to(Status::Failed, None, ERASED.to_owned(), Cause::Fact);
        }
    }

    /// Says so in every plan until it is seen to.
    pub(super) fn explain_erasure(&mut self) {
        if !self.state.erased || self.state.status == Status::Wiped {
            return;
        }
        let next = self.state.enrollment.saturating_add(1);
        let detail = format!(
            "{ERASED}; find out who erased it, then set enrollment: {next}, or remove the manifest"
        );
        self.hold(self.place(), HoldReason::UnrequestedWipe, detail);
    }

    /// The wipe that a report confirms: its request and its intent.
    fn confirmed_by(&self, dated: &Dated<'_>) -> Option<(Digest, u64)> {
        let report = &dated.heard.report;
        let named = |wipe: &Wipe| {
            let id = wipe.intent.map(|intent| format!("c{intent}"));
            id.is_some_and(|id| report.completed.contains(&id))
        };
        let after = |issued: Timestamp| !dated.believed || issued < dated.at;
        let told = |wipe: &Wipe| {
            report.wiped && self.may_have_obeyed(wipe) && wipe.issued_at.is_some_and(after)
        };
        let wipes = self.inputs.recorded.wipes_of(self.id).filter(|wipe| wipe.may_be_confirmed());
        let wipe = wipes.filter(|wipe| named(wipe) || told(wipe));
        let wipe = wipe.max_by_key(|wipe| (named(wipe), wipe.intent))?;
        Some((wipe.subject.request, wipe.intent?))
    }

    /// Wipes that a report of erasure may confirm: issued, and still possible for the device.
    fn wipes_issued(&self) -> impl Iterator<Item = &Wipe> {
        let wipes = self.inputs.recorded.wipes_of(self.id).filter(|wipe| wipe.may_be_confirmed());
        wipes.filter(|wipe| self.may_have_obeyed(wipe))
    }

    /// False if the device reported after the command was taken back, and was not erased.
    fn may_have_obeyed(&self, wipe: &Wipe) -> bool {
        let heard = self.device.last_sync;
        wipe.state == WipeState::Issued || heard.is_none_or(|last| last <= wipe.since)
    }
}

/// The device was erased, and not by a wipe of ours: an operator must see this.
fn unexpected_wipe(id: DeviceId, heard: &Heard, issued: bool) -> Finding {
    let (but, help) = if issued {
        (
            "that is not after the wipe was issued",
            "a later report confirms the wipe; until it comes the device keeps its status",
        )
    } else {
        ("no wipe was issued", "find out who erased it; it is Failed until `enrollment` is raised")
    };
    let at = heard.report.at.map_or_else(String::new, |at| format!(" at {}", at.short()));
    Finding {
        code: Code::UnexpectedWipe,
        severity: Severity::Error,
        message: format!(
            "device {id} (serial {}) reports{at} that it was wiped, but {but}",
            heard.report.serial_number
        ),
        help: help.to_owned(),
        span: Span::whole(&heard.origin),
        related: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::model::ReportId;

    #[test]
    fn a_wipe_told_too_early_is_not_one_that_nobody_ordered() {
        let report = json!({"serialNumber": "A", "at": "2026-11-22T10:00:00Z", "wiped": true});
        let report = serde_json::from_value(report).unwrap();
        let heard = Heard { id: ReportId::new("a"), origin: "inbox/a.json".into(), report };
        let told = |issued| unexpected_wipe(DeviceId::FIRST, &heard, issued);
        let (ordered, unordered) = (told(true), told(false));
        assert!(ordered.message.ends_with("that is not after the wipe was issued"), "{ordered:?}");
        assert!(ordered.help.contains("a later report confirms"), "{ordered:?}");
        assert!(unordered.message.ends_with("but no wipe was issued"), "{unordered:?}");
        assert!(unordered.help.contains("find out who erased it"), "{unordered:?}");
    }
}
