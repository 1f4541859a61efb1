//! A difference in CI: as a comment and as annotations.

use std::io::{self, Write};
use std::path::Path;

use super::context::{Context, Side};
use super::text::{
    REACH_SHOWN, device_text, freeze, mended_line, profile_text, summary, told, who, wipe_text,
};
use crate::domain::diff::{DeviceDiff, Difference, FleetDiff};
use crate::ui::render::check::findings_section;
use crate::ui::render::github::{self, Level, Target};
use crate::ui::render::markdown::{Comment, code};
use crate::ui::render::out::Out;

/// Sections of at most so many items are shown unfolded.
const FEW: usize = 5;

/// For a comment: the summary, wipe requests, new findings, profiles and whom they reach,
/// devices, mended findings.
pub(crate) fn markdown(out: &mut Out, diff: &FleetDiff, context: Context<'_>) -> io::Result<()> {
    let FleetDiff { devices, profiles, wipes, new, mended } = diff;
    let Context { root, base, head, trust: _, freeze: why, now: _ } = context;
    let mut comment = Comment::new("Fleetform diff", &summary(diff));
    if let Some(why) = why {
        let (title, help) = freeze(why);
        comment.paragraph(&format!("**{title}.**\n\nHelp: {help}"));
    }
    let mut texts = Vec::new();
    for wipe in wipes {
        texts.push(Out::captured(|out| wipe_text(out, wipe, context))?);
    }
    comment.section(&format!("WIPE REQUESTS: {}", wipes.len()), (true, "text"), wipes.len(), texts);
    findings_section(&mut comment, "New findings", new, Path::new(root));
    let texts = profiles.iter().map(|p| captured(|out| profile_text(out, p)));
    let open = profiles.len() <= FEW;
    comment.section(
        &format!("Profiles: {}", profiles.len()),
        (open, "diff"),
        profiles.len(),
        texts,
    );
    for difference in Difference::ALL {
        let of = || devices.iter().filter(|device| device.difference == *difference);
        let texts = of().map(|device| captured(|out| device_text(out, device, root)));
        let (n, title) = (of().count(), format!("Devices {}: {}", told(*difference), of().count()));
        comment.section(&title, (n <= FEW, "diff"), n, texts);
    }
    for profile in profiles.iter().filter(|profile| profile.reaches.len() > REACH_SHOWN) {
        let title = format!("All devices that {} reaches: {}", profile.name, profile.reaches.len());
        let texts = profile.reaches.iter().map(who);
        comment.section(&title, (false, "text"), profile.reaches.len(), texts);
    }
    let texts = mended.iter().map(|finding| mended_line(finding, root));
    comment.section(&format!("Fixed: {}", mended.len()), (false, "text"), mended.len(), texts);
    comment.paragraph(&format!("From {} to {}.", side(base), side(head)));
    out.write_all(comment.finish().as_bytes())
}

/// Writing to memory does not fail.
fn captured(draw: impl FnOnce(&mut Out) -> io::Result<()>) -> String {
    Out::captured(draw).unwrap_or_default()
}

fn side(side: Side<'_>) -> String {
    let Side { name, commit } = side;
    let commit = commit.filter(|commit| !commit.starts_with(name) || name.is_empty());
    let commit = commit.map(|commit| format!(" ({})", code(commit.get(..12).unwrap_or(commit))));
    format!("{}{}", code(name), commit.unwrap_or_default())
}

/// As annotations on the files of the head, and a notice that sums up.
pub(crate) fn github(out: &mut Out, diff: &FleetDiff, context: Context<'_>) -> io::Result<()> {
    let FleetDiff { devices, profiles, wipes, new, mended: _ } = diff;
    let root = Path::new(context.root);
    if let Some(why) = context.freeze {
        let (title, help) = freeze(why);
        github::annotate(out, Level::Warning, None, "freeze", &format!("{title}.\n{help}"))?;
    }
    for finding in new {
        github::finding(out, root, finding, "new ")?;
    }
    for wipe in wipes {
        let text = captured(|out| wipe_text(out, wipe, context));
        let target =
            (wipe.difference != Difference::Removed).then(|| Target::at(root, &wipe.file.place));
        let title = format!("wipe request {}", told(wipe.difference));
        github::annotate(out, Level::Warning, target.as_ref(), &title, text.trim_end())?;
    }
    for profile in profiles {
        let text = captured(|out| profile_text(out, profile));
        let title = format!("profile {}", told(profile.difference));
        github::annotate(out, Level::Warning, None, &title, text.trim_end())?;
    }
    for device in devices {
        annotate_device(out, device, context.root)?;
    }
    github::annotate(out, Level::Notice, None, "fleetform diff", &summary(diff))
}

fn annotate_device(out: &mut Out, diff: &DeviceDiff, root: &str) -> io::Result<()> {
    // Where it is in the base is no place in the pull request.
    let gone = matches!(diff.difference, Difference::Removed | Difference::Held);
    let target = (!gone).then(|| Target::at(Path::new(root), &diff.device.place));
    let level = if gone { Level::Warning } else { Level::Notice };
    let text = captured(|out| device_text(out, diff, root));
    let title = format!("device {}", told(diff.difference));
    github::annotate(out, level, target.as_ref(), &title, text.trim_end())
}
