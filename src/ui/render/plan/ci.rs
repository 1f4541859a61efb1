//! A plan in CI: as a comment and as annotations.

use std::io::{self, Write};
use std::path::Path;

use super::context::Context;
use super::hold::{self, by_reason, held};
use super::summary::{counts, summary_line, to_do};
use super::text::refused;
use super::{action, wipes};
use crate::domain::guard::ApprovedPlan;
use crate::domain::plan::{Action, ActionKind, Hold, HoldReason, Waiting};
use crate::domain::wording::count;
use crate::ui::render::check::findings_section;
use crate::ui::render::github::{self, Level, Target};
use crate::ui::render::markdown::{Comment, code};
use crate::ui::render::out::Out;
use crate::ui::render::text::safe;

/// Actions beyond this many are folded.
const FEW: usize = 20;

/// For a comment: the summary, what is refused, wipes, actions by kind, holds, findings.
pub(crate) fn markdown(
    out: &mut Out,
    approved: &ApprovedPlan,
    context: Context<'_>,
) -> io::Result<()> {
    let plan = approved.plan();
    let waiting = Waiting::among(&plan.holds);
    let mut comment = Comment::new("Fleetform plan", &summary_line(approved, &waiting));
    if let Some(refusal) = approved.refusal() {
        let text = Out::captured(|out| refused(out, refusal))?;
        comment.section("FROZEN", (true, "text"), 1, [text]);
    }
    let by_reason = by_reason(&plan.holds);
    let is_first = |reason: HoldReason| reason == HoldReason::UnrequestedWipe;
    for (reason, holds) in by_reason.iter().filter(|(reason, _)| is_first(**reason)) {
        holds_section(&mut comment, *reason, holds, context);
    }
    let mut texts = Vec::new();
    for view in wipes::ordered(&plan.wipes) {
        texts.push(Out::captured(|out| wipes::one(out, view, context.root))?);
    }
    comment.section(&wipes::title(&plan.wipes), (true, "text"), plan.wipes.len(), texts);
    findings_section(&mut comment, "Findings", &plan.findings, Path::new(context.root));
    for (kind, n) in
        counts(&plan.actions).into_iter().filter(|(kind, n)| *n > 0 && !wipes::shows(*kind))
    {
        let of = plan.actions.iter().filter(|action| action.kind() == kind);
        let items = of.map(|action| drawn(action, context));
        let title = to_do((kind, n));
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        comment.section(&title, (n <= FEW, "diff"), n, items);
    }
    let others = by_reason.iter().filter(|(reason, _)| !is_first(**reason) && !reason.is_waiting());
    for (reason, holds) in others {
        holds_section(&mut comment, *reason, holds, context);
    }
    if let Some(line) = hold::waiting(&waiting) {
        comment.paragraph(&line);
    }
    comment.paragraph(&made_of(approved, context));
    out.write_all(comment.finish().as_bytes())
}

fn holds_section(comment: &mut Comment, reason: HoldReason, holds: &[&Hold], context: Context<'_>) {
    let items = holds.iter().map(|hold| {
        let (what, place) = hold::parts(hold, context.root);
        format!("{what}{place}")
    });
    let open = reason == HoldReason::UnrequestedWipe;
    comment.section(&held(reason, holds), (open, "text"), holds.len(), items);
}

/// Capturing to memory does not fail.
fn drawn(one: &Action, context: Context<'_>) -> String {
    let mut text = Vec::new();
    // Writing to a vector cannot fail.
    let _ = action::one(&mut text, one, context.root, false);
    String::from_utf8_lossy(&text).into_owned()
}

fn made_of(approved: &ApprovedPlan, context: Context<'_>) -> String {
    let revision = context.revision.map(|revision| format!(" of {}", code(revision)));
    format!(
        "Made{} against entry {} of the ledger; digest {}.",
        revision.unwrap_or_default(),
        context.seq,
        code(&approved.digest().to_string())
    )
}

/// As annotations: a notice that sums up, findings, what a guard refuses, wipes, then actions and
/// holds where they are written. GitHub shows ten of a kind: what matters most comes first.
pub(crate) fn github(
    out: &mut Out,
    approved: &ApprovedPlan,
    context: Context<'_>,
) -> io::Result<()> {
    let plan = approved.plan();
    let root = Path::new(context.root);
    let all = count(plan.actions.len() as u64, "action");
    let title = format!("fleetform plan, {all}");
    github::annotate(
        out,
        Level::Notice,
        None,
        &title,
        &summary_line(approved, &Waiting::among(&plan.holds)),
    )?;
    for finding in &plan.findings {
        github::finding(out, root, finding, "")?;
    }
    if let Some(refusal) = approved.refusal() {
        let text = Out::captured(|out| refused(out, refusal))?;
        github::annotate(out, Level::Error, None, "frozen", text.trim_end())?;
    }
    for view in wipes::ordered(&plan.wipes) {
        let text = Out::captured(|out| wipes::one(out, view, context.root))?;
        let title = format!("wipe request {}", view.subject.name);
        let target = Target::at(root, &view.place);
        github::annotate(out, Level::Warning, Some(&target), &title, text.trim_end())?;
    }
    for action in plan.actions.iter().filter(|action| !wipes::shows(action.kind())) {
        let Some(place) = &action.place else { continue };
        let level =
            if action.kind() == ActionKind::Orphan { Level::Warning } else { Level::Notice };
        let who = action.device().map(|id| format!(" {id}")).unwrap_or_default();
        let title = format!("{}{who}", action.kind().label());
        let text = drawn(action, context);
        github::annotate(out, level, Some(&Target::at(root, place)), &title, text.trim_end())?;
    }
    let told = |hold: &Hold| plan.wipes.iter().any(|view| Some(&view.place) == hold.place.as_ref());
    for hold in plan.holds.iter().filter(|hold| !told(hold)) {
        let target = hold.place.as_ref().map(|place| Target::at(root, place));
        let (level, title) = match hold.reason.is_waiting() {
            true => (Level::Notice, "waiting"),
            false => (Level::Warning, "held"),
        };
        github::annotate(out, level, target.as_ref(), title, &safe(&hold.detail))?;
    }
    Ok(())
}
