//! The holds of a plan, by reason.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use super::context::Context;
use crate::domain::plan::{Hold, HoldReason, Waiting};
use crate::domain::wording::count;
use crate::ui::render::out::{Out, Tone};
use crate::ui::render::text::{located, safe};

/// Holds of one reason beyond this many are only counted, in text.
const HOLDS_SHOWN: usize = 10;

/// Before all else: the devices that were erased without a request.
pub(super) fn erased(out: &mut Out, holds: &[Hold], context: Context<'_>) -> io::Result<()> {
    let erased: Vec<&Hold> =
        holds.iter().filter(|hold| hold.reason == HoldReason::UnrequestedWipe).collect();
    if erased.is_empty() {
        return Ok(());
    }
    let title = format!("ERASED WITHOUT A WIPE REQUEST: {}", erased.len());
    writeln!(out, "{}", out.paint(Tone::Removed, &title))?;
    for hold in erased {
        let (what, place) = parts(hold, context.root);
        writeln!(out, "  {what}{}", out.paint(Tone::Dim, &place))?;
    }
    writeln!(out)
}

/// What somebody has to decide, but for what [`erased`] shows; and in one line what only waits.
pub(super) fn all(
    out: &mut Out,
    (holds, waits): (&[Hold], &Waiting),
    context: Context<'_>,
) -> io::Result<()> {
    let elsewhere =
        |reason: &HoldReason| *reason == HoldReason::UnrequestedWipe || reason.is_waiting();
    for (reason, holds) in by_reason(holds).iter().filter(|(reason, _)| !elsewhere(reason)) {
        let title = held(*reason, holds);
        writeln!(out, "{}", out.paint(Tone::Changed, &title))?;
        for hold in holds.iter().take(HOLDS_SHOWN) {
            let (what, place) = parts(hold, context.root);
            writeln!(out, "  {what}{}", out.paint(Tone::Dim, &place))?;
        }
        if let Some(more) = holds.len().checked_sub(HOLDS_SHOWN).filter(|more| *more > 0) {
            writeln!(out, "  … and {more} more (all of them with -o json)")?;
        }
        writeln!(out)?;
    }
    match waiting(waits) {
        Some(line) => writeln!(out, "{}\n", out.paint(Tone::Dim, &line)),
        None => Ok(()),
    }
}

/// `Waiting: 12 devices have not reported yet.`
pub(super) fn waiting(waiting: &Waiting) -> Option<String> {
    let parts: Vec<_> = waiting.by_reason().map(|(reason, n)| waits(reason, n)).collect();
    (!parts.is_empty()).then(|| format!("Waiting: {}.", parts.join("; ")))
}

fn waits(reason: HoldReason, n: u64) -> String {
    let devices = count(n, "device");
    match (reason, n) {
        (HoldReason::AwaitingReport, 1) => "1 device has not reported yet".to_owned(),
        (HoldReason::AwaitingReport, _) => format!("{devices} have not reported yet"),
        (HoldReason::WipeUnderWay, 1) => "1 device is being wiped".to_owned(),
        (HoldReason::WipeUnderWay, _) => format!("{devices} are being wiped"),
        (reason, _) => format!("{n}: {}", explain(reason)),
    }
}

pub(super) fn by_reason(holds: &[Hold]) -> BTreeMap<HoldReason, Vec<&Hold>> {
    let mut by_reason: BTreeMap<HoldReason, Vec<&Hold>> = BTreeMap::new();
    for hold in holds {
        by_reason.entry(hold.reason).or_default().push(hold);
    }
    by_reason.values_mut().for_each(|holds| holds.sort_by_key(|hold| hold.device));
    by_reason
}

/// `Held, frozen: 3`
pub(super) fn held(reason: HoldReason, holds: &[&Hold]) -> String {
    format!("Held, {}: {}", explain(reason), holds.len())
}

/// Who is held and why, and where that is written.
pub(super) fn parts(hold: &Hold, root: &str) -> (String, String) {
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
        HoldReason::UnrequestedWipe => "the device was erased without a wipe request",
        HoldReason::ManifestInvalid => "the manifest cannot be used",
        HoldReason::ProfileInvalid => "the profile's manifest cannot be used",
        HoldReason::AwaitingReport => "waiting for the device's report",
        HoldReason::EnrollmentFailed => "enrollment failed",
        HoldReason::EnrollmentLowered => "enrollment can only be raised",
        HoldReason::Wiped => "the device was wiped",
        HoldReason::ProviderRefused => "the provider refused",
        HoldReason::Frozen => "frozen",
        HoldReason::Unsettled => "the fleet directory is still being changed",
        HoldReason::BackingOff => "the provider failed; tried again later",
        HoldReason::WipeUnderWay => "a wipe is in progress",
        HoldReason::WipeHeld => "a wipe request is held",
        HoldReason::WipeRefused => "a wipe request is refused",
        HoldReason::WipeOver => "a wipe request has ended",
    }
}
