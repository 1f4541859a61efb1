//! The wipes of a plan: a section of their own, on top, that nobody overlooks.

use std::io::{self, Write};

use serde::Serialize;

use crate::domain::model::{
    DeviceId, Digest, Email, Name, SerialNumber, Timestamp, WipeReason, WipeScope,
};
use crate::domain::plan::{ActionKind, WipeStanding, WipeView};
use crate::domain::wipe::target::LedgerId;
use crate::domain::wording::people;
use crate::ui::render::out::{Out, Tone};
use crate::ui::render::text::located;

/// Whether this section tells of such an action, so that no other has to.
pub(crate) fn shows(kind: ActionKind) -> bool {
    matches!(
        kind,
        ActionKind::AcceptWipe
            | ActionKind::RefuseWipe
            | ActionKind::HoldWipe
            | ActionKind::ExpireWipe
            | ActionKind::VetoWipe
            | ActionKind::Wipe
    )
}

/// What stands at the head of each request: words first, color only besides.
#[must_use]
pub(crate) fn headline(standing: WipeStanding) -> (&'static str, Tone) {
    match standing {
        WipeStanding::Issue => ("WIPE NOW", Tone::Removed),
        WipeStanding::CoolingOff => ("ACCEPTED, WAITING (wipes.delay)", Tone::Removed),
        WipeStanding::AwaitingApproval => ("ACCEPTED, AWAITING APPROVAL IN THE MDM", Tone::Removed),
        WipeStanding::Held => ("held", Tone::Changed),
        WipeStanding::Refused => ("refused", Tone::Changed),
        WipeStanding::Vetoed => ("stopped for good", Tone::Changed),
        WipeStanding::Expired => ("expired", Tone::Changed),
        WipeStanding::Issued => ("ISSUED", Tone::Removed),
        WipeStanding::Confirmed => ("done", Tone::Dim),
        WipeStanding::Failed => ("FAILED", Tone::Removed),
    }
}

pub(crate) fn text(out: &mut Out, wipes: &[WipeView], root: &str) -> io::Result<()> {
    if wipes.is_empty() {
        return Ok(());
    }
    let title = format!("==== {} ====", title(wipes));
    writeln!(out, "{}", out.paint(Tone::Removed, &title))?;
    ordered(wipes).into_iter().try_for_each(|view| one(out, view, root))?;
    writeln!(out)
}

/// `WIPE REQUESTS: 3`
#[must_use]
pub(crate) fn title(wipes: &[WipeView]) -> String {
    format!("WIPE REQUESTS: {}", wipes.len())
}

/// What this very pass does first, then what is about to be done.
#[must_use]
pub(crate) fn ordered(wipes: &[WipeView]) -> Vec<&WipeView> {
    let mut ordered: Vec<_> = wipes.iter().collect();
    ordered.sort_by_key(|view| match view.standing {
        WipeStanding::Issue => 0,
        WipeStanding::CoolingOff | WipeStanding::AwaitingApproval => 1,
        _ => 2,
    });
    ordered
}

pub(crate) fn one(out: &mut Out, view: &WipeView, root: &str) -> io::Result<()> {
    let WipeView { subject, place, user, standing, code, detail, signers, needs, .. } = view;
    let (head, tone) = headline(*standing);
    let line = format!(
        "{head}: {} ({}), {} wipe, {}",
        subject.device_id, subject.serial_number, subject.scope, subject.reason
    );
    writeln!(out, "{}", out.paint(tone, &line))?;
    let signed = people(signers);
    let needs = needs.map_or_else(String::new, |needs| format!(" ({needs} needed)"));
    let rows = [
        ("request", format!("{}  {}", subject.name, located(place, root))),
        ("user", user.as_ref().map_or_else(|| "unknown".into(), ToString::to_string)),
        ("requester", subject.requested_by.to_string()),
        ("ledger", subject.ledger.map_or_else(|| "not named".into(), |id| id.to_string())),
        ("signed", format!("by {signed}{needs}")),
        ("expires", subject.expires_at.short()),
        ("because", format!("{detail} [{code}]")),
    ];
    for (key, value) in rows {
        let value = out.paint(Tone::Plain, &value).to_string();
        writeln!(out, "    {key:<10}{value}")?;
    }
    Ok(())
}

/// One request, in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WipeJson<'a> {
    request: Digest,
    name: &'a Name,
    ledger: Option<LedgerId>,
    path: &'a str,
    line: u32,
    device: DeviceId,
    serial_number: &'a SerialNumber,
    user_email: Option<&'a Email>,
    scope: WipeScope,
    reason: WipeReason,
    requested_by: &'a Email,
    expires_at: Timestamp,
    standing: WipeStanding,
    code: &'a str,
    detail: &'a str,
    signers: &'a [Email],
    needs: Option<u32>,
    until: Option<Timestamp>,
}

impl<'a> From<&'a WipeView> for WipeJson<'a> {
    fn from(view: &'a WipeView) -> Self {
        let WipeView {
            subject,
            place,
            user,
            standing,
            new: _,
            code,
            detail,
            signers,
            needs,
            until,
        } = view;
        Self {
            request: subject.request,
            name: &subject.name,
            ledger: subject.ledger,
            path: &place.path,
            line: place.line,
            device: subject.device_id,
            serial_number: &subject.serial_number,
            user_email: user.as_ref(),
            scope: subject.scope,
            reason: subject.reason,
            requested_by: &subject.requested_by,
            expires_at: subject.expires_at,
            standing: *standing,
            code,
            detail,
            signers,
            needs: *needs,
            until: *until,
        }
    }
}
