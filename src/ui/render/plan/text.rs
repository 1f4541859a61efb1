//! A plan as text.

use std::io::{self, Write as _};
use std::path::Path;

use super::context::Context;
use super::summary::summary_line;
use super::{action, hold, wipes};
use crate::domain::guard::{ApprovedPlan, Refusal};
use crate::domain::plan::Waiting;
use crate::domain::wording::count;
use crate::ui::render::findings::Drawing;
use crate::ui::render::out::{Out, Tone};

/// As text that is read at a glance: profiles, devices, what is held, findings, a summary line.
/// Of the holds that only wait no more than their numbers are told.
pub(crate) fn text(
    out: &mut Out,
    (approved, waiting): (&ApprovedPlan, &Waiting),
    context: Context<'_>,
) -> io::Result<()> {
    let plan = approved.plan();
    if let Some(refusal) = approved.refusal() {
        refused(out, refusal)?;
    }
    hold::erased(out, &plan.holds, context)?;
    wipes::text(out, &plan.wipes, context.root)?;
    action::all(out, &plan.actions, context)?;
    if plan.actions.iter().any(|action| !wipes::shows(action.kind())) {
        writeln!(out)?;
    }
    hold::all(out, (&plan.holds, waiting), context)?;
    if !plan.findings.is_empty() {
        let drawing = Drawing::new(Path::new(context.root), out.color(), out.width());
        for finding in &plan.findings {
            writeln!(out, "{}\n", drawing.draw(finding))?;
        }
    }
    let line = summary_line(approved, waiting);
    writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
    if !plan.actions.is_empty() {
        let digest = format!("Digest: {}", approved.digest());
        writeln!(out, "{}", out.paint(Tone::Dim, &digest))?;
    }
    Ok(())
}

/// What a guard does not let through, and what to do about it.
pub(super) fn refused(out: &mut Out, refusal: &Refusal) -> io::Result<()> {
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
        writeln!(out, "  --accept-removals {named} is not that number.")?;
    }
    writeln!(out, "  help: {}\n", why.help())
}
