//! As text for people. `ci` uses its lines, too.

use std::io::{self, Write};
use std::path::Path;

use super::context::Context;
use crate::domain::diff::{DeviceDiff, Difference, FleetDiff, ProfileDiff, WipeDiff};
use crate::domain::manifest::finding::Finding;
use crate::domain::model::DesiredDevice;
use crate::domain::state::event::PassFrozen;
use crate::domain::wipe::Namespace;
use crate::domain::wipe::verify::{SignedFile, signed_files};
use crate::domain::wording::count;
use crate::ui::render::change::change_text;
use crate::ui::render::findings::Drawing;
use crate::ui::render::out::{Out, Tone};
use crate::ui::render::text::{located, safe};

/// Devices of a profile beyond this many are only counted, in text.
pub(super) const REACH_SHOWN: usize = 8;

/// As text: wipe requests, profiles, devices, findings, a summary line.
pub(crate) fn text(out: &mut Out, diff: &FleetDiff, context: Context<'_>) -> io::Result<()> {
    let FleetDiff { devices, profiles, wipes, new, mended } = diff;
    if let Some(why) = context.freeze {
        let (title, help) = freeze(why);
        writeln!(out, "{}\n  help: {help}\n", out.paint(Tone::Removed, &title))?;
    }
    wipes.iter().try_for_each(|wipe| wipe_text(out, wipe, context))?;
    profiles.iter().try_for_each(|profile| profile_text(out, profile))?;
    for device in devices {
        if out.is_closed() {
            return Ok(());
        }
        device_text(out, device, context.root)?;
    }
    if !(wipes.is_empty() && profiles.is_empty() && devices.is_empty()) {
        writeln!(out)?;
    }
    let drawing = Drawing::new(Path::new(context.root), out.color(), out.width());
    for finding in new {
        writeln!(out, "{}\n", drawing.draw(finding))?;
    }
    for finding in mended {
        writeln!(out, "{}", out.paint(Tone::Added, &mended_line(finding, context.root)))?;
    }
    writeln!(out, "{}", out.paint(Tone::Strong, &summary(diff)))
}

/// That the daemon would stop, and what to do about it.
pub(super) fn freeze(why: &PassFrozen) -> (String, String) {
    let PassFrozen { cause: _, removed, of } = why;
    let title = format!(
        "FREEZE: merging this removes {removed} of {} at once; the daemon then stops changing anything",
        count(*of, "device")
    );
    let help = format!(
        "split the change up; or, if these removals are intended, stop the daemon after merging and run: \
         fleetform apply --accept-removals {removed} (or the number that fleetform plan names then)"
    );
    (title, help)
}

fn tone(difference: Difference) -> (&'static str, Tone) {
    match difference {
        Difference::Added | Difference::Mended => ("+", Tone::Added),
        Difference::Changed => ("~", Tone::Changed),
        Difference::Moved => (">", Tone::Dim),
        Difference::Held => ("!", Tone::Removed),
        Difference::Removed => ("-", Tone::Removed),
    }
}

/// For people; `mended` is the word of the JSON.
pub(super) fn told(difference: Difference) -> &'static str {
    if difference == Difference::Mended { "fixed" } else { difference.as_str() }
}

fn head(out: &Out, difference: Difference, what: &str, note: &str) -> String {
    let (sign, tone) = tone(difference);
    let line = format!("{sign} {:<8} {what}", told(difference));
    format!("{}{}", out.paint(tone, &line), out.paint(Tone::Dim, note))
}

pub(super) fn device_text(out: &mut Out, diff: &DeviceDiff, root: &str) -> io::Result<()> {
    let DeviceDiff { difference, device, moved_from, changes } = diff;
    let spec = &device.spec;
    let from = moved_from.as_ref().map(|from| format!(", was {from}")).unwrap_or_default();
    let place = format!("  {}{from}", located(&device.place, root));
    let what = format!("{}  {}", spec.serial_number, spec.name);
    let line = head(out, *difference, &what, &place);
    writeln!(out, "{line}")?;
    match difference {
        Difference::Added | Difference::Mended => {
            let text = format!(
                "{}, profile {}, {} {}, {}",
                spec.user_email, spec.profile, spec.platform, spec.os_version, spec.ownership
            );
            writeln!(out, "      {}", safe(&text))
        }
        Difference::Changed => {
            let color = out.color();
            changes.iter().try_for_each(|change| change_text(out, change, color))
        }
        Difference::Held => {
            writeln!(out, "      its manifest cannot be used; what is recorded stays as it is")
        }
        Difference::Removed => {
            writeln!(out, "      the device keeps its settings and is listed as orphaned")
        }
        Difference::Moved => Ok(()),
    }
}

pub(super) fn profile_text(out: &mut Out, diff: &ProfileDiff) -> io::Result<()> {
    let ProfileDiff { difference, name, changes, reaches } = diff;
    let note = format!("  reaches {}", count(reaches.len() as u64, "device"));
    let line = head(out, *difference, &format!("profile {name}"), &note);
    writeln!(out, "{line}")?;
    if *difference == Difference::Changed {
        let color = out.color();
        changes.iter().try_for_each(|change| change_text(out, change, color))?;
    }
    if reaches.is_empty() {
        return Ok(());
    }
    let some: Vec<String> = reaches.iter().take(REACH_SHOWN).map(who).collect();
    let more = match reaches.len().checked_sub(REACH_SHOWN) {
        Some(more @ 1..) => format!(" and {more} more"),
        _ => String::new(),
    };
    writeln!(out, "      devices: {}{more}", some.join(", "))
}

pub(super) fn who(device: &DesiredDevice) -> String {
    format!("{} ({})", device.spec.name, device.spec.serial_number)
}

pub(super) fn wipe_text(out: &mut Out, diff: &WipeDiff, context: Context<'_>) -> io::Result<()> {
    let WipeDiff { difference, file } = diff;
    let request = &file.request;
    let what = format!(
        "WIPE REQUEST {}: {} ({}), {} wipe, {}",
        request.name, request.device_id, request.serial, request.scope, request.reason
    );
    let place = format!("  {}", located(&file.place, context.root));
    let (sign, _) = tone(*difference);
    let line = format!("{sign} {:<8} {what}", told(*difference));
    writeln!(out, "{}{}", out.paint(Tone::Removed, &line), out.paint(Tone::Dim, &place))?;
    let mut rows = vec![
        ("requester", request.requested_by.to_string()),
        ("expires", request.expires_at.short()),
    ];
    let [signed, vetoed] = seen(diff, context);
    let told = signed.iter().map(|s| by("signed", s)).chain(vetoed.iter().map(|s| by("VETOED", s)));
    rows.extend(told);
    if !rows.iter().any(|(key, _)| *key == "signed") {
        rows.push(("signed", "by nobody".to_owned()));
    }
    for (key, value) in rows {
        writeln!(out, "      {key:<9} {}", safe(&value))?;
    }
    Ok(())
}

/// Who signed, and who objects.
pub(super) fn seen(WipeDiff { file, .. }: &WipeDiff, context: Context<'_>) -> [Vec<SignedFile>; 2] {
    let all: Vec<_> = [(&file.signatures, Namespace::Wipe), (&file.vetoes, Namespace::Veto)]
        .into_iter()
        .flat_map(|files| signed_files(&file.bytes, files, context.trust, context.now))
        .collect();
    let (signed, vetoed) = all.into_iter().partition(|seen| seen.purpose == Namespace::Wipe);
    [signed, vetoed]
}

fn by<'a>(
    done: &'a str,
    SignedFile { name, purpose: _, key, person }: &SignedFile,
) -> (&'a str, String) {
    match (person, key) {
        (Some(Ok(person)), Ok(key)) => (done, format!("by {person} with {key} ({name})")),
        (None, Ok(key)) => (done, format!("by somebody with {key} ({name})")),
        (Some(Err(why)), _) | (_, Err(why)) => ("ignored", format!("{name}: {}", why.detail)),
    }
}

pub(super) fn mended_line(finding: &Finding, root: &str) -> String {
    let at = Path::new(root).join(&*finding.span.path);
    let line =
        if finding.span.line > 0 { format!(":{}", finding.span.line) } else { String::new() };
    format!("fixed[{}]: {}  {}{line}", finding.code, finding.message, at.display())
}

/// One line that says it all.
#[must_use]
pub(super) fn summary(diff: &FleetDiff) -> String {
    let FleetDiff { devices, profiles, wipes, new, mended } = diff;
    let mut parts = Vec::new();
    for difference in Difference::ALL {
        let n = wipes.iter().filter(|wipe| wipe.difference == *difference).count() as u64;
        if n > 0 {
            let plural = if n == 1 { "" } else { "S" };
            parts.push(format!("{n} WIPE REQUEST{plural} {}", told(*difference)));
        }
    }
    for difference in Difference::ALL {
        let n = devices.iter().filter(|device| device.difference == *difference).count() as u64;
        if n > 0 {
            parts.push(format!("{} {}", count(n, "device"), told(*difference)));
        }
    }
    for difference in Difference::ALL {
        let of = || profiles.iter().filter(|profile| profile.difference == *difference);
        let reach: usize = of().map(|profile| profile.reaches.len()).sum();
        let n = of().count() as u64;
        if n > 0 {
            let reach = count(reach as u64, "device");
            parts.push(format!("{} {} (reaching {reach})", count(n, "profile"), told(*difference)));
        }
    }
    if !new.is_empty() {
        parts.push(count(new.len() as u64, "new finding"));
    }
    if !mended.is_empty() {
        parts.push(format!("{} fixed", count(mended.len() as u64, "finding")));
    }
    if parts.is_empty() {
        return "No changes. The manifests describe the same fleet.".to_owned();
    }
    format!("Changes: {}.", parts.join(", "))
}
