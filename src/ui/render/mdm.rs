//! What the MDM says of a device and of its wipes.

use super::out::Tone;
use crate::domain::model::{MdmFacts, MdmVerdict};
use crate::domain::state::{Device, Progress, Wipe, WipeState};

/// A key, its value, and how it is painted.
pub(super) type Row = (&'static str, String, Tone);

/// Of the device.
pub(super) fn of_device(device: &Device) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(at) = device.rare.missing_since.filter(|_| !device.is_wiped()) {
        let text = format!(
            "since {}: the MDM no longer lists it; nothing is done to it. Find out who deleted it \
             there",
            at.short()
        );
        rows.push(("Missing", text, Tone::Removed));
    }
    let Some(mdm) = device.facts.as_ref().and_then(|facts| facts.mdm.as_deref()) else {
        return rows;
    };
    let MdmFacts { id, management, ownership, verdict, grace_until, records, .. } = mdm;
    rows.push(("MDM", format!("{id}: {management}, owner {ownership}"), Tone::Plain));
    let (text, tone) = match verdict {
        MdmVerdict::Compliant => ("compliant", Tone::Added),
        MdmVerdict::NonCompliant => ("not compliant", Tone::Removed),
        MdmVerdict::InGracePeriod => ("not compliant, in the grace period", Tone::Changed),
        MdmVerdict::Unknown => ("not judged", Tone::Changed),
    };
    let until = grace_until.map_or_else(String::new, |at| format!(" until {}", at.short()));
    rows.push(("  Verdict", format!("{text}{until}"), tone));
    if !records.is_empty() {
        let ids: Vec<_> = records.iter().map(ToString::to_string).collect();
        let text = format!(
            "{} of this serial number ({}); a wipe is refused until one is left",
            records.len(),
            ids.join(", ")
        );
        rows.push(("  Records", text, Tone::Removed));
    }
    rows
}

/// Of one wipe.
pub(super) fn of_wipe(wipe: &Wipe) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(approval) = wipe.approval.as_ref().filter(|_| wipe.state == WipeState::Accepted) {
        let text = if approval.given {
            format!("given in the MDM (code {})", approval.code)
        } else {
            format!(
                "awaited in the MDM (code {}): another administrator approves it in the Intune admin \
                 center under Tenant administration > Multi Admin Approval",
                approval.code
            )
        };
        rows.push(("  Approval", text, Tone::Changed));
    }
    if let Some(Progress { detail, since, stage, target }) = &wipe.progress {
        let to = target.as_ref().map_or_else(String::new, |id| format!(" to {id}"));
        rows.push((
            "  Command",
            format!("{stage}{to} at {}: {detail}", since.short()),
            Tone::Changed,
        ));
    }
    rows
}
