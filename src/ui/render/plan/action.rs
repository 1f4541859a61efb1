//! The actions of a plan, a line or a few each.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::context::Context;
use super::wipes;
use crate::domain::plan::{Action, ActionKind, Op, Subject};
use crate::domain::shares;
use crate::ui::render::change::change_text;
use crate::ui::render::out::{Out, Tone};
use crate::ui::render::text::{located, safe};

fn tone(kind: ActionKind) -> (&'static str, Tone) {
    match kind {
        ActionKind::Provision
        | ActionKind::Adopt
        | ActionKind::Found
        | ActionKind::EvidenceReturned
        | ActionKind::RestoreAccess
        | ActionKind::Thaw => ("+", Tone::Added),
        ActionKind::Trust
        | ActionKind::RefuseWipe
        | ActionKind::HoldWipe
        | ActionKind::ExpireWipe
        | ActionKind::VetoWipe
        | ActionKind::WithdrawWipe => ("~", Tone::Changed),
        ActionKind::AcceptWipe
        | ActionKind::Wipe
        | ActionKind::FailWipe
        | ActionKind::Missing
        | ActionKind::LicenseMissing
        | ActionKind::ConfirmWipe
        | ActionKind::UnrequestedWipe => ("!", Tone::Removed),
        ActionKind::Profile
        | ActionKind::Update
        | ActionKind::Status
        | ActionKind::Push
        | ActionKind::License
        | ActionKind::Sync
        | ActionKind::Restore
        | ActionKind::Archive
        | ActionKind::WipeProgress
        | ActionKind::DeferWipe
        | ActionKind::EvidenceMissing
        | ActionKind::BlockAccess
        | ActionKind::Compliance => ("~", Tone::Changed),
        ActionKind::Orphan | ActionKind::Freeze => ("!", Tone::Removed),
    }
}

/// All that no other section shows; drawn by all cores.
pub(super) fn all(out: &mut Out, actions: &[Action], context: Context<'_>) -> io::Result<()> {
    let color = out.color();
    let draw = |share: &[Action]| -> io::Result<Vec<u8>> {
        let mut text = Vec::with_capacity(share.len() * 256);
        for action in share.iter().filter(|action| !wipes::shows(action.kind())) {
            one(&mut text, action, context.root, color)?;
        }
        Ok(text)
    };
    shares::try_in_order(actions, 512, draw, |text| out.write_all(&text?))
}

/// One action, with what it changes below it.
pub(super) fn one(out: &mut Vec<u8>, action: &Action, root: &str, color: bool) -> io::Result<()> {
    let (sign, tone) = tone(action.kind());
    let mut line = format!("{sign} {:<10}", action.kind().label());
    // Writing to a String cannot fail.
    let _ = match &action.subject {
        Subject::Device { id, spec } => {
            write!(line, " {id}  {}  {}", spec.serial_number, spec.name)
        }
        Subject::Profile(name) => write!(line, " {name}"),
        Subject::Request(_) | Subject::Fleet => Ok(()),
    };
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
        Op::License { sku, .. } | Op::LicenseMissing { sku, .. } => format!("  {sku}"),
        _ => String::new(),
    }
}
