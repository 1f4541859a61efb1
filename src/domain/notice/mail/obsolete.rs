//! Which mails are not true any more by the time that they go out.

use super::letter::Letter;
use crate::domain::model::{ComplianceState, Status, Timestamp};
use crate::domain::notice::{Job, Topic};
use crate::domain::state::{Device, Episode, EpisodeKind, State};

/// Why a letter is not to be sent any more, without a full stop.
#[must_use]
pub(crate) fn obsolete(job: &Job, letter: &Letter, recorded: &State) -> Option<String> {
    // What happened in a day has happened, and what administrators did they did.
    if letter.digest || !letter.to_user {
        return None;
    }
    let device = recorded.devices.get(&letter.device.as_ref()?.id)?;
    reason(job, letter, device).map(str::to_owned)
}

fn reason(job: &Job, letter: &Letter, device: &Device) -> Option<&'static str> {
    if job.topic == Topic::WipeIssued {
        return None;
    }
    if device.is_wiped() {
        return Some("the device is wiped");
    }
    let user = letter.copy_of.as_ref().unwrap_or(&letter.to);
    if device.spec.user_email != *user {
        return Some("the device has another user now");
    }
    let episode = device.episode.as_deref().filter(|episode| Some(episode.opened) == job.episode);
    // A copy goes out right after what it is a copy of, and is not known by it already.
    let told = |key: &str| {
        let told = episode.and_then(|episode| episode.told_to(key, user));
        told.filter(|told| letter.copy_of.is_none() || *told < job.at)
    };
    match job.topic {
        Topic::NonCompliant | Topic::Reminder | Topic::Blocked | Topic::Compliant
            if device.is_erased() =>
        {
            Some("the device was erased")
        }
        Topic::NonCompliant | Topic::Reminder if !goes_on(episode) => {
            Some("the device is not non-compliant any more")
        }
        // Nobody blocks it, as long as that is so.
        Topic::NonCompliant | Topic::Reminder if device.rare.orphaned_since.is_some() => {
            Some("the manifest of the device is gone")
        }
        // If it fails again, that is told by itself; what follows in any case is.
        Topic::NonCompliant if device.compliance.state == ComplianceState::Unknown => {
            Some("it is not known any more whether the device is compliant")
        }
        Topic::NonCompliant if job.at < device.compliance.since => {
            Some("it was in order in between, and what it fails since is told by itself")
        }
        Topic::NonCompliant if told("mail/nonCompliant").is_some() => {
            Some("the user knows already")
        }
        // What it says is not true then; the block itself is told when it comes.
        Topic::Reminder if exempt_beyond(device, letter.ends) => {
            Some("an exemption puts the end of access off")
        }
        Topic::Reminder if blocked(episode) => Some("access is blocked already"),
        // An exemption that comes and goes makes several for one end.
        Topic::Reminder
            if told("mail/reminder").zip(job.not_before).is_some_and(|(told, due)| told >= due) =>
        {
            Some("the user knows already")
        }
        Topic::Blocked if !blocked(episode) => Some("access is not blocked any more"),
        Topic::Blocked if ordered(episode).is_some_and(|intent| job.entry < intent) => {
            Some("access was blocked again since, and that is told by itself")
        }
        // One that flaps is blocked again; who was reminded in between has had access again.
        Topic::Blocked
            if told("mail/blocked").is_some_and(|at| told("mail/reminder") <= Some(at)) =>
        {
            Some("the user knows already")
        }
        Topic::Compliant => not_compliant(job.at, letter, device, episode),
        Topic::EnrollmentFailed if device.status != Status::Failed => {
            Some("the device is not failed any more")
        }
        _ => None,
    }
}

/// Why nobody is to be told that a device is in order again.
fn not_compliant(
    at: Timestamp,
    letter: &Letter,
    device: &Device,
    episode: Option<&Episode>,
) -> Option<&'static str> {
    let Some(episode) = episode else { return Some("another episode began") };
    let Some(ended) = episode.ended else { return Some("the device fails again") };
    // It failed again since, and what ended that is told by itself.
    if ended > at && device.compliance.since > at {
        return Some("it failed again in between");
    }
    let user = letter.copy_of.as_ref().unwrap_or(&letter.to);
    let told = |key: &str| episode.told_to(key, user);
    let good = told("mail/compliant").filter(|good| letter.copy_of.is_none() || *good < at);
    let bad = ["mail/nonCompliant", "mail/reminder", "mail/blocked"].into_iter().filter_map(told);
    match bad.max() {
        None => Some("the user was never told that it was not in order"),
        Some(bad) if good.is_some_and(|good| good >= bad) => Some("the user knows already"),
        Some(_) => None,
    }
}

fn exempt_beyond(device: &Device, ends: Option<Timestamp>) -> bool {
    let exemption = device.spec.access.as_deref();
    exemption.zip(ends).is_some_and(|(exemption, ends)| exemption.exempt_until > ends)
}

fn goes_on(episode: Option<&Episode>) -> bool {
    episode.is_some_and(|episode| episode.is_open() && episode.kind == EpisodeKind::NonCompliant)
}

fn blocked(episode: Option<&Episode>) -> bool {
    episode.is_some_and(Episode::is_blocked)
}

/// The intent of the last order about its access.
fn ordered(episode: Option<&Episode>) -> Option<u64> {
    episode.and_then(|episode| episode.block.as_ref()).map(|block| block.intent)
}
