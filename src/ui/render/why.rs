//! Why a device is as it is: what holds it up comes first, then its status, its profile, its
//! compliance and its syncs, each in a sentence, with what to do about it.
//!
//! What the procedure advises is here and nowhere else (docs/troubleshooting.md).

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::device::{ago, overdue_since};
use super::hindrance::{Held, Hindrance};
use super::out::{Out, Tone};
use super::{episode, json, license};
use crate::domain::access::{Blocking, block};
use crate::domain::compliance::{ComplianceCheck, Outcome, Reported, checks};
use crate::domain::model::{
    ComplianceState, DeviceId, Name, SerialNumber, Status, Timestamp, words,
};
use crate::domain::plan::{HoldReason, archives_at};
use crate::domain::settings::Settings;
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{Device, PushState, State, Wipe, WipeState};
use crate::domain::wording::{count, duration};

words! {
    /// What a sentence is about.
    pub(crate) enum Topic {
        Fleet = "fleet",
        Manifest = "manifest",
        Erased = "erased",
        Wipe = "wipe",
        Status = "status",
        Profile = "profile",
        License = "license",
        Compliance = "compliance",
        Sync = "sync",
    }
}

words! {
    /// Whether somebody has to do something.
    pub(crate) enum Urgency {
        /// All is well, or over.
        Normal = "normal",
        /// It goes on by itself.
        Waiting = "waiting",
        /// Somebody has to look at it.
        Attention = "attention",
    }
}

/// One sentence, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) topic: Topic,
    pub(crate) standing: Urgency,
    /// Whole sentences.
    pub(crate) text: String,
    /// What to do, most likely first; whole sentences.
    pub(crate) advice: Vec<String>,
}

impl Point {
    fn new(topic: Topic, standing: Urgency, text: impl Into<String>) -> Self {
        Self { topic, standing, text: text.into(), advice: Vec::new() }
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }
}

/// A device, and all that says why it is as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Why<'a> {
    pub(crate) state: &'a State,
    pub(crate) id: DeviceId,
    pub(crate) device: &'a Device,
    pub(crate) hindrance: &'a Hindrance,
    pub(crate) settings: &'a Settings,
    pub(crate) now: Timestamp,
}

impl Why<'_> {
    /// What holds it up first.
    pub(crate) fn points(&self) -> Vec<Point> {
        let mut points = Vec::new();
        points.extend(self.frozen());
        points.extend(self.manifest());
        points.extend(self.erased());
        points.extend(self.wipes());
        points.push(self.status());
        if !self.device.is_wiped() {
            points.extend(self.profile());
            points.extend(self.licenses());
            points.extend(self.compliance());
            points.extend(self.sync());
        }
        points.extend(self.archived());
        points
    }

    fn frozen(&self) -> Option<Point> {
        let frozen = self.state.frozen.as_ref();
        // The log keeps the numbers with which it began.
        let why = self.hindrance.refused.as_ref().or(frozen.map(|frozen| &frozen.why))?;
        let gone = match why.of {
            0 => String::new(),
            of => format!(" ({} of {} gone)", why.removed, count(of, "device")),
        };
        let cause = format!("{}{gone}", why.cause.explain());
        let text = match frozen {
            Some(frozen) => format!(
                "The whole fleet is frozen since {}: {cause}. Until that is fixed nothing is \
                 changed on any device.",
                frozen.since.short()
            ),
            None => format!(
                "The next reconciliation will freeze the whole fleet: {cause}. From then on \
                 nothing is changed on any device until that is fixed."
            ),
        };
        let point = Point::new(Topic::Fleet, Urgency::Attention, text);
        // A command is copied without a full stop.
        let whole = |step: &String| match step.contains("fleetform ") {
            true => capital(step),
            false => format!("{}.", capital(step)),
        };
        Some(why.steps().iter().map(whole).fold(point, Point::advise))
    }

    fn manifest(&self) -> Vec<Point> {
        let mut points: Vec<_> = self.hindrance.held.iter().filter_map(of_manifest).collect();
        if let Some(at) = self.device.rare.orphaned_since {
            let path = &self.device.manifest.path;
            let text = format!(
                "Orphaned since {}: no manifest has its serial number (it was in {path}). \
                 The device keeps its settings, and is not changed.",
                at.short()
            );
            let point = Point::new(Topic::Manifest, Urgency::Attention, text).advise(
                "If the device is still in use, restore its manifest: it is then adopted again.",
            );
            points.push(match archives_at(self.device, self.settings) {
                Some(at) => {
                    point.advise(format!("If not, leave it: it is archived at {}.", at.short()))
                }
                None => point,
            });
        }
        points
    }

    fn archived(&self) -> Option<Point> {
        let at = self.device.rare.archived_since?;
        let text = format!("Archived since {}: lists leave it out without --archived.", at.short());
        Some(Point::new(Topic::Status, Urgency::Normal, text))
    }

    fn erased(&self) -> Option<Point> {
        let at = self.device.rare.unrequested_wipe.filter(|_| !self.device.is_wiped())?;
        let next = self.device.enrollment.saturating_add(1);
        let text = format!(
            "Since {} the device has reported that it was erased, without a wipe request.",
            at.short()
        );
        let point = Point::new(Topic::Erased, Urgency::Attention, text)
            .advise("Find out who erased it: look into the MDM's own audit log.")
            .advise(format!("Then provision it again with enrollment: {next} in its manifest."));
        Some(point)
    }

    fn wipes(&self) -> Vec<Point> {
        let mut wipes: Vec<&Wipe> = self.state.wipes_of(self.id).collect();
        wipes.sort_by_key(|wipe| (wipe.since, wipe.subject.request));
        let lineage = self.state.lineage;
        let told = |wipe: &Wipe| if wipe.is_void(lineage) { void(wipe) } else { of_wipe(wipe) };
        wipes.into_iter().filter_map(told).collect()
    }

    fn status(&self) -> Point {
        let Self { device, .. } = *self;
        let (since, reason) = (device.status_since.short(), &device.status_reason);
        let point = |standing, more: &str| {
            let text = format!("{} since {since}: {reason}.{more}", device.status);
            Point::new(Topic::Status, standing, text)
        };
        if device.status == Status::Wiped {
            return match self.find(HoldReason::Wiped) {
                Some(held) => point(Urgency::Attention, "")
                    .advise(format!("Its manifest is still there: {}.", held.detail)),
                None => point(Urgency::Normal, " This device ID is finished."),
            };
        }
        let (standing, more, advice) = self.next_status();
        advice.into_iter().fold(point(standing, &more), Point::advise)
    }

    fn profile(&self) -> Option<Point> {
        let profile = &self.device.spec.profile;
        let point = |standing, text: String| Some(Point::new(Topic::Profile, standing, text));
        match &self.device.push.progress.state {
            PushState::Pushed => None,
            PushState::Intended => point(
                Urgency::Waiting,
                format!(
                    "The profile {profile} is being pushed; whether it arrived is not known yet."
                ),
            ),
            PushState::Failed(ErrorClass::Permanent, error) => {
                let text = format!("The MDM refused the profile {profile}: {error}.");
                Some(Point::new(Topic::Profile, Urgency::Attention, text).advise(
                    "Change the profile or the device in the fleet directory; it is then pushed again.",
                ))
            }
            PushState::Failed(ErrorClass::Transient | ErrorClass::Unknown, error) => point(
                Urgency::Waiting,
                format!(
                    "The last push of the profile {profile} failed, and is tried again: {error}."
                ),
            ),
        }
    }

    fn licenses(&self) -> impl Iterator<Item = Point> {
        license::lacks(self.device).map(|(sku, why)| {
            let user = &self.device.spec.user_email;
            let text = format!("{user} does not have license {sku}: {why}. It is tried again.");
            Point::new(Topic::License, Urgency::Attention, text)
        })
    }

    fn compliance(&self) -> Option<Point> {
        let Self { device, settings, now, .. } = *self;
        let verdict = &device.compliance;
        let since = verdict.since.short();
        match verdict.state {
            ComplianceState::Compliant => None,
            ComplianceState::Unknown if device.status != Status::Enrolled => None,
            ComplianceState::Unknown => {
                let missing = verdict.checks.missing.join(", ");
                let what = if missing.is_empty() { "its checks" } else { &missing };
                let text = format!(
                    "Compliance has been unknown since {since}: the device has not reported {what}."
                );
                Some(Point::new(Topic::Compliance, Urgency::Waiting, text))
            }
            ComplianceState::NonCompliant => {
                let access = match block(device, settings, now) {
                    Blocking::At(at) => format!(" Access will be blocked at {}.", at.short()),
                    Blocking::ExemptUntil(at) => {
                        format!(" Access is kept by an exemption until {}.", at.short())
                    }
                    Blocking::Since(at) => {
                        format!(" Access has been blocked since {}.", at.short())
                    }
                    Blocking::Due(at) => format!(
                        " A block of its access has been due since {}: {}.",
                        at.short(),
                        episode::due(device)
                    ),
                    Blocking::None | Blocking::Orphaned(_) | Blocking::Gone => String::new(),
                };
                let text = format!(
                    "Not compliant since {since}: fails {}.{access}",
                    verdict.checks.failing.join(", ")
                );
                let mut point = Point::new(Topic::Compliance, Urgency::Attention, text);
                for check in self.checks().iter().filter(|check| check.outcome == Outcome::Fail) {
                    let ComplianceCheck { name, seen, wanted, .. } = check;
                    point = point
                        .advise(format!("{name}: it is {seen}; the profile requires {wanted}."));
                }
                let guide = format!(
                    "Guide {} to fix this; the device is checked again at its next report.",
                    device.spec.user_email
                );
                Some(point.advise(guide))
            }
        }
    }

    fn sync(&self) -> Option<Point> {
        let Self { id, device, settings, now, .. } = *self;
        if device.rare.missing_since.is_some() {
            let text = "The MDM no longer lists the device. Nothing is done to it.";
            return Some(
                Point::new(Topic::Sync, Urgency::Attention, text)
                    .advise("Find out in the MDM's audit log who deleted it there."),
            );
        }
        // Whoever has not enrolled yet is late in another way.
        let due =
            overdue_since(device, settings, now).filter(|_| device.status == Status::Enrolled)?;
        let text = format!(
            "Its sync is delayed: the last report came {}, one is expected every {}, and it is overdue since {}.",
            ago(device.last_sync, now),
            duration(settings.sync_interval),
            due.short()
        );
        let point = Point::new(Topic::Sync, Urgency::Attention, text)
            .advise("Verify that the device is turned on and online.")
            .advise("Check the service status of the MDM (for Intune: Microsoft 365 admin center, Service health).")
            .advise(format!("Ask it to report now: fleetform sync {id}, or Sync in the Company Portal app."));
        Some(point)
    }

    /// Its compliance in parts, by the recorded profile.
    fn checks(&self) -> Vec<ComplianceCheck> {
        let Self { state, device, .. } = *self;
        let reported = device.facts.as_deref().zip(device.last_sync);
        let reported = reported.map(|(facts, at)| Reported { facts, at });
        state.profiles.get(&device.spec.profile).map_or_else(Vec::new, |profile| {
            checks(&profile.compliance, device.spec.platform, reported)
        })
    }

    pub(super) fn find(&self, reason: HoldReason) -> Option<&Held> {
        self.hindrance.held.iter().find(|held| held.reason == reason)
    }

    /// What is shown of it.
    #[must_use]
    pub(crate) fn said(&self) -> Said {
        let spec = &self.device.spec;
        Said {
            version: 1,
            device: self.id,
            serial_number: spec.serial_number.clone(),
            name: spec.name.clone(),
            status: self.device.status,
            why: self.points(),
        }
    }
}

/// Why a device is as it is, as it is shown and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Said {
    version: u32,
    device: DeviceId,
    serial_number: SerialNumber,
    name: Name,
    status: Status,
    pub(crate) why: Vec<Point>,
}

impl Said {
    /// A headline, then each sentence with what to do below it.
    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let Self { version: _, device, serial_number, name, status, why } = self;
        let title = format!("{device} {name} ({serial_number}): {status}");
        writeln!(out, "{}", out.paint(Tone::Strong, &title))?;
        write_points(why, out)
    }

    /// `{"version": 1, "device", "serialNumber", "name", "status", "why": [{"topic", "standing", …}]}`.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::pretty(out, self)
    }
}

/// Each sentence, and below it what to do.
pub(super) fn write_points(points: &[Point], out: &mut Out) -> io::Result<()> {
    for Point { topic: _, standing, text, advice } in points {
        let (mark, tone) = match standing {
            Urgency::Normal => (" ", Tone::Plain),
            Urgency::Waiting => ("~", Tone::Changed),
            Urgency::Attention => ("!", Tone::Removed),
        };
        writeln!(out, "  {} {}", out.paint(tone, mark), out.paint(Tone::Plain, text))?;
        for advice in advice {
            writeln!(out, "      - {}", out.paint(Tone::Plain, advice))?;
        }
    }
    Ok(())
}

/// What the plan says of its manifest; other holds follow from what is recorded.
fn of_manifest(held: &Held) -> Option<Point> {
    let Held { reason, detail, place } = held;
    let at = place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
    let standing = if reason.is_waiting() { Urgency::Waiting } else { Urgency::Attention };
    let point = |text: String| Point::new(Topic::Manifest, standing, text);
    match reason {
        HoldReason::ManifestInvalid | HoldReason::ProfileInvalid => {
            let what = if *reason == HoldReason::ProfileInvalid {
                "The manifest of its profile"
            } else {
                "Its manifest"
            };
            let text = format!(
                "{what} cannot be used{at}: {detail}. Until then the device keeps what was recorded."
            );
            Some(point(text).advise("fleetform check shows what is wrong, with line and column."))
        }
        HoldReason::EnrollmentLowered | HoldReason::Unsettled | HoldReason::BackingOff => {
            Some(point(format!("{}{at}.", capital(detail))))
        }
        HoldReason::UnrequestedWipe
        | HoldReason::AwaitingReport
        | HoldReason::EnrollmentFailed
        | HoldReason::Wiped
        | HoldReason::ProviderRefused
        | HoldReason::Frozen
        | HoldReason::WipeUnderWay
        | HoldReason::WipeHeld
        | HoldReason::WipeRefused
        | HoldReason::WipeOver => None,
    }
}

/// A wipe request that the next reconciliation refuses, since the ledger was restored.
fn void(wipe: &Wipe) -> Option<Point> {
    let name = &wipe.subject.name;
    let text = format!(
        "The wipe request {name} is for the ledger before it was restored, and is refused."
    );
    let advice = "If the device is still to be wiped, write and sign a new request.";
    Some(Point::new(Topic::Wipe, Urgency::Attention, text).advise(advice))
}

/// A wipe request that is not over.
fn of_wipe(wipe: &Wipe) -> Option<Point> {
    let Wipe { subject, path, state, since, detail, issue_at, .. } = wipe;
    let (name, at) = (&subject.name, since.short());
    let point = |standing, text: String| Some(Point::new(Topic::Wipe, standing, text));
    match state {
        WipeState::Held => Some(
            Point::new(
                Topic::Wipe,
                Urgency::Attention,
                format!("The wipe request {name} has been held since {at}: {detail}."),
            )
            .advise(format!("See what it lacks: fleetform wipe verify FLEET/{path}")),
        ),
        WipeState::Accepted if wipe.awaits_approval() => point(
            Urgency::Attention,
            format!(
                "The wipe request {name} waits for another administrator's approval in the MDM."
            ),
        ),
        WipeState::Accepted => {
            let from =
                issue_at.map_or_else(String::new, |at| format!(", not before {}", at.short()));
            let text = format!(
                "The wipe request {name} was accepted at {at}: the device WILL BE WIPED{from}."
            );
            let advice = "To object, delete the request or sign a veto before then.";
            Some(Point::new(Topic::Wipe, Urgency::Attention, text).advise(advice))
        }
        WipeState::Issued => point(
            Urgency::Waiting,
            format!(
                "The wipe was issued at {at} ({name}); the device confirms it at its next sync."
            ),
        ),
        WipeState::Failed => point(
            Urgency::Attention,
            format!("The wipe by request {name} failed at {at}: {detail}. It is never repeated."),
        ),
        WipeState::Refused
        | WipeState::RefusedForGood
        | WipeState::Confirmed
        | WipeState::Expired
        | WipeState::Vetoed => None,
    }
}

/// A clause as the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
