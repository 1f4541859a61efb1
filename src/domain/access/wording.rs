//! What a denial says: to whoever runs the fleet, and to the user, who need not know what an MDM is.

use super::answer::Denial;
use super::block::{Blocking, block};
use super::question::Question;
use super::reason::Reason;
use super::rules::{Requirement, Rules};
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::{Device, State};
use crate::domain::wording::{duration, quote};

/// What the words are about.
#[derive(Clone, Copy)]
pub(super) struct Basis<'a> {
    pub(super) recorded: &'a State,
    pub(super) rules: &'a Rules,
    pub(super) settings: &'a Settings,
    /// The time that counts.
    pub(super) now: Timestamp,
}

pub(super) fn denial(
    basis: &Basis<'_>,
    question: &Question<'_>,
    reason: Reason,
    device: Option<DeviceId>,
) -> Denial {
    let of = device.and_then(|id| Some((id, basis.recorded.devices.get(&id)?)));
    let admin = match of {
        Some((id, of)) => {
            let why = of_device(basis, reason, of);
            format!("{id} ({}): {why}", of.spec.name)
        }
        None => general(basis, question, reason),
    };
    let mut user = for_user(basis, reason, of.map(|(_, device)| device));
    if let Some(url) = &basis.rules.help_url {
        user = format!("{user} Help: {url}");
    }
    Denial { reason, device, admin, user }
}

/// What no device is the cause of.
fn general(basis: &Basis<'_>, question: &Question<'_>, reason: Reason) -> String {
    let age = duration(basis.rules.max_age);
    match reason {
        Reason::NotReady => "the daemon has not finished its first reconciliation".into(),
        Reason::LedgerUnreadable => {
            "the ledger cannot be opened, so recent changes are unknown: see /readyz".into()
        }
        Reason::OutOfDate => {
            format!(
                "no reconciliation has succeeded for longer than access.maxAge ({age}): see \
                     /readyz"
            )
        }
        Reason::Frozen => {
            let since = basis.recorded.frozen.as_ref().map(|frozen| frozen.since.short());
            let since = since.unwrap_or_default();
            format!("the fleet has been frozen since {since}, longer than access.maxAge ({age})")
        }
        Reason::UnknownResource => format!(
            "there is no resource {} of type {}: access.resources lists those of type `application`",
            quote(question.resource),
            quote(question.resource_type)
        ),
        Reason::UnsupportedSubject => {
            format!(
                "a subject of type {} has no devices; ask for a `user`",
                quote(question.subject_type)
            )
        }
        Reason::NoEnrolledDevice => {
            format!("none of the devices of {} is enrolled", quote(question.user))
        }
        Reason::UnknownDevice => format!("there is no device {}", named(question)),
        Reason::AmbiguousDevice => {
            format!("{} are two devices: their id and serial number disagree", named(question))
        }
        Reason::UnknownUser
        | Reason::ForeignDevice
        | Reason::Wiped
        | Reason::WipeUnderWay
        | Reason::NotEnrolled
        | Reason::Missing
        | Reason::NonCompliant
        | Reason::ComplianceUnknown
        | Reason::Stale
        | Reason::Blocked
        | Reason::NotCorporate
        | Reason::NotDeclared => format!("no device belongs to {}", quote(question.user)),
    }
}

fn named(question: &Question<'_>) -> String {
    let parts: Vec<_> =
        [question.device.id, question.device.serial].into_iter().flatten().map(quote).collect();
    parts.join(" and ")
}

pub(super) fn of_device(basis: &Basis<'_>, reason: Reason, device: &Device) -> String {
    let verdict = &device.compliance;
    match reason {
        Reason::ForeignDevice => format!("belongs to {}, not to this user", device.spec.user_email),
        Reason::Wiped => format!("wiped since {}", device.status_since.short()),
        Reason::WipeUnderWay => "a wipe of it is accepted or issued".into(),
        Reason::NotEnrolled => format!("{}: {}", device.status, device.status_reason),
        Reason::Missing => {
            format!("the MDM no longer lists it{}", since(device.rare.missing_since))
        }
        Reason::NonCompliant => {
            format!("fails {} since {}", verdict.checks.failing.join(", "), verdict.since.short())
        }
        Reason::ComplianceUnknown if verdict.checks.missing.is_empty() => {
            "nothing is reported".into()
        }
        Reason::ComplianceUnknown => format!("not reported: {}", verdict.checks.missing.join(", ")),
        Reason::Stale => {
            let age = duration(basis.rules.max_age);
            let heard = device.last_sync.filter(|_| device.facts.is_some());
            let heard = heard.map_or_else(
                || "there is no report of it".to_owned(),
                |at| format!("last report at {}", at.short()),
            );
            format!("{heard}; access.maxAge is {age}")
        }
        Reason::Blocked => {
            let blocked = match block(device, basis.settings, basis.now) {
                Blocking::Since(_) => ", and is blocked",
                _ => ": longer than compliance.blockAfter allows",
            };
            format!(
                "fails {} since {}{blocked}",
                verdict.checks.failing.join(", "),
                verdict.since.short()
            )
        }
        Reason::NotCorporate => "it is a personal device".into(),
        Reason::NotDeclared => format!("its manifest is gone{}", since(device.rare.orphaned_since)),
        Reason::NotReady
        | Reason::LedgerUnreadable
        | Reason::OutOfDate
        | Reason::Frozen
        | Reason::UnknownResource
        | Reason::UnsupportedSubject
        | Reason::UnknownUser
        | Reason::NoEnrolledDevice
        | Reason::UnknownDevice
        | Reason::AmbiguousDevice => reason.to_string(),
    }
}

/// What a device shows that fulfils a requirement.
pub(super) fn seen(basis: &Basis<'_>, requirement: Option<Requirement>, device: &Device) -> String {
    match requirement {
        None => "not wiped, and no wipe is in progress".into(),
        Some(Requirement::Enrolled) => format!("since {}", device.status_since.short()),
        Some(Requirement::Compliant) => format!("since {}", device.compliance.since.short()),
        Some(Requirement::Fresh) => {
            let at = device.last_sync.map_or_else(String::new, Timestamp::short);
            format!("last report at {at}")
        }
        Some(Requirement::NotBlocked) => match block(device, basis.settings, basis.now) {
            Blocking::At(at) => format!("will be blocked at {}", at.short()),
            Blocking::ExemptUntil(at) => format!("exempt, will be blocked at {}", at.short()),
            Blocking::None
            | Blocking::Orphaned(_)
            | Blocking::Due(_)
            | Blocking::Since(_)
            | Blocking::Gone => {
                format!("{} since {}", device.compliance.state, device.compliance.since.short())
            }
        },
        Some(Requirement::Corporate) => "owned by the organization".into(),
        Some(Requirement::Declared) => device.manifest.path.to_string(),
    }
}

fn since(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| format!(" since {}", at.short()))
}

/// Nothing here tells a stranger whether a device exists.
fn for_user(basis: &Basis<'_>, reason: Reason, device: Option<&Device>) -> String {
    let name = device.map_or_else(String::new, |device| format!(" {}", device.spec.name));
    match reason {
        Reason::NotReady | Reason::LedgerUnreadable | Reason::OutOfDate | Reason::Frozen => {
            "We cannot check your device at the moment. This is not your fault; please try again \
             later."
                .into()
        }
        Reason::UnknownResource | Reason::UnsupportedSubject => {
            "This application is not set up for access checks yet. Please ask your IT department."
                .into()
        }
        Reason::UnknownUser | Reason::NoEnrolledDevice => {
            "No device is set up for you yet. Please set up your work device first, or ask your IT \
             department."
                .into()
        }
        Reason::UnknownDevice | Reason::ForeignDevice | Reason::AmbiguousDevice => {
            "This device is not set up for you. Please use your own work device.".into()
        }
        Reason::Wiped | Reason::WipeUnderWay => {
            "This device cannot be used for work any more. Please ask your IT department.".into()
        }
        Reason::NotEnrolled | Reason::Missing => {
            format!("Your device{name} is not fully set up yet. Please finish its setup.")
        }
        Reason::NonCompliant | Reason::Blocked => {
            let checks = device.map_or_else(String::new, checks);
            format!(
                "Your device{name} needs attention: {checks}. Once this is fixed and the device has \
                 been online for a few minutes, you can come in."
            )
        }
        Reason::ComplianceUnknown => format!(
            "We do not know yet whether your device{name} is safe to use. Keep it switched on and \
             online for a while, then try again."
        ),
        Reason::Stale => format!(
            "We have received nothing from your device{name} for more than {}. Keep it switched \
             on and online for a while, then try again.",
            duration(basis.rules.max_age)
        ),
        Reason::NotCorporate => {
            "This application is for work devices only. Please use your work device.".into()
        }
        Reason::NotDeclared => {
            format!("Your device{name} is no longer registered. Please ask your IT department.")
        }
    }
}

/// What is wrong with a device, in words of every day.
fn checks(device: &Device) -> String {
    let words = device.compliance.checks.failing.iter().map(|check| match check.as_str() {
        "antivirus" => "its virus protection is off or out of date",
        "encryption" => "its disk is not encrypted",
        "osVersion" => "its operating system needs an update",
        "screenLock" => "its screen lock or PIN is missing or too short",
        _ => "device management reports a problem with it",
    });
    let words: Vec<_> = words.collect();
    if words.is_empty() { "a security check fails".to_owned() } else { words.join(", and ") }
}
