//! A plan for people and programs.

pub mod ci;
pub mod wipes;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use rayon::prelude::*;
use serde::{Serialize, Serializer};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::check::FindingView;
use super::findings::Drawing;
use super::json;
use super::out::{Out, Tone};
use super::text::{count, safe, safe_lines};
use super::trust::TrustJson;
use crate::domain::guard::{ApprovedPlan, Refusal};
use crate::domain::model::{DeviceId, Digest, Place, SerialNumber};
use crate::domain::plan::{Action, ActionKind, Hold, HoldReason, Op};
use crate::domain::state::event::Change;
use crate::domain::wipe::target::LedgerId;
use crate::domain::wipe::trust_state::TrustState;

/// What a plan was made of, for its header.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The root of the fleet directory as given, for paths that an editor can open.
    pub root: &'a str,
    /// The Git commit.
    pub revision: Option<&'a str>,
    /// Sequence number of the ledger's last entry.
    pub seq: u64,
    /// Hash of its line.
    pub head: Digest,
    /// Which ledger that is; none where there is none yet.
    pub lineage: Option<LedgerId>,
    /// What signatures were checked against.
    pub trust: TrustState<'a>,
}

/// Holds of one reason beyond this many are only counted, in text.
const HOLDS_SHOWN: usize = 10;

/// As text that is read at a glance: profiles, devices, what is held, findings, a summary line.
///
/// # Errors
/// If writing fails.
pub fn text(out: &mut Out, approved: &ApprovedPlan, context: Context<'_>) -> io::Result<()> {
    let plan = approved.plan();
    if let Some(refusal) = approved.refusal() {
        refused(out, refusal)?;
    }
    erased_text(out, &plan.holds, context)?;
    wipes::text(out, &plan.wipes, context.root)?;
    actions_text(out, &plan.actions, context)?;
    if plan.actions.iter().any(|action| !wipes::shows(action.kind())) {
        writeln!(out)?;
    }
    holds_text(out, &plan.holds, context)?;
    if !plan.findings.is_empty() {
        let drawing = Drawing::new(Path::new(context.root), out.color(), out.width());
        for finding in &plan.findings {
            writeln!(out, "{}\n", drawing.draw(finding))?;
        }
    }
    let line = summary_line(approved);
    writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
    if !plan.actions.is_empty() {
        let digest = format!("Digest: {}", approved.digest());
        writeln!(out, "{}", out.paint(Tone::Dim, &digest))?;
    }
    Ok(())
}

/// Before all else: devices that somebody erased whom nobody asked.
fn erased_text(out: &mut Out, holds: &[Hold], context: Context<'_>) -> io::Result<()> {
    let erased: Vec<&Hold> =
        holds.iter().filter(|hold| hold.reason == HoldReason::UnrequestedWipe).collect();
    if erased.is_empty() {
        return Ok(());
    }
    let title = format!("ERASED, AND NOBODY HERE ASKED FOR IT: {}", erased.len());
    writeln!(out, "{}", out.paint(Tone::Removed, &title))?;
    for hold in erased {
        let (what, place) = hold_parts(hold, context.root);
        writeln!(out, "  {what}{}", out.paint(Tone::Dim, &place))?;
    }
    writeln!(out)
}

fn refused(out: &mut Out, refusal: &Refusal) -> io::Result<()> {
    let Refusal { why, missing, withheld, named } = refusal;
    let title = match missing {
        Some(missing) => format!("FROZEN: {missing}"),
        None => format!("FROZEN: {}", why.cause.explain()),
    };
    writeln!(out, "{}", out.paint(Tone::Removed, &title))?;
    if why.of > 0 {
        let gone = count(why.of, "active device");
        writeln!(out, "  {} of {gone} would be orphaned: nothing is done to them.", why.removed)?;
    }
    if *withheld > 0 {
        writeln!(out, "  {} withheld.", count(*withheld as u64, "action"))?;
    }
    if let Some(named) = named {
        writeln!(out, "  --accept-removals {named} does not name that number.")?;
    }
    writeln!(out, "  help: {}\n", why.cause.help())
}

fn tone(kind: ActionKind) -> (&'static str, Tone) {
    match kind {
        ActionKind::Provision | ActionKind::Adopt | ActionKind::Thaw => ("+", Tone::Added),
        ActionKind::Trust
        | ActionKind::RefuseWipe
        | ActionKind::HoldWipe
        | ActionKind::ExpireWipe
        | ActionKind::VetoWipe
        | ActionKind::WithdrawWipe => ("~", Tone::Changed),
        ActionKind::AcceptWipe
        | ActionKind::Wipe
        | ActionKind::ConfirmWipe
        | ActionKind::UnrequestedWipe => ("!", Tone::Removed),
        ActionKind::Profile
        | ActionKind::Update
        | ActionKind::Status
        | ActionKind::Push
        | ActionKind::Compliance => ("~", Tone::Changed),
        ActionKind::Orphan | ActionKind::Freeze => ("!", Tone::Removed),
    }
}

/// Drawn by all cores, in windows that fit a cache.
fn actions_text(out: &mut Out, actions: &[Action], context: Context<'_>) -> io::Result<()> {
    let color = out.color();
    let draw = |share: &[Action]| -> io::Result<Vec<u8>> {
        let mut text = Vec::with_capacity(share.len() * 256);
        for action in share.iter().filter(|action| !wipes::shows(action.kind())) {
            action_text(&mut text, action, context.root, color)?;
        }
        Ok(text)
    };
    for window in actions.chunks(8192) {
        let drawn: Vec<_> = window.par_chunks(512).map(draw).collect();
        drawn.into_iter().try_for_each(|text| out.write_all(&text?))?;
    }
    Ok(())
}

fn action_text(out: &mut Vec<u8>, action: &Action, root: &str, color: bool) -> io::Result<()> {
    let (sign, tone) = tone(action.kind());
    let mut line = format!("{sign} {:<10}", action.kind());
    if let (Some(id), Some(spec)) = (action.device, action.spec()) {
        // Writing to a String cannot fail, here and below.
        let _ = write!(line, " {id}  {}  {}", spec.serial_number, spec.name);
    }
    if let Op::RecordProfile { to, .. } = &action.op {
        let _ = write!(line, " {}", to.name);
    }
    let what = headline(action);
    let place = action.place.as_ref().map(|place| format!("  {}", located(place, root)));
    write!(out, "{}{what}  ({})", tone.paint(&line, color), safe(&action.reason))?;
    match place {
        Some(place) => writeln!(out, "{}", Tone::Dim.paint(&place, color))?,
        None => writeln!(out)?,
    }
    match &action.op {
        Op::Provision { to, .. } => {
            let spec = &to.spec;
            writeln!(
                out,
                "      {}, profile {}, {} {}, {}",
                spec.user_email, spec.profile, spec.platform, spec.os_version, spec.ownership
            )
        }
        Op::Update { .. } | Op::RecordProfile { from: Some(_), .. } => {
            action.changes().iter().try_for_each(|change| change_text(out, change, color))
        }
        _ => Ok(()),
    }
}

/// The one change of an action that has just one, on the action's own line.
fn headline(action: &Action) -> String {
    match &action.op {
        Op::Status { from, to, .. } => format!("  {from} -> {to}"),
        Op::Compliance { from, verdict, .. } if *from == verdict.state => format!("  {from}"),
        Op::Compliance { from, verdict, .. } => format!("  {from} -> {}", verdict.state),
        Op::Push { profile, .. } => format!("  {}", profile.name),
        _ => String::new(),
    }
}

/// `field: before -> after`, or line by line where a value is no plain word.
pub(super) fn change_text(
    out: &mut impl Write,
    change: &Change<&'static str>,
    color: bool,
) -> io::Result<()> {
    let Change { field, from, to } = change;
    if let (Some(from), Some(to)) = (plain(from), plain(to)) {
        return writeln!(out, "      {field}: {} -> {}", safe(&from), safe(&to));
    }
    writeln!(out, "      {field}:")?;
    let (from, to) = (lines(from), lines(to));
    let diff = TextDiff::from_lines(&from, &to);
    for (index, group) in diff.grouped_ops(2).iter().enumerate() {
        if index > 0 {
            writeln!(out, "          …")?;
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, tone) = match change.tag() {
                ChangeTag::Delete => ("-", Tone::Removed),
                ChangeTag::Insert => ("+", Tone::Added),
                ChangeTag::Equal => (" ", Tone::Plain),
            };
            let line = format!("{sign} {}", change.value().trim_end_matches('\n'));
            writeln!(out, "        {}", tone.paint(&line, color))?;
        }
    }
    Ok(())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("(none)".to_owned()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// As the manifest would spell it, a line a value.
fn lines(value: &Value) -> String {
    if value.is_null() {
        return String::new();
    }
    serde_yaml::to_string(value)
        .map_or_else(|_| format!("{value:#}\n"), |yaml| safe_lines(&yaml).into_owned())
}

pub(super) fn located(place: &Place, root: &str) -> String {
    format!("{}:{}", Path::new(root).join(&*place.path).display(), place.line)
}

fn holds_text(out: &mut Out, holds: &[Hold], context: Context<'_>) -> io::Result<()> {
    let shown_first = |reason: &HoldReason| *reason == HoldReason::UnrequestedWipe;
    for (reason, holds) in by_reason(holds).iter().filter(|(reason, _)| !shown_first(reason)) {
        let title = held(*reason, holds);
        writeln!(out, "{}", out.paint(Tone::Strong, &title))?;
        for hold in holds.iter().take(HOLDS_SHOWN) {
            let (what, place) = hold_parts(hold, context.root);
            writeln!(out, "  {what}{}", out.paint(Tone::Dim, &place))?;
        }
        if let Some(more) = holds.len().checked_sub(HOLDS_SHOWN).filter(|more| *more > 0) {
            writeln!(out, "  … and {more} more (all of them with -o json)")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn by_reason(holds: &[Hold]) -> BTreeMap<HoldReason, Vec<&Hold>> {
    let mut by_reason: BTreeMap<HoldReason, Vec<&Hold>> = BTreeMap::new();
    for hold in holds {
        by_reason.entry(hold.reason).or_default().push(hold);
    }
    by_reason.values_mut().for_each(|holds| holds.sort_by_key(|hold| hold.device));
    by_reason
}

fn held(reason: HoldReason, holds: &[&Hold]) -> String {
    format!("Held, {}: {}", explain(reason), holds.len())
}

/// Who is held and why, and where that is written.
fn hold_parts(hold: &Hold, root: &str) -> (String, String) {
    let parts = [
        hold.device.map(|id| id.to_string()),
        hold.serial.as_ref().map(ToString::to_string),
        hold.name.as_ref().map(ToString::to_string),
    ];
    let who = parts.into_iter().flatten().collect::<Vec<_>>().join("  ");
    let gap = if who.is_empty() { "" } else { "  " };
    let place = hold.place.as_ref().map(|place| format!("  {}", located(place, root)));
    (format!("{}{gap}{}", safe(&who), safe(&hold.detail)), place.unwrap_or_default())
}

const fn explain(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::UnrequestedWipe => "the device was erased, and nobody here asked for it",
        HoldReason::ManifestInvalid => "the manifest cannot be used",
        HoldReason::ProfileInvalid => "the profile's manifest cannot be used",
        HoldReason::AwaitingReport => "waiting for the device's report",
        HoldReason::EnrollmentFailed => "enrolment failed",
        HoldReason::EnrollmentLowered => "enrollment can only be raised",
        HoldReason::Wiped => "the device was wiped",
        HoldReason::ProviderRefused => "the provider refused",
        HoldReason::Frozen => "frozen",
        HoldReason::Unsettled => "the fleet directory is still being changed",
        HoldReason::BackingOff => "the provider failed; tried again later",
        HoldReason::WipeUnderWay => "a wipe is under way",
        HoldReason::WipeHeld => "a wipe request is held",
        HoldReason::WipeRefused => "a wipe request is refused",
        HoldReason::WipeOver => "a wipe request is over",
    }
}

/// One line that says it all.
#[must_use]
pub fn summary_line(approved: &ApprovedPlan) -> String {
    let plan = approved.plan();
    let mut parts: Vec<String> =
        counts(&plan.actions).into_iter().filter(|(_, n)| *n > 0).map(to_do).collect();
    if parts.is_empty() {
        parts.push("nothing to do; the record matches the manifests".to_owned());
        if !plan.holds.is_empty() || !plan.findings.is_empty() {
            parts[0] = "nothing to do".to_owned();
        }
    }
    if !plan.holds.is_empty() {
        parts.push(format!("{} held", plan.holds.len()));
    }
    if !plan.findings.is_empty() {
        parts.push(count(plan.findings.len() as u64, "finding"));
    }
    format!("Plan: {}.", parts.join(", "))
}

/// `3 to provision`: how many actions of a kind, in a plan.
fn to_do((kind, n): (ActionKind, u64)) -> String {
    match kind {
        ActionKind::Freeze => "freeze".to_owned(),
        ActionKind::Thaw => "thaw".to_owned(),
        ActionKind::Profile => format!("{} to record", count(n, "profile")),
        ActionKind::Provision => format!("{n} to provision"),
        ActionKind::Adopt => format!("{n} to adopt"),
        ActionKind::Update => format!("{n} to update"),
        ActionKind::Push => format!("{n} to push to"),
        ActionKind::Orphan => format!("{n} to orphan"),
        ActionKind::Trust => "new trust files".to_owned(),
        ActionKind::Wipe => format!("{n} TO WIPE"),
        ActionKind::AcceptWipe => format!("{} to accept", count(n, "wipe")),
        ActionKind::Status
        | ActionKind::Compliance
        | ActionKind::RefuseWipe
        | ActionKind::HoldWipe
        | ActionKind::ExpireWipe
        | ActionKind::VetoWipe
        | ActionKind::ConfirmWipe
        | ActionKind::UnrequestedWipe => told(kind, n),
        ActionKind::WithdrawWipe => format!("{} to take back", count(n, "wipe")),
    }
}

/// `3 provisioned`: how many actions of a kind, done.
#[must_use]
pub fn told(kind: ActionKind, n: u64) -> String {
    match kind {
        ActionKind::Freeze => "frozen".to_owned(),
        ActionKind::Thaw => "thawed".to_owned(),
        ActionKind::Profile => format!("{} recorded", count(n, "profile")),
        ActionKind::Provision => format!("{n} provisioned"),
        ActionKind::Adopt => format!("{n} adopted"),
        ActionKind::Update => format!("{n} updated"),
        ActionKind::Status => count(n, "status change"),
        ActionKind::Push => format!("{n} pushed to"),
        ActionKind::Compliance => count(n, "compliance change"),
        ActionKind::Orphan => format!("{n} orphaned"),
        ActionKind::Trust => "trust files noted".to_owned(),
        ActionKind::AcceptWipe => format!("{} accepted", count(n, "wipe")),
        ActionKind::RefuseWipe => format!("{} refused", count(n, "wipe")),
        ActionKind::HoldWipe => format!("{} held", count(n, "wipe")),
        ActionKind::ExpireWipe => format!("{} expired", count(n, "wipe")),
        ActionKind::VetoWipe => format!("{} stopped", count(n, "wipe")),
        ActionKind::Wipe => format!("{} issued", count(n, "wipe")),
        ActionKind::WithdrawWipe => format!("{} taken back", count(n, "wipe")),
        ActionKind::ConfirmWipe => format!("{} confirmed", count(n, "wipe")),
        ActionKind::UnrequestedWipe => {
            format!("{} ERASED THAT NOBODY ASKED FOR", count(n, "device"))
        }
    }
}

fn counts(actions: &[Action]) -> BTreeMap<ActionKind, u64> {
    let mut counts: BTreeMap<ActionKind, u64> =
        ActionKind::ALL.iter().map(|kind| (*kind, 0)).collect();
    for action in actions {
        *counts.entry(action.kind()).or_default() += 1;
    }
    counts
}

/// As JSON, the contract's `plan -o json`.
///
/// # Errors
/// If writing fails.
pub fn json(out: &mut dyn Write, approved: &ApprovedPlan, context: Context<'_>) -> io::Result<()> {
    json::pretty(out, &PlanJson::new(approved, context))
}

/// A plan in JSON; also part of what `apply -o json` prints.
#[derive(Serialize)]
pub struct PlanJson<'a> {
    version: u32,
    revision: Option<&'a str>,
    ledger: LedgerJson,
    trust: TrustJson<'a>,
    digest: Digest,
    frozen: Option<FrozenJson>,
    actions: Actions<'a>,
    wipes: Vec<wipes::WipeJson<'a>>,
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
    cause: crate::domain::state::event::FreezeCause,
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
        let spec = action.spec();
        let name = match &action.op {
            Op::RecordProfile { to, .. } => Some(to.name.as_str()),
            Op::Wipe { file, .. } | Op::AcceptWipe { file, .. } => Some(file.request.name.as_str()),
            Op::StopWipe { stopped, .. } => Some(stopped.subject.name.as_str()),
            _ => None,
        };
        let wiped = match &action.op {
            Op::Wipe { file, .. } | Op::AcceptWipe { file, .. } => Some(&file.request.serial),
            Op::StopWipe { stopped, .. } => Some(&stopped.subject.serial_number),
            _ => None,
        };
        Self {
            action: action.kind(),
            device: action.device,
            serial_number: spec.map(|spec| &spec.serial_number).or(wiped),
            name: spec.map(|spec| spec.name.as_str()).or(name),
            path: action.place.as_ref().map(|place| &*place.path),
            line: action.place.as_ref().map(|place| place.line),
            changes: action.changes(),
            reason: &action.reason,
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
    detail: &'a str,
}

impl<'a> PlanJson<'a> {
    /// Borrows all that it prints.
    #[must_use]
    pub fn new(approved: &'a ApprovedPlan, context: Context<'a>) -> Self {
        let plan = approved.plan();
        let mut summary: BTreeMap<&str, u64> =
            counts(&plan.actions).into_iter().map(|(kind, n)| (kind.as_str(), n)).collect();
        summary.insert("actions", plan.actions.len() as u64);
        summary.insert("holds", plan.holds.len() as u64);
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
            wipes: plan.wipes.iter().map(wipes::WipeJson::from).collect(),
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
        detail,
    }
}
