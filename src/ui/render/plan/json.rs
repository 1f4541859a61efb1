//! A plan in JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::context::Context;
use super::summary::counts;
use super::wipes::WipeJson;
use crate::domain::guard::{ApprovedPlan, Refusal};
use crate::domain::model::{DeviceId, Digest, Name, SerialNumber};
use crate::domain::plan::{Action, ActionKind, Hold, HoldReason};
use crate::domain::state::event::{Change, FreezeCause};
use crate::domain::wipe::target::LedgerId;
use crate::ui::render::check::FindingView;
use crate::ui::render::json;
use crate::ui::render::trust::TrustJson;

/// As JSON: `plan -o json` (docs/reference.md).
pub(crate) fn json(
    out: &mut dyn Write,
    approved: &ApprovedPlan,
    context: Context<'_>,
) -> io::Result<()> {
    json::pretty(out, &PlanJson::new(approved, context))
}

#[derive(Serialize)]
struct PlanJson<'a> {
    version: u32,
    revision: Option<&'a str>,
    ledger: LedgerJson,
    trust: TrustJson<'a>,
    digest: Digest,
    frozen: Option<FrozenJson>,
    actions: Actions<'a>,
    wipes: Vec<WipeJson<'a>>,
    holds: Vec<HoldJson<'a>>,
    findings: Vec<FindingView<'a>>,
    summary: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct LedgerJson {
    seq: u64,
    head: Digest,
    lineage: Option<LedgerId>,
}

#[derive(Serialize)]
struct FrozenJson {
    cause: FreezeCause,
    removed: u64,
    of: u64,
    withheld: usize,
}

/// Made one by one while they are written: a plan for 100,000 devices is no 100 MB of JSON values.
struct Actions<'a>(&'a [Action]);

impl Serialize for Actions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ActionJson::new))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActionJson<'a> {
    action: ActionKind,
    device: Option<DeviceId>,
    serial_number: Option<&'a SerialNumber>,
    name: Option<&'a str>,
    path: Option<&'a str>,
    line: Option<u32>,
    changes: Vec<Change<&'static str>>,
    reason: &'a str,
}

impl<'a> ActionJson<'a> {
    fn new(action: &'a Action) -> Self {
        let Action { subject, op: _, place, cause: _, reason } = action;
        Self {
            action: action.kind(),
            device: subject.device(),
            serial_number: subject.serial(),
            name: subject.name().map(Name::as_str),
            path: place.as_ref().map(|place| &*place.path),
            line: place.as_ref().map(|place| place.line),
            changes: action.changes(),
            reason,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HoldJson<'a> {
    device: Option<DeviceId>,
    serial_number: Option<&'a SerialNumber>,
    name: Option<&'a str>,
    path: Option<&'a str>,
    line: Option<u32>,
    reason: HoldReason,
    /// Whether it ends by itself; all others wait for somebody's decision.
    waiting: bool,
    detail: &'a str,
}

impl<'a> PlanJson<'a> {
    /// Borrows all that it prints.
    fn new(approved: &'a ApprovedPlan, context: Context<'a>) -> Self {
        let plan = approved.plan();
        let mut summary: BTreeMap<&str, u64> =
            counts(&plan.actions).into_iter().map(|(kind, n)| (kind.as_str(), n)).collect();
        summary.insert("actions", plan.actions.len() as u64);
        summary.insert("holds", plan.holds.len() as u64);
        // Of holds, as the list has them; a device may have several.
        let waiting = plan.holds.iter().filter(|hold| hold.reason.is_waiting()).count() as u64;
        summary.insert("waiting", waiting);
        summary.insert("held", plan.holds.len() as u64 - waiting);
        summary.insert("findings", plan.findings.len() as u64);
        Self {
            version: 1,
            revision: context.revision,
            ledger: LedgerJson { seq: context.seq, head: context.head, lineage: context.lineage },
            trust: context.trust.into(),
            digest: approved.digest(),
            frozen: approved.refusal().map(|Refusal { why, missing: _, withheld, named: _ }| {
                FrozenJson {
                    cause: why.cause,
                    removed: why.removed,
                    of: why.of,
                    withheld: *withheld,
                }
            }),
            actions: Actions(&plan.actions),
            wipes: plan.wipes.iter().map(WipeJson::from).collect(),
            holds: plan.holds.iter().map(hold_json).collect(),
            findings: plan.findings.iter().map(FindingView::from).collect(),
            summary,
        }
    }
}

fn hold_json(hold: &Hold) -> HoldJson<'_> {
    let Hold { place, device, serial, name, reason, detail } = hold;
    HoldJson {
        device: *device,
        serial_number: serial.as_ref(),
        name: name.as_ref().map(|name| name.as_str()),
        path: place.as_ref().map(|place| &*place.path),
        line: place.as_ref().map(|place| place.line),
        reason: *reason,
        waiting: reason.is_waiting(),
        detail,
    }
}
